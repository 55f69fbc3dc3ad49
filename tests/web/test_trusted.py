"""Trusted documents and registered texts, over every transport: what is run, for whom, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import httpx
import pytest

from hub.access.viewers import NOBODY
from hub.domain.terms import Role
from hub.errors import BadInput
from hub.graph import manifests
from hub.graph.documents import REGISTERED, Asked
from hub.graph.execution import NotRun
from hub.graph.trusted import FRESH, Trusted
from hub.schema import executable
from hub.store.mongo import connected
from hub.store.trusted import TrustedDocuments
from hub.web.hub import now
from tests.api import Api, Caller
from tests.conftest import sharing

MODES: Final = "require, AGENT=prefer, BACK_OFFICE=off"
GRAPHQL: Final = "application/graphql-response+json"
EVENTS: Final = "text/event-stream"
WHO: Final = "query Who { viewer { roles } }"
ONE: Final = "query One($id: ID!) { interaction(id: $id) { id internalNotes { text } redactions { field } } }"
ADD: Final = "mutation Add($input: AddNoteInput!) { addNote(input: $input) { errors { code } } }"
HEAR: Final = "subscription Hear { interactionEvents { kind } }"
MANY: Final = (
    "query Many { interactions(first: 100) { nodes { parties { party { interactions(first: 100) { nodes { "
    + " ".join(f"a{number}: id" for number in range(60))
    + " } } } } } } }"
)
IDS: Final = {"who-1": WHO, "one-1": ONE, "add-1": ADD, "hear-1": HEAR, "many-1": MANY}

Members = Mapping[str, Any]
Door = Callable[[Caller, Members], Awaitable[dict[str, Any]]]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def by_hash(text: str, **members: Any) -> dict[str, Any]:
    """As Apollo's clients ask."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}} | members


def headers(caller: Caller, accept: str) -> dict[str, str]:
    return {"accept": accept} | ({"authorization": f"Bearer {caller.token}"} if caller.token else {})


def told(response: httpx.Response) -> dict[str, Any]:
    """The answer, which comes as JSON, or as an event where it was run."""
    if response.headers["content-type"].startswith(EVENTS):
        return dict(json.loads(next(line for line in response.text.splitlines() if line.startswith("data: {")).removeprefix("data: ")))
    return dict(response.json())


async def posted(caller: Caller, members: Members) -> dict[str, Any]:
    return told(await caller.client.post("/graphql", json=members, headers=headers(caller, GRAPHQL)))


async def posted_for_events(caller: Caller, members: Members) -> dict[str, Any]:
    return told(await caller.client.post("/graphql", json=members, headers=headers(caller, EVENTS)))


async def got(caller: Caller, members: Members) -> dict[str, Any]:
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in members.items()}
    return told(await caller.client.get("/graphql", params=given, headers=headers(caller, EVENTS)))


async def subscribed(caller: Caller, members: Members) -> dict[str, Any]:
    async with caller.socket() as stream:
        await stream.send({"id": "1", "type": "subscribe", "payload": members})
        message = await stream.receive()
    return {"errors": message["payload"]} if message["type"] == "error" else dict(message["payload"])


DOORS: Final[Mapping[str, Door]] = {"http": posted, "events": posted_for_events, "get": got, "socket": subscribed}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(scope="module")
async def trusting(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub with a mode for each: CUSTOMER needs a trusted document, AGENT may use one, BACK_OFFICE knows of none."""
    async with sharing(mongo_uri, tmp_path_factory.mktemp("trusting"), trusted_documents=MODES) as api:
        await loaded(api, IDS)
        yield api


async def loaded(api: Api, texts: Mapping[str, str]) -> None:
    await TrustedDocuments(api.hub.mongo).load(manifests.read(json.dumps(texts), executable()), now())


def codes(answer: Mapping[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


async def until(look: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10 * FRESH):
        while not await look():  # noqa: ASYNC110 - a list that is read anew tells nobody
            await asyncio.sleep(0.05)


NAMED: Final[Mapping[str, Members]] = {
    "id": {"documentId": "who-1"},
    "prefixed hash": {"documentId": f"sha256:{digest(WHO)}"},
    "bare hash": {"documentId": digest(WHO)},
    "apollo's hash": by_hash(WHO),
    "id in apollo's place": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "who-1"}}},
    "id beside the text": {"documentId": "who-1", "query": WHO},
    "hash beside the text": by_hash(WHO, query=WHO),
}


@pytest.mark.parametrize("name", NAMED)
async def test_a_trusted_document_runs_for_who_needs_one(trusting: Api, door: Door, name: str) -> None:
    answer = await door(trusting.as_customer, NAMED[name])

    assert answer["data"] == {"viewer": {"roles": ["CUSTOMER"]}}


@pytest.mark.parametrize("text", ["{ viewer { roles } }", WHO, "{ __schema { types { name } } }", "{ __typename }", "{ nonsense }", "{"])
async def test_a_text_does_not_run_for_who_needs_a_trusted_document(trusting: Api, door: Door, text: str) -> None:
    for caller in (trusting.as_customer, trusting.anonymous):
        assert codes(await door(caller, {"query": text})) == ["DOCUMENT_NOT_TRUSTED"]
    assert codes(await door(trusting.as_customer, {"query": text, "documentId": "unknown"})) == ["DOCUMENT_NOT_TRUSTED"]


async def test_a_text_that_another_has_registered_is_not_trusted(trusting: Api, door: Door) -> None:
    text = "{ viewer { id } }"
    assert "data" in await door(trusting.as_agent, by_hash(text, query=text))
    assert "data" in await door(trusting.as_agent, by_hash(text))

    assert codes(await door(trusting.as_customer, by_hash(text))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert codes(await door(trusting.as_customer, by_hash(text, query=text))) == ["DOCUMENT_NOT_TRUSTED"]


async def test_who_prefers_them_may_still_write(trusting: Api, door: Door) -> None:
    for members in ({"query": WHO}, {"documentId": "who-1"}, {"documentId": "unknown", "query": WHO}, by_hash(WHO)):
        assert (await door(trusting.as_agent, members))["data"] == {"viewer": {"roles": ["AGENT"]}}
    assert codes(await door(trusting.as_agent, {"documentId": "unknown"})) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_where_they_are_off_an_id_is_unknown(trusting: Api, door: Door) -> None:
    caller = trusting.as_role(Role.BACK_OFFICE)

    assert codes(await door(caller, {"documentId": "who-1"})) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await door(caller, {"documentId": "who-1", "query": WHO}))["data"] == {"viewer": {"roles": ["BACK_OFFICE"]}}


async def test_a_text_is_registered_as_apollos_clients_do_it(trusting: Api, door: Door) -> None:
    name = next(name for name, one in DOORS.items() if one is door)
    text = f"query Registered_{name} {{ viewer {{ roles }} }}"

    unknown = await door(trusting.as_agent, by_hash(text))
    registering = await door(trusting.as_agent, by_hash(text, query=text))
    known = await door(trusting.as_agent, by_hash(text))

    assert [(error["message"], error["extensions"]["code"]) for error in unknown["errors"]] == [
        ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    ]
    assert registering["data"] == known["data"] == {"viewer": {"roles": ["AGENT"]}}


@pytest.mark.parametrize(
    "members",
    [
        by_hash(WHO, query="{ cursor }"),
        {"documentId": "who-1", "query": "{ cursor }"},
        {"documentId": f"sha256:{digest('{ topics }')}", "query": "{ cursor }"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest("{ cursor }").upper()}}, "query": "{ cursor }"},
    ],
)
async def test_a_text_that_is_not_the_one_that_is_named_is_refused(trusting: Api, door: Door, members: Members) -> None:
    assert codes(await door(trusting.as_agent, members)) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"documentId": 7},
        {"documentId": None, "query": None},
        {"documentId": "who-1", "query": 7},
        {"extensions": []},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "x"}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}},
    ],
)
async def test_what_is_no_request_is_refused(trusting: Api, members: Members) -> None:
    assert codes(await posted(trusting.as_agent, members)) == ["BAD_USER_INPUT"]
    async with trusting.as_agent.socket() as stream:
        await stream.send({"id": "1", "type": "subscribe", "payload": members})
        assert (await stream.closed())[0] == 4400


async def test_a_hash_that_nobody_knows_is_told_so_that_stock_clients_send_the_text(trusting: Api) -> None:
    asked = by_hash("{ topics }")
    for accept, status in (("application/json", 200), (GRAPHQL, 400)):
        response = await trusting.client.post("/graphql", json=asked, headers=headers(trusting.as_agent, accept))

        assert (response.status_code, response.json()["errors"][0]["message"]) == (status, "PersistedQueryNotFound")


async def test_trust_opens_nothing(trusting: Api) -> None:
    id = (await trusting.as_agent.create(customerId=str(trusting.customer)))["id"]
    customer = trusting.as_customer

    read = await posted(customer, {"documentId": "one-1", "variables": {"id": id}})
    stranger = await posted(trusting.as_other_customer, {"documentId": "one-1", "variables": {"id": id}})

    assert read["data"]["interaction"] == {"id": id, "internalNotes": None, "redactions": [{"field": "internalNotes"}]}
    assert stranger["data"] == {"interaction": None}
    assert codes(await posted(customer, {"documentId": "one-1"})) == ["BAD_USER_INPUT"]
    assert codes(await posted(customer, {"documentId": "one-1", "operationName": "Other"})) == ["BAD_USER_INPUT"]
    assert codes(await posted(customer, {"documentId": "many-1"})) == ["COST_EXCEEDED"]
    assert codes(await posted(trusting.anonymous, {"documentId": "who-1"})) == ["UNAUTHENTICATED"]
    assert codes(await got(customer, {"documentId": "add-1", "variables": {"input": {"id": id, "text": "x"}}})) == ["BAD_USER_INPUT"]


async def test_a_subscription_is_followed_by_its_id(trusting: Api) -> None:
    async with trusting.as_customer.socket() as stream:
        await stream.send({"id": "1", "type": "subscribe", "payload": {"documentId": "hear-1"}})
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await stream.send({"id": "2", "type": "subscribe", "payload": {"query": HEAR}})
        refused = await stream.receive()

    assert (refused["id"], codes({"errors": refused["payload"]})) == ("2", ["DOCUMENT_NOT_TRUSTED"])


async def test_operations_are_counted_by_the_trusted_documents_name(trusting: Api) -> None:
    await posted(trusting.as_customer, {"documentId": "one-1", "variables": {"id": "int_0"}})

    assert 'hub_operations_total{trusted="One",type="query"}' in (await trusting.client.get("/metrics")).text


async def test_what_is_loaded_replaced_or_removed_is_seen_by_a_hub_that_runs(trusting: Api) -> None:
    kept, asked = TrustedDocuments(trusting.hub.mongo), {"documentId": "new-1"}
    assert codes(await posted(trusting.as_customer, asked)) == ["PERSISTED_QUERY_NOT_FOUND"]

    async def answers(data: object) -> bool:
        return (await posted(trusting.as_customer, asked)).get("data") == data

    await loaded(trusting, {"new-1": "{ viewer { roles } }"})
    await until(lambda: answers({"viewer": {"roles": ["CUSTOMER"]}}))
    await loaded(trusting, {"new-1": "{ viewer { party { id } } }"})
    await until(lambda: answers({"viewer": {"party": {"id": trusting.customer}}}))
    await kept.remove(["new-1"])
    await until(lambda: answers(None))


async def test_a_flood_of_registrations_has_a_bound_and_pushes_out_nothing_that_is_trusted(trusting: Api) -> None:
    documents, agent = trusting.hub.documents, await trusting.hub.viewer(trusting.as_agent.token)
    for number in range(2_000):
        text = f"{{ cursor }} # {number} " + "x" * 2_000
        await documents.operation(Asked(text, sha256=digest(text)), agent)

    assert documents.registered.size <= REGISTERED
    assert (await posted(trusting.as_customer, by_hash(WHO)))["data"] == {"viewer": {"roles": ["CUSTOMER"]}}


async def test_what_nobody_sends_is_not_registered(shared_api: Api) -> None:
    documents, text = shared_api.hub.documents, "{ __typename }"

    assert (await documents.operation(Asked(text, sha256=digest(text)), NOBODY)).text == text
    with pytest.raises(NotRun):
        await documents.operation(Asked(sha256=digest(text)), NOBODY)


async def test_ids_that_nobody_knows_cost_the_database_nothing(trusting: Api) -> None:
    async def reads() -> int:
        return int((await trusting.hub.mongo.client.admin.command("serverStatus"))["opcounters"]["query"])

    viewer, before = replace(NOBODY, roles=frozenset({Role.CUSTOMER})), await reads()
    for number in range(5_000):
        with pytest.raises(NotRun):
            await trusting.hub.documents.operation(Asked(document_id=f"id-{number}"), viewer)

    assert await reads() - before < 100  # what a hub reads by itself meanwhile


async def test_while_the_database_is_away_the_list_from_before_counts(trusting: Api, mongo_uri: str) -> None:
    time = [0.0]
    async with connected(mongo_uri, trusting.hub.mongo.database.name, trusting.hub.mongo.driver) as mongo:
        trusted = Trusted(TrustedDocuments(mongo), lambda: time[0])
        assert await trusted.find("who-1", None) is not None
    time[0] += 10 * FRESH

    assert (found := await trusted.find("who-1", None)) is not None
    assert found.text == WHO


async def test_loading_again_changes_nothing(trusting: Api) -> None:
    kept, before = TrustedDocuments(trusting.hub.mongo), await TrustedDocuments(trusting.hub.mongo).all()

    done = await kept.load(manifests.read(json.dumps(IDS), executable()), now())

    assert (done.added, done.replaced, done.known) == (0, 0, len(IDS))
    assert await kept.all() == before


async def test_of_ids_to_remove_all_are_known_or_none_is_removed(trusting: Api) -> None:
    kept = TrustedDocuments(trusting.hub.mongo)

    with pytest.raises(BadInput, match="has the id unknown"):
        await kept.remove(["who-1", "unknown"])

    assert await kept.find("who-1") is not None
