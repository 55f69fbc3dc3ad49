"""Whatever comes in, a coded error that says what is allowed comes out: never a 500, never a hang, never how the hub is built."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_introspection_query, get_named_type, get_nullable_type, is_list_type

from hub.access.viewers import NOBODY
from hub.domain.terms import Role
from hub.graph.costs import WIDE, is_page
from hub.graph.execution import KEPT, Operation
from hub.schema import executable
from tests.api import ERRORS, Answer, Api, Caller, input_of

OPEN: Final = {"direction": "INBOUND", "channel": "PHONE"}
IDENTIFIER: Final = {"owner": "crm", "type": "account", "value": "1"}
ITEM: Final = {"type": "bill", "reason": "r", "resolution": "r", "entity": {"type": "t", "entityId": "e", "href": "h", "name": "n"}}
INNARDS: Final = re.compile(r"traceback|file \"|\.py|pymongo|mongod|bson|strawberry|graphql-core|E11000|object at 0x", re.IGNORECASE)

TEXTS: Final[dict[str, list[tuple[str, ...]]]] = {
    "createInteraction": [
        ("topic",),
        ("reason",),
        ("channelName",),
        ("description",),
        ("idempotencyKey",),
        ("externalIdentifier", "owner"),
        ("externalIdentifier", "type"),
        ("externalIdentifier", "value"),
        ("resolution",),
        ("customerRef", "owner"),
        ("customerRef", "type"),
        ("customerRef", "value"),
        ("parties", "0", "partyRef", "owner"),
        ("parties", "0", "partyRef", "type"),
        ("parties", "0", "partyRef", "value"),
        ("items", "0", "type"),
        ("items", "0", "reason"),
        ("items", "0", "resolution"),
        ("items", "0", "entity", "type"),
        ("items", "0", "entity", "entityId"),
        ("items", "0", "entity", "href"),
        ("items", "0", "entity", "name"),
    ],
    "transitionInteraction": [("reason",), ("idempotencyKey",)],
    "closeInteraction": [("resolution",), ("idempotencyKey",)],
    "reportProgress": [("message",), ("stage",), ("idempotencyKey",)],
    "addNote": [("text",), ("idempotencyKey",)],
    "addAttachment": [("name",), ("url",), ("idempotencyKey",)],
    "updateInteraction": [
        ("topic",),
        ("reason",),
        ("description",),
        ("idempotencyKey",),
        ("externalIdentifier", "owner"),
        ("externalIdentifier", "type"),
        ("externalIdentifier", "value"),
    ],
    "addItem": [
        ("idempotencyKey",),
        ("item", "type"),
        ("item", "reason"),
        ("item", "resolution"),
        ("item", "entity", "type"),
        ("item", "entity", "entityId"),
        ("item", "entity", "href"),
        ("item", "entity", "name"),
    ],
    "resolveItem": [("resolution",), ("idempotencyKey",)],
    "addParty": [
        ("idempotencyKey",),
        ("involvement", "partyRef", "owner"),
        ("involvement", "partyRef", "type"),
        ("involvement", "partyRef", "value"),
    ],
    "removeParty": [("idempotencyKey",)],
    "addChannel": [("name",), ("idempotencyKey",)],
    "assignInteraction": [("idempotencyKey",)],
    "escalateInteraction": [("reason",), ("idempotencyKey",)],
    "linkInteractions": [("idempotencyKey",)],
    "unlinkInteractions": [("idempotencyKey",)],
    "rateInteraction": [("comment",), ("idempotencyKey",)],
    "updateParty": [("name",), ("preferredLanguage",), ("idempotencyKey",), ("contactMedia", "0", "address")],
    "grantPartyRole": [("name",), ("idempotencyKey",)],
    "endPartyRole": [("reason",), ("idempotencyKey",)],
    "upsertParty": [
        ("name",),
        ("preferredLanguage",),
        ("idempotencyKey",),
        ("contactMedia", "0", "address"),
        ("externalIdentifier", "owner"),
        ("externalIdentifier", "type"),
        ("externalIdentifier", "value"),
    ],
}
EVERY_TEXT: Final = [(act, path) for act, paths in TEXTS.items() for path in paths]
EVERY_ID: Final = [
    ("createInteraction", ("customerId",)),
    ("createInteraction", ("parties", "0", "partyId")),
    ("transitionInteraction", ("id",)),
    ("closeInteraction", ("id",)),
    ("reportProgress", ("id",)),
    ("addNote", ("id",)),
    ("addAttachment", ("id",)),
    ("upsertParty", ("id",)),
    ("createInteraction", ("parties", "0", "partyRoleId")),
    ("updateInteraction", ("id",)),
    ("addItem", ("id",)),
    ("resolveItem", ("id",)),
    ("resolveItem", ("itemId",)),
    ("addParty", ("id",)),
    ("addParty", ("involvement", "partyId")),
    ("addParty", ("involvement", "partyRoleId")),
    ("removeParty", ("id",)),
    ("removeParty", ("partyId",)),
    ("addChannel", ("id",)),
    ("assignInteraction", ("id",)),
    ("assignInteraction", ("assigneeId",)),
    ("escalateInteraction", ("id",)),
    ("linkInteractions", ("id",)),
    ("linkInteractions", ("otherId",)),
    ("unlinkInteractions", ("id",)),
    ("unlinkInteractions", ("otherId",)),
    ("rateInteraction", ("id",)),
    ("updateParty", ("id",)),
    ("grantPartyRole", ("partyId",)),
    ("endPartyRole", ("id",)),
]
UNLISTED: Final = {
    ("createInteraction", ("id",)),  # the form of a client-made id has a test of its own
    ("transitionInteraction", ("question",)),  # needs another target than the reason
    ("transitionInteraction", ("resolution",)),
    ("addAttachment", ("mimeType",)),  # is a word of a list, and no text: test_attaching.py
    *(("revokeToken", (field,)) for field in ("id", "idempotencyKey")),  # a PARTNER's: test_tokens.py
    *(("issueToken", path) for path in (("partyId",), ("scopes",), ("filter", "topic"), ("idempotencyKey",))),
    *(("claimInteraction", (field,)) for field in ("id", "claimCode", "idempotencyKey")),  # a CUSTOMER's: test_claiming.py
}


@dataclass(frozen=True)
class Known:
    """Things that are there."""

    interaction: str
    completed: str
    party: str
    role: str


def good(act: str, known: "Known") -> dict[str, Any]:
    """Input that lacks nothing."""
    id = known.interaction
    inputs: dict[str, dict[str, Any]] = {
        "createInteraction": OPEN,
        "transitionInteraction": {"id": id, "to": "HELD", "reason": "r"},
        "closeInteraction": {"id": id, "resolution": "r"},
        "reportProgress": {"id": id, "message": "m"},
        "addNote": {"id": id, "text": "t"},
        "addAttachment": {"id": id, "name": "n", "url": "https://files.example.com/1"},
        "updateInteraction": {"id": id, "kind": "QUERY"},
        "addItem": {"id": id, "item": {"type": "t"}},
        "resolveItem": {"id": id, "itemId": "itm_" + "0" * 32, "resolution": "r"},
        "addParty": {"id": id, "involvement": {"role": "USER"}},
        "removeParty": {"id": id, "partyId": known.party, "role": "USER"},
        "addChannel": {"id": id, "channel": "CHAT"},
        "assignInteraction": {"id": id, "assigneeId": None},
        "escalateInteraction": {"id": id, "reason": "r"},
        "linkInteractions": {"id": id, "type": "CAUSED_BY", "otherId": known.completed},
        "unlinkInteractions": {"id": id, "type": "CAUSED_BY", "otherId": known.completed},
        "rateInteraction": {"id": known.completed, "score": 5},
        "updateParty": {"id": known.party, "name": "n"},
        "grantPartyRole": {"partyId": known.party, "name": "n"},
        "endPartyRole": {"id": known.role},
        "upsertParty": {"kind": "INDIVIDUAL", "name": "n"},
    }
    return inputs[act]


def planted(input: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The input with this value at this place, and what must stand around it."""
    around: dict[str, Any] = {"externalIdentifier": IDENTIFIER, "customerRef": IDENTIFIER, "items": [ITEM]}
    around["item"] = ITEM
    around["involvement"] = {"role": "USER"} | ({"partyRef": IDENTIFIER} if "partyRef" in path else {})
    around["parties"] = [around["involvement"]]
    around["contactMedia"] = [{"kind": "EMAIL", "address": "a"}]
    copy: Any = json.loads(json.dumps(input | {path[0]: around.get(path[0])}))
    place: Any = copy
    for step in path[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[path[-1]] = value
    return dict(copy)


async def acted(caller: Caller, act: str, input: dict[str, Any]) -> Answer:
    return clean(await caller.ask(f"mutation($input: {input_of(act)}!) {{ {act}(input: $input) {{ cursor {ERRORS} }} }}", input=input))


def clean(answer: Answer) -> Answer:
    """The answer, if it is one that a stranger may see."""
    assert answer.status < 500, answer.body
    assert "INTERNAL_ERROR" not in json.dumps(answer.body), answer.body
    assert not INNARDS.search(json.dumps(answer.body)), answer.body
    assert all(error["extensions"]["code"] and error["message"] for error in answer.body.get("errors", ())), answer.body
    return answer


def _texts(type: Any) -> Iterator[tuple[str, ...]]:
    """The paths of all texts and ids of an input, lists passed through."""
    for name, field in get_named_type(type).fields.items():
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((name, *path) for path in _texts(kind))
        elif kind.name in {"String", "ID"}:
            yield (name,)


def refusals(answer: Answer) -> Iterator[tuple[str, str]]:
    """Codes and sentences, wherever the answer has them."""
    for error in answer.body.get("errors", ()):
        yield error["extensions"]["code"], error["message"]
    for payload in (answer.body.get("data") or {}).values():
        for error in (payload or {}).get("errors", ()):
            yield error["code"], error["message"]


@pytest.fixture(scope="module")
async def interaction(shared_api: Api) -> str:
    return str((await shared_api.as_agent.create())["id"])


@pytest.fixture(scope="module")
async def known(shared_api: Api, interaction: str) -> Known:
    completed = await shared_api.as_agent.create(endedAt="2026-01-05T10:00:00Z", resolution="Done")
    role = await shared_api.as_role(Role.SUPERVISOR).role("grantPartyRole", partyId=shared_api.partner, name="supplier")
    return Known(interaction, str(completed["id"]), shared_api.partner, str(role["partyRole"]["id"]))


@pytest.mark.parametrize(("act", "path"), EVERY_TEXT, ids=lambda value: value if isinstance(value, str) else ".".join(value))
async def test_no_text_holds_nul_or_nothing_or_more_than_is_kept(shared_api: Api, known: Known, act: str, path: tuple[str, ...]) -> None:
    for value, says in {"a\x00b": "NUL", "   ": "empty", "x" * 60_000: "at most"}.items():
        answer = await acted(shared_api.as_role(Role.SUPERVISOR), act, planted(good(act, known), path, value))

        ((code, message),) = refusals(answer)
        assert (code, says in message) == ("BAD_USER_INPUT", True), message
        (error,) = answer.data[act]["errors"]
        assert error["path"] == ["input", *path]


@pytest.mark.parametrize(("act", "path"), EVERY_TEXT, ids=lambda value: value if isinstance(value, str) else ".".join(value))
async def test_half_a_surrogate_pair_is_no_text_and_an_object_is_none_either(
    shared_api: Api, known: Known, act: str, path: tuple[str, ...]
) -> None:
    half = await acted(shared_api.as_role(Role.SUPERVISOR), act, planted(good(act, known), path, "a\ud800b"))
    others = [
        await acted(shared_api.as_role(Role.SUPERVISOR), act, planted(good(act, known), path, value))
        for value in ({"$gt": ""}, ["a", "b"], 7, True)
    ]

    assert half.status == 400
    ((code, message),) = refusals(half)
    assert (code, "surrogate" in message) == ("BAD_USER_INPUT", True)
    for answer in others:
        codes = {code for code, _ in refusals(answer)}
        assert codes == {"BAD_USER_INPUT"}, answer.body
        assert "data" not in answer.body


@pytest.mark.parametrize(
    "text", ['reason: {_gt: ""}', 'reason: {gt: ""}', "reason: 7", "reason: [SMALL]", r'reason: "\uD800"', "reason: $x"]
)
async def test_a_literal_of_another_kind_is_no_text(shared_api: Api, text: str) -> None:
    answer = clean(
        await shared_api.as_agent.ask(
            f"mutation {{ createInteraction(input: {{direction: INBOUND, channel: PHONE, {text}}}) {{ errors {{ code }} }} }}"
        )
    )

    assert "data" not in answer.body
    assert {code for code, _ in refusals(answer)} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(("act", "path"), EVERY_ID, ids=lambda value: value if isinstance(value, str) else ".".join(value))
async def test_an_id_that_nobody_has_is_not_found_and_one_of_another_kind_is_bad_input(
    shared_api: Api, known: Known, act: str, path: tuple[str, ...]
) -> None:
    for value in ("int_" + "f" * 32, "", "\x00", "$where", "x" * 50_000, "int_" + "F" * 32, -1, 2**31):
        answer = await acted(shared_api.as_role(Role.SUPERVISOR), act, planted(good(act, known), path, value))

        assert [code for code, _ in refusals(answer)] == ["NOT_FOUND"], (value, answer.body)
    for other in ({"$ne": None}, ["int_"], 1.5, True):
        answer = await acted(shared_api.as_role(Role.SUPERVISOR), act, planted(good(act, known), path, other))

        assert {code for code, _ in refusals(answer)} == {"BAD_USER_INPUT"}, (other, answer.body)


@pytest.mark.parametrize(
    "id", ["", "\x00", "int_" + "F" * 32, "int_" + "0" * 31, "par_" + "0" * 32, "x" * 50_000, -1, {"$ne": None}, ["int_"]]
)
async def test_an_id_that_a_client_makes_has_the_form_of_ours(shared_api: Api, id: Any) -> None:
    answer = await acted(shared_api.as_agent, "createInteraction", OPEN | {"id": id})

    assert {code for code, _ in refusals(answer)} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize(
    "field",
    ["interactions(first: $n) { totalCount }", "events(first: $n) { cursor }", "interaction(id: $id) { timeline(first: $n) { cursor } }"],
)
async def test_a_page_has_1_to_100_rows(shared_api: Api, interaction: str, field: str, first: int) -> None:
    variables = {"n": first} | ({"id": interaction} if "$id" in field else {})
    answer = clean(await shared_api.as_agent.ask(f"query($n: Int{', $id: ID!' if '$id' in field else ''}) {{ {field} }}", **variables))

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "between 1 and 100" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("value", [2**31, 2**53, 2**64, -(2**63), 10**30, 1.5, "1", True, {}, []])
@pytest.mark.parametrize("where", ["first", "percent", "expectedRevision"])
async def test_a_whole_number_has_32_bits_and_is_a_number(shared_api: Api, interaction: str, where: str, value: Any) -> None:
    text = {
        "first": "query($n: Int) { interactions(first: $n) { totalCount } }",
        "percent": 'mutation($n: Int) { reportProgress(input: {id: "x", message: "m", percent: $n}) { cursor } }',
        "expectedRevision": 'mutation($n: Int) { closeInteraction(input: {id: "x", resolution: "r", expectedRevision: $n}) { cursor } }',
    }[where]

    answer = clean(await shared_api.as_agent.ask(text, n=value))

    assert answer.codes == ["BAD_USER_INPUT"], answer.body
    assert "data" not in answer.body


@pytest.mark.parametrize("percent", [-1, 101, 2**31 - 1])
async def test_a_percentage_lies_between_0_and_100(shared_api: Api, interaction: str, percent: int) -> None:
    refused = await shared_api.as_agent.refused("reportProgress", id=interaction, message="m", percent=percent)

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "percent"])
    assert "between 0 and 100" in refused["message"]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-05-14T09:30:00",
        "2026-05-14",
        "99999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "now",
        "",
        "0001-01-01T00:00:00+14:00",
        1778751000,
        {},
        True,
    ],
)
async def test_a_moment_is_a_date_and_a_time_with_its_offset(shared_api: Api, moment: Any) -> None:
    answer = await acted(shared_api.as_agent, "createInteraction", OPEN | {"startedAt": moment})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "ISO 8601 moment with its offset" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("act", "input", "path"),
    [
        (
            "createInteraction",
            OPEN | {"startedAt": "2026-02-01T00:00:00Z", "endedAt": "2026-01-01T00:00:00Z", "resolution": "r"},
            "endedAt",
        ),
        ("createInteraction", OPEN | {"startedAt": "9999-12-31T23:59:59Z"}, "startedAt"),
        ("reportProgress", {"message": "m", "expectedCompletionAt": "0001-01-01T00:00:00Z"}, "expectedCompletionAt"),
        ("reportProgress", {"message": "m", "nextUpdateDueAt": "2001-01-01T00:00:00Z"}, "nextUpdateDueAt"),
        ("reportProgress", {"message": "m", "nextUpdateDueAt": "9999-12-31T23:59:59Z"}, "nextUpdateDueAt"),
        ("addNote", {"text": "t", "writtenAt": "9999-12-31T23:59:59Z"}, "writtenAt"),
    ],
)
async def test_moments_come_in_their_order(shared_api: Api, interaction: str, act: str, input: dict[str, Any], path: str) -> None:
    answer = await acted(shared_api.as_agent, act, input if act == "createInteraction" else input | {"id": interaction})

    (error,) = answer.data[act]["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["input", path])


async def test_the_oldest_and_the_farthest_moments_are_kept_as_they_are(shared_api: Api, interaction: str) -> None:
    text = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { errors { message } interaction { startedAt } } }"
    oldest = clean(await shared_api.as_agent.ask(text, input=OPEN | {"startedAt": "0001-01-01T00:00:00Z"}))
    text = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { interaction { progress { expectedCompletionAt } } } }"
    farthest = clean(
        await shared_api.as_agent.ask(text, input={"id": interaction, "message": "m", "expectedCompletionAt": "9999-12-31T23:59:59.9999Z"})
    )

    assert oldest.data["createInteraction"]["interaction"] == {"startedAt": "0001-01-01T00:00:00.000Z"}
    assert farthest.data["reportProgress"]["interaction"]["progress"] == {"expectedCompletionAt": "9999-12-31T23:59:59.999Z"}


@pytest.mark.parametrize("bytes", [1_000_000, 5_000_000])
async def test_a_text_of_a_megabyte_is_more_than_a_request_holds(shared_api: Api, interaction: str, bytes: int) -> None:
    answer = await acted(shared_api.as_agent, "addNote", {"id": interaction, "text": "x" * bytes})

    assert answer.status == 413
    assert answer.codes == ["BAD_USER_INPUT"]
    assert "65536" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("field", ["direction", "kind", "channel", "priority", "vertical"])
@pytest.mark.parametrize("value", ["inbound", "__proto__", "", 1, None, {"a": 1}, ["PHONE"]])
async def test_an_enum_value_is_one_of_the_list(shared_api: Api, field: str, value: Any) -> None:
    answer = await acted(shared_api.as_agent, "createInteraction", OPEN | {field: value})

    if value is None and field == "vertical":
        assert answer.codes == []
    else:
        assert set(answer.codes) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    ("act", "field"),
    [
        ("updateInteraction", "kind"),
        ("updateInteraction", "vertical"),
        ("updateInteraction", "priority"),
        ("addParty", "involvement.role"),
        ("addItem", "item.vertical"),
        ("removeParty", "role"),
        ("addChannel", "channel"),
        ("linkInteractions", "type"),
        ("unlinkInteractions", "type"),
        ("transitionInteraction", "to"),
        ("addNote", "visibility"),
        ("addAttachment", "visibility"),
    ],
)
async def test_an_enum_value_of_an_act_is_one_of_the_list(shared_api: Api, known: Known, act: str, field: str) -> None:
    for value in ("nonsense", "__proto__", "", 1, {"a": 1}, ["PHONE", "CHAT"]):
        answer = await acted(shared_api.as_agent, act, planted(good(act, known), tuple(field.split(".")), value))

        assert set(answer.codes) == {"BAD_USER_INPUT"}, value
        assert "data" not in answer.body


def test_every_text_and_every_id_of_every_mutation_is_in_the_tables() -> None:
    schema = executable()
    mutations = schema.mutation_type
    assert mutations is not None
    listed = {(act, tuple(step for step in path if not step.isdigit())) for act, path in [*EVERY_TEXT, *EVERY_ID]}
    for act, field in mutations.fields.items():
        texts = {(act, path) for path in _texts(field.args["input"].type)}

        assert texts - listed - UNLISTED == set()


@pytest.mark.parametrize("variables", [{}, {"input": None}, {"input": []}, {"input": "x"}, {"input": {"unknown": 1}}, {"input": {}}])
async def test_input_that_lacks_what_is_needed_or_has_what_is_unknown_is_refused(shared_api: Api, variables: dict[str, Any]) -> None:
    text = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { errors { code } } }"

    answer = clean(await shared_api.as_agent.ask(text, **variables))

    assert "data" not in answer.body
    assert set(answer.codes) == {"BAD_USER_INPUT"}


async def test_ten_thousand_ids_are_more_than_a_filter_takes(shared_api: Api) -> None:
    text = "query($ids: [ID!]) { events(filter: {interactionIds: $ids}) { cursor } }"

    ten_thousand = clean(await shared_api.as_agent.ask(text, ids=["int_" + "0" * 32] * 10_000))
    short = clean(await shared_api.as_agent.ask(text, ids=["x"] * 10_000))
    most = clean(await shared_api.as_agent.ask(text, ids=["x"] * 500))

    assert (ten_thousand.status, ten_thousand.codes) == (413, ["BAD_USER_INPUT"])
    assert short.codes == ["BAD_USER_INPUT"]
    assert "at most 500" in short.body["errors"][0]["message"]
    assert most.codes == []


async def test_a_stream_refuses_a_filter_that_is_too_long(shared_api: Api) -> None:
    text = "subscription($ids: [ID!]) { interactionEvents(filter: {interactionIds: $ids}) { kind } }"

    async with shared_api.as_agent.stream(text, ids=["x"] * 501) as stream:
        message = await stream.receive()

    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def forgeries(api: Api) -> list[str]:
    """Cursors of the feed and of pages, each where it does not belong, and what never was a cursor."""
    await api.as_agent.create()
    page = (await api.as_agent.ask("{ cursor interactions(first: 1) { pageInfo { endCursor } } }")).data
    feed, row = page["cursor"], page["interactions"]["pageInfo"]["endCursor"]
    broken = [text[:-1] + ("A" if text[-1] != "A" else "B") for text in (feed, row)]
    return [feed, row, *broken, feed + "=", feed[:-4], "", "A", "\x00", "%%%", "evt_", "evt_AAAA", "x" * 50_000, "é" * 40]


async def test_a_cursor_is_one_that_the_hub_gave_for_this_list(shared_api: Api, interaction: str) -> None:
    feed, row, *others = await forgeries(shared_api)
    fields = {
        "query($c: String) { interactions(after: $c) { totalCount } }": [feed, *others],
        "query($c: Cursor) { events(after: $c) { cursor } }": [row, *others],
        f'query($c: Cursor) {{ interaction(id: "{interaction}") {{ timeline(after: $c) {{ cursor }} }} }}': [row, *others],
    }

    for text, forged in fields.items():
        for cursor in forged:
            answer = clean(await shared_api.as_agent.ask(text, c=cursor))

            assert answer.codes == ["CURSOR_INVALID"], (text, cursor[:20], answer.body)
            assert "use one from" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("value", [7, {"$gt": ""}, ["x"], True])
async def test_a_cursor_is_a_text(shared_api: Api, value: Any) -> None:
    answer = clean(await shared_api.as_agent.ask("query($c: Cursor) { events(after: $c) { cursor } }", c=value))

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_stream_refuses_a_forged_cursor_in_one_message(shared_api: Api) -> None:
    _, row, *others = await forgeries(shared_api)
    async with shared_api.as_agent.socket() as stream:
        for number, cursor in enumerate([row, *others]):
            await stream.subscribe(str(number), "subscription($c: Cursor) { interactionEvents(after: $c) { kind } }", c=cursor)
            message = await stream.receive()

            assert (message["id"], message["type"]) == (str(number), "error")
            assert message["payload"][0]["extensions"]["code"] == "CURSOR_INVALID"


def deep(levels: int) -> str:
    return "{ interactions " + "{ nodes { timeline { nodes { interaction " * levels + "{ id }" + "} } } }" * levels + " }"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "{",
        "{ viewer",
        "{ unknown }",
        "{ viewer { unknown } }",
        "{ interaction { id } }",
        "{ interaction(id: $id) { id } }",
        "query A { cursor } query B { cursor }",
        "fragment F on Query { cursor }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...A } fragment A on Query { cursor ...A }",
        "subscription { interactionEvents { kind } }",
        "subscription { interactionEvents @skip(if: true) { kind } }",
        "subscription { __typename }",
        "subscription { a: interactionEvents { kind } b: interactionEvents { kind } }",
        "mutation { unknown }",
        "type Query { a: Int }",
        "{ viewer { id } " + "# " * 100,
        "{" + "".join(f"a{number}: __typename " for number in range(2_000)) + "}",
        "{" + "".join(f"a{number}:cursor," for number in range(5_000)) + "}",
        "{" + "cursor " * 3_000 + "}",
        "{ cursor " + "@include(if: true) " * 500 + "}",
        "{ cursor " + "@unknown " * 900 + "}",
        deep(100),
        deep(1_000),
        "{a" * 5_000 + "}" * 5_000,
        "{ interaction(id: " + "[" * 5_000 + "]" * 5_000 + ") { id } }",
        "{ interaction(id: " + "{a: " * 500 + "1" + "}" * 500 + ") { id } }",
        "{ cursor @skip(if: null) }",
        "query($x: Unknown) { cursor }",
        "query($x: Int = \"a\") { interactions(first: $x) { totalCount } }",
        "{ \ud83d\ude00 }",
    ],
    ids=lambda text: f"{len(text)} {text[:24]!r}",
)  # fmt: skip
async def test_a_document_that_is_no_good_is_refused_at_once(shared_api: Api, text: str) -> None:
    async with asyncio.timeout(5):
        answer = clean(await shared_api.as_agent.ask(text))

    assert "data" not in answer.body
    assert set(answer.codes) in ({"BAD_USER_INPUT"}, {"COST_EXCEEDED"}), answer.body


async def test_ten_thousand_aliases_are_refused(shared_api: Api) -> None:
    short = "{" + "".join(f"a{number:x}:cursor " for number in range(4_000)) + "}"
    long = "{" + "".join(f"a{number}: cursor " for number in range(10_000)) + "}"

    answers = [clean(await shared_api.as_agent.ask(text)) for text in (short, long)]

    assert [answer.codes for answer in answers] == [["BAD_USER_INPUT"]] * 2
    assert [answer.status for answer in answers] == [200, 413]


async def test_fragments_that_double_thirty_times_are_read_once_each(shared_api: Api, interaction: str) -> None:
    spread = "".join(f"fragment F{number} on Interaction {{ ...F{number + 1} ...F{number + 1} }} " for number in range(30))
    text = (
        f'{{ interaction(id: "{interaction}") {{ ...F0 redactions {{ field }} }} }} {spread} fragment F30 on Interaction {{ statusReason }}'
    )

    async with asyncio.timeout(5):
        answer = clean(await shared_api.as_customer.ask(text))

    assert answer.codes == []


async def test_introspection_answers_whoever_has_a_token(shared_api: Api) -> None:
    answer = await shared_api.as_customer.ask(get_introspection_query())

    assert {kind["name"] for kind in answer.data["__schema"]["types"]} >= {"Interaction", "Party", "InteractionEvent"}


async def test_a_validated_document_tells_at_most_twenty_of_its_errors(shared_api: Api) -> None:
    answer = await shared_api.as_agent.ask("{" + "".join(f"u{number} " for number in range(300)) + "}")

    assert len(answer.body["errors"]) <= 21


async def test_documents_that_are_kept_parsed_take_bounded_memory(shared_api: Api) -> None:
    executor = shared_api.hub.executor
    for number in range(300):
        executor.kind(Operation(f"{{ a{number}: cursor }} #" + "x" * 4_000), NOBODY)

    assert sum(map(len, executor._documents)) <= KEPT
    assert len(executor._documents) >= 100


@pytest.mark.parametrize(
    "text",
    [
        "{ interactions { nodes { timeline { nodes { interaction { timeline { nodes { id } } } } } } } }",
        "{ events { nodes { interaction { ...F } } } }"
        " fragment F on Interaction { timeline { nodes { interaction { ... { timeline { cursor } } } } } }",
        "{ events { nodes { " + "interaction { timeline(first: 100) { nodes { " * 20 + "id" + " } } }" * 20 + " } } }",
        "subscription { interactionEvents { event { " + "interaction { timeline { nodes { " * 3 + "id" + " } } }" * 3 + " } } }",
    ],
)
async def test_pages_within_pages_within_pages_are_refused_before_they_are_read(shared_api: Api, text: str) -> None:
    async with shared_api.as_agent.stream(text) as stream:
        refused = (await stream.receive())["payload"][0]

    assert refused["extensions"]["code"] == "COST_EXCEEDED"
    assert "at most 2" in refused["message"]


def test_the_fields_that_count_as_pages_are_those_that_the_schema_pages() -> None:
    kinds = [kind for kind in executable().type_map.values() if isinstance(kind, GraphQLObjectType)]
    fields = [(kind, name, field) for kind in kinds if not kind.name.startswith("__") for name, field in kind.fields.items()]

    paged = {
        f"{kind.name}.{name}" for kind, name, field in fields if "first" in field.args and not is_list_type(get_nullable_type(field.type))
    }

    assert {f"{kind.name}.{name}" for kind, name, _ in fields if is_page(kind, name)} == paged | WIDE
