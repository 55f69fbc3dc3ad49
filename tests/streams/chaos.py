"""A day in five minutes: hubs that are killed, a database that is, phones that come and go, and what everybody was told.

What each should have been told is not asked of the hub: it is read off the journal's documents, by who takes part in what.
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from websockets.exceptions import WebSocketException

from hub.access.keys import Keyring
from hub.access.tokens import LocalIssuer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.journal.cursors import Cursors
from hub.journal.head import Head
from hub.settings import Settings
from hub.web.hub import local_issuer
from tests.api import Caller, connected
from tests.conftest import PLAIN
from tests.journal.processes import _free_port

SECRET = "a secret of the tests, long enough to be one"
EVENTS = "subscription($after: Cursor) { interactionEvents(after: $after) { kind cursor event { id } } }"
PROGRESS = "subscription($id: ID!, $after: Cursor) { interactionProgress(interactionId: $id, after: $after) { kind cursor event { id } } }"
PATIENCE = 60.0  # seconds in which everybody must have caught up in the end

Entry = dict[str, Any]


@dataclass
class HubProcess:
    """`hub serve` on a port of its own, again and again."""

    uri: str
    database: str
    data_dir: Path
    port: int = field(default_factory=_free_port)
    process: Process | None = None
    is_up: bool = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_") or name == "HUB_MONGO_DRIVER"}
        environment |= {"HUB_MONGO_URI": self.uri, "HUB_SECRET": SECRET, "HUB_MONGO_DATABASE": self.database, "HUB_LOG_LEVEL": "error"}
        command = (str(Path(sys.executable).with_name("hub")), "serve", "--port", str(self.port), "--data-dir", str(self.data_dir))
        while True:
            self.process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL, env=environment)
            async with httpx.AsyncClient(base_url=f"http://{self.address}", timeout=2, verify=PLAIN) as client:
                while self.process.returncode is None:
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get("/healthz")).status_code == 200:
                            self.is_up = True
                            return
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)  # the database was away when it began

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """At once, and no more."""
        self.is_up = False
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await self.process.wait()


@dataclass
class Follower:
    """A client that comes and goes; `sees` says which of the journal's entries it is to be told."""

    name: str
    token: str
    query: str
    variables: dict[str, Any]
    sees: Callable[[Entry], bool]
    by_events: bool  # over SSE, else over a WebSocket
    cursor: str
    told: list[str] = field(default_factory=list)  # the cursor of each event
    visits: int = 0


@dataclass
class World:
    """Two hubs on one database, with a cast, and those who follow it."""

    hubs: list[HubProcess]
    issuer: LocalIssuer
    chance: random.Random
    followers: list[Follower] = field(default_factory=list)
    interactions: dict[str, tuple[str, bool]] = field(default_factory=dict)  # whose, and whether the partner takes part
    replays: bool = True
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: int = 0

    def address(self) -> str | None:
        """Of some hub that is up."""
        up = [hub.address for hub in self.hubs if hub.is_up]
        return self.chance.choice(up) if up else None

    async def insist(self, token: str, query: str, **variables: Any) -> Any:
        """The data of an answer: asked of whoever is up, in the same words, until somebody answers."""
        while True:
            if (address := self.address()) is not None:
                with contextlib.suppress(httpx.HTTPError, json.JSONDecodeError):
                    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=10, verify=PLAIN) as client:
                        body = (await Caller(client, address, token).ask(query, **variables)).body
                        payload = next(iter((body.get("data") or {"": None}).values()))
                        refused = [error["code"] for error in payload.get("errors", ())] if isinstance(payload, dict) else []
                        if "errors" not in body and not refused:
                            return body["data"]
                        if set(refused) - {"UNAVAILABLE"}:
                            raise RuntimeError(f"This is refused: {refused}.")
            await asyncio.sleep(0.1)

    async def follow(self, one: Follower, longest: float, rest: float) -> None:
        """Come and go until it is over, and then stay."""
        while True:
            if (address := self.address()) is not None:
                one.visits += 1
                stay = PATIENCE if self.is_over.is_set() else self.chance.uniform(0.1, longest)
                with contextlib.suppress(TimeoutError, OSError, WebSocketException, httpx.HTTPError, AssertionError):
                    async with asyncio.timeout(stay):
                        await (self._events if one.by_events else self._socket)(one, address)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.chance.uniform(0.1, rest) if not self.is_over.is_set() else 0.1):
                    await self.is_over.wait()

    def _variables(self, one: Follower) -> dict[str, Any]:
        return one.variables | ({"after": one.cursor} if self.replays or one.visits == 1 else {})

    def _heard(self, one: Follower, frame: Any) -> None:
        assert frame["kind"] != "RESET"
        one.cursor = frame["cursor"]
        if frame["kind"] == "EVENT":
            one.told.append(frame["cursor"])

    async def _socket(self, one: Follower, address: str) -> None:
        async with connected(address) as stream:
            try:
                await stream.send({"type": "connection_init", "payload": {"token": one.token}})
                await stream.receive()
                await stream.subscribe("1", one.query, **self._variables(one))
                while True:
                    message = await stream.receive()
                    if message["type"] != "next":
                        return
                    self._heard(one, next(iter(message["payload"]["data"].values())))
            finally:
                if self.chance.random() < 0.5:
                    stream.socket.transport.abort()

    async def _events(self, one: Follower, address: str) -> None:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {one.token}"}
        asked = {"query": one.query, "variables": self._variables(one)}
        async with (
            httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE, verify=PLAIN) as client,
            client.stream("POST", "/graphql", json=asked, headers=headers) as response,
        ):
            if response.status_code != 200:
                return
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    answer = json.loads(line[6:])
                    if "errors" in answer:
                        return
                    self._heard(one, next(iter(answer["data"].values())))

    async def write(self, per_second: float) -> None:
        """Work on what there is, evenly, until it is over; each act until it is acknowledged."""
        agent, number = self.issuer.mint([Role.AGENT]), 0
        progress = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { errors { code } } }"
        note = "mutation($input: AddNoteInput!) { addNote(input: $input) { errors { code } } }"
        waiting: set[asyncio.Task[None]] = set()

        async def act(number: int) -> None:
            id, key = self.chance.choice(list(self.interactions)), f"act-{number}"
            if number % 4:
                await self.insist(agent, progress, input={"id": id, "message": f"step {number}", "idempotencyKey": key})
            else:
                kept = self.chance.choice(("INTERNAL", "PUBLIC"))
                await self.insist(agent, note, input={"id": id, "text": f"note {number}", "visibility": kept, "idempotencyKey": key})
            self.acknowledged += 1

        while not self.is_over.is_set():
            number += 1
            if len(waiting) < 50:  # while nobody answers, a few insist and the others wait
                waiting.add(task := asyncio.create_task(act(number)))
                task.add_done_callback(waiting.discard)
            await asyncio.sleep(1 / per_second)
        await asyncio.gather(*waiting)


@asynccontextmanager
async def world(uri: str, data_dir: Path, *, seed: int, followers: int, hubs: int = 2) -> AsyncIterator[World]:
    """Hubs that answer, a cast that is written, and followers that have not begun."""
    issuer = local_issuer(Settings.load(data_dir=data_dir))
    made = World([HubProcess(uri, f"chaos-{seed}-{os.getpid()}", data_dir) for _ in range(hubs)], issuer, random.Random(seed))
    try:
        for hub in made.hubs:
            await hub.start()
        await _cast(made, followers)
        yield made
    finally:
        for hub in made.hubs:
            await hub.kill()
        with MongoClient[dict[str, Any]](uri) as client:
            client.drop_database(made.hubs[0].database)


async def _cast(world: World, followers: int) -> None:
    agent = world.issuer.mint([Role.AGENT])
    upsert = "mutation($input: UpsertPartyInput!) { upsertParty(input: $input) { party { id } errors { code } } }"
    create = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { interaction { id } errors { code } } }"

    async def party(number: int) -> str:
        return str((await world.insist(agent, upsert, input={"kind": "INDIVIDUAL", "name": f"P {number}"}))["upsertParty"]["party"]["id"])

    partner, customers = await party(0), [await party(number) for number in range(1, 9)]
    for number, customer in enumerate([*customers, *customers]):
        parties = [{"role": "PARTNER", "partyId": partner}] if number % 2 else []
        told = {"direction": "INBOUND", "channel": "PHONE", "customerId": customer, "parties": parties}
        made = await world.insist(agent, create, input=told)
        world.interactions[made["createInteraction"]["interaction"]["id"]] = (customer, bool(parties))
    begin = (await world.insist(agent, "{ cursor }"))["cursor"]
    for number in range(followers):
        id = world.chance.choice(list(world.interactions))
        world.followers.append(_follower(world, number, begin, id=id, partner=partner))


def _follower(world: World, number: int, begin: str, *, id: str, partner: str) -> Follower:
    customer = world.interactions[id][0]

    def mint(role: Role, party: str | None = None) -> str:
        return world.issuer.mint([role], party=PartyId(party) if party else None)

    owned = {one for one, (whose, _) in world.interactions.items() if whose == customer}
    shared = {one for one, (_, partners) in world.interactions.items() if partners}
    by_events = number % 4 == 3
    match number % 5:
        case 0:
            return Follower("agent", mint(Role.AGENT), EVENTS, {}, lambda entry: True, by_events, begin)
        case 1:
            return Follower(
                *("partner", mint(Role.PARTNER, partner), EVENTS, {}),
                lambda entry: entry["audience"] == "PUBLIC" and entry["subject"]["id"] in shared,
                *(by_events, begin),
            )
        case 2:
            return Follower(
                *("customer", mint(Role.CUSTOMER, customer), EVENTS, {}),
                lambda entry: entry["audience"] == "PUBLIC" and entry["subject"]["id"] in owned,
                *(by_events, begin),
            )
        case _:
            return Follower(
                *("progress", mint(Role.CUSTOMER, customer), PROGRESS, {"id": id}),
                lambda entry: entry["audience"] == "PUBLIC" and entry["subject"]["id"] == id,
                *(by_events, begin),
            )


@dataclass(frozen=True)
class Verdict:
    """Of all followers together."""

    deliveries: int
    missing: int
    doubled: int
    reordered: int
    foreign: int


class Judge:
    """Reads the journal's documents, and what cursors mean."""

    def __init__(self, uri: str, database: str) -> None:
        with MongoClient[dict[str, Any]](uri) as client:
            head = client[database]["heads"].find_one({"_id": "journal"})
            self._entries = list(client[database]["journal"].find({"subject.kind": "interaction"}).sort("_id", 1))
        assert head is not None
        self._cursors = Cursors(Keyring(SECRET.encode()), Head(head["position"], head["epoch"], head["floor"], head["key"]))

    def position(self, cursor: str) -> int:
        """Where a cursor lies."""
        return self._cursors.read(cursor).position

    def expected(self, one: Follower, begin: int) -> list[int]:
        """The positions that it is to be told of, in order."""
        return [int(entry["_id"]) for entry in self._entries if entry["_id"] > begin and one.sees(entry)]

    def verdict(self, followers: Sequence[Follower], begin: int) -> Verdict:
        """What went wrong, all told."""
        deliveries = missing = doubled = reordered = foreign = 0
        for one in followers:
            told, expected = [self.position(cursor) for cursor in one.told], set(self.expected(one, begin))
            deliveries += len(told)
            missing += len(expected - set(told))
            foreign += len(set(told) - expected)
            doubled += len(told) - len(set(told))
            reordered += sum(after < before for before, after in itertools.pairwise(told))
        return Verdict(deliveries, missing, doubled, reordered, foreign)
