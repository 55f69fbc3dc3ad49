"""Some acts need a stronger login: told with what would do, beforehand too; with such a token they are done."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from hub.domain.ids import PartyId, uuid7
from hub.domain.terms import Role
from hub.web.hub import now
from tests.api import Api, Caller
from tests.conftest import sharing
from tests.graphql.test_allowed_acts import ALLOWED, brought_to, comes_out_as_said

POLICIES: Final = [
    {"name": "bills", "topic": "bills", "acr": ["phr", "phrh"]},
    {"name": "ratings", "kind": "COMPLAINT", "acts": ["RATE", "ADD_NOTE"], "acr": "phr"},
    {"name": "partners", "vertical": "BILLING", "roles": "PARTNER", "acr": "partner-mfa"},
    {"name": "orders", "topic": "orders", "roles": "PARTNER", "acts": "OPEN", "acr": "partner-mfa"},
    {"name": "claims", "kind": "FEEDBACK", "acts": "CLAIM", "acr": "phr"},
]
OPENING: Final = {"direction": "INBOUND", "channel": "WEB_SELF_SERVICE"}
STEPPED_UP: Final = "https://refeds.org/profile/mfa"


@pytest.fixture(scope="module")
async def api(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub that asks for stronger logins."""
    async with sharing(mongo_uri, tmp_path_factory.mktemp("policies"), access_policies=json.dumps(POLICIES)) as api:
        yield api


async def party(api: Api) -> PartyId:
    return PartyId((await api.as_agent.upsert(name="Joan Clarke"))["party"]["id"])


def told(error: dict[str, Any]) -> tuple[Any, ...]:
    return error["code"], error["requiredAcr"], error["requiresRoles"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.VISITOR])
async def test_what_a_policy_covers_is_not_opened_without_a_stronger_login(api: Api, role: Role) -> None:
    weak, strong = [api.as_role(role, api.customer, acr=acr) for acr in ("pwd", "phrh")]

    error = await weak.refused("createInteraction", **OPENING, topic=" bills ")

    assert told(error) == ("AUTHENTICATION_REQUIRED", ["phr", "phrh"], None)
    assert error["message"] == "createInteraction needs a stronger login here: a token whose acr is phr or phrh."
    assert (await strong.create(**OPENING, topic="bills"))["status"] == "OPEN"
    assert (await weak.create(**OPENING, topic="other"))["status"] == "OPEN"


async def test_who_works_here_is_never_asked_and_a_partner_where_it_is_named(api: Api) -> None:
    for caller in (api.as_agent, api.as_role(Role.SYSTEM), api.as_partner):
        assert (await caller.create(topic="bills"))["status"] == "OPEN"
    billed = {"direction": "INBOUND", "channel": "PHONE", "vertical": "BILLING"}

    assert told(await api.as_partner.refused("createInteraction", **billed)) == ("AUTHENTICATION_REQUIRED", ["partner-mfa"], None)
    assert (await api.as_agent.create(**billed))["status"] == "OPEN"


@pytest.mark.parametrize("covered", [{"vertical": "BILLING"}, {"topic": "orders"}])
async def test_nothing_is_made_into_what_a_policy_covers_without_a_stronger_login(api: Api, covered: dict[str, str]) -> None:
    weak, strong = api.as_partner, api.as_role(Role.PARTNER, api.partner, acr="partner-mfa")
    id = (await weak.create(topic="other"))["id"]

    assert told(await weak.refused("updateInteraction", id=id, **covered)) == ("AUTHENTICATION_REQUIRED", ["partner-mfa"], None)
    assert (await weak.done("updateInteraction", id=id, topic="another"))["revision"] == 2
    assert (await strong.done("updateInteraction", id=id, **covered))["revision"] == 3


async def test_reading_and_following_ask_for_nothing(api: Api) -> None:
    id = (await api.as_agent.create(customerId=api.customer, topic="bills"))["id"]

    assert (await api.as_customer.interaction(id))["status"] == "OPEN"
    assert [event["type"] for event in await api.as_customer.timeline(id)] == ["CREATED"]


@pytest.mark.parametrize("acr", [None, "phr"])
@pytest.mark.parametrize("state", ["OPEN", "RESOLVED", "COMPLETED"])
async def test_what_is_covered_is_said_to_need_it_beforehand_and_so_it_is(api: Api, state: str, acr: str | None) -> None:
    async def opened() -> str:
        id = await brought_to(api, state)
        await api.as_agent.done("updateInteraction", id=id, kind="COMPLAINT", topic="bills" if state == "OPEN" else None)
        return id

    said = await comes_out_as_said(api, api.as_role(Role.CUSTOMER, api.customer, acr=acr), opened)

    asked = {one["act"] for one in said["allowedActs"] if one["code"] == "AUTHENTICATION_REQUIRED"}
    always = {"ADD_NOTE", "RATE"}
    assert asked == (set() if acr else always | {"TRANSITION", "ADD_ATTACHMENT"} if state == "OPEN" else always)
    assert bool(said["allowedTransitions"]) == ("TRANSITION" not in asked)


async def test_first_whether_it_is_there_then_whose_right_it_is_then_how_strong_the_login_then_the_rest(api: Api) -> None:
    mine = (await api.as_agent.create(customerId=api.customer, topic="bills"))["id"]
    theirs = (await api.as_agent.create(customerId=api.other_customer, topic="bills"))["id"]
    weak, strong = api.as_customer, api.as_role(Role.CUSTOMER, api.customer, acr="phr")

    assert (await weak.refused("addNote", id=theirs, text="x"))["code"] == "NOT_FOUND"
    assert (await weak.refused("closeInteraction", id=mine, resolution="x"))["code"] == "FORBIDDEN"
    assert (await weak.refused("transitionInteraction", id=mine, to="COMPLETED", expectedRevision=99))["code"] == "AUTHENTICATION_REQUIRED"
    assert (await strong.refused("transitionInteraction", id=mine, to="COMPLETED", expectedRevision=99))["code"] == "CONFLICT"
    assert (await strong.refused("transitionInteraction", id=mine, to="COMPLETED"))["code"] == "ILLEGAL_TRANSITION"
    assert (await strong.refused("addNote", id=mine, text=""))["code"] == "BAD_USER_INPUT"


async def test_a_replay_of_a_client_made_id_asks_as_the_opening_did(api: Api) -> None:
    input = OPENING | {"topic": "bills", "id": "int_" + uuid7(now())}
    await api.as_role(Role.CUSTOMER, api.customer, acr="phr").done("createInteraction", **input)

    assert (await api.as_customer.refused("createInteraction", **input))["code"] == "AUTHENTICATION_REQUIRED"


async def test_a_right_claim_code_can_ask_for_a_stronger_login_and_a_wrong_one_never_does(api: Api) -> None:
    visitor, ada = api.as_role(Role.VISITOR, await party(api)), await party(api)
    opened = await visitor.payload("createInteraction", "interaction { id } claimCode", **OPENING, kind="FEEDBACK")
    claim = {"id": opened["interaction"]["id"], "claimCode": opened["claimCode"]}
    await api.as_agent.done("addParty", id=claim["id"], involvement={"role": "OBSERVER", "partyId": ada})
    weak, strong = [api.as_role(Role.CUSTOMER, ada, acr=acr) for acr in (None, "phr")]

    said = [one for one in (await weak.read(claim["id"], ALLOWED))["allowedActs"] if one["act"] == "CLAIM"]
    wrong = await weak.refused("claimInteraction", **claim | {"claimCode": "wrong"})
    weakly = [await weak.refused("claimInteraction", **claim) for _ in range(6)]  # which are no wrong tries

    assert [(one["code"], one["requiredAcr"]) for one in said] == [("AUTHENTICATION_REQUIRED", ["phr"])]
    assert wrong["code"] == "NOT_FOUND"
    assert [told(error) for error in weakly] == [("AUTHENTICATION_REQUIRED", ["phr"], None)] * 6
    assert (await strong.done("claimInteraction", **claim))["status"] == "OPEN"


# ---------------------------------------------------------------- guardians, in any hub


async def guarded(api: Api, state: str, guardian: PartyId, role: str = "GUARDIAN") -> str:
    id = await brought_to(api, state)
    await api.as_agent.done("addParty", id=id, involvement={"role": role, "partyId": guardian})
    return id


@pytest.mark.parametrize("acr", [None, "pwd", "phr", STEPPED_UP])
@pytest.mark.parametrize("state", ["OPEN", "RESOLVED", "COMPLETED"])
async def test_a_guardian_acts_as_the_customer_may_once_it_has_stepped_up(shared_api: Api, state: str, acr: str | None) -> None:
    guardian = await party(shared_api)
    caller = shared_api.as_role(Role.CUSTOMER, guardian, acr=acr)

    said = await comes_out_as_said(shared_api, caller, lambda: guarded(shared_api, state, guardian))
    customers = await shared_api.as_customer.read(await guarded(shared_api, state, guardian), ALLOWED)

    if acr in {"phr", STEPPED_UP}:
        assert (said["allowedActs"], said["allowedTransitions"]) == (customers["allowedActs"], customers["allowedTransitions"])
    else:
        asked = {one["act"]: one["requiredAcr"] for one in said["allowedActs"] if one["code"] == "AUTHENTICATION_REQUIRED"}
        assert asked == {act: ["phr", "phrh", STEPPED_UP] for act in ("TRANSITION", "ADD_NOTE", "ADD_ATTACHMENT", "RATE")}
        assert said["allowedTransitions"] == []


@pytest.mark.parametrize("role", [Role.VISITOR, Role.PARTNER])
async def test_only_a_customer_is_a_guardian(shared_api: Api, role: Role) -> None:
    guardian = await party(shared_api)
    id = await guarded(shared_api, "OPEN", guardian)

    assert (await shared_api.as_role(role, guardian, acr="phr").refused("addNote", id=id, text="x"))["code"] == "FORBIDDEN"


async def test_an_observer_only_reads_however_strong_its_login(shared_api: Api) -> None:
    observer = await party(shared_api)
    id = await guarded(shared_api, "OPEN", observer, "OBSERVER")

    error = await shared_api.as_role(Role.CUSTOMER, observer, acr="phr").refused("addNote", id=id, text="x")

    assert told(error) == ("FORBIDDEN", None, ["AGENT", "SUPERVISOR", "BACK_OFFICE"])


async def test_a_guardian_that_takes_part_itself_acts_for_itself(shared_api: Api) -> None:
    guardian = await party(shared_api)
    id = await guarded(shared_api, "OPEN", guardian)
    await shared_api.as_agent.done("addParty", id=id, involvement={"role": "USER", "partyId": guardian})

    await shared_api.as_role(Role.CUSTOMER, guardian).done("addNote", id=id, text="for myself")


async def test_what_a_guardian_needs_is_the_companys_to_say(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with sharing(mongo_uri, tmp_path_factory.mktemp("step-up"), step_up_acr="gold, silver") as api:
        guardian = await party(api)
        id = await guarded(api, "OPEN", guardian)
        callers: list[Caller] = [api.as_role(Role.CUSTOMER, guardian, acr=acr) for acr in ("phr", "silver")]

        assert told(await callers[0].refused("addNote", id=id, text="x")) == ("AUTHENTICATION_REQUIRED", ["gold", "silver"], None)
        await callers[1].done("addNote", id=id, text="x")
