"""Queries that take too long: they end, at the hub and in the database, by their deadline or when nobody waits any more."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api import Api, connected
from tests.conftest import sharing

SLOW = "{ parties(first: 5) { nodes { id } } }"
SLEEP = {"$function": {"body": "function() { sleep(10); return false }", "args": ["$often"], "lang": "js"}}
SLOWLY = [{"$set": {"often": {"$range": [0, 3_000]}}}, {"$unwind": "$often"}, {"$match": {"$expr": SLEEP}}]


@pytest.fixture(scope="module")
async def slow(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub whose database takes half a minute over each party; two operations of a viewer run at once, for a minute."""
    given = {"operation_seconds": 60, "operations_at_once": 2}
    async with sharing(mongo_uri, tmp_path_factory.mktemp("slow"), **given) as api:
        database = api.hub.mongo.database
        await database["parties"].rename("kept")
        await database.command("create", "parties", viewOn="kept", pipeline=SLOWLY)
        yield api
        await database["parties"].drop()


async def working(api: Api) -> int:
    """How many slow reads the database is at."""
    database = api.hub.mongo.database
    found = await database.client.admin.command({"currentOp": 1, "ns": f"{database.name}.kept"})
    return len(found["inprog"])


async def until(api: Api, number: int) -> None:
    async with asyncio.timeout(20):
        while await working(api) != number:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


async def test_what_takes_longer_than_it_may_ends_here_and_in_the_database(slow: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow.hub.executor, "_deadline", 0.5)
    headers = {"accept": "application/graphql-response+json", "authorization": f"Bearer {slow.as_agent.token}"}
    async with asyncio.timeout(20):
        response = await slow.client.post("/graphql", json={"query": SLOW}, headers=headers)

    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert (response.status_code, "data" in response.json()) == (503, False)
    assert response.headers["retry-after"] == "1"
    await until(slow, 0)


async def test_so_many_of_one_viewer_run_at_once_and_others_are_not_kept_waiting(slow: Api) -> None:
    running = [asyncio.create_task(slow.as_agent.ask(SLOW)) for _ in range(2)]
    await until(slow, 2)

    refused, other = await slow.as_agent.ask("{ cursor }"), await slow.as_customer.ask("{ cursor }")

    assert (refused.codes, other.codes) == (["RATE_LIMITED"], [])
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await ended(slow)
    assert (await slow.as_agent.ask("{ cursor }")).codes == []


async def test_a_client_that_hangs_up_stops_its_query(slow: Api) -> None:
    async with httpx.AsyncClient(base_url=f"http://{slow.address}") as client:
        headers = {"authorization": f"Bearer {slow.as_agent.token}"}
        asking = asyncio.create_task(client.post("/graphql", json={"query": SLOW}, headers=headers))
        await until(slow, 1)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking

    await until(slow, 0)
    await ended(slow)


async def test_so_does_one_whose_socket_or_event_stream_is_gone_or_who_completes_it(slow: Api) -> None:
    async with connected(slow.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": slow.as_agent.token}})
        await stream.receive()
        await stream.subscribe("1", SLOW)
        await until(slow, 1)
        await stream.send({"id": "1", "type": "complete"})
        await until(slow, 0)
        await stream.subscribe("2", SLOW)
        await until(slow, 1)
    await until(slow, 0)

    headers = {"authorization": f"Bearer {slow.as_agent.token}", "accept": "text/event-stream"}
    async with slow.client.stream("POST", "/graphql", json={"query": SLOW}, headers=headers):
        await until(slow, 1)
    await until(slow, 0)
    await ended(slow)


async def ended(api: Api) -> None:
    async with asyncio.timeout(20):
        while api.hub.executor.budgets._running:  # noqa: ASYNC110 - who ends tells nobody
            await asyncio.sleep(0.01)


async def test_a_mutation_is_done_to_its_end_though_its_client_is_gone(shared_api: Api) -> None:
    host, port = shared_api.address.split(":")
    text = 'mutation { createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "gone"}) { cursor } }'
    body = json.dumps({"query": text}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: {shared_api.address}\r\nauthorization: Bearer {shared_api.as_agent.token}\r\n"
    request = f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    async with shared_api.as_agent.stream("subscription { interactionEvents { event { interaction { reason } } } }") as stream:
        assert (await stream.frame())["event"] is None
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        await writer.drain()
        writer.transport.abort()

        frame = await stream.frame()

    assert frame["event"]["interaction"]["reason"] == "gone"
