"""Hubs and database are killed while phones come and go: nobody misses an event, hears one twice, or out of order."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from hub import mongod
from hub.journal.opening import ended
from hub.mongod import REPLICA_SET
from tests.journal.processes import _free_port, _hello, _within
from tests.proofs import write_down
from tests.streams.chaos import PATIENCE, Judge, Verdict, World, world

SECONDS = float(os.environ.get("CHAOS_SECONDS", "300"))


@dataclass
class Database:
    """A mongod of one, killed and started again on its port and its files."""

    home: Path
    port: int
    running: Any = None
    kills: int = 0

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        self.running = mongod._spawn(mongod._program(None), self.home, self.port)

    def stop(self, number: int = signal.SIGKILL) -> None:
        process, leash = self.running
        process.send_signal(number)
        process.wait()
        mongod._end(process, leash)
        self.kills += 1


@contextmanager
def database(directory: Path) -> Iterator[Database]:
    """One that can be written to."""
    made = Database(directory / "database", _free_port())
    (made.home / "db").mkdir(parents=True)
    made.start()
    try:
        _within(lambda: _hello(made.port))
        config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": f"127.0.0.1:{made.port}"}]}
        with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{made.port}/?directConnection=true") as client:
            client.admin.command("replSetInitiate", config)
        _within(lambda: (_hello(made.port) or {}).get("isWritablePrimary") or None)
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def followed(
    uri: str, world: World, *, per_second: float, longest: float = 20.0, rest: float = 3.0
) -> AsyncIterator[dict[str, Verdict]]:
    """Followers and writers at work during the block; then everybody catches up, and is judged."""
    begin = world.followers[0].cursor
    verdicts: dict[str, Verdict] = {}
    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(world.follow(one, longest, rest)) for one in world.followers]
        writing = tasks.create_task(world.write(per_second))
        yield verdicts
        world.is_over.set()
        await writing
        judge = Judge(uri, world.hubs[0].database)
        last = [max(judge.expected(one, judge.position(begin)), default=0) for one in world.followers]
        with contextlib.suppress(TimeoutError):  # whoever has not caught up by then never will: that counts as missing
            async with asyncio.timeout(PATIENCE if world.replays else 0):
                while any(judge.position(one.cursor) < end for one, end in zip(world.followers, last, strict=True)):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        await ended(following)
    verdicts["all"] = judge.verdict(world.followers, judge.position(begin))


async def test_nobody_misses_anything_while_a_hub_is_killed(mongo_uri: str, tmp_path: Path) -> None:
    async with (
        world(mongo_uri, tmp_path, seed=1, followers=25) as one,
        followed(mongo_uri, one, per_second=20, longest=2, rest=0.5) as found,
    ):
        await asyncio.sleep(1.5)
        await one.hubs[0].kill()
        await asyncio.sleep(1)
        await one.hubs[0].start()
        await asyncio.sleep(1.5)

    verdict = found["all"]
    assert verdict.deliveries > 100
    assert verdict == Verdict(verdict.deliveries, missing=0, doubled=0, reordered=0, foreign=0)


async def test_without_replay_the_same_would_miss_events(mongo_uri: str, tmp_path: Path) -> None:
    """The control: what is counted can be missing."""
    async with world(mongo_uri, tmp_path, seed=2, followers=25, hubs=1) as one:
        one.replays = False
        async with followed(mongo_uri, one, per_second=20, longest=0.5, rest=0.5) as found:
            await asyncio.sleep(3)

    assert found["all"].missing > 0


@pytest.mark.prove
async def test_nobody_misses_anything_whatever_is_killed(tmp_path: Path) -> None:
    kills = 0
    with database(tmp_path / "mongo") as mongo:
        async with world(mongo.uri, tmp_path, seed=3, followers=200) as one, followed(mongo.uri, one, per_second=20, rest=60) as found:
            loop = asyncio.get_running_loop()
            end = loop.time() + SECONDS
            while loop.time() < end:
                await asyncio.sleep(one.chance.uniform(2, 12))
                if one.chance.random() < 0.3:
                    await asyncio.to_thread(mongo.stop)
                    await asyncio.sleep(one.chance.uniform(0.2, 3))
                    mongo.start()
                else:
                    victim = one.chance.choice(one.hubs)
                    await victim.kill()
                    kills += 1
                    await asyncio.sleep(one.chance.uniform(0.2, 3))
                    await victim.start()
        visits = sum(follower.visits for follower in one.followers)

    verdict = found["all"]
    about = """
200 followers of sixteen interactions (a fifth agents, a fifth a partner, a fifth customers, and two fifths customers of one
interaction; a quarter over SSE, the others over WebSockets) leave every 0.1 to 20 seconds, half of them abruptly, stay away for
0.1 to 60, and come back with their cursor to any hub that is up. 20 acts a second are written, each until it is acknowledged.
Two hubs and their mongod are killed at random and started again. Then everybody catches up, and what each was told is compared
with the journal's documents, by who takes part in what.
"""
    rows = [
        "| seconds | acts | hubs killed | mongod killed | visits | deliveries | missing | doubled | reordered | foreign |",
        "|---|---|---|---|---|---|---|---|---|---|",
        f"| {SECONDS:.0f} | {one.acknowledged:,} | {kills} | {mongo.kills - 1} | {visits:,} | {verdict.deliveries:,} "
        f"| {verdict.missing} | {verdict.doubled} | {verdict.reordered} | {verdict.foreign} |",
    ]
    write_down("streams", "Nobody misses an event", about, rows)
    assert verdict.deliveries > 1_000
    assert verdict == Verdict(verdict.deliveries, missing=0, doubled=0, reordered=0, foreign=0)
