"""The audit: whatever door something is told by, a record says to whom, by which token, and about whom exactly."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import GraphQLInterfaceType

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.graph.trails import Trail
from hub.schema import executable
from hub.store import audit
from hub.web.hub import now
from tests.api import Api, Caller
from tests.journal.acts import report

ENDLESS = 3_600.0  # seconds: nothing is written before somebody asks for it


@dataclass(frozen=True)
class Cast:
    """Two interactions that hang together, each with a customer of its own, and somebody who has the first on the desk."""

    api: Api
    grace: PartyId
    first: str
    second: str
    assignee: str

    @property
    def names(self) -> dict[str, str]:
        """As the tests name those whom a record is about."""
        return {self.api.customer: "Ada", self.grace: "Grace", self.api.agent: "Alan", self.assignee: "Joan"}


async def made(api: Api) -> Cast:
    """A cast of its own, of whom all that was recorded so far is written."""
    api.hub.journal.audit.every = ENDLESS
    grace = (await api.as_agent.upsert(name="Grace Lovelace"))["party"]["id"]
    media = [{"kind": "EMAIL", "address": f"{grace}@example.com"}]
    await api.as_agent.payload("updateParty", "errors { code }", id=grace, contactMedia=media)
    first = (await api.as_agent.create(customerId=api.customer))["id"]
    second = (await api.as_agent.create(customerId=grace))["id"]
    await api.as_agent.done("linkInteractions", id=first, type="PARENT", otherId=second)
    assignee = (await api.as_agent.upsert(name="Joan Clarke"))["party"]["id"]
    await api.as_role(Role.SUPERVISOR).done("assignInteraction", id=first, assigneeId=assignee)
    await api.hub.journal.audit.drain()
    return Cast(api, grace, first, second, assignee)


@pytest.fixture(scope="module")
async def cast(shared_api: Api) -> Cast:
    """For those who only look."""
    return await made(shared_api)


@pytest.fixture
async def fresh(shared_api: Api) -> Cast:
    """For those who change something."""
    return await made(shared_api)


def token_of(caller: Caller) -> str:
    """The `jti` of a caller's token."""
    assert caller.token
    payload = caller.token.split(".")[1]
    return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])


async def on_disk(api: Api, caller: Caller) -> list[dict[str, Any]]:
    """The records of a caller's token that are written by now."""
    found = await api.hub.mongo.page("audit", {"records.token": token_of(caller)}, sort=[("_id", 1)])
    return [record for chunk in found for record in chunk["records"] if record["token"] == token_of(caller)]


async def recorded(api: Api, caller: Caller) -> list[dict[str, Any]]:
    """All of them."""
    await api.hub.journal.audit.drain()
    return await on_disk(api, caller)


DOORS = [
    ("the root", "interaction(id: $first) { id }", {"first"}, {"Ada", "Alan"}),
    ("no more than that it is there", "interaction(id: $first) { __typename }", {"first"}, {"Ada", "Alan"}),
    ("node", "node(id: $second) { id }", {"second"}, {"Grace", "Alan"}),
    ("nodes, one of them unknown", 'nodes(ids: [$first, "int_0"]) { id }', {"first"}, {"Ada", "Alan"}),
    ("a page", "interactions(filter: {ids: [$first, $second]}) { nodes { id } }", {"first", "second"}, {"Ada", "Grace", "Alan"}),
    ("edges", "interactions(filter: {ids: [$second]}) { edges { node { status } } }", {"second"}, {"Grace", "Alan"}),
    ("a total of ids", "interactions(filter: {ids: [$second]}) { totalCount }", {"second"}, {"Grace", "Alan"}),
    ("a total about a party", "interactions(filter: {partyId: $ada}) { totalCount }", set(), {"Ada"}),
    ("a join", "interaction(id: $first) { assignee { id } }", {"first"}, {"Ada", "Alan", "Joan"}),
    ("a relation", "interaction(id: $first) { relationships { interaction { id } } }", {"first", "second"}, {"Ada", "Grace", "Alan"}),
    ("a party", "party(id: $ada) { name }", set(), {"Ada"}),
    ("a party as a node", "node(id: $ada) { id }", set(), {"Ada"}),
    ("parties by address", 'parties(contact: "GRACE@example.com") { totalCount }', set(), {"Grace"}),
    ("what a party takes part in", "party(id: $grace) { interactions { nodes { id } } }", {"second"}, {"Grace", "Alan"}),
    ("a party's timeline", "party(id: $grace) { timeline { nodes { id } } }", {"second"}, {"Grace", "Alan"}),
    ("a timeline", "interaction(id: $first) { timeline { nodes { type actor { id } } } }", {"first"}, {"Ada", "Alan"}),
    ("events", "events(filter: {interactionIds: [$second]}) { hasMore }", {"second"}, {"Grace", "Alan"}),
    ("oneself", "viewer { party { id } }", set(), {"Alan"}),
    ("a fragment under another name", "mine: node(id: $ada) { ...P }", set(), {"Ada"}),
]


@pytest.mark.parametrize(("question", "interactions", "parties"), [door[1:] for door in DOORS], ids=[door[0] for door in DOORS])
async def test_a_door_leaves_one_record_that_names_exactly_whom_something_was_told_about(
    cast: Cast, question: str, interactions: set[str], parties: set[str]
) -> None:
    api, caller = cast.api, cast.api.as_agent
    values = {"first": cast.first, "second": cast.second, "ada": api.customer, "grace": cast.grace}
    used = {name: value for name, value in values.items() if f"${name}" in question}
    head = f"query Door({', '.join(f'${name}: ID!' for name in used)})" if used else "query Door"
    tail = "fragment P on Party { id }" if "...P" in question else ""

    answer = await caller.ask(f"{head} {{ {question.replace('GRACE', cast.grace)} }} {tail}", **used)
    (record,) = await recorded(api, caller)

    assert answer.data
    assert {name for name, id in values.items() if id in record["interactions"]} == interactions
    assert len(record["interactions"]) == len(interactions)
    assert {cast.names[party] for party in record["parties"]} == parties
    assert (record["did"], record["roles"], record["party"]) == ("READ", ["AGENT"], api.agent)
    assert record["operation"].startswith("Door: ")
    assert record.keys() == {"at", "token", "viewer", "party", "roles", "operation", "did", "interactions", "parties"}


async def test_a_masked_party_was_told_too_and_what_is_out_of_sight_was_not(cast: Cast) -> None:
    caller = cast.api.as_customer

    await caller.ask(
        "query($id: ID!) { interaction(id: $id) { parties { party { id } } relationships { type } assignee { id } } }", id=cast.first
    )
    (record,) = await recorded(cast.api, caller)

    assert record["interactions"] == [cast.first]
    assert {cast.names[party] for party in record["parties"]} == {"Ada", "Alan"}


@pytest.mark.parametrize(
    "question", ["interaction(id: $id) { id }", "node(id: $id) { id }", "interactions(filter: {ids: [$id]}) { totalCount }", "topics"]
)
async def test_who_was_told_nothing_leaves_no_record(cast: Cast, question: str) -> None:
    caller = cast.api.as_role(Role.CUSTOMER, cast.grace)
    head = "query($id: ID!)" if "$id" in question else "query"

    answer = await caller.ask(f"{head} {{ {question} viewer {{ roles }} }}", **({"id": cast.first} if "$id" in question else {}))

    assert answer.data["viewer"] == {"roles": ["CUSTOMER"]}
    assert await recorded(cast.api, caller) == []


async def test_a_change_names_everybody_in_sight_and_whom_it_took_out_of_it(fresh: Cast) -> None:
    api, caller = fresh.api, fresh.api.as_agent

    await caller.payload("addParty", "cursor", id=fresh.first, involvement={"partyId": fresh.grace, "role": "OBSERVER"})
    await caller.payload("removeParty", "cursor", id=fresh.first, partyId=fresh.grace, role="OBSERVER")
    added, removed = await recorded(api, caller)

    for record, act in ((added, "addParty"), (removed, "removeParty")):
        assert (record["did"], record["operation"], record["interactions"]) == ("CHANGED", act, [fresh.first])
        assert {fresh.names[party] for party in record["parties"]} == {"Ada", "Alan", "Grace"}


async def test_a_link_changes_both_ends_and_what_the_payload_tells_is_read(fresh: Cast) -> None:
    caller = fresh.api.as_agent

    await caller.payload("unlinkInteractions", "interaction { id }", id=fresh.first, type="PARENT", otherId=fresh.second)
    changed, read = await recorded(fresh.api, caller)

    assert (changed["did"], set(changed["interactions"])) == ("CHANGED", {fresh.first, fresh.second})
    assert {fresh.names[party] for party in changed["parties"]} == {"Ada", "Grace", "Alan"}
    assert (read["did"], read["interactions"]) == ("READ", [fresh.first])


async def test_a_repeated_act_changes_nothing_and_a_refused_one_neither(fresh: Cast) -> None:
    caller = fresh.api.as_agent
    note = {"id": fresh.first, "text": "called back", "idempotencyKey": fresh.first}

    for _ in range(2):
        await caller.payload("addNote", "cursor errors { code }", **note)
    await caller.payload("addNote", "cursor errors { code }", id="int_0", text="x")

    assert [record["did"] for record in await recorded(fresh.api, caller)] == ["CHANGED"]


async def test_parties_and_their_roles_are_changed_too(fresh: Cast) -> None:
    caller, supervisor = fresh.api.as_agent, fresh.api.as_role(Role.SUPERVISOR)

    await caller.payload("updateParty", "cursor", id=fresh.assignee, name="Joan E. Clarke")
    await supervisor.payload("grantPartyRole", "partyRole { id }", partyId=fresh.assignee, name="guardian")
    await supervisor.ask("query($id: ID!) { partyRoles(partyId: $id) { totalCount } }", id=fresh.assignee)

    assert [(record["did"], record["parties"]) for record in await recorded(fresh.api, caller)] == [("CHANGED", [fresh.assignee])]
    assert [(record["did"], record["parties"]) for record in await recorded(fresh.api, supervisor)] == [
        ("CHANGED", [fresh.assignee]),
        ("READ", [fresh.assignee]),
        ("READ", [fresh.assignee]),
    ]


async def test_a_stream_leaves_one_record_for_all_it_told_between_two_writes(fresh: Cast) -> None:
    api, caller = fresh.api, fresh.api.as_agent
    text = "subscription Desk($filter: EventFilter) { interactionEvents(filter: $filter) { kind } }"

    async with caller.stream(text, filter={"interactionIds": [fresh.first, fresh.second]}) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        assert await recorded(api, caller) == []
        for id in (fresh.first, fresh.second, fresh.first):
            await api.as_agent.payload("addNote", "cursor", id=id, text="x")
            await stream.frame()
        (told,) = await recorded(api, caller)
        await api.as_agent.payload("addNote", "cursor", id=fresh.second, text="x")
        await stream.frame()
        _, later = await recorded(api, caller)

    assert (told["operation"], set(told["interactions"])) == ("Desk: interactionEvents", {fresh.first, fresh.second})
    assert {fresh.names[party] for party in told["parties"]} == {"Ada", "Grace", "Alan"}
    assert (later["interactions"], {fresh.names[party] for party in later["parties"]}) == ([fresh.second], {"Grace", "Alan"})


async def test_contact_media_are_told_once_it_is_on_disk_that_they_are(cast: Cast) -> None:
    api, plain, sensitive = cast.api, cast.api.as_agent, cast.api.as_agent

    await plain.ask("query($id: ID!) { party(id: $id) { name } }", id=api.customer)
    assert await on_disk(api, plain) == []
    reach = "query($id: ID!) { interaction(id: $id) { customer { ...P } } } fragment P on Party { contactMedia { address } }"
    assert "@example.com" in str((await sensitive.ask(reach, id=cast.first)).data)
    (record,) = await on_disk(api, sensitive)

    assert {cast.names[party] for party in record["parties"]} == {"Ada", "Alan"}
    assert len(await on_disk(api, plain)) == 1  # it waited for company, and had it


async def test_contact_media_in_a_frame_are_on_disk_before_it_too(fresh: Cast) -> None:
    api, caller = fresh.api, fresh.api.as_agent
    reach = "interaction { customer { contactMedia { kind } } }"
    text = f"subscription($id: ID!) {{ interactionProgress(interactionId: $id) {{ event {{ {reach} }} }} }}"

    async with caller.stream(text, id=fresh.first) as stream:
        await stream.frame()
        await api.as_agent.payload("addNote", "cursor", id=fresh.first, text="x")
        await stream.frame()

        assert [record["interactions"] for record in await on_disk(api, caller)] == [[fresh.first]]


@contextmanager
def full(api: Api) -> Iterator[None]:
    """No more can be recorded."""
    most, api.hub.journal.audit.most = api.hub.journal.audit.most, 0
    try:
        yield
    finally:
        api.hub.journal.audit.most = most


async def test_what_cannot_be_recorded_is_neither_read_nor_changed(fresh: Cast) -> None:
    api, caller = fresh.api, fresh.api.as_agent
    text = "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind event { type } } }"

    async with caller.stream(text, id=fresh.first) as stream:
        await stream.frame()
        with full(api):
            read = await caller.ask("query($id: ID!) { interaction(id: $id) { id } }", id=fresh.first)
            acted = await caller.ask('mutation { upsertParty(input: {kind: INDIVIDUAL, name: "Eve"}) { cursor } }')
            nobody = await api.anonymous.ask("{ __typename }")
            ready = await api.client.get("/readyz")
            async with caller.socket() as other:
                await other.subscribe("1", text, id=fresh.first)
                refused = await other.receive()
            await report(api.hub.journal, fresh.first)
            ended = await stream.receive()
    again = await api.client.get("/readyz")

    assert [(answer.status, answer.codes) for answer in (read, acted)] == [(503, ["UNAVAILABLE"])] * 2
    assert "data" not in read.body
    assert nobody.data == {"__typename": "Query"}
    assert (ready.status_code, ready.json()["audit"]["state"]) == (503, "full")
    assert (again.status_code, again.json()["audit"]["state"]) == (200, "ok")
    for message in (refused, ended):
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAVAILABLE")
    assert (await api.as_agent.ask('{ parties(text: "Eve") { nodes { id } } }')).data == {"parties": {"nodes": []}}


async def test_the_audit_is_asked_by_party_and_moment(fresh: Cast) -> None:
    api, caller, other = fresh.api, fresh.api.as_agent, fresh.api.as_agent
    await caller.ask("query($id: ID!) { party(id: $id) { name } }", id=fresh.assignee)
    (earlier,) = await recorded(api, caller)
    while now() == earlier["at"]:  # noqa: ASYNC110  # it counts milliseconds
        await asyncio.sleep(0.0005)
    await other.ask("query($id: ID!) { party(id: $id) { name } }", id=fresh.assignee)
    await other.ask("query($id: ID!) { party(id: $id) { name } }", id=api.customer)
    (later, _) = await recorded(api, other)

    about = [record async for record in audit.about(api.hub.mongo, fresh.assignee)]
    since = [record async for record in audit.about(api.hub.mongo, fresh.assignee, later["at"])]

    assert about[-2:] == [earlier, later]
    assert since == [later]
    assert [record async for record in audit.about(api.hub.mongo, "par_unknown")] == []


@pytest.mark.parametrize("name", sorted(one.name for one in executable().get_possible_types(executable().type_map["Node"])))  # type: ignore[arg-type]
def test_whatever_has_an_id_is_noted_where_it_is_told(name: str) -> None:
    noted: list[tuple[str, Any]] = []

    trail: Any = Trail(None, None, None, seen=noted)  # type: ignore[arg-type]
    told: Any = SimpleNamespace(context=SimpleNamespace(trail=trail))
    document = {"_id": "one", "visibleTo": ["two"], "party": "two", "subject": {"id": "one"}}
    type = executable().type_map[name]
    assert not isinstance(type, GraphQLInterfaceType)

    assert type.is_type_of(document, told)  # type: ignore[attr-defined]
    assert len(noted) == 1
