"""The bus under blows of ten seconds: how late another process hears, and whether it hears everything, once and in order."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub import mongod
from hub.access.keys import Keyring
from hub.errors import Unavailable
from hub.journal import opening
from hub.journal.feed import POLL
from hub.journal.log import Entry
from hub.journal.opening import Journal
from hub.settings import Settings
from hub.store import catalogue
from hub.store.mongo import UNIT, Mongo, connected
from hub.web.hub import new_id, now
from tests.journal.acts import SECRET, opened, owned, report, until
from tests.journal.cutting import Wire, wired
from tests.journal.test_bus import kill_streams
from tests.proofs import write_down

CUT = 10.0  # seconds
PACE = 0.02  # seconds between two commits


@dataclass(eq=False)
class Told:
    """When each position was heard."""

    positions: list[int] = field(default_factory=list)
    at: dict[int, float] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        position = int(entry["_id"])
        self.positions.append(position)
        self.at[position] = time.monotonic()


@dataclass
class Blow:
    """What one came to."""

    name: str
    entries: int = 0
    missing: int = 0
    doubled: int = 0
    before: float = 0.0
    back: float = 0.0
    late: float = 0.0
    is_told: bool = False

    @property
    def row(self) -> str:
        told = "yes" if self.is_told else "no"
        counts = f"{self.entries:,} | {self.missing} | {self.doubled}"
        return f"| {self.name} | {counts} | {1000 * self.before:.0f} ms | {told} | {self.late:.2f} s | {self.back:.2f} s |"


@asynccontextmanager
async def writing(journal: Journal, acknowledged: dict[int, float]) -> AsyncIterator[None]:
    """Somebody who reports progress all the time, and takes down when it was acknowledged."""

    async def work() -> None:
        interaction = await opened(journal)
        while True:
            try:
                committed = await report(journal, interaction)
            except Unavailable:
                continue
            acknowledged[committed.position] = time.monotonic()
            await asyncio.sleep(PACE)

    async with owned(asyncio.create_task(work())):
        yield


async def struck(one: Journal, other: Journal, blow: Blow, strike: Callable[[], Awaitable[None]]) -> None:
    """`strike` lasts ten seconds; from its end on, `other` must catch up."""
    told, acknowledged = Told(), dict[int, float]()
    first = other.feed.position
    with other.feed.attached(told):
        async with writing(one, acknowledged):
            await until(lambda: len(told.positions) > 50)
            blow.before = max(told.at[position] - at for position, at in acknowledged.items() if position in told.at)
            watching = asyncio.create_task(was_down(other))
            await strike()
            over, head = time.monotonic(), one.feed.position
            await until(lambda: other.feed.position >= head)
            blow.late = time.monotonic() - over
            await until(lambda: other.bus.is_up)
            blow.back = time.monotonic() - over
            blow.is_told = watching.done()
            await until(lambda: other.feed.position >= head + 50)
        async with owned(watching):
            await until(lambda: other.feed.position == one.feed.position)
    blow.entries = len(told.positions)
    blow.missing = len(acknowledged.keys() - set(told.positions))
    blow.doubled = len(told.positions) - len(set(told.positions))
    assert told.positions == list(range(first + 1, one.feed.position + 1))  # none missing, none twice, none out of order
    assert not blow.missing


async def was_down(journal: Journal) -> None:
    while journal.bus.is_up:  # noqa: ASYNC110 - a plain value
        await asyncio.sleep(0.01)


@asynccontextmanager
async def process(uri: str, settings: Settings, name: str) -> AsyncIterator[Journal]:
    async with (
        connected(uri, "hub", settings.mongo_driver) as mongo,
        opening.opened(mongo, Keyring(SECRET), name=name, clock=now, new_id=new_id, bus_url="mongodb://") as journal,
    ):
        await until(lambda: journal.bus.is_up)
        yield journal


@pytest.mark.prove
async def test_ten_seconds_without_a_bus_cost_nothing_but_time(settings: Settings, tmp_path: Path) -> None:
    """Writes docs/proofs/bus.md, whatever it finds."""
    blows = [
        Blow("the stream killed again and again"),
        Blow("the database stopped (SIGSTOP), continued"),
        Blow("the wire cut; its connections stay dead"),
    ]
    try:
        with mongod.start(tmp_path / "db") as running:
            async with (
                wired(running.uri) as wire,
                connected(running.uri, "hub", settings.mongo_driver) as mongo,
            ):
                await catalogue.apply(mongo)
                async with process(running.uri, settings, "one") as one, process(wire.uri, settings, "other") as other:
                    await struck(one, other, blows[0], lambda: killing(mongo))
                    await struck(one, other, blows[1], lambda: stopping(running.pid))
                    await struck(one, other, blows[2], lambda: cutting(wire))
        assert blows[0].late < POLL + 0.5
        assert blows[1].late < POLL + 0.5
        assert blows[2].late < UNIT + POLL + 0.5
        assert blows[1].is_told
        assert blows[2].is_told
    finally:
        tell([blow for blow in blows if blow.entries])


async def killing(mongo: Mongo) -> None:
    until_then = time.monotonic() + CUT
    while time.monotonic() < until_then:
        await kill_streams(mongo, "its operation is killed", 2)


async def stopping(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(CUT)
    finally:
        os.kill(pid, signal.SIGCONT)


async def cutting(wire: Wire) -> None:
    wire.cut()
    await asyncio.sleep(CUT)
    wire.mend()


ABOUT = """
Two processes on one database with `HUB_BUS=mongodb://`. One commits about every 20 ms; the other hears of it through its
change stream. For ten seconds the blow lasts; then it is over.

*Missing*, *doubled*: positions that the other did not hand on, or twice; out of order there is none either. *Before*: the
longest from acknowledgement to hearing, undisturbed. *Told*: whether `/readyz` and `hub_bus_up` said so meanwhile. *Caught up*: from
the end of the blow until all that was committed by then is heard: the poll, a second, is the limit, and where connections stay
dead, the eight seconds that a read may take. *Bus back*: until hints arrive again.
"""


def tell(blows: list[Blow]) -> None:
    head = ["| blow of 10 s | entries | missing | doubled | before | told | caught up | bus back |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    write_down("bus", "What the bus may lose", ABOUT, [*head, *(blow.row for blow in blows)])
