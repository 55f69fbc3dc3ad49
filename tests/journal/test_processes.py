"""Several processes on one database: killed, stopped, elected over, and nothing acknowledged is lost or done twice."""

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.settings import Settings
from hub.store import catalogue
from hub.store.mongo import Mongo, connected
from tests.journal.acts import assert_intact, journal_on, messages, opened
from tests.journal.processes import Members, Writer, replica_set, writing
from tests.proofs import write_down

AFTERWARDS = 50  # reports that must get through after the blow
GENEROUS = 15.0  # seconds for the next commit on a machine that does other things too; `prove` tells the figure: 3 are promised


@dataclass
class Tally:
    """What some rounds came to."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    slowest: list[float] = field(default_factory=list)

    @property
    def row(self) -> str:
        ordered = sorted(self.slowest)
        middle = ordered[len(ordered) // 2]
        return f"{self.rounds} | {self.acknowledged:,} | {self.lost} | {self.doubled} | {middle:.2f} s | {ordered[-1]:.2f} s |"


async def prepared(mongo: Mongo) -> list[str]:
    """Interactions to work on."""
    async with journal_on(mongo, "preparing") as journal:
        return [await opened(journal) for _ in range(5)]


async def judge(mongo: Mongo, writers: list[Writer], tally: Tally | None = None) -> None:
    """Everything that was acknowledged is there, nothing is there twice, and what is there is whole."""
    found = await messages(mongo)
    acknowledged = {message for writer in writers for _, message in writer.told}
    lost, doubled = acknowledged - found.keys(), [message for message, times in found.items() if times > 1]
    if tally is not None:
        tally.rounds += 1
        tally.acknowledged += len(acknowledged)
        tally.lost += len(lost)
        tally.doubled += len(doubled)
    assert not lost
    assert not doubled
    await assert_intact(mongo)


async def killed(uri: str, mongo: Mongo, data: Path, tally: Tally | None = None) -> None:
    """One of two is killed in the middle of its work; the other goes on, and it itself too, once started again."""
    interactions = await prepared(mongo)
    async with (
        writing(uri, data / "a", "a", interactions) as victim,
        writing(uri, data / "b", "b", interactions) as other,
    ):
        await victim.acknowledges(random.randrange(1, 60))
        victim.process.send_signal(signal.SIGKILL)
        at = time.monotonic()
        await other.acknowledges(AFTERWARDS)
        slowest = other.slowest(at)
        async with writing(uri, data / "a", "c", interactions) as again:
            assert again.opened_at is not None
            restarted = again.told[0][0] - again.opened_at
            await again.acknowledges(20)
            await again.end()
            await other.end()
    if tally is not None:
        tally.slowest.append(max(slowest, restarted))
    assert max(slowest, restarted) < GENEROUS
    await judge(mongo, [victim, other, again], tally)


async def killed_alone(uri: str, mongo: Mongo, data: Path, tally: Tally | None = None) -> None:
    """The only one is killed, and started again under the same name."""
    interactions = await prepared(mongo)
    async with writing(uri, data / "a", "a", interactions) as victim:
        await victim.acknowledges(random.randrange(1, 60))
        victim.process.send_signal(signal.SIGKILL)
        await victim.process.wait()
        async with writing(uri, data / "a", "b", interactions) as again:
            assert again.opened_at is not None
            restarted = again.told[0][0] - again.opened_at
            await again.end()
    if tally is not None:
        tally.slowest.append(restarted)
    assert restarted < GENEROUS
    await judge(mongo, [victim, again], tally)


async def stopped(uri: str, mongo: Mongo, data: Path, tally: Tally | None = None) -> None:
    """One of two is stopped in the middle of its work, long enough to be thought dead, and goes on later."""
    interactions = await prepared(mongo)
    async with (
        writing(uri, data / "a", "a", interactions) as victim,
        writing(uri, data / "b", "b", interactions) as other,
    ):
        await victim.acknowledges(random.randrange(1, 60))
        victim.process.send_signal(signal.SIGSTOP)
        at = time.monotonic()
        await other.acknowledges(AFTERWARDS)
        slowest = other.slowest(at)
        victim.process.send_signal(signal.SIGCONT)
        await victim.acknowledges(30)
        await other.acknowledges(30)
        await victim.end()
        await other.end()
    if tally is not None:
        tally.slowest.append(slowest)
    assert slowest < GENEROUS
    await judge(mongo, [victim, other], tally)


async def elected(members: Members, data: Path, tally: Tally | None = None) -> None:
    """The primary is killed in the middle of the work of two; they go on with the next one."""
    async with connected(members.uri, "hub", Settings.load().mongo_driver) as mongo:
        await catalogue.apply(mongo)
        interactions = await prepared(mongo)
        async with (
            writing(members.uri, data / "a", "a", interactions) as first,
            writing(members.uri, data / "b", "b", interactions) as second,
        ):
            await first.acknowledges(random.randrange(1, 60))
            members.kill(members.primary())
            at = time.monotonic()
            await asyncio.gather(first.acknowledges(AFTERWARDS), second.acknowledges(AFTERWARDS))
            slowest = max(first.slowest(at), second.slowest(at))
            await first.end()
            await second.end()
        if tally is not None:
            tally.slowest.append(slowest)
        await judge(mongo, [first, second], tally)


async def test_three_processes_write_at_once_in_one_order_and_none_starves(mongo: Mongo, mongo_uri: str, tmp_path: Path) -> None:
    interactions = await prepared(mongo)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(writing(mongo_uri, tmp_path / name, name, interactions)) for name in ("a", "b", "c")]
        before = [len(writer.told) for writer in writers]
        await asyncio.gather(*(writer.acknowledges(100) for writer in writers))
        progress = [len(writer.told) - was for writer, was in zip(writers, before, strict=True)]
        for writer in writers:
            await writer.end()

    assert min(progress) * 4 > max(progress)
    assert [writer.refused for writer in writers] == [0, 0, 0]
    await judge(mongo, writers)


@pytest.mark.parametrize("round", [0, pytest.param(1, marks=pytest.mark.prove)])
async def test_a_process_that_is_killed_keeps_nobody_from_writing(mongo: Mongo, mongo_uri: str, tmp_path: Path, round: int) -> None:
    await killed(mongo_uri, mongo, tmp_path)


@pytest.mark.prove
async def test_a_process_that_is_killed_goes_on_when_it_is_started_again(mongo: Mongo, mongo_uri: str, tmp_path: Path) -> None:
    await killed_alone(mongo_uri, mongo, tmp_path)


async def test_a_process_that_is_stopped_keeps_nobody_from_writing_and_goes_on_later(mongo: Mongo, mongo_uri: str, tmp_path: Path) -> None:
    await stopped(mongo_uri, mongo, tmp_path)


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    with replica_set(tmp_path / "members", election=1_000) as members:
        yield members


async def test_writers_go_on_after_an_election_and_nothing_is_lost(members: Members, tmp_path: Path) -> None:
    await elected(members, tmp_path)


@pytest.mark.prove
async def test_thirty_rounds_of_each_lose_nothing_and_do_nothing_twice(mongo: Mongo, mongo_uri: str, tmp_path: Path) -> None:
    """Writes docs/proofs/committer.md, whatever it finds."""
    tallies = {
        "one of two killed (SIGKILL)": (killed, Tally()),
        "the only one killed (SIGKILL)": (killed_alone, Tally()),
        "one of two stopped (SIGSTOP), later continued": (stopped, Tally()),
    }
    election = Tally()
    try:
        for name, (act, tally) in tallies.items():
            for number in range(30):
                for collection in await mongo.database.list_collection_names():
                    await mongo[collection].delete_many({})
                await act(mongo_uri, mongo, tmp_path / f"{act.__name__}{number}", tally)
            assert max(tally.slowest) < 3.0, name
        for number in range(10):
            with replica_set(tmp_path / f"members{number}", election=1_000) as members:
                await elected(members, tmp_path / f"elected{number}", election)
    finally:
        tell({name: tally for name, (_, tally) in tallies.items()} | {"primary of three killed (election after 1 s)": election})


ABOUT = """
Each writer is a hub of its own, with 8 clients that report progress on the same five interactions as fast as they are
answered, and send again with the same idempotency key what was UNAVAILABLE.

*Lost*: acknowledged, and not in the journal. *Doubled*: twice in the journal, acknowledged or not. After every round
positions are contiguous, each interaction's `seq` is the number of its events, and every personal part matches its
digest. *Recovery*: the longest that a survivor, or the one started again, waited for an acknowledgement after the blow.
"""


def tell(tallies: dict[str, Tally]) -> None:
    """The proof, for people."""
    rows = [f"| {name} | {tally.row}" for name, tally in tallies.items() if tally.slowest]
    head = ["| blow | rounds | acknowledged | lost | doubled | median recovery | slowest recovery |", "|---|--:|--:|--:|--:|--:|--:|"]
    write_down("committer", "What the committer keeps", ABOUT, [*head, *rows])
