"""A visitor is told a claim code once, and claims after login: from then on all of it is the customer's, nothing the visitor's."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from hub.domain.ids import PartyId, uuid7
from hub.domain.terms import Role
from hub.web.hub import now
from tests.api import ERRORS, EVENT, FRAMES, INTERACTION, Api, Caller

UNKNOWN: Final = "int_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
OPENED: Final = f"interaction {{ id }} replayed claimCode {ERRORS}"
CLAIMED: Final = f"interaction {{ {INTERACTION} }} cursor replayed claimCode {ERRORS}"
SELF_SERVICE: Final = {"direction": "INBOUND", "channel": "WEB_SELF_SERVICE"}


@dataclass(frozen=True)
class Visit:
    """What a visitor opened, with what it was told."""

    visitor: Caller
    id: str
    code: str

    def input(self, **changed: str) -> dict[str, str]:
        return {"id": self.id, "claimCode": self.code} | changed


async def party(api: Api, name: str) -> PartyId:
    return PartyId((await api.as_agent.upsert(name=name))["party"]["id"])


async def someone(api: Api, role: Role = Role.CUSTOMER) -> Caller:
    """A caller who has done nothing yet: five wrong codes in a minute are counted for each."""
    return api.as_role(role, await party(api, f"Some {role}"))


async def visit(api: Api, **input: Any) -> Visit:
    visitor = await someone(api, Role.VISITOR)
    payload = await visitor.payload("createInteraction", OPENED, **SELF_SERVICE, **input)
    assert payload["errors"] == []
    return Visit(visitor, payload["interaction"]["id"], payload["claimCode"])


async def claimed(caller: Caller, visited: Visit, **changed: str) -> Any:
    return await caller.payload("claimInteraction", CLAIMED, **visited.input(**changed))


async def refused(caller: Caller, visited: Visit, **changed: str) -> Any:
    payload = await claimed(caller, visited, **changed)
    assert payload["interaction"] is None
    (error,) = payload["errors"]
    return error


# ---------------------------------------------------------------- the code


@pytest.mark.parametrize("again", ["idempotencyKey", "id"])
async def test_a_visitor_is_told_the_code_once_and_in_no_replay(shared_api: Api, again: str) -> None:
    visitor = await someone(shared_api, Role.VISITOR)
    input = SELF_SERVICE | {again: "int_" + uuid7(now()) if again == "id" else "once"}

    first, second = [await visitor.payload("createInteraction", OPENED, **input) for _ in range(2)]

    assert len(first["claimCode"]) == 39
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert second["interaction"] == first["interaction"]
    assert second["claimCode"] is None


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT, Role.PARTNER, Role.SYSTEM])
async def test_nobody_else_is_told_one(shared_api: Api, role: Role) -> None:
    payload = await shared_api.usually(role).payload("createInteraction", OPENED, **SELF_SERVICE)

    assert (payload["errors"], payload["claimCode"]) == ([], None)


async def test_a_visitors_other_acts_tell_no_code_and_nothing_of_it_is_stored(shared_api: Api) -> None:
    visited = await visit(shared_api)

    noted = await visited.visitor.payload("addNote", f"claimCode {ERRORS}", id=visited.id, text="still here")

    assert noted == {"claimCode": None, "errors": []}
    mongo = shared_api.hub.mongo
    stored = [await mongo.page(name, {}) for name in ("interactions", "journal", "personal", "idempotency")]
    assert visited.code not in str(stored)
    assert visited.code.replace("-", "") not in str(stored)


# ---------------------------------------------------------------- the claim


async def test_after_the_claim_it_is_the_customers_with_its_whole_past(shared_api: Api) -> None:
    before, ada = await shared_api.as_agent.cursor(), await someone(shared_api)
    visited = await visit(shared_api, reason="No light")
    await visited.visitor.done("addNote", id=visited.id, text="It blinks.")
    await shared_api.as_agent.done("reportProgress", id=visited.id, message="Looked at")

    payload = await claimed(ada, visited)

    assert (payload["errors"], payload["replayed"], payload["claimCode"]) == ([], False, None)
    assert payload["interaction"]["customer"]["id"] == ada.party
    assert [(one["role"], one["party"]["id"]) for one in payload["interaction"]["parties"]] == [("CUSTOMER", ada.party)]
    assert payload["interaction"]["notes"][0]["text"] == "It blinks."
    types = ["CREATED", "NOTE_ADDED", "PROGRESS_REPORTED", "CLAIMED"]
    assert [event["type"] for event in await ada.timeline(visited.id)] == types
    pulled = (await ada.ask(f"query($a: Cursor) {{ events(after: $a) {{ nodes {{ {EVENT} }} }} }}", a=before)).data["events"]["nodes"]
    assert [event["type"] for event in pulled] == types
    assert [event["sequence"] for event in pulled] == [1, 2, 3, 4]
    own = "{ viewer { party { timeline { nodes { type } } } } interactions { nodes { id } } }"
    seen = (await ada.ask(own)).data
    assert [event["type"] for event in seen["viewer"]["party"]["timeline"]["nodes"]] == types
    assert [one["id"] for one in seen["interactions"]["nodes"]] == [visited.id]
    async with ada.stream(FRAMES, after=before) as stream:
        assert await stream.heard(5) == [*types, "CAUGHT_UP"]
    await ada.done("addNote", id=visited.id, text="mine now")


async def test_after_the_claim_the_visitor_sees_nothing(shared_api: Api) -> None:
    before, visited = await shared_api.as_agent.cursor(), await visit(shared_api)
    event = (await visited.visitor.timeline(visited.id))[0]["id"]
    await claimed(await someone(shared_api), visited)
    text = """query($id: ID!, $event: ID!, $before: Cursor) { interaction(id: $id) { id } node(id: $id) { id }
      event: node(id: $event) { id } nodes(ids: [$id, $event]) { id } interactions { totalCount nodes { id } }
      events(after: $before) { nodes { id } } viewer { party { timeline { nodes { id } } } } }"""

    seen = (await visited.visitor.ask(text, id=visited.id, event=event, before=before)).data

    assert (seen["interaction"], seen["node"], seen["event"], seen["nodes"]) == (None, None, None, [None, None])
    assert seen["interactions"] == {"totalCount": 0, "nodes": []}
    assert (seen["events"]["nodes"], seen["viewer"]["party"]["timeline"]["nodes"]) == ([], [])
    assert (await visited.visitor.refused("addNote", id=visited.id, text="still here"))["code"] == "NOT_FOUND"
    async with visited.visitor.stream(FRAMES, after=before) as stream:
        assert await stream.heard(2) == ["LEFT", "CAUGHT_UP"]


async def test_the_visitors_replay_of_its_opening_shows_nothing_after_the_claim(shared_api: Api) -> None:
    visitor, input = await someone(shared_api, Role.VISITOR), SELF_SERVICE | {"idempotencyKey": "once"}
    opened = await visitor.payload("createInteraction", OPENED, **input)
    await claimed(await someone(shared_api), Visit(visitor, opened["interaction"]["id"], opened["claimCode"]))

    again = await visitor.payload("createInteraction", OPENED, **input)

    assert (again["interaction"], again["replayed"], again["claimCode"], again["errors"]) == (None, True, None, [])


async def test_what_an_open_stream_of_either_hears_of_a_claim_and_above_it(shared_api: Api) -> None:
    visited, ada = await visit(shared_api), await someone(shared_api)
    other = (await visited.visitor.create(channel="WEB_SELF_SERVICE"))["id"]
    progress = "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind event { type } } }"

    async with (
        visited.visitor.stream(FRAMES) as stream,
        visited.visitor.stream(progress, id=visited.id) as one,
        ada.stream(FRAMES) as customers,
    ):
        assert [await each.heard(1) for each in (stream, one, customers)] == [["CAUGHT_UP"]] * 3
        await shared_api.as_agent.done("addNote", id=visited.id, text="before")
        await claimed(ada, visited)
        for number in range(5):
            await shared_api.as_agent.done("addNote", id=visited.id, text=f"above {number}")
        await shared_api.as_agent.done("addNote", id=other, text="of another")  # so that the stream is known to have passed them
        heard, left, hers = await stream.frames(3), await one.heard(2), await customers.heard(6)

    assert [frame["event"]["message"] if frame["event"] else frame["kind"] for frame in heard] == ["before", "LEFT", "of another"]
    assert (heard[1]["interactionId"], heard[1]["event"]) == (visited.id, None)
    assert left == ["NOTE_ADDED", "LEFT"]
    assert hers == ["CLAIMED", *["NOTE_ADDED"] * 5]


async def test_the_same_key_again_is_a_replay_and_another_code_under_it_is_refused(shared_api: Api) -> None:
    visited, ada = await visit(shared_api), await someone(shared_api)

    first, again = [await claimed(ada, visited, idempotencyKey="once") for _ in range(2)]
    other = await refused(ada, visited, idempotencyKey="once", claimCode="another")

    assert (first["errors"], again) == ([], first | {"replayed": True})
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert [event["type"] for event in await ada.timeline(visited.id)] == ["CREATED", "CLAIMED"]


async def test_the_code_may_be_typed_as_a_person_types(shared_api: Api) -> None:
    visited = await visit(shared_api)

    assert (await claimed(await someone(shared_api), visited, claimCode=f" {visited.code.lower().replace('-', ' ')} "))["errors"] == []


# ---------------------------------------------------------------- in vain


async def old(api: Api, age: timedelta) -> Visit:
    visited = await visit(api)
    await api.hub.mongo["interactions"].update_one({"_id": visited.id}, {"$set": {"createdAt": now() - age}})
    return visited


async def test_whatever_is_wrong_is_answered_with_one_body(shared_api: Api) -> None:
    code = shared_api.hub.guard.codes.code
    visited, other, late = await visit(shared_api), await visit(shared_api), await old(shared_api, timedelta(hours=24, seconds=1))
    gone, used = await visit(shared_api), await visit(shared_api)
    await shared_api.as_agent.done("removeParty", id=gone.id, partyId=str(gone.visitor.party), role="CUSTOMER")
    await claimed(await someone(shared_api), used)
    customers = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    vain = {
        "wrong": visited.input(claimCode="AAAA-" * 7 + "AAAA"),
        "another's": visited.input(claimCode=other.code),
        "none": visited.input(claimCode=""),
        "long": visited.input(claimCode="A" * 30_000),
        "a long id": visited.input(id="x" * 30_000),
        "no code": visited.input(claimCode="\x00 ' $ne"),
        "unknown": visited.input(id=UNKNOWN, claimCode=code(UNKNOWN)),
        "malformed": visited.input(id="nonsense", claimCode=code("nonsense")),
        "of a customer whom staff added": {"id": customers, "claimCode": code(customers)},
        "late": late.input(),
        "gone": gone.input(),
        "claimed already": used.input(),
    }
    text = f"mutation($input: ClaimInteractionInput!) {{ claimInteraction(input: $input) {{ {CLAIMED} }} }}"

    bodies = {what: json.dumps((await (await someone(shared_api)).ask(text, input=input)).body) for what, input in vain.items()}

    assert set(bodies.values()) == {bodies["wrong"]}
    error = json.loads(bodies["wrong"])["data"]["claimInteraction"]["errors"][0]
    assert (error["code"], error["path"], error["message"]) == ("NOT_FOUND", ["input", "claimCode"], "There is no such claim code.")
    assert [event["type"] for event in await shared_api.as_agent.timeline(visited.id)] == ["CREATED"]
    assert (await claimed(await someone(shared_api), await old(shared_api, timedelta(hours=23, minutes=59))))["errors"] == []


async def test_after_five_wrong_codes_a_right_one_is_refused_too_and_nobody_else_pays(shared_api: Api) -> None:
    visited, ada = await visit(shared_api), await someone(shared_api)

    wrong = [(await refused(ada, visited, claimCode=f"wrong {number}"))["code"] for number in range(5)]
    limited = await refused(ada, visited)

    assert wrong == ["NOT_FOUND"] * 5
    assert limited["code"] == "RATE_LIMITED"
    assert 0 < limited["retryAfterMs"] <= 60_000
    assert (await claimed(await someone(shared_api), visited))["errors"] == []


async def test_right_codes_are_not_counted(shared_api: Api) -> None:
    ada = await someone(shared_api)

    for _ in range(7):
        assert (await claimed(ada, await visit(shared_api)))["errors"] == []


@pytest.mark.parametrize(("field", "value"), [("idempotencyKey", "x" * 256), ("idempotencyKey", ""), ("claimCode", "a\ud800b")])
async def test_what_is_no_text_is_bad_input_and_no_wrong_code(shared_api: Api, field: str, value: str) -> None:
    visited, ada = await visit(shared_api), await someone(shared_api)
    text = f"mutation($input: ClaimInteractionInput!) {{ claimInteraction(input: $input) {{ {CLAIMED} }} }}"

    answers = [await ada.ask(text, input=visited.input(**{field: value})) for _ in range(6)]

    assert all("BAD_USER_INPUT" in json.dumps(answer.body) for answer in answers)
    assert (await claimed(ada, visited))["errors"] == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CUSTOMER])
async def test_only_a_customer_claims(shared_api: Api, role: Role) -> None:
    visited = await visit(shared_api)

    error = await refused(shared_api.usually(role), visited)

    assert (error["code"], error["requiresRoles"]) == ("FORBIDDEN", ["CUSTOMER"])


# ---------------------------------------------------------------- beforehand


async def test_whether_it_can_be_claimed_is_said_beforehand_to_who_sees_it(shared_api: Api) -> None:
    ada, visited, late = await someone(shared_api), await visit(shared_api), await old(shared_api, timedelta(hours=25))
    for one in (visited, late):
        await shared_api.as_agent.done("addParty", id=one.id, involvement={"role": "OBSERVER", "partyId": ada.party})

    async def said(caller: Caller, id: str) -> Any:
        acts = (await caller.read(id, "allowedActs { act allowed code requiresRoles }"))["allowedActs"]
        return next((one["code"], one["requiresRoles"]) for one in acts if one["act"] == "CLAIM")

    before = [await said(ada, one.id) for one in (visited, late)]
    visitors = await said(visited.visitor, visited.id)
    await claimed(ada, visited)

    assert before == [(None, None), ("NOT_FOUND", None)]
    assert visitors == ("FORBIDDEN", ["CUSTOMER"])
    assert await said(ada, visited.id) == ("NOT_FOUND", None)
    parties = (await ada.interaction(visited.id))["parties"]
    assert [(one["role"], one["party"]["id"]) for one in parties] == [("CUSTOMER", ada.party), ("OBSERVER", ada.party)]


# ---------------------------------------------------------------- whom the hub does not know


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.VISITOR, Role.PARTNER, Role.AGENT])
async def test_a_token_of_a_party_that_is_not_registered_opens_nothing(shared_api: Api, role: Role) -> None:
    nobody = shared_api.as_role(role, PartyId("par_" + uuid7(now())))

    error = await nobody.refused("createInteraction", **SELF_SERVICE)

    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", None)
    assert "not registered" in error["message"]


async def test_nor_does_it_claim_anything(shared_api: Api) -> None:
    visited, nobody = await visit(shared_api), shared_api.as_role(Role.CUSTOMER, PartyId("par_" + uuid7(now())))

    assert (await refused(nobody, visited, claimCode="wrong"))["code"] == "NOT_FOUND"
    assert "not registered" in (await refused(nobody, visited))["message"]
