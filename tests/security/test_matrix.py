"""The whole matrix: every field of the schema, asked by every role at every door, is a value or is held back as the table says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from hub.access.gates import ARGUMENTS, FIELDS, OPEN, Gate
from hub.access.mandates import KINDS, Mandate
from hub.access.mandates import ROOTS as MANDATES
from hub.domain.terms import Role
from hub.graph.selections import Selections
from hub.schema import executable
from tests.api import Caller
from tests.security.documents import literal, whole
from tests.security.met import Met, check_refusal, refusal
from tests.security.rights import ROOTS, SCHEMA, fields
from tests.security.world import Who, World
from tests.streams.test_sse import listening

TOLD: Final = "[SATISFACTION_RATED, NOTE_ADDED, ASSIGNED, ESCALATED]"  # of these, two with changes are for everyone, two for staff
ID: Final = "query($id: ID!)"
PARTY: Final = "query($party: ID!)"
DOORS: Final = {
    "viewer": ("Viewer", "{ viewer { %s } }", 2),
    "interaction": ("Interaction", ID + " { interaction(id: $id) { %s } }", 3),
    "node": ("Interaction", ID + " { node(id: $id) { ... on Interaction { %s } } }", 2),
    "nodes": ("Interaction", ID + " { nodes(ids: [$id]) { ... on Interaction { %s } } }", 2),
    "nodes, a party": ("Party", PARTY + " { nodes(ids: [$party]) { ... on Party { %s } } }", 2),
    "node, an event": ("InteractionEvent", "query($event: ID!) { node(id: $event) { ... on InteractionEvent { %s } } }", 2),
    "nodes, a role": ("PartyRole", "query($role: ID!) { nodes(ids: [$role]) { ... on PartyRole { %s } } }", 2),
    "interactions": ("InteractionConnection", "{ interactions(last: 2, orderBy: {field: UPDATED_AT}) { %s } }", 3),
    "interactions, searched": ("InteractionConnection", '{ interactions(first: 1, filter: {text: "customer"}) { %s } }', 3),
    "interaction, its timeline": (
        "EventConnection",
        f"{ID} {{ interaction(id: $id) {{ timeline(types: {TOLD}, first: 5) {{ %s }} }} }}",
        3,
    ),
    "events": ("EventPage", f"{ID} {{ events(filter: {{interactionIds: [$id], types: {TOLD}}}, first: 5) {{ %s }} }}", 3),
    "party": ("Party", PARTY + " { party(id: $party) { %s } }", 2),
    "parties": ("PartyConnection", "{ parties(first: 4) { %s } }", 2),
    "partyRoles": ("PartyRoleConnection", "{ partyRoles(first: 4) { %s } }", 3),
    "addNote": ("InteractionPayload", 'mutation($id: ID!) { addNote(input: {id: $id, text: "seen"}) { %s } }', 2),
    "addAttachment": (
        "AttachmentPayload",
        'mutation($id: ID!) { addAttachment(input: {id: $id, name: "a", mimeType: "image/png", size: 9}) { %s } }',
        2,
    ),
    "reportProgress": ("InteractionPayload", 'mutation($id: ID!) { reportProgress(input: {id: $id, message: "seen"}) { %s } }', 2),
    "updateParty": ("PartyPayload", 'mutation($party: ID!) { updateParty(input: {id: $party, preferredLanguage: "en"}) { %s } }', 2),
    "grantPartyRole": (
        "PartyRolePayload",
        "mutation($party: ID!, $name: String!) { grantPartyRole(input: {partyId: $party, name: $name}) { %s } }",
        2,
    ),
    "issueToken": (
        "TokenPayload",
        'mutation { issueToken(input: {roles: [PARTNER], scopes: ["token:issue"], filter: {vertical: [BILLING]}}) { %s } }',
        2,
    ),
    "tokens": ("TokenConnection", "{ tokens(first: 4) { %s } }", 3),
    "interactionEvents": ("FeedFrame", "subscription($after: Cursor) { interactionEvents(after: $after) { %s } }", 3),
    "interactionProgress": (
        "FeedFrame",
        "subscription($id: ID!, $after: Cursor) { interactionProgress(interactionId: $id, after: $after) { %s } }",
        2,
    ),
}
"""A type, where all of it is asked for, and how deep; the door is named after its root."""

SHARED: Final = """subscription($after: Cursor) { interactionEvents(after: $after) { __typename kind cursor interactionId reason
  event { __typename id cursor sequence type at recordedAt actorRole channel message revision status interactionId
    progress { __typename percent stage message } note { __typename id text visibility authorRole }
    item { __typename id type reason } changes { __typename field from to }
    redactions { __typename field requiresRoles requiresScopes } } } }"""

WHOLE: Final = {door: whole(*asked) for door, asked in DOORS.items()}
ROOT: Final = {door: next(place for place in MANDATES if place.partition(".")[2] == door.split(",", 1)[0]) for door in DOORS}


EVERYBODY: Final = [
    *map(Who, Role),
    *(Who(Role.AGENT, (scope,)) for scope in ("interaction:read", "interaction:write", "party:read", "event:subscribe")),
    *(Who(Role.CUSTOMER, (scope,)) for scope in ("interaction:read", "party:read")),
    Who(Role.SUPERVISOR, ("party:write",)),
]


async def at(world: World, who: Who, door: str) -> Met:
    """What is met at a door, compared with the table."""
    return await (followed if ROOT[door].startswith("Subscription.") else through)(world, who, door)


def may_read(who: Who, change: str) -> bool:
    gate = FIELDS.get(f"Interaction.{change}")
    return gate is None or who.may(gate)


async def through(world: World, who: Who, door: str) -> Met:
    """What a door shows, compared with the table."""
    text, met = WHOLE[door], Met()
    answer = (await world.caller(who).ask(text, **world.variables(who, text))).body
    met.compare(answer, who, world.caller(who).party)
    if not who.may(MANDATES[ROOT[door]]):
        check_refusal(refusal(answer), who, MANDATES[ROOT[door]])
        return Met()
    assert refusal(answer) is None
    is_there = door.split(",", 1)[0] not in {"node", "nodes"} or who.may(MANDATES[KINDS[DOORS[door][0]]])
    (found,) = answer["data"].values()
    assert (found not in (None, [None])) == is_there
    return met


async def followed(world: World, who: Who, door: str) -> Met:
    """What a stream shows over a WebSocket, replayed and live, compared with the table."""
    return await told(world, who, ROOT[door], WHOLE[door], over_socket)


Opening = Callable[[Caller, str, dict[str, Any]], AbstractAsyncContextManager[Callable[[], Awaitable[Any]]]]


@asynccontextmanager
async def over_socket(caller: Caller, text: str, variables: dict[str, Any]) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Answers, or the errors in their place."""
    async with caller.stream(text, **variables) as frames:

        async def answer() -> Any:
            message = await frames.receive()
            return message["payload"] if message["type"] == "next" else {"errors": message["payload"]}

        yield answer


@asynccontextmanager
async def over_events(caller: Caller, text: str, variables: dict[str, Any]) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """The same, as server-sent events."""
    async with listening(caller, text, **variables) as stream:

        async def answer() -> Any:
            event = await stream.next()
            assert event is not None
            return event.data

        yield answer


async def told(world: World, who: Who, root: str, text: str, opening: Opening) -> Met:
    """What a stream shows, replayed and live, compared with the table."""
    met, is_live = Met(), False
    after = await world.api.as_agent.cursor()
    if is_open := who.may(MANDATES[root]):
        await world.touched(f"{who} {root}")
    async with opening(world.caller(who), text, world.variables(who, text, after)) as answers:
        answer = await answers()
        if not is_open:
            check_refusal(answer["errors"][0]["extensions"], who, MANDATES[root])
            return met
        while True:
            met.compare(answer, who, world.caller(who).party)
            (frame,) = answer["data"].values()
            if is_live and frame["kind"] == "EVENT":
                return met
            if frame["kind"] == "CAUGHT_UP":
                is_live = True
                await world.touched(f"{who} {root}, live")
            answer = await answers()


def asked(text: str) -> set[str]:
    """The fields that a document asks for."""
    places, known = set(), TypeInfo(SCHEMA)

    class Fields(Visitor):
        def enter_field(self, *_: Any) -> None:
            kind, of = known.get_parent_type(), known.get_field_def()
            if kind and of and of.ast_node:
                places.add(f"{kind.name}.{of.ast_node.name.value}")

    visit(parse(text), TypeInfoVisitor(known, Fields()))
    return places


def test_the_doors_together_ask_for_every_field_of_the_schema() -> None:
    everything = {f"{of}.{name}" for of, name in fields() if of not in ROOTS}

    assert everything - set().union(*map(asked, WHOLE.values())) == set()


@pytest.mark.parametrize("who", EVERYBODY, ids=str)
async def test_every_field_is_a_value_or_held_back_at_every_door_as_the_table_says(world: World, who: Who) -> None:
    for door in WHOLE:
        met = await at(world, who, door)

        assert met.due - met.shown == set(), f"{who} is shown nothing at {door}"
        assert {name for name in met.changes if not may_read(who, name)} == set(), door


@pytest.mark.parametrize("opening", [over_socket, over_events])
@pytest.mark.parametrize("who", EVERYBODY, ids=str)
async def test_what_is_rendered_once_for_many_is_what_the_table_says_too(world: World, who: Who, opening: Opening) -> None:
    """At the doors of streams, with the fields that do not depend on who looks, over both transports."""
    assert Selections(executable(), parse(SHARED)).is_shareable(parse(SHARED).definitions[0])  # type: ignore[arg-type]

    met = await told(world, who, "Subscription.interactionEvents", SHARED, opening)

    assert met.due - met.shown == set()
    assert {name for name in met.changes if not may_read(who, name)} == set()


@pytest.mark.parametrize(
    ("role", "told"), [(Role.AGENT, {"assignee", "escalationLevel", "satisfaction"}), (Role.PRIVACY_OFFICER, {"satisfaction"})]
)
async def test_a_change_is_told_to_whom_the_field_is_open_that_it_names(world: World, role: Role, told: set[str]) -> None:
    assert (await at(world, Who(role), "interaction, its timeline")).changes == told


Wrongly = Callable[[str, bool], None]


@pytest.fixture
def wrongly(monkeypatch: pytest.MonkeyPatch) -> Wrongly:
    """Has the gate of a field open for everybody, or for nobody."""

    def does(place: str, is_open: bool) -> None:
        rightly, wrong = Gate.opens, FIELDS[place]
        monkeypatch.setattr(Gate, "opens", lambda gate, viewer, *, own: is_open if gate is wrong else rightly(gate, viewer, own=own))

    return does


@pytest.mark.parametrize(
    ("place", "door", "closed_to"),
    [
        ("Interaction.statusReason", "interactions", Who(Role.CUSTOMER)),
        ("Interaction.escalationLevel", "interactionEvents", Who(Role.SYSTEM)),
        ("Party.contactMedia", "party", Who(Role.VISITOR)),
        ("Party.roles", "interaction", Who(Role.AGENT, ("interaction:read",))),
        ("InteractionEvent.interaction", "interactionEvents", Who(Role.AGENT, ("event:subscribe",))),
    ],
)
async def test_a_gate_that_is_looser_than_the_table_is_found(world: World, wrongly: Wrongly, place: str, door: str, closed_to: Who) -> None:
    await at(world, closed_to, door)

    wrongly(place, True)

    with pytest.raises(AssertionError, match=f"reads {place}"):
        await at(world, closed_to, door)


@pytest.mark.parametrize(("place", "door"), [("Interaction.assignee", "addNote"), ("Party.externalIdentifiers", "parties")])
async def test_a_gate_that_is_tighter_than_the_table_is_found(world: World, wrongly: Wrongly, place: str, door: str) -> None:
    wrongly(place, False)

    with pytest.raises(AssertionError, match="what AGENT is told"):
        await at(world, Who(Role.AGENT), door)


SEARCHES: Final = {
    "interactions": ("InteractionFilter", "interactions(filter: {%s}, first: 1) { cursor }"),
    "viewer": ("InteractionFilter", "viewer { party { interactions(filter: {%s}, first: 1) { cursor } } }"),
    "events": ("EventFilter", "events(filter: {%s}, first: 1) { cursor }"),
}


def given(of: str) -> dict[str, str]:
    """Each field of an input with some value, by its name."""
    kind = SCHEMA.type_map[of]
    assert isinstance(kind, GraphQLInputObjectType)
    return {name: f"{name}: {literal(field.type)}" for name, field in kind.fields.items()}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("door", SEARCHES)
async def test_to_ask_by_what_one_may_not_read_is_refused_by_its_name(world: World, door: str, role: Role) -> None:
    who, (of, search) = Who(role), SEARCHES[door]
    text = f"{{ {' '.join(f'{name}: {search % value}' for name, value in given(of).items())} }}"

    errors = (await world.caller(who).ask(text)).body.get("errors", ())

    refused = {error["path"][0]: error for error in errors}
    for name in given(of):
        if not who.may(MANDATES[f"Query.{door}"]):
            check_refusal(refused[name]["extensions"], who, MANDATES[f"Query.{door}"])
        elif who.may(gate := ARGUMENTS.get(f"{of}.{name}", Gate())):
            assert name not in refused
        else:
            assert name in refused[name]["message"]
            check_refusal(refused[name]["extensions"], who, gate)


@pytest.mark.parametrize("role", Role)
async def test_to_follow_by_what_one_may_not_read_is_refused_by_its_name(world: World, role: Role) -> None:
    who = Who(role)
    async with world.caller(who).socket() as stream:
        for name, value in given("EventFilter").items():
            await stream.subscribe(name, f"subscription {{ interactionEvents(filter: {{{value}}}) {{ kind }} }}")
            message = await stream.receive()
            await stream.send({"id": name, "type": "complete"})

            needed: list[Gate | Mandate] = [MANDATES["Subscription.interactionEvents"], ARGUMENTS.get(f"EventFilter.{name}", Gate())]
            if missing := next((right for right in needed if not who.may(right)), None):
                check_refusal(message["payload"][0]["extensions"], who, missing)
            else:
                assert message["type"] == "next"


@pytest.mark.parametrize("role", Role)
async def test_an_argument_that_is_not_for_everyone_is_refused_by_the_table(world: World, role: Role) -> None:
    who, mandate, arguments = Who(role), MANDATES["Mutation.createInteraction"], given("CreateInteractionInput")
    for name in ("direction", "channel", "customerId", "customerRef"):  # always given; and whose it is, is the mandate's
        del arguments[name]
    create = (
        "createInteraction(input: {direction: INBOUND, channel: WEB_SELF_SERVICE, %s}) { errors { code requiresRoles requiresScopes } }"
    )
    text = f"mutation {{ {' '.join(f'{name}: {create % value}' for name, value in arguments.items())} }}"

    told = {name: payload["errors"] for name, payload in (await world.caller(who).ask(text)).data.items()}

    for name, errors in told.items():
        needed: list[Gate | Mandate] = [mandate, ARGUMENTS.get(f"CreateInteractionInput.{name}", Gate())]
        if missing := next((right for right in needed if not who.may(right)), None):
            check_refusal(errors[0], who, missing)
        else:
            assert not errors or errors[0]["code"] != "FORBIDDEN", name


@pytest.mark.parametrize("role", Role)
async def test_a_party_is_asked_for_by_a_name_that_one_may_read(world: World, role: Role) -> None:
    who = Who(role)
    needed: list[Gate | Mandate] = [MANDATES["Query.party"], ARGUMENTS["Query.party.externalIdentifier"]]

    answer = (await world.caller(who).ask('{ party(externalIdentifier: {owner: "x", value: "x"}) { id } }')).body

    if missing := next((right for right in needed if not who.may(right)), None):
        check_refusal(refusal(answer), who, missing)
    else:
        assert answer == {"data": {"party": None}}


def test_what_is_ordered_by_is_open() -> None:
    kind = SCHEMA.type_map["InteractionOrderField"]
    assert isinstance(kind, GraphQLEnumType)

    for name in kind.values:
        first, *others = name.lower().split("_")
        assert first + "".join(map(str.title, others)) in OPEN["Interaction"] | OPEN["Progress"]
