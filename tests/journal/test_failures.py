"""Whatever breaks on the way to a commit: the loop survives, everybody is answered, and nothing happens twice."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from hub.errors import InternalError
from hub.journal import batch
from hub.journal import committer as committing
from hub.journal.batch import Committed
from hub.journal.desk import Desk
from hub.journal.opening import Journal
from hub.store.mongo import Mongo
from tests.journal.acts import (
    assert_intact,
    journal_on,
    messages,
    opened,
    report,
    until,
)
from tests.journal.breaking import Breaking, BreakingOn, Gate, Session, breaking_inserts

Break = Callable[[pytest.MonkeyPatch, Journal, Exception, int], Breaking]


def method(owner: Any, name: str, *, after: bool = False) -> Break:
    return lambda patch, _, error, times: Breaking(patch, owner, name, error=error, times=times, after=after)


def turn(name: str) -> Break:
    return lambda patch, journal, error, times: Breaking(patch, journal.committer._turns, name, error=error, times=times)


def writes(collection: str, *names: str) -> Break:
    return lambda patch, _, error, times: BreakingOn(patch, collection, *names, error=error, times=times)


STEPS: dict[str, Break] = {
    "take the turn": turn("take"),
    "load": method(Desk, "load"),
    "begin": method(Mongo, "begin"),
    "move the head": writes("heads", "update_one"),
    "write documents": writes("interactions", "bulk_write", "update_one"),
    "write entries": writes("journal", "insert_many", "insert_one"),
    "write personal parts": writes("personal", "insert_many", "insert_one"),
    "write keys": writes("idempotency", "insert_many", "insert_one"),
    "commit, before it happened": method(Session, "commit_transaction"),
    "commit, after it happened": method(Session, "commit_transaction", after=True),
    "pass the turn on": turn("pass_on"),
}
DRIVERS = {"a fault of ours": RuntimeError("injected"), "a lost connection": AutoReconnect("injected")}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("kind", "times"),
    [
        ("a fault of ours", 1),
        ("a fault of ours", 3),
        ("a lost connection", 1),
        pytest.param("a lost connection", 3, marks=pytest.mark.prove),
    ],
)
async def test_the_loop_survives_a_failure_at_any_step(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, *, step: str, kind: str, times: int
) -> None:
    interactions = [await opened(journal) for _ in range(4)]
    breaking = STEPS[step](monkeypatch, journal, DRIVERS[kind], times)

    done = await asyncio.gather(
        *(report(journal, interactions[number % 4], f"step {number}", named=f"k{number}") for number in range(12)), return_exceptions=True
    )

    monkeypatch.undo()
    assert breaking.raised >= 1
    assert all(isinstance(one, (Committed, InternalError)) for one in done), done
    counted = await messages(mongo)
    assert set(counted.values()) <= {1}
    for number, one in enumerate(done):
        assert (f"step {number}" in counted) is isinstance(one, Committed)
    assert isinstance(await report(journal, interactions[0], "later"), Committed)
    await assert_intact(mongo)


async def test_the_loop_survives_a_decision_that_fails_as_a_whole(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    interaction = await opened(journal)
    real, failures = batch.decide, iter([RuntimeError("injected")] * 2)

    def failing(*args: Any) -> Any:
        for failure in failures:
            raise failure
        return real(*args)

    monkeypatch.setattr(committing, "decide", failing)

    done = await asyncio.gather(*(report(journal, interaction, f"step {number}") for number in range(12)), return_exceptions=True)

    assert all(isinstance(one, (Committed, InternalError)) for one in done)
    assert isinstance(await report(journal, interaction), Committed)
    await assert_intact(mongo)


async def test_an_announcement_that_fails_is_made_good_by_the_log(journal: Journal, mongo: Mongo) -> None:
    announce = journal.committer.announce

    def failing(_: Any) -> None:
        raise RuntimeError("injected")

    journal.committer.announce = failing
    interaction = await opened(journal)
    journal.committer.announce = announce
    await report(journal, interaction)

    await until(lambda: journal.feed.position == 2)


UNKNOWN = "UnknownTransactionCommitResult"


@pytest.mark.parametrize("times", [1, 3, 4, 6], ids=lambda times: f"{times} times")
@pytest.mark.parametrize("happened", [True, False], ids=["it happened", "it did not happen"])
async def test_a_commit_whose_result_is_unknown_ends_in_exactly_once(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, happened: bool, times: int
) -> None:
    interaction = await opened(journal)
    error = AutoReconnect("injected", errors={"errorLabels": [UNKNOWN]})
    error._add_error_label(UNKNOWN)
    breaking = Breaking(monkeypatch, Session, "commit_transaction", error=error, times=times, after=happened)

    done = await asyncio.gather(*(report(journal, interaction, f"step {number}") for number in range(10)))

    assert breaking.raised == (min(times, 1 + committing.COMMITS) if happened else times)  # then the journal is asked
    assert sorted(one.position for one in done) == list(range(2, 12))
    assert await messages(mongo) == {f"step {number}": 1 for number in range(10)}
    await assert_intact(mongo)


@pytest.mark.parametrize("happened", [True, False], ids=["it happened", "it did not happen"])
@pytest.mark.parametrize("kind", DRIVERS)
async def test_as_long_as_nobody_knows_whether_it_happened_nothing_is_done_again(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, happened: bool, kind: str
) -> None:
    """The commit fails, and so does asking the journal about it."""
    interaction = await opened(journal)
    Breaking(monkeypatch, Session, "commit_transaction", error=DRIVERS[kind], times=1, after=happened)
    asking = BreakingOn(monkeypatch, "journal", "find_one", error=DRIVERS[kind], times=3)

    done = await asyncio.gather(*(report(journal, interaction, f"step {number}") for number in range(10)))

    assert asking.raised == 3
    assert all(isinstance(one, Committed) for one in done)
    assert await messages(mongo) == {f"step {number}": 1 for number in range(10)}
    await assert_intact(mongo)


async def test_a_transaction_that_another_process_ended_is_made_again(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    interaction = await opened(journal)
    held = Gate(monkeypatch, Session, "commit_transaction")
    writing = asyncio.create_task(report(journal, interaction, "once"))
    await held.reached.wait()

    (lease,) = await mongo.page("leases", {})
    await mongo.client.admin.command({"killSessions": [{"id": lease["session"]}]})
    await mongo["leases"].delete_many({})
    held.open()

    assert isinstance(await writing, Committed)
    assert await messages(mongo) == {"once": 1}
    await assert_intact(mongo)


async def test_a_committer_that_failed_does_not_keep_the_others_waiting(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have stood in the queue when its callers gave up: then it stands there no longer."""
    interaction = await opened(journal)
    async with journal_on(mongo, "other") as other:
        await journal.committer._turns._stand()
        breaking_inserts(monkeypatch, "journal", RuntimeError("injected"))
        with pytest.raises(InternalError):
            await report(journal, interaction)

        assert isinstance(await report(other, interaction), Committed)


async def test_a_turn_that_could_not_be_passed_on_is_passed_on_by_the_heartbeat(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    interaction = await opened(journal)
    async with journal_on(mongo, "other") as other:
        await journal.committer._turns._stand()
        BreakingOn(monkeypatch, "heads", "find_one_and_update", error=AutoReconnect("injected"))
        await report(journal, interaction)

        assert isinstance(await report(other, interaction), Committed)


async def test_a_key_that_a_stale_read_did_not_show_is_still_a_replay(
    journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A primary just elected may read behind what its predecessor acknowledged; the index knows."""
    interaction = await opened(journal)
    first = await report(journal, interaction, "once", named="k")
    real, blind = Mongo.by_ids, iter([True])

    async def behind(self: Mongo, collection: str, *args: Any) -> Any:
        if collection == "idempotency" and next(blind, False):
            return {}
        return await real(self, collection, *args)

    monkeypatch.setattr(Mongo, "by_ids", behind)

    again = await report(journal, interaction, "once", named="k")

    assert (again.replayed, again.position) == (True, first.position)
    await assert_intact(mongo)


async def test_a_refusal_of_the_database_that_nobody_foresaw_is_an_internal_error(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    interaction = await opened(journal)
    error: PyMongoError = OperationFailure("not allowed", 13)
    breaking_inserts(monkeypatch, "journal", error)

    with pytest.raises(InternalError):
        await report(journal, interaction)

    assert isinstance(await report(journal, interaction), Committed)
