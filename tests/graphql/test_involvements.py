"""Who takes part sees it from then on; who no longer does is told that it left, and hears no more."""

from typing import Any, Final

import pytest

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from tests.api import FRAMES, Api

PARTIES: Final = "revision parties { role party { id } partyRole { id } }"


async def newcomer(api: Api, name: str = "Mary Newcomer", **facts: Any) -> PartyId:
    return PartyId((await api.as_agent.upsert(name=name, **facts))["party"]["id"])


async def test_a_party_is_added_and_everyone_hears_of_it(shared_api: Api) -> None:
    id, mary = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"], await newcomer(shared_api)

    added = await shared_api.as_agent.done("addParty", id=id, involvement={"role": "USER", "partyId": mary})

    assert [(one["role"], one["party"]["id"]) for one in added["parties"]][-1] == ("USER", mary)
    assert (await shared_api.as_role(Role.CUSTOMER, mary).interaction(id))["revision"] == added["revision"] == 2
    for caller in (shared_api.as_agent, shared_api.as_customer, shared_api.as_role(Role.CUSTOMER, mary)):
        event = (await caller.timeline(id))[-1]
        assert (event["type"], event["message"]) == ("PARTY_ADDED", None)
    (change,) = (await shared_api.as_agent.timeline(id))[-1]["changes"]
    assert change == {"field": "parties", "from": None, "to": {"partyId": mary, "role": "USER"}}


async def test_who_takes_part_already_is_not_added_again(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]

    same = await shared_api.as_agent.done("addParty", id=id, involvement={"role": "CUSTOMER", "partyId": shared_api.customer})

    assert same["revision"] == 1
    assert [event["type"] for event in await shared_api.as_agent.timeline(id)] == ["CREATED"]


async def test_a_party_is_found_by_the_name_that_another_system_gave_it(shared_api: Api) -> None:
    identifier = {"owner": "crm", "type": "account", "value": "mary"}
    mary = await newcomer(shared_api, externalIdentifier=identifier)
    id = (await shared_api.as_agent.create(customerRef=identifier))["id"]

    await shared_api.as_agent.done("addParty", id=id, involvement={"role": "USER", "partyRef": identifier})

    parties = (await shared_api.as_agent.read(id, PARTIES))["parties"]
    assert {(one["role"], one["party"]["id"]) for one in parties} >= {("CUSTOMER", mary), ("USER", mary)}


@pytest.mark.parametrize("changed", [{"value": "nobody"}, {"owner": "erp"}, {"type": None}, {"type": "case"}])
async def test_an_identifier_is_that_of_its_owner_and_type_alone(shared_api: Api, changed: dict[str, Any]) -> None:
    identifier = {"owner": "crm", "type": "account", "value": "of its own"}
    await shared_api.as_agent.upsert(name="Mary", externalIdentifier=identifier)
    id = (await shared_api.as_agent.create())["id"]

    added = await shared_api.as_agent.refused("addParty", id=id, involvement={"role": "USER", "partyRef": identifier | changed})
    opened = await shared_api.as_agent.refused("createInteraction", direction="INBOUND", channel="PHONE", customerRef=identifier | changed)

    assert (added["code"], added["path"]) == ("NOT_FOUND", ["input", "involvement"])
    assert (opened["code"], opened["path"]) == ("NOT_FOUND", ["input", "customerRef"])


async def test_a_party_is_named_in_exactly_one_way(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create())["id"]
    identifier = {"owner": "crm", "value": "x"}

    for named in ({}, {"partyId": shared_api.customer, "partyRef": identifier}):
        refused = await shared_api.as_agent.refused("addParty", id=id, involvement={"role": "USER", **named})

        assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "involvement"])
    both = await shared_api.as_agent.refused(
        "createInteraction", direction="INBOUND", channel="PHONE", customerId=shared_api.customer, customerRef=identifier
    )
    assert (both["code"], both["path"]) == ("BAD_USER_INPUT", ["input", "customerRef"])


async def test_who_is_removed_sees_nothing_of_it_any_more_and_the_others_hear_of_it(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    grace = {"partyId": shared_api.other_customer, "role": "USER"}
    await shared_api.as_agent.done("addParty", id=id, involvement=grace)

    await shared_api.as_agent.done("removeParty", id=id, **grace)

    assert await shared_api.as_other_customer.interaction(id) is None
    assert (await shared_api.as_other_customer.refused("addNote", id=id, text="still here?"))["code"] == "NOT_FOUND"
    assert [event["type"] for event in await shared_api.as_customer.timeline(id)] == ["CREATED", "PARTY_ADDED", "PARTY_REMOVED"]
    (change,) = (await shared_api.as_agent.timeline(id))[-1]["changes"]
    assert change == {"field": "parties", "from": grace, "to": None}


async def test_who_still_has_another_role_stays(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    await shared_api.as_agent.done("addParty", id=id, involvement={"role": "USER", "partyId": shared_api.customer})

    async with shared_api.as_customer.stream(FRAMES, filter={"interactionIds": [id]}) as stream:
        await stream.frame()
        await shared_api.as_agent.done("removeParty", id=id, partyId=shared_api.customer, role="CUSTOMER")
        heard = await stream.heard(1)

    assert heard == ["PARTY_REMOVED"]
    assert [one["role"] for one in (await shared_api.as_customer.read(id, PARTIES))["parties"]][-1] == "USER"


async def test_who_does_not_take_part_in_this_role_is_not_removed_and_nobody_is_removed_twice(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    await shared_api.as_agent.done("removeParty", id=id, partyId=shared_api.customer, role="CUSTOMER")

    for party in (shared_api.customer, shared_api.partner, "par_" + "f" * 32, id, ""):
        refused = await shared_api.as_agent.refused("removeParty", id=id, partyId=party, role="CUSTOMER")

        assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["input", "partyId"])


async def test_there_is_a_last_party(shared_api: Api) -> None:
    parties = [await newcomer(shared_api, f"Number {number}") for number in range(49)]
    id = (await shared_api.as_agent.create(parties=[{"role": "USER", "partyId": one} for one in parties[:48]]))["id"]

    full = await shared_api.as_agent.done("addParty", id=id, involvement={"role": "USER", "partyId": parties[48]})
    refused = await shared_api.as_agent.refused("addParty", id=id, involvement={"role": "USER", "partyId": shared_api.customer})

    assert len(full["parties"]) == 50
    assert (refused["code"], refused["path"], "50" in refused["message"]) == ("BAD_USER_INPUT", ["input", "involvement"], True)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER, Role.SYSTEM])
async def test_who_takes_part_is_for_staff_to_say(shared_api: Api, role: Role) -> None:
    id = (await shared_api.as_partner.create(customerId=shared_api.customer))["id"]
    caller = shared_api.usually(role)

    added = await caller.refused("addParty", id=id, involvement={"role": "USER", "partyId": shared_api.other_customer})
    removed = await caller.refused("removeParty", id=id, partyId=shared_api.customer, role="CUSTOMER")

    for refused in (added, removed):
        assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["AGENT", "SUPERVISOR", "BACK_OFFICE"])


async def test_a_partys_stream_begins_when_it_is_added_and_ends_when_it_is_removed(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer, reason="before"))["id"]
    grace, watched = {"partyId": shared_api.other_customer, "role": "USER"}, {"interactionIds": [id]}

    async with (
        shared_api.as_other_customer.stream(FRAMES, filter=watched) as stream,
        shared_api.as_customer.stream(FRAMES, filter=watched) as beside,
    ):
        assert (await stream.heard(1), await beside.heard(1)) == (["CAUGHT_UP"], ["CAUGHT_UP"])
        await shared_api.as_agent.done("addNote", id=id, text="before")
        await shared_api.as_agent.done("addParty", id=id, involvement=grace)
        await shared_api.as_agent.done("addNote", id=id, text="between")
        await shared_api.as_agent.done("removeParty", id=id, **grace)
        await shared_api.as_agent.done("addNote", id=id, text="after")
        await shared_api.as_agent.done("addParty", id=id, involvement=grace)
        live = await stream.frames(4)
        others = await beside.heard(6)

    assert [frame["event"]["type"] if frame["event"] else frame["kind"] for frame in live] == [
        "PARTY_ADDED",
        "NOTE_ADDED",
        "LEFT",
        "PARTY_ADDED",
    ]
    assert (live[2]["interactionId"], live[2]["event"]) == (id, None)
    assert "no longer yours" in live[2]["reason"]
    assert others == ["NOTE_ADDED", "PARTY_ADDED", "NOTE_ADDED", "PARTY_REMOVED", "NOTE_ADDED", "PARTY_ADDED"]


async def test_who_comes_back_after_it_was_removed_is_told_so_and_nothing_from_before_or_after(shared_api: Api) -> None:
    cursor = await shared_api.as_other_customer.cursor()
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    grace = {"partyId": shared_api.other_customer, "role": "USER"}
    await shared_api.as_agent.done("addParty", id=id, involvement=grace)
    await shared_api.as_agent.done("addNote", id=id, text="between")
    await shared_api.as_agent.done("removeParty", id=id, **grace)
    await shared_api.as_agent.done("addNote", id=id, text="after")

    async with shared_api.as_other_customer.stream(FRAMES, after=cursor, filter={"interactionIds": [id]}) as stream:
        assert await stream.heard(2) == ["LEFT", "CAUGHT_UP"]
