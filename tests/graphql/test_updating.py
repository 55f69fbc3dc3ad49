"""What an interaction is about is put right: absence keeps, null clears, and everyone who takes part hears of it."""

import asyncio
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api

FACTS: Final = {"kind": "QUERY", "topic": "billing", "reason": "Too much", "description": "All", "vertical": "BILLING", "priority": "LOW"}
READ: Final = "revision kind topic reason description vertical priority externalIdentifiers { owner type value }"
CRM: Final = {"owner": "crm", "type": "case", "value": "1"}


async def opened(api: Api) -> str:
    return str((await api.as_agent.create(customerId=api.customer, **FACTS))["id"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "COMPLAINT"),
        ("topic", "moving"),
        ("reason", "Paid twice"),
        ("description", "Half"),
        ("vertical", "ASSURANCE"),
        ("priority", "URGENT"),
    ],
)
async def test_one_field_is_put_right_and_the_others_stay(shared_api: Api, field: str, value: str) -> None:
    id = await opened(shared_api)

    await shared_api.as_agent.done("updateInteraction", id=id, **{field: value})

    assert await shared_api.as_agent.read(id, READ) == FACTS | {field: value, "revision": 2, "externalIdentifiers": []}
    event = (await shared_api.as_agent.timeline(id))[-1]
    assert (event["type"], event["message"], event["item"]) == ("UPDATED", None, None)
    assert event["changes"] == [{"field": field, "from": FACTS[field], "to": value}]
    seen = (await shared_api.as_customer.timeline(id))[-1]
    assert (seen["type"], seen["changes"], seen["redactions"]) == ("UPDATED", None, [{"field": "changes"}])


@pytest.mark.parametrize("field", ["topic", "reason", "description", "vertical"])
async def test_null_clears(shared_api: Api, field: str) -> None:
    id = await opened(shared_api)

    await shared_api.as_agent.done("updateInteraction", id=id, **{field: None})

    assert await shared_api.as_agent.read(id, READ) == FACTS | {field: None, "revision": 2, "externalIdentifiers": []}


@pytest.mark.parametrize("field", ["kind", "priority"])
async def test_what_an_interaction_always_has_is_not_cleared(shared_api: Api, field: str) -> None:
    id = await opened(shared_api)

    refused = await shared_api.as_agent.refused("updateInteraction", id=id, **{field: None})

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", field])


@pytest.mark.parametrize("input", [{}, FACTS, {"topic": " billing "}, {"priority": "LOW", "externalIdentifier": None}])
async def test_what_is_so_already_changes_nothing(shared_api: Api, input: dict[str, Any]) -> None:
    id = await opened(shared_api)

    same = await shared_api.as_agent.done("updateInteraction", id=id, **input)

    assert same["revision"] == 1
    assert len(await shared_api.as_agent.timeline(id)) == 1


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BACK_OFFICE, Role.SYSTEM])
async def test_who_works_on_it_puts_it_right(shared_api: Api, role: Role) -> None:
    id = await opened(shared_api)

    assert (await shared_api.as_role(role).done("updateInteraction", id=id, kind="COMPLAINT"))["kind"] == "COMPLAINT"


async def test_a_customer_reads_and_does_not_put_right(shared_api: Api) -> None:
    id = await opened(shared_api)

    refused = await shared_api.as_customer.refused("updateInteraction", id=id, priority="URGENT")

    assert (refused["code"], refused["requiresRoles"][:3]) == ("FORBIDDEN", ["AGENT", "SUPERVISOR", "BACK_OFFICE"])


async def test_a_partner_puts_right_what_it_takes_part_in(shared_api: Api) -> None:
    own = await shared_api.as_partner.create(customerId=shared_api.customer)
    foreign = await opened(shared_api)

    done = await shared_api.as_partner.done("updateInteraction", id=own["id"], priority="HIGH")
    refused = await shared_api.as_partner.refused("updateInteraction", id=foreign, priority="HIGH")

    assert (done["priority"], refused["code"]) == ("HIGH", "NOT_FOUND")


@pytest.mark.parametrize("move", [{"to": "CANCELLED", "reason": "x"}, {"to": "RESOLVED", "resolution": "x"}])
async def test_what_is_over_is_still_put_right(shared_api: Api, move: dict[str, str]) -> None:
    id = await opened(shared_api)
    await shared_api.as_agent.done("transitionInteraction", id=id, **move)

    done = await shared_api.as_agent.done("updateInteraction", id=id, topic="moving")

    assert (done["status"], done["revision"]) == (move["to"], 3)


async def test_an_urgency_that_is_put_right_keeps_the_promise_that_stands(shared_api: Api) -> None:
    was = await shared_api.as_agent.create()

    now = await shared_api.as_agent.done("updateInteraction", id=was["id"], priority="URGENT")

    assert now["progress"]["nextUpdateDueAt"] == was["progress"]["nextUpdateDueAt"] is not None


async def test_an_identifier_is_added_replaced_and_cleared(shared_api: Api) -> None:
    id, agent = await opened(shared_api), shared_api.as_agent
    erp = {"owner": "erp", "type": None, "value": "put right"}
    steps = []
    for given in (CRM, erp, CRM | {"value": "2"}, None):
        await agent.done("updateInteraction", id=id, externalIdentifier=given)
        steps.append([one["value"] for one in (await agent.read(id, READ))["externalIdentifiers"]])

    assert steps == [["1"], ["1", "put right"], ["put right", "2"], []]
    told = [[(change["from"], change["to"]) for change in event["changes"]] for event in (await agent.timeline(id))[1:]]
    bare = {"owner": "erp", "value": "put right"}
    assert told == [
        [(None, CRM)],
        [(None, bare)],
        [(CRM, None), (None, CRM | {"value": "2"})],
        [(bare, None), (CRM | {"value": "2"}, None)],
    ]


async def test_an_identifier_that_another_carries_is_a_conflict_that_names_it_where_it_is_in_sight(shared_api: Api) -> None:
    taken = CRM | {"value": "taken"}
    first = await shared_api.as_agent.create(externalIdentifier=taken)
    second = await shared_api.as_partner.create(customerId=shared_api.customer)

    told = await shared_api.as_agent.refused("updateInteraction", id=second["id"], externalIdentifier=taken)
    untold = await shared_api.as_partner.refused("updateInteraction", id=second["id"], externalIdentifier=taken)

    assert (told["code"], told["conflictingId"]) == ("CONFLICT", first["id"])
    assert (untold["code"], untold["conflictingId"]) == ("CONFLICT", None)
    assert first["id"] not in str(untold)


async def test_of_two_who_put_it_right_at_one_revision_one_wins(shared_api: Api) -> None:
    id = await opened(shared_api)

    answers = await asyncio.gather(
        *(shared_api.as_agent.act("updateInteraction", id=id, reason=f"reason {number}", expectedRevision=1) for number in range(5))
    )

    errors = [error for answer in answers for error in answer["errors"]]
    assert [(error["code"], error["currentRevision"]) for error in errors] == [("CONFLICT", 2)] * 4
