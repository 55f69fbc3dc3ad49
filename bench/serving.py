"""The hub as its clients meet it: GraphQL over HTTP, the hub in a process of its own, its clients in this one.

The clients speak just enough HTTP/1.1 over kept-alive connections, and send bytes made beforehand where they can, so that
it is the hub that is measured.
"""

import asyncio
import contextlib
import itertools
import os
import random
import re
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from bench.commands import OPEN
from bench.load import Act, Figures, closed_loop, typical
from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import local_issuer

START_WAIT: Final = 20.0  # seconds until the hub must answer; 2 as a rule
STOP_WAIT: Final = 10.0
SEEDERS: Final = 64  # connections that fill the hub before it is measured

PAYLOAD: Final = "{ interaction { id revision status updatedAt } cursor errors { code message } }"
CREATE: Final = f"mutation($input: CreateInteractionInput!) {{ createInteraction(input: $input) {PAYLOAD} }}"
PROGRESS: Final = f"mutation($input: ReportProgressInput!) {{ reportProgress(input: $input) {PAYLOAD} }}"
BY_ID: Final = (
    "query($id: ID!) { interaction(id: $id) { id revision status priority reason createdAt updatedAt"
    " customer { id name } progress { percent message nextUpdateDueAt } } }"
)
PAGE: Final = "{ interactions(first: 20) { nodes { id revision status priority reason createdAt } pageInfo { hasNextPage endCursor } } }"
OPERATIONS: Final = ("createInteraction", "reportProgress", "interaction", "interactions")


@dataclass(frozen=True, slots=True)
class Served:
    """What the hub did in one operation, with so many clients."""

    operation: str
    clients: int
    figures: Figures


async def measure(uri: str, directory: Path, *, clients: Sequence[int], seconds: float, rounds: int) -> list[Served]:
    """Every operation and number of clients, in turns, `rounds` times; the medians."""
    seen: dict[tuple[str, int], list[Figures]] = {}
    async with served(uri, directory, "bench_served", secrets.token_hex(32)) as hub:
        token = local_issuer(Settings.load(data_dir=directory)).mint([Role.AGENT])
        async with connected(hub.port, token, SEEDERS) as lines:
            known = await filled(lines)
        for _, many, name in itertools.product(range(rounds), clients, OPERATIONS):
            async with connected(hub.port, token, many) as lines:  # anew: the hub lets idle connections go
                acts = [_act(name, line, known) for line in lines]
                seen.setdefault((name, many), []).append(await closed_loop(acts, seconds))
    return [Served(name, many, typical(figures)) for (name, many), figures in seen.items()]


@dataclass(frozen=True, slots=True)
class Serving:
    """A hub at work: where it answers, and which process it is."""

    port: int
    pid: int


@contextlib.asynccontextmanager
async def served(uri: str, directory: Path, database: str, secret: str) -> AsyncIterator[Serving]:
    """`hub serve` on a free port, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment |= {"HUB_MONGO_URI": uri, "HUB_SECRET": secret, "HUB_MONGO_DATABASE": database}
    environment |= {"HUB_LOG_LEVEL": "warning"}
    command = [str(Path(sys.executable).with_name("hub")), "serve", "--port", "0", "--data-dir", str(directory)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=environment)
    try:
        yield Serving(await asyncio.wait_for(announced(process), START_WAIT), process.pid)
    finally:
        await ended(process)


async def announced(process: Process) -> int:
    """The port at which a server says that it answers."""
    assert process.stdout is not None
    async for line in process.stdout:
        if found := re.search(rb"http://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    raise RuntimeError("A server ended before it answered; what it said stands above.")


async def ended(process: Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_WAIT)
    except TimeoutError:
        process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to work on: as many open interactions as customers."""

    customers: Sequence[str]
    interactions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One connection, over which one request after the other is asked."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes  # of every request, up to its length

    async def ask(self, query: str, variables: dict[str, Any]) -> Any:
        """The data of an answer; a refusal or an error ends the measurement."""
        answer = await self.answer(query, variables)
        (found,) = answer["data"].values()
        if "errors" in answer or not found or found.get("errors"):
            raise RuntimeError(f"The hub refused: {answer!r}.")
        return found

    async def answer(self, query: str, variables: dict[str, Any]) -> Any:
        """All of an answer, also where it tells of errors."""
        body = orjson.dumps({"query": query, "variables": variables})
        self.writer.write(b"%b%d\r\n\r\n%b" % (self.head, len(body), body))
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(f"The hub answered {head!r}.")
        return orjson.loads(await self.reader.readexactly(int(length[1])))


@contextlib.asynccontextmanager
async def connected(port: int, token: str, many: int) -> AsyncIterator[Sequence[Line]]:
    """So many connections, for as long as the block lasts."""
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\naccept: application/json\r\ncontent-length: "
    )
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(many)))
    try:
        yield [Line(reader, writer, head.encode()) for reader, writer in opened]
    finally:
        for _, writer in opened:
            writer.close()


async def filled(lines: Sequence[Line]) -> Known:
    """Open interactions to work on, each with a customer of its own."""
    upsert = "mutation($input: UpsertPartyInput!) { upsertParty(input: $input) { party { id } errors { code message } } }"

    async def some(line: Line, numbers: Sequence[int]) -> list[tuple[str, str]]:
        made = []
        for number in numbers:
            customer = (await line.ask(upsert, {"input": {"kind": "INDIVIDUAL", "name": f"Customer {number}"}}))["party"]["id"]
            made.append((customer, (await line.ask(CREATE, {"input": _opening(customer)}))["interaction"]["id"]))
        return made

    shares = [range(first, OPEN, len(lines)) for first in range(len(lines))]
    made = itertools.chain(*await asyncio.gather(*map(some, lines, shares)))
    return Known(*zip(*made, strict=True))


def _act(operation: str, line: Line, known: Known) -> Act:
    """One request of a client, on something random."""

    async def create() -> Any:
        return await line.ask(CREATE, {"input": _opening(random.choice(known.customers)) | {"idempotencyKey": secrets.token_hex(16)}})

    async def progress() -> Any:
        told = {"id": random.choice(known.interactions), "message": "The technician is on the way.", "percent": random.randrange(101)}
        return await line.ask(PROGRESS, {"input": told | {"idempotencyKey": secrets.token_hex(16)}})

    async def by_id() -> Any:
        return await line.ask(BY_ID, {"id": random.choice(known.interactions)})

    async def page() -> Any:
        return await line.ask(PAGE, {})

    return dict(zip(OPERATIONS, (create, progress, by_id, page), strict=True))[operation]


def _opening(customer: str) -> dict[str, str]:
    return {
        "customerId": customer,
        "direction": "INBOUND",
        "channel": "PHONE",
        "topic": "fibre-fault",
        "reason": "No connection since this morning",
    }
