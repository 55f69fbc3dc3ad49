"""The bus: hints between processes, what it refuses, and what becomes of it while the database is away."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from broadcaster import Broadcast
from bson import Int64

from hub.access.keys import Keyring
from hub.errors import StartupError
from hub.journal import feed as feeding
from hub.journal import opening
from hub.journal.bus import Bus
from hub.journal.opening import Journal, ended
from hub.settings import Settings
from hub.store import catalogue
from hub.store.mongo import Mongo, connected
from hub.web.hub import new_id, now
from tests.journal.acts import BOUND, SECRET, journal_on, opened, owned, report, until
from tests.store.conftest import Machine


@asynccontextmanager
async def process(mongo: Mongo, name: str) -> AsyncIterator[Journal]:
    """A journal at work whose bus is the database's change stream, once that is open."""
    async with opening.opened(mongo, Keyring(SECRET), name=name, clock=now, new_id=new_id, bus_url="mongodb://") as journal:
        await until(lambda: journal.bus.is_up and journal.bus.hints == 1)  # the first says: from here on nothing is missed
        yield journal


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "machine")
    try:
        yield machine
    finally:
        machine.goes_away()


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives now was hinted at."""
    monkeypatch.setattr(feeding, "POLL", 3_600.0)


@pytest.mark.parametrize("url", ["carrier-pigeon://", "nothing", "redis://localhost", "mongodb://elsewhere:27017"])
async def test_a_bus_that_cannot_be_used_is_refused_at_start(url: str, mongo: Mongo) -> None:
    with pytest.raises(StartupError, match="HUB_BUS"):
        Bus(url, mongo)


async def test_a_process_does_not_hear_its_own_hints(mongo: Mongo) -> None:
    bus, heard = Bus("memory://", mongo), list[int | None]()
    task = asyncio.create_task(bus.run(heard.append))
    await turns_of_the_loop()
    assert bus.is_up

    bus.ring()
    await turns_of_the_loop()

    assert heard == []
    await ended([task])


async def test_a_listener_that_broadcaster_lets_end_without_a_word_is_taken_up_again(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary too: what is watched has a private name."""
    monkeypatch.setattr("hub.journal.bus.AGAIN", 0.0)
    broken = list[str]()

    class Broken(Broadcast):
        async def _listener(self) -> None:
            if not broken:
                broken.append("once")
                raise ConnectionResetError("injected")
            await super()._listener()

    monkeypatch.setattr("hub.journal.bus.Broadcast", Broken)
    bus, heard = Bus("memory://", mongo), list[int | None]()
    task = asyncio.create_task(bus.run(heard.append))

    await until(lambda: bool(broken) and bus.is_up)

    assert bus.state == "ok"
    await ended([task])


async def test_a_bus_whose_trouble_has_no_words_is_not_up(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Broadcast):
        async def connect(self) -> None:
            raise TimeoutError

    monkeypatch.setattr("hub.journal.bus.Broadcast", Silent)
    bus, heard = Bus("memory://", mongo), list[int | None]()
    async with owned(asyncio.create_task(bus.run(heard.append))):
        await turns_of_the_loop()

    assert not bus.is_up
    assert bus.state.startswith("degraded: TimeoutError; ")


async def turns_of_the_loop() -> None:
    """More than enough for what happens in memory alone."""
    for _ in range(100):
        await asyncio.sleep(0)


# ---------------------------------------------------------------- mongodb://


@pytest.mark.usefixtures("no_poll")
async def test_a_commit_is_heard_by_another_process_through_the_change_stream_alone(mongo: Mongo) -> None:
    async with process(mongo, "one") as one, process(mongo, "other") as other:
        interaction = await opened(one)
        await until(lambda: other.feed.position == 1)
        for _ in range(9):
            await report(one, interaction)
        await until(lambda: other.feed.position == 10)

        await until(lambda: one.bus.hints == other.bus.hints == 1 + 10)  # that it is open, and one a commit


@pytest.mark.usefixtures("no_poll")
async def test_what_commits_together_is_one_hint_and_neither_turns_nor_the_floor_are_any(mongo: Mongo) -> None:
    async with process(mongo, "one") as one, process(mongo, "other") as other:
        interaction = await opened(one)
        await asyncio.gather(*(report(one, interaction) for _ in range(50)))
        await mongo["heads"].update_one({"_id": "turns"}, {"$addToSet": {"queue": "nobody"}}, upsert=True)
        await mongo["heads"].update_one({"_id": "turns"}, {"$pull": {"queue": "nobody"}})
        await mongo["heads"].update_one({"_id": "journal"}, {"$set": {"floor": 0}})
        await report(one, interaction)

        await until(lambda: one.feed.position == other.feed.position == 52)
        batches = len(await mongo["journal"].distinct("batch"))
        assert batches < 20
        await until(lambda: other.bus.hints >= 1 + batches)
        assert other.bus.hints == 1 + batches


async def test_own_commits_do_not_wake_the_feed(mongo: Mongo) -> None:
    async with process(mongo, "one") as one:
        await opened(one)
        await until(lambda: one.bus.hints == 2)
        one.feed._wake.clear()
        one.feed.hint(one.feed.position)

        assert not one.feed._wake.is_set()
        one.feed.hint(one.feed.position + 1)
        assert one.feed._wake.is_set()


@pytest.mark.usefixtures("no_poll")
@pytest.mark.parametrize("how", ["its cursor is killed", "its operation is killed"])
async def test_a_killed_stream_goes_on_where_it_was(mongo: Mongo, how: str) -> None:
    async with process(mongo, "one") as one, process(mongo, "other") as other:
        interaction = await opened(one)
        await until(lambda: other.feed.position == 1)

        for _ in range(3):
            await kill_streams(mongo, how, 2)
            await report(one, interaction)

        await until(lambda: other.feed.position == 4 and other.bus.is_up and one.bus.is_up)


async def kill_streams(mongo: Mongo, how: str, many: int) -> None:
    """Kill so many streams on this database's heads, each in its own time."""
    killed = set[int]()
    async with asyncio.timeout(BOUND):
        while len(killed) < many:
            found = await mongo.client.admin.command(
                {"currentOp": 1, "ns": f"{mongo.database.name}.heads", "command.getMore": {"$exists": True}}
            )
            for operation in found["inprog"]:
                cursor = int(operation["command"]["getMore"])
                if cursor in killed:
                    continue
                killed.add(cursor)
                if how == "its cursor is killed":
                    await mongo.database.command({"killCursors": "heads", "cursors": [Int64(cursor)]})
                else:
                    await mongo.client.admin.command({"killOp": 1, "op": operation["opid"]})


@pytest.mark.usefixtures("no_poll")
async def test_a_bus_whose_database_went_away_says_so_and_comes_back_with_it(machine: Machine, settings: Settings) -> None:
    async with connected(machine.uri, "hub", settings.mongo_driver) as mongo:
        await catalogue.apply(mongo)
        async with process(mongo, "one") as one, process(mongo, "other") as other:
            await opened(one)
            await until(lambda: other.feed.position == 1)
            machine.goes_away()
            await until(lambda: not one.bus.is_up and not other.bus.is_up)
            state = other.bus.state
            machine.comes_back()
            await until(lambda: one.bus.is_up and other.bus.is_up)

            await opened(one)

            await until(lambda: other.feed.position == 2)
    assert re.fullmatch(r"degraded: .+; the poll bridges it, with up to a second's delay", state)


@pytest.mark.usefixtures("no_poll")
async def test_a_stream_whose_place_in_the_oplog_is_gone_begins_anew_and_has_everybody_look(mongo: Mongo) -> None:
    async with process(mongo, "one") as one, process(mongo, "other") as other:
        stream = other.bus._stream
        assert stream is not None
        looked = other.bus.hints
        stream._token = {"_data": "8200000001" + "00" * 12}  # of long ago
        await kill_streams(mongo, "its operation is killed", 2)
        await opened(one)

        await until(lambda: other.feed.position == 1 and other.bus.is_up and other.bus.hints > looked)


async def test_a_bus_that_starts_before_its_database_carries_hints_once_that_is_there(machine: Machine, settings: Settings) -> None:
    machine.goes_away()
    async with connected(machine.uri, "hub", settings.mongo_driver) as mongo:
        bus, heard = Bus("mongodb", mongo), list[int | None]()
        async with owned(asyncio.create_task(bus.run(heard.append))):
            await until(lambda: bus.state.startswith("degraded: ") and "not open yet" not in bus.state)
            machine.comes_back()
            await until(lambda: bus.is_up)
            async with journal_on(mongo, "one") as one:
                await opened(one)
                await until(lambda: heard == [None, 1])
