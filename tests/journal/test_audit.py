"""Records on their way to disk: soon, together, none lost while the database is away, and told when there are too many."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from hub.domain.terms import Role
from hub.errors import Unavailable
from hub.journal import audit as recording
from hub.journal.audit import RECORD
from hub.journal.batch import Committed
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.store.audit import Did, Record
from hub.store.mongo import Mongo
from tests.journal.acts import AGENT, command, creation, journal_on, until, viewer
from tests.journal.breaking import BreakingOn, Collection, Gate, breaking_inserts

ENDLESS = 3_600.0


def record(number: int, role: Role = Role.AGENT) -> Record:
    return Record(datetime.now(UTC), viewer(role), "interaction", Did.READ, [(f"int_{number}", [f"par_{number}"])])


async def on_disk(mongo: Mongo) -> list[list[str]]:
    """The interactions of each chunk."""
    chunks: list[dict[str, Any]] = await mongo.page("audit", {}, sort=[("_id", 1)])
    return [[interaction for one in chunk["records"] for interaction in one["interactions"]] for chunk in chunks]


async def test_what_comes_within_half_a_second_is_written_together_and_within_one(journal: Journal, mongo: Mongo) -> None:
    begin = asyncio.get_running_loop().time()
    for number in range(100):
        journal.audit.record(record(number))
        await asyncio.sleep(0)

    await until(lambda: journal.audit._unwritten == 0)

    assert asyncio.get_running_loop().time() - begin < 1.0
    assert await on_disk(mongo) == [[f"int_{number}" for number in range(100)]]


async def test_all_who_wait_for_their_record_share_a_write(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.audit.every = ENDLESS
    gate = Gate(monkeypatch, Collection, "insert_one")
    first = asyncio.create_task(journal.audit.written(journal.audit.record(record(0))))
    await gate.reached.wait()
    others = [asyncio.create_task(journal.audit.written(journal.audit.record(record(number)))) for number in range(1, 20)]
    await asyncio.sleep(0)

    gate.open()
    await asyncio.gather(first, *others)

    assert await on_disk(mongo) == [["int_0"], [f"int_{number}" for number in range(1, 20)]]


async def test_a_record_that_is_taken_grows_no_more(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.audit.every = 0.0
    gate = Gate(monkeypatch, Collection, "insert_one")
    queued = journal.audit.record(record(0))
    was_taken = queued.is_taken

    await gate.reached.wait()

    assert (was_taken, queued.is_taken) == (False, True)
    gate.open()


@pytest.mark.parametrize("error", [AutoReconnect("away"), OperationFailure("not now", 91), OperationFailure("never heard of", 4711)])
async def test_nothing_is_lost_while_nothing_can_be_written(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, error: PyMongoError
) -> None:
    monkeypatch.setattr(recording, "PAUSE", 0.001)
    journal.audit.every = 0.0
    broken = breaking_inserts(monkeypatch, "audit", error, times=3)
    journal.audit.record(record(0))
    await until(lambda: broken.raised >= 1)
    behind = journal.audit.state
    journal.audit.record(record(1))

    await journal.audit.drain()

    assert behind == "behind: 1 records wait"
    assert journal.audit.state == "ok"
    assert await on_disk(mongo) == [["int_0"], ["int_1"]]


async def test_a_write_of_which_nobody_knows_is_there_once(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PAUSE", 0.001)
    broken = BreakingOn(monkeypatch, "audit", "insert_one", error=AutoReconnect("after it"))
    broken._after = True

    journal.audit.record(record(0))
    await journal.audit.drain()

    assert broken.raised == 1
    assert await on_disk(mongo) == [["int_0"]]


async def test_it_is_full_at_once_and_open_again_when_it_is_written(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.audit.every = ENDLESS
    journal.audit.most = 3 * (RECORD + 2)
    gate = Gate(monkeypatch, Collection, "insert_one")
    journal.audit.record(record(0))
    journal.audit.record(record(1))
    journal.audit.admit()
    queued = journal.audit.record(record(2))

    with pytest.raises(Unavailable):
        journal.audit.admit()
    assert journal.audit.state.startswith("full: 3 records wait")
    waiting = asyncio.create_task(journal.audit.written(queued))
    await gate.reached.wait()
    with pytest.raises(Unavailable):  # what is being written is still held
        journal.audit.admit()
    gate.open()
    await waiting

    journal.audit.admit()
    assert journal.audit.state == "ok"


async def test_a_stream_that_adds_to_its_record_fills_it_too(journal: Journal) -> None:
    journal.audit.every = ENDLESS
    journal.audit.most = RECORD + 2 + 10
    queued = journal.audit.record(record(0))

    journal.audit.extend(queued, [(f"int_{number}", ["par_0"]) for number in range(5)])

    assert journal.audit.is_full
    await journal.audit.drain()
    assert not journal.audit.is_full


async def test_who_waits_too_long_is_told_so(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PATIENCE", 0.01)
    gate = Gate(monkeypatch, Collection, "insert_one")

    with pytest.raises(Unavailable):
        await journal.audit.written(journal.audit.record(record(0)))

    gate.open()


async def test_a_journal_that_closes_writes_what_is_queued(mongo: Mongo) -> None:
    async with journal_on(mongo) as journal:
        journal.audit.every = ENDLESS
        for number in range(3):
            journal.audit.record(record(number))

    assert await on_disk(mongo) == [["int_0", "int_1", "int_2"]]


async def test_a_commit_is_told_also_where_its_caller_has_gone(journal: Journal) -> None:
    heard: list[Committed] = []
    asking = asyncio.create_task(journal.committer.submit(command(creation()), Actor(None, AGENT.acting_role), None, heard.append))
    await asyncio.sleep(0)  # it is queued

    asking.cancel()
    await until(lambda: bool(heard))

    assert asking.cancelled()
    assert [entry["type"] for entry in heard[0].entries] == ["CREATED"]
