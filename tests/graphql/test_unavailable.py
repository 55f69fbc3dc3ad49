"""A database that goes away in mid-request: the hub says so, keeps what it promised, and heals when the database is back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub import mongod
from hub.mongod import Mongod
from hub.settings import Settings
from hub.store import audit
from hub.web.hub import opened
from tests.api import Api
from tests.conftest import played, serving

NOTES = "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind event { type message } } }"
REPLAY = "subscription($after: Cursor) { interactionEvents(after: $after) { kind } }"


@dataclass
class Database:
    """A mongod of its own, which a test takes away and gives back."""

    directory: Path
    running: Mongod

    def stop(self) -> None:
        self.running.stop()

    def start(self) -> None:
        port = self.running.port
        self.running = mongod.start(self.directory)
        assert self.running.port == port


@pytest.fixture
def database(tmp_path: Path) -> Any:
    database = Database(tmp_path, mongod.start(tmp_path))
    yield database
    database.stop()


@pytest.fixture
async def fragile(database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """A hub on that database."""
    settings = Settings.load(data_dir=tmp_path / "hub", port=0)
    async with opened(settings, database.running.uri, role="test") as hub, serving(hub) as address, played(hub, address) as api:
        yield api


async def healed(api: Api) -> None:
    async with asyncio.timeout(30):
        while (await api.client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it is asked from outside
            await asyncio.sleep(0.05)


async def test_a_hub_without_its_database_says_so_and_heals_when_it_is_back(fragile: Api, database: Database) -> None:
    api = fragile
    interaction = await api.as_customer.create()
    cursor = await api.as_customer.cursor()
    note = {"id": interaction["id"], "text": "Are you there?", "idempotencyKey": "once"}
    async with api.as_customer.stream(NOTES, id=interaction["id"]) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"

        database.stop()
        read, counted, written, ready, alive, here = await asyncio.gather(
            api.as_customer.ask("query($id: ID!) { viewer { roles } interaction(id: $id) { id } }", id=interaction["id"]),
            api.as_agent.ask("{ interactions { totalCount } events { cursor } }"),
            api.as_customer.act("addNote", **note),
            api.client.get("/readyz"),
            api.client.get("/healthz"),
            api.as_customer.ask("{ cursor }"),
        )
        await stream.subscribe("2", REPLAY, after=cursor)  # what it is to be told waits with it

        database.start()
        await healed(api)
        again = await api.as_customer.act("addNote", **note)
        heard: dict[str, list[Any]] = {"1": [], "2": []}
        while not all(any(frame["kind"] == "EVENT" for frame in frames) for frames in heard.values()):
            message = await stream.receive()
            heard[message["id"]] += message["payload"]["data"].values()

    assert (read.status, read.codes, read.body["data"]) == (200, ["UNAVAILABLE"], {"viewer": {"roles": ["CUSTOMER"]}, "interaction": None})
    assert read.body["errors"][0]["extensions"]["retryAfterMs"] > 0
    assert (counted.codes, counted.body["data"]) == (["UNAVAILABLE"] * 2, {"interactions": None, "events": None})
    assert (here.status, here.codes) == (503, ["UNAVAILABLE"])
    assert [(error["code"], error["retryAfterMs"] > 0) for error in written["errors"]] == [("UNAVAILABLE", True)]
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert alive.status_code == 200
    assert again["errors"] == []
    assert heard["1"] == [{"kind": "EVENT", "event": {"type": "NOTE_ADDED", "message": "Are you there?"}}]
    assert sorted(frame["kind"] for frame in heard["2"]) in (["EVENT"], ["CAUGHT_UP", "EVENT"])
    assert [event["type"] for event in await api.as_customer.timeline(interaction["id"])] == ["CREATED", "NOTE_ADDED"]


async def test_what_was_read_before_the_database_went_away_is_recorded_when_it_is_back(fragile: Api, database: Database) -> None:
    api, records = fragile, fragile.hub.journal.audit
    interaction = await api.as_customer.create()
    await records.drain()
    records.every, most = 3_600.0, records.most
    await api.as_agent.ask("query Before($id: ID!) { interaction(id: $id) { id } }", id=interaction["id"])

    database.stop()
    writing = asyncio.create_task(records.drain())
    async with asyncio.timeout(30):
        while records.state == "ok":  # noqa: ASYNC110 - it is asked as an operator does
            await asyncio.sleep(0.01)
    behind, records.most = records.state, 1
    refused = await api.as_agent.ask("{ interactions { nodes { id } } }")
    database.start()
    records.most = most
    await healed(api)
    await writing
    await records.drain()

    assert behind == "behind: 1 records wait"
    assert (refused.status, refused.codes) == (503, ["UNAVAILABLE"])
    assert records.state == "ok"
    kept = [record async for record in audit.about(api.hub.mongo, api.customer)]
    assert [record["operation"] for record in kept][-1] == "Before: interaction"


@pytest.mark.prove
async def test_a_database_that_falls_silent_in_mid_request_costs_a_coded_error_and_nothing_twice(fragile: Api, database: Database) -> None:
    api = fragile
    interaction = await api.as_customer.create()
    notes = [{"id": interaction["id"], "text": f"note {number}", "idempotencyKey": f"key {number}"} for number in range(20)]

    working = [asyncio.create_task(api.as_customer.act("addNote", **note)) for note in notes]
    os.kill(database.running.pid, signal.SIGSTOP)
    try:
        answers = await asyncio.gather(*working)
        read = await api.as_customer.ask("{ interactions { totalCount } }")
    finally:
        os.kill(database.running.pid, signal.SIGCONT)
    await healed(api)
    again = [await api.as_customer.act("addNote", **note) for note in notes]

    assert {error["code"] for answer in answers for error in answer["errors"]} == {"UNAVAILABLE"}
    assert read.codes == ["UNAVAILABLE"]
    assert [answer["errors"] for answer in again] == [[]] * 20
    noted = [event["message"] for event in await api.as_customer.timeline(interaction["id"])][1:]
    assert sorted(noted) == sorted(note["text"] for note in notes)
