"""Crowds: those who go without a word leave nothing, those who read slowly cost nobody else, and all of a dead process's come back."""

import asyncio
import contextlib
import gc
import os
import random
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import local_issuer
from tests.api import Api
from tests.conftest import sharing
from tests.proofs import write_down
from tests.streams.chaos import HubProcess, World
from tests.streams.crowd import Client, client

EVENTS = "subscription($after: Cursor) { interactionEvents(after: $after) { kind cursor event { id sequence message } } }"
CREATE = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { interaction { id } errors { code } } }"
PROGRESS = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { cursor errors { code } } }"
FOUND: dict[str, str] = {}  # a row for each proof

ABOUT = """
What crowds of clients come to: those who hang up without a word, those who read a kilobyte a second, and those of a process that is killed,
who come back all at once to the one that is left, each with its cursor.
"""


@pytest.fixture(scope="module", autouse=True)
def written() -> Any:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if FOUND:
        write_down("crowds", "Crowds", ABOUT, ["| | | |", "|---|---|---|", *FOUND.values()])


async def come_and_go(api: Api, many: int, at_once: int = 50) -> None:
    """So many subscribe, hear that they are live, and are gone without a word."""
    token = str(api.as_agent.token)
    for _ in range(0, many, at_once):
        clients = await asyncio.gather(*(client(api.address, token, EVENTS) for _ in range(at_once)))
        await asyncio.gather(*(one.is_live.wait() for one in clients))
        for one in clients:
            one.abort()
    async with asyncio.timeout(30):
        while api.hub.journal.cohorts.subscribers or any(task.get_name() == "operation" for task in asyncio.all_tasks()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def left_behind(api: Api, many: int) -> tuple[int, int]:
    """How many objects there are before and after so many have come and gone."""
    await come_and_go(api, 100)  # what is loaded once is loaded
    await asyncio.sleep(0.6)  # what the audit holds of them is written
    gc.collect()
    before, tasks = len(gc.get_objects()), len(asyncio.all_tasks())
    await come_and_go(api, many)
    await asyncio.sleep(0.6)
    gc.collect()
    assert len(asyncio.all_tasks()) <= tasks
    assert api.hub.journal.feed.listeners == 0
    return before, len(gc.get_objects())


async def test_who_goes_without_a_word_leaves_nothing(mongo_uri: str, tmp_path: Path) -> None:
    async with sharing(mongo_uri, tmp_path, sockets_per_second=100_000) as api:
        before, after = await left_behind(api, 300)

    assert after <= 1.02 * before


@pytest.mark.prove
async def test_five_thousand_who_go_without_a_word_leave_nothing(mongo_uri: str, tmp_path: Path) -> None:
    async with sharing(mongo_uri, tmp_path, sockets_per_second=100_000) as api:
        before, after = await left_behind(api, 5_000)

    FOUND["abrupt"] = (
        f"| 5,000 abrupt closes | objects in memory | {before:,} before, {after:,} after ({100 * after / before - 100:+.1f} %) |"
    )
    assert after <= 1.02 * before


@asynccontextmanager
async def hubs(uri: str, data_dir: Path, many: int) -> AsyncIterator[World]:
    """Processes on one database."""
    issuer = local_issuer(Settings.load(data_dir=data_dir))
    database = f"crowds-{os.getpid()}-{time.monotonic_ns()}"
    world = World([HubProcess(uri, database, data_dir) for _ in range(many)], issuer, random.Random(1))
    try:
        for hub in world.hubs:
            await hub.start()
        yield world
    finally:
        for hub in world.hubs:
            await hub.kill()


def memory(pid: int) -> int:
    """Bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def latencies(world: World, interaction: str, readers: list[Client], reports: int) -> float:
    """Seconds from asking to hearing, at the 99th of 100, over so many reports at 20 a second."""
    waits: list[float] = []
    token = world.issuer.mint([Role.AGENT])
    for number in range(reports):
        message, begin = f"{number} {time.monotonic_ns()}", time.perf_counter()
        await world.insist(token, PROGRESS, input={"id": interaction, "message": message})
        async with asyncio.timeout(10):
            while any(not one.frames or (one.frames[-1][1]["event"] or {}).get("message") != message for one in readers):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        waits += [one.frames[-1][0] - begin for one in readers]
        await asyncio.sleep(max(0.0, 0.05 - (time.perf_counter() - begin)))
    waits.sort()
    return waits[int(0.99 * len(waits))]


async def trickle(one: Client, raw: socket.socket, over: asyncio.Event) -> None:
    """Read a kilobyte a second, and the rest at the end."""
    loop = asyncio.get_running_loop()
    while not over.is_set():
        one.data_received(await loop.sock_recv(raw, 1024))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await over.wait()
    while not one.is_over.is_set():
        one.data_received(await loop.sock_recv(raw, 65_536))


class Plain:
    """What a `Client` writes to, on a bare socket."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw

    def write(self, data: bytes) -> None:
        self._raw.send(data)

    def abort(self) -> None:
        self._raw.close()


@pytest.mark.prove
async def test_slow_readers_are_told_everything_and_cost_nobody_else(mongo_uri: str, tmp_path: Path) -> None:
    async with hubs(mongo_uri, tmp_path, 1) as world:
        (hub,) = world.hubs
        assert hub.process is not None
        token, long = world.issuer.mint([Role.AGENT]), "x" * 3_000
        made = await world.insist(token, CREATE, input={"direction": "INBOUND", "channel": "PHONE"})
        interaction = made["createInteraction"]["interaction"]["id"]
        readers = await asyncio.gather(*(client(hub.address, token, EVENTS) for _ in range(200)))
        await asyncio.gather(*(one.is_live.wait() for one in readers))
        alone = await latencies(world, interaction, readers, 300)
        before = memory(hub.process.pid)

        slow, over, tasks = list[Client](), asyncio.Event(), list[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                raw = socket.socket()
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                raw.setblocking(False)
                host, _, port = hub.address.partition(":")
                await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
                one = Client(hub.address, token, EVENTS, {})
                one.connection_made(Plain(raw))
                while not one.is_live.is_set():
                    one.data_received(await asyncio.get_running_loop().sock_recv(raw, 4096))
                slow.append(one)
                tasks.append(group.create_task(trickle(one, raw, over)))
            for number in range(1_000):  # 3 MB for each: more than every buffer between holds
                await world.insist(token, PROGRESS, input={"id": interaction, "message": f"{number} {long}"})
            most = memory(hub.process.pid)
            beside = await latencies(world, interaction, readers, 300)
            most = max(most, memory(hub.process.pid))
            over.set()
            last = readers[0].frames[-1][1]["event"]["sequence"]
            async with asyncio.timeout(60):
                while any((one.frames[-1][1]["event"] or {}).get("sequence") != last for one in slow):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            for one in slow:
                one.is_over.set()
            for task in tasks:
                task.cancel()
        told = [[frame["event"]["sequence"] for _, frame in one.frames if frame["event"]] for one in slow]

    grown = (most - before) / (1 << 20)
    FOUND["slow"] = (
        f"| 10 readers at 1 KB/s beside 200 others, 1,300 events | those 200, report to receipt, p99 | {1000 * alone:.0f} ms alone, "
        f"{1000 * beside:.0f} ms beside them; {grown:.0f} MB more memory; slow ones complete: {sum(map(is_whole, told))} of 10 |"
    )
    assert all(map(is_whole, told))
    assert grown <= 30
    assert beside <= 1.5 * alone  # 1.1 is the goal; what it came to is written down


def is_whole(sequences: list[int]) -> bool:
    """Each once, and in order."""
    return sequences == list(range(sequences[0], sequences[0] + len(sequences))) and len(sequences) >= 1_300


@pytest.mark.prove
async def test_all_of_a_dead_processs_sockets_come_back_to_the_other_one_in_time(mongo_uri: str, tmp_path: Path) -> None:
    many = 2_000
    async with hubs(mongo_uri, tmp_path, 2) as world, AsyncExitStack():
        dying, other = world.hubs
        token = world.issuer.mint([Role.AGENT])
        made = await world.insist(token, CREATE, input={"direction": "INBOUND", "channel": "PHONE"})
        interaction = made["createInteraction"]["interaction"]["id"]
        clients = []
        for _ in range(0, many, 100):
            some = await asyncio.gather(*(client(dying.address, token, EVENTS) for _ in range(100)))
            await asyncio.gather(*(one.is_live.wait() for one in some))
            clients += some
            await asyncio.sleep(0.2)  # below the rate at which newcomers are told to come again
        for number in range(5):
            await world.insist(token, PROGRESS, input={"id": interaction, "message": f"before {number}"})
        await dying.kill()
        begin = time.perf_counter()
        for number in range(20):
            await world.insist(token, PROGRESS, input={"id": interaction, "message": f"after {number}"})
        told_to_wait = 0

        async def back(was: Client) -> list[int]:
            nonlocal told_to_wait
            sequences = [frame["event"]["sequence"] for _, frame in was.frames if frame["event"]]
            while True:
                one = await client(other.address, token, EVENTS, after=was.frames[-1][1]["cursor"])
                _, waiting = await asyncio.wait(
                    [asyncio.create_task(one.is_live.wait()), asyncio.create_task(one.is_over.wait())], return_when=asyncio.FIRST_COMPLETED
                )
                for task in waiting:
                    task.cancel()
                if one.is_live.is_set():
                    return sequences + [frame["event"]["sequence"] for _, frame in one.frames if frame["event"]]
                assert one.code == 1013
                told_to_wait += 1
                await asyncio.sleep(world.chance.uniform(1, 3))

        told = await asyncio.gather(*map(back, clients))
        took = time.perf_counter() - begin

    whole = sum(sequences == list(range(2, 27)) for sequences in told)
    FOUND["storm"] = (
        f"| {many:,} sockets of a killed process come back with their cursors | all caught up after | {took:.1f} s; "
        f"{told_to_wait:,} times one was told to come again; complete: {whole:,} of {many:,} |"
    )
    assert whole == many
    assert took <= 15
