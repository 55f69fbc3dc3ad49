"""What is not in sight looks exactly like what never was: the same body, byte for byte."""

import json
import time
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api, Caller
from tests.proofs import write_down

UNKNOWN: Final = "int_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
NOBODY: Final = "par_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
ERRORS: Final = "errors { code message path currentRevision conflictingId allowedTransitions requiresRoles requiresScopes retryAfterMs }"
READS: Final = {
    "interaction": "query($id: ID!) { interaction(id: $id) { id timeline { cursor } } }",
    "node": "query($id: ID!) { node(id: $id) { id ... on Interaction { status } } }",
    "nodes": "query($id: ID!) { nodes(ids: [$id, $id]) { id } }",
    "search": "query($id: ID!) { interactions(filter: {ids: [$id]}) { totalCount nodes { id } pageInfo { endCursor } } }",
    "events": "query($id: ID!) { events(filter: {interactionIds: [$id]}) { nodes { id } hasMore reset cursor } }",
    "with a neighbour": "query($id: ID!) { interaction(id: $id) { status } viewer { roles } interactions { totalCount nodes { id } } }",
}
ACTS: Final = {
    "transitionInteraction": 'to: CANCELLED, reason: "x"',
    "transition that is illegal": "to: COMPLETED",
    "transition at a revision": 'to: CANCELLED, reason: "x", expectedRevision: 99',
    "closeInteraction": 'resolution: "x"',
    "reportProgress": 'message: "x"',
    "report of no percentage": 'message: "x", percent: 999',
    "addNote": 'text: "x"',
    "note that is empty": 'text: ""',
    "internal note": 'text: "x", visibility: INTERNAL',
    "addAttachment": 'name: "x", url: "https://files.example.com/1"',
    "attachment to be uploaded": 'name: "x", mimeType: "image/png", size: 9',
    "updateInteraction": 'reason: "x"',
    "update at a revision": 'reason: "x", expectedRevision: 99',
    "addItem": 'item: {type: "x"}',
    "resolveItem": 'itemId: "itm_x", resolution: "x"',
    "addParty": 'involvement: {role: USER, partyId: "par_x"}',
    "removeParty": 'partyId: "par_x", role: USER',
    "addChannel": "channel: CHAT",
    "assignInteraction": 'assigneeId: "par_x"',
    "escalateInteraction": 'reason: "x"',
    "linkInteractions": 'type: PARENT, otherId: "int_x"',
    "unlinkInteractions": 'type: PARENT, otherId: "int_x"',
    "rateInteraction": "score: 5",
    "rating of no stars": "score: 0",
    "note under a key": 'text: "x", idempotencyKey: "k"',
}
FIELDS: Final = {
    "transition": "transitionInteraction",
    "report": "reportProgress",
    "note": "addNote",
    "internal": "addNote",
    "attachment": "addAttachment",
    "update": "updateInteraction",
    "rating": "rateInteraction",
}


def mutation(act: str) -> str:
    field = FIELDS.get(act.partition(" ")[0], act)
    return f"mutation($id: ID!) {{ {field}(input: {{id: $id, {ACTS[act]}}}) {{ interaction {{ id }} cursor replayed {ERRORS} }} }}"


async def foreign(api: Api) -> str:
    """An interaction of the other customer, with a past."""
    id = str((await api.as_other_customer.create())["id"])
    await api.as_agent.done("addNote", id=id, text="theirs")
    return id


def others(api: Api) -> list[Caller]:
    return [api.as_customer, api.as_partner, api.usually(Role.VISITOR)]


@pytest.mark.parametrize("read", READS)
async def test_a_foreign_interaction_is_read_like_an_unknown_one(shared_api: Api, read: str) -> None:
    theirs = await foreign(shared_api)

    for caller in others(shared_api):
        one, other = [await caller.ask(READS[read], id=id) for id in (theirs, UNKNOWN)]

        assert (one.status, json.dumps(one.body)) == (other.status, json.dumps(other.body))
        assert theirs not in json.dumps(one.body)


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_on_a_foreign_interaction_is_refused_like_one_on_an_unknown_one(shared_api: Api, act: str) -> None:
    theirs = await foreign(shared_api)

    for caller in others(shared_api):
        one, other = [await caller.ask(mutation(act), id=id) for id in (theirs, UNKNOWN)]

        assert (one.status, json.dumps(one.body)) == (other.status, json.dumps(other.body))
        (payload,) = one.data.values()
        assert payload["errors"][0]["code"] in {"NOT_FOUND", "FORBIDDEN"}
        assert (payload["errors"][0]["code"] == "FORBIDDEN") == (payload["errors"][0]["requiresRoles"] is not None)
    assert [event["type"] for event in await shared_api.as_agent.timeline(theirs)] == ["CREATED", "NOTE_ADDED"]


async def test_to_create_what_is_there_already_tells_no_more_than_that(shared_api: Api) -> None:
    theirs = await foreign(shared_api)
    text = f"""mutation($id: ID!) {{ createInteraction(input: {{id: $id, direction: INBOUND, channel: WEB_SELF_SERVICE}})
      {{ interaction {{ id }} cursor {ERRORS} }} }}"""

    for caller in others(shared_api):
        answer = await caller.ask(text, id=theirs)

        assert answer.data["createInteraction"]["interaction"] is None
        assert [(error["code"], error["conflictingId"]) for error in answer.data["createInteraction"]["errors"]] == [("CONFLICT", None)]
        assert theirs not in json.dumps(answer.body)


async def test_a_foreign_party_is_read_like_an_unknown_one(shared_api: Api) -> None:
    identifier = {"owner": "crm", "value": "grace"}
    await shared_api.as_agent.upsert(id=shared_api.other_customer, name="Grace Lovelace", externalIdentifier=identifier)
    by_id = "query($id: ID!) { party(id: $id) { id name } }"
    by_name = "query($ref: ExternalIdentifierInput!) { party(externalIdentifier: $ref) { id name } }"

    for caller in others(shared_api):
        known: list[Any] = [await caller.ask(by_id, id=id) for id in (shared_api.other_customer, shared_api.agent, NOBODY, "nonsense")]
        named = [(await caller.ask(by_name, ref=ref)).body for ref in (identifier, {"owner": "crm", "value": "nobody"})]

        assert [answer.body for answer in known] == [{"data": {"party": None}}] * 4
        assert (named[0]["data"], named[0]) == ({"party": None}, named[1])


async def test_a_stream_of_a_foreign_interaction_is_one_not_found_like_that_of_an_unknown_one(shared_api: Api) -> None:
    theirs = await foreign(shared_api)
    text = "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind } }"

    for caller in others(shared_api):
        async with caller.socket() as stream:
            messages = []
            for id in (theirs, UNKNOWN, "nonsense", ""):
                await stream.subscribe("1", text, id=id)
                messages.append(await stream.receive())
            await stream.send({"type": "ping"})
            after = await stream.receive()

        assert len({message["payload"][0]["extensions"].pop("requestId") for message in messages}) == 4
        assert messages == [messages[0]] * 4
        assert (messages[0]["type"], len(messages[0]["payload"])) == ("error", 1)
        assert messages[0]["payload"][0]["extensions"] == {"code": "NOT_FOUND"}
        assert after == {"type": "pong"}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
async def test_who_sees_no_rows_sees_its_own_no_more_than_any(shared_api: Api, role: Role) -> None:
    mine = (await shared_api.as_customer.create())["id"]
    caller = shared_api.as_role(role, shared_api.customer, ["interaction:read", "interaction:write", "party:read", "event:subscribe"])

    for text in [*READS.values(), *(mutation(act) for act in ACTS)]:
        is_told = "nodes(ids" not in text  # of many, each is null
        one, other = [await caller.ask(text, id=id) for id in (mine, UNKNOWN)]

        assert one.body == other.body
        assert mine not in json.dumps(one.body)
        assert ("FORBIDDEN" in json.dumps(one.body)) == is_told


@pytest.mark.prove
async def test_the_time_of_an_answer_tells_no_more(shared_api: Api) -> None:
    """Writes docs/proofs/sight.md: reported, and held to no bound, for a machine that does other things too has its own times."""
    theirs, rows = await foreign(shared_api), []
    for name in (*READS, "addNote", "closeInteraction"):
        text, taken = READS.get(name) or mutation(name), dict[str, list[float]](theirs=[], unknown=[])
        for _ in range(200):
            for which, id in (("theirs", theirs), ("unknown", UNKNOWN)):
                begun = time.perf_counter()
                await shared_api.as_customer.ask(text, id=id)
                taken[which].append(1e3 * (time.perf_counter() - begun))
        one, other = (sorted(times) for times in taken.values())
        rows.append(f"| {name} | {one[100]:.2f} | {other[100]:.2f} | {one[100] / other[100]:.2f} | {one[180]:.2f} | {other[180]:.2f} |")
    about = "A customer asks for another's interaction and, in turns, for one that never was; milliseconds over HTTP, 200 times each."
    head = ["| asked | theirs p50 | unknown p50 | ratio | theirs p90 | unknown p90 |", "|---|--:|--:|--:|--:|--:|"]
    write_down("sight", "Whether the time of an answer tells what is out of sight", about, [*head, *rows])
