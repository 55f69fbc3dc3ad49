"""Parties hold roles in the company's life, each for a time: granted, ended, named by an involvement, and worth nothing otherwise."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.store.party_roles import PartyRoles
from hub.web.hub import now
from tests.api import Api, Caller

PAST, FUTURE, FAR = "2020-01-01T00:00:00.000Z", "2190-01-01T00:00:00.000Z", "2191-01-01T00:00:00.000Z"
ENDED: Final = {"validFrom": PAST, "validTo": "2021-01-01T00:00:00.000Z"}
PLANNED: Final = {"validFrom": FUTURE, "validTo": FAR}
ROLES: Final = """query($id: ID, $name: String, $first: Int, $after: String) {
  partyRoles(partyId: $id, name: $name, first: $first, after: $after) {
    nodes { id name status } totalCount pageInfo { hasNextPage endCursor } } }"""
HELD: Final = "query($id: ID!) { party(id: $id) { roles { id name status } } }"


def supervisor(api: Api) -> Caller:
    return api.as_role(Role.SUPERVISOR)


async def party(api: Api) -> PartyId:
    return PartyId((await api.as_agent.upsert(name="Mary Newcomer"))["party"]["id"])


async def granted(api: Api, id: str, name: str = "guardian", **validity: Any) -> Any:
    payload = await supervisor(api).role("grantPartyRole", partyId=id, name=name, **validity)
    assert payload["errors"] == []
    return payload["partyRole"]


async def refusal(api: Api, mutation: str, **input: Any) -> Any:
    payload = await supervisor(api).role(mutation, **input)
    assert payload["partyRole"] is None
    (error,) = payload["errors"]
    return error


@pytest.mark.parametrize(
    ("validity", "status"),
    [
        ({}, "ACTIVE"),
        ({"validFrom": PAST}, "ACTIVE"),
        ({"validTo": FUTURE}, "ACTIVE"),
        (ENDED, "ENDED"),
        (PLANNED, "PLANNED"),
    ],
)
async def test_a_role_is_granted_for_a_time_and_stands_where_that_time_says(shared_api: Api, validity: dict[str, str], status: str) -> None:
    id = await party(shared_api)

    role = await granted(shared_api, id, " Guardian ", **validity)

    assert (role["id"][:4], role["name"], role["status"], role["statusReason"]) == ("rol_", "Guardian", status, None)
    assert role["party"] == {"id": id, "name": "Mary Newcomer"}
    assert role["validTo"] == validity.get("validTo")
    assert role["validFrom"] == validity.get("validFrom", role["validFrom"]) is not None
    held = (await shared_api.as_agent.ask(HELD, id=id)).data["party"]["roles"]
    assert held == ([{"id": role["id"], "name": "Guardian", "status": "ACTIVE"}] if status == "ACTIVE" else [])
    assert [one["status"] for one in (await shared_api.as_agent.ask(ROLES, id=id)).data["partyRoles"]["nodes"]] == [status]


async def test_what_overlaps_in_time_is_a_conflict_that_names_the_other_however_it_is_spelled(shared_api: Api) -> None:
    id = await party(shared_api)
    first = await granted(shared_api, id, validFrom=PAST, validTo=FUTURE)

    for validity in (
        {},
        {"validFrom": "2189-12-31T23:59:59.999Z"},
        {"validFrom": "2019-01-01T00:00:00Z", "validTo": "2020-01-01T00:00:00.001Z"},
    ):
        refused = await refusal(shared_api, "grantPartyRole", partyId=id, name="GUARDIAN", **validity)

        assert (refused["code"], refused["conflictingId"]) == ("CONFLICT", first["id"])
    assert (await granted(shared_api, id, validFrom=FUTURE))["status"] == "PLANNED"
    assert (await granted(shared_api, id, validFrom="2019-01-01T00:00:00Z", validTo=PAST))["status"] == "ENDED"
    assert (await granted(shared_api, id, "supplier"))["status"] == "ACTIVE"
    assert (await granted(shared_api, await party(shared_api)))["status"] == "ACTIVE"


async def test_a_role_is_ended_once_and_can_be_granted_anew(shared_api: Api) -> None:
    id = await party(shared_api)
    role = await granted(shared_api, id, validTo=FUTURE)

    ended = (await supervisor(shared_api).role("endPartyRole", id=role["id"], reason=" Moved away "))["partyRole"]
    twice = await refusal(shared_api, "endPartyRole", id=role["id"])
    over = await refusal(shared_api, "endPartyRole", id=(await granted(shared_api, id, "supplier", **ENDED))["id"])

    assert (ended["status"], ended["statusReason"], ended["validTo"] < FUTURE) == ("ENDED", "Moved away", True)
    assert (twice["code"], over["code"]) == ("CONFLICT", "CONFLICT")
    assert (await granted(shared_api, id))["status"] == "ACTIVE"


async def test_one_that_is_ended_before_it_began_never_begins(shared_api: Api) -> None:
    id = await party(shared_api)
    role = await granted(shared_api, id, **PLANNED)

    ended = (await supervisor(shared_api).role("endPartyRole", id=role["id"]))["partyRole"]

    assert (ended["status"], ended["validFrom"], ended["validTo"]) == ("ENDED", FUTURE, FUTURE)
    assert (await granted(shared_api, id, **PLANNED))["status"] == "PLANNED"


async def test_access_counts_what_is_valid_at_the_moment_and_nothing_else(shared_api: Api) -> None:
    id = await party(shared_api)
    await granted(shared_api, id, "Guardian")
    await granted(shared_api, id, "was", **ENDED)
    await granted(shared_api, id, "will be", **PLANNED)
    await granted(shared_api, await party(shared_api), "another's")
    for validity in ({}, PLANNED):
        role = await granted(shared_api, id, "taken back", **validity)
        await supervisor(shared_api).role("endPartyRole", id=role["id"])
    roles = PartyRoles(shared_api.hub.journal.mongo)

    async def valid(at: datetime) -> set[str]:
        return set(await roles.valid(id, at))

    begins, ends = datetime.fromisoformat(FUTURE), datetime.fromisoformat(FAR)
    tick = timedelta(milliseconds=1)
    assert await valid(now()) == {"guardian"}
    assert await valid(datetime.fromisoformat(PAST)) == {"was"}
    assert await valid(begins - tick) == {"guardian"}
    assert await valid(begins) == await valid(ends - tick) == {"guardian", "will be"}
    assert await valid(ends) == {"guardian"}


@pytest.mark.parametrize("named", [("partyId",), ("partyRef",), ()])
async def test_an_involvement_names_a_valid_role_beside_the_party_or_alone(shared_api: Api, named: tuple[str, ...]) -> None:
    identifier = {"owner": "crm", "value": f"held by {named}"}
    id = (await shared_api.as_agent.upsert(name="Mary", externalIdentifier=identifier))["party"]["id"]
    role = await granted(shared_api, id)
    by = {"partyId": id, "partyRef": identifier}
    interaction = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]

    involvement = {"role": "GUARDIAN", "partyRoleId": role["id"], **{one: by[one] for one in named}}
    await shared_api.as_agent.done("addParty", id=interaction, involvement=involvement)

    fields = "parties { role party { id } partyRole { id name status } }"
    held = {"id": role["id"], "name": "guardian", "status": "ACTIVE"}
    assert (await shared_api.as_agent.read(interaction, fields))["parties"][-1] == {
        "role": "GUARDIAN",
        "party": {"id": id},
        "partyRole": held,
    }
    own = await shared_api.as_role(Role.CUSTOMER, PartyId(id)).read(interaction, fields)
    beside = await shared_api.as_customer.read(interaction, fields)
    assert (own["parties"][-1]["partyRole"], beside["parties"][-1]["partyRole"]) == (held, None)
    same = await shared_api.as_agent.done("addParty", id=interaction, involvement=involvement)
    other = await shared_api.as_agent.refused("addParty", id=interaction, involvement={"role": "GUARDIAN", "partyId": id})
    assert (same["revision"], other["code"]) == (2, "CONFLICT")


async def test_a_role_that_does_not_count_is_named_by_no_involvement(shared_api: Api) -> None:
    id = await party(shared_api)
    interaction = (await shared_api.as_agent.create())["id"]
    withdrawn = await granted(shared_api, id, "withdrawn")
    await supervisor(shared_api).role("endPartyRole", id=withdrawn["id"])
    wrong = {
        withdrawn["id"]: ("BAD_USER_INPUT", "ENDED"),
        (await granted(shared_api, id, "was", **ENDED))["id"]: ("BAD_USER_INPUT", "ENDED"),
        (await granted(shared_api, id, "will be", **PLANNED))["id"]: ("BAD_USER_INPUT", "PLANNED"),
        (await granted(shared_api, await party(shared_api)))["id"]: ("BAD_USER_INPUT", "another party"),
        "rol_" + "f" * 32: ("NOT_FOUND", "no such party role"),
        id: ("NOT_FOUND", "no such party role"),
    }

    for held, (code, says) in wrong.items():
        involvement = {"role": "GUARDIAN", "partyId": id, "partyRoleId": held}
        added = await shared_api.as_agent.refused("addParty", id=interaction, involvement=involvement)
        opened = await shared_api.as_agent.refused("createInteraction", direction="INBOUND", channel="PHONE", parties=[involvement])

        assert [(one["code"], says in one["message"]) for one in (added, opened)] == [(code, True)] * 2, added
    assert len((await shared_api.as_agent.interaction(interaction))["parties"]) == 1


async def test_roles_are_listed_by_party_and_name_page_by_page_the_newest_first(shared_api: Api) -> None:
    id = await party(shared_api)
    made = [await granted(shared_api, id, name) for name in ("one", "two", "three")]
    again = await granted(shared_api, await party(shared_api), "one")

    first = (await shared_api.as_agent.ask(ROLES, id=id, first=2)).data["partyRoles"]
    rest = (await shared_api.as_agent.ask(ROLES, id=id, first=2, after=first["pageInfo"]["endCursor"])).data["partyRoles"]
    named = (await shared_api.as_agent.ask(ROLES, name="one")).data["partyRoles"]
    both = (await shared_api.as_agent.ask(ROLES, id=id, name="one")).data["partyRoles"]
    nobodys = (await shared_api.as_agent.ask(ROLES, id="par_" + "f" * 32)).data["partyRoles"]

    assert [one["id"] for one in (*first["nodes"], *rest["nodes"])] == [one["id"] for one in reversed(made)]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"], first["totalCount"]) == (True, False, 3)
    assert [one["id"] for one in named["nodes"]] == [again["id"], made[0]["id"]]
    assert [one["id"] for one in both["nodes"]] == [made[0]["id"]]
    assert (nobodys["nodes"], nobodys["totalCount"]) == ([], 0)


async def test_a_customer_sees_its_own_roles_and_no_others(shared_api: Api) -> None:
    mine, foreign = await party(shared_api), await party(shared_api)
    own = await granted(shared_api, mine, "own")
    await granted(shared_api, foreign, "foreign")
    customer = shared_api.as_role(Role.CUSTOMER, mine)

    assert [one["id"] for one in (await customer.ask(ROLES)).data["partyRoles"]["nodes"]] == [own["id"]]
    assert (await customer.ask(ROLES, id=foreign)).data["partyRoles"]["totalCount"] == 0
    assert [one["id"] for one in (await customer.ask(HELD, id=mine)).data["party"]["roles"]] == [own["id"]]


@pytest.mark.parametrize("role", [Role.AGENT, Role.BACK_OFFICE, Role.SYSTEM, Role.PARTNER, Role.CUSTOMER])
async def test_roles_are_granted_and_ended_by_supervisors_and_admins_alone(shared_api: Api, role: Role) -> None:
    id = await party(shared_api)
    held = await granted(shared_api, id)
    caller = shared_api.usually(role)

    for mutation, input in (("grantPartyRole", {"partyId": id, "name": "x"}), ("endPartyRole", {"id": held["id"]})):
        (error,) = (await caller.role(mutation, **input))["errors"]
        assert (error["code"], error["requiresRoles"]) == ("FORBIDDEN", ["SUPERVISOR", "ADMIN"])
    admins = await shared_api.as_role(Role.ADMIN).role("endPartyRole", id=held["id"])
    assert (admins["errors"], admins["partyRole"]["status"]) == ([], "ENDED")


@pytest.mark.parametrize(
    ("mutation", "input", "code", "path"),
    [
        ("grantPartyRole", {"partyId": "par_" + "f" * 32}, "NOT_FOUND", "partyId"),
        ("grantPartyRole", {"partyId": ""}, "NOT_FOUND", "partyId"),
        ("grantPartyRole", {"validFrom": FUTURE, "validTo": FUTURE}, "BAD_USER_INPUT", "validTo"),
        ("grantPartyRole", {"validTo": PAST}, "BAD_USER_INPUT", "validTo"),
        ("endPartyRole", {"id": "rol_" + "f" * 32}, "NOT_FOUND", "id"),
        ("endPartyRole", {"id": "par_" + "f" * 32}, "NOT_FOUND", "id"),
    ],
)
async def test_what_cannot_be_granted_or_ended_is_refused_by_its_name(
    shared_api: Api, mutation: str, input: dict[str, Any], code: str, path: str
) -> None:
    usual = {"partyId": shared_api.customer, "name": "x"} if mutation == "grantPartyRole" else {}

    refused = await refusal(shared_api, mutation, **(usual | input))

    assert (refused["code"], refused["path"]) == (code, ["input", path])


async def test_the_same_request_with_the_same_key_grants_and_ends_once(shared_api: Api) -> None:
    id = await party(shared_api)
    grant = {"partyId": id, "name": "guardian", "idempotencyKey": "granted once"}

    first = await supervisor(shared_api).role("grantPartyRole", **grant)
    again = await supervisor(shared_api).role("grantPartyRole", **grant)
    end = {"id": first["partyRole"]["id"], "idempotencyKey": "ended once"}
    ended = [await supervisor(shared_api).role("endPartyRole", **end) for _ in range(2)]

    assert again == first | {"replayed": True}
    assert ended[1] == ended[0] | {"replayed": True}
    assert ended[0]["errors"] == []
