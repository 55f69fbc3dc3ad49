"""Those who are told the same: judged once, read once, and each in its own time. What was a moment ago is in memory."""

import asyncio
import contextlib
from typing import Any

import pytest

from hub.access.bearers import Bearer
from hub.domain.terms import Role
from hub.errors import Unavailable
from hub.journal import replay as replaying
from hub.journal import subscriber as subscribing
from hub.journal import tail as remembering
from hub.journal.filters import EventFilter
from hub.journal.frames import Frame, judged
from hub.journal.gathered import Apart, Gathered
from hub.journal.log import read_after
from hub.journal.opening import Journal, ended
from hub.journal.tail import Tail
from tests.journal.acts import ALL, bearer, customer, opened, report, viewer
from tests.journal.test_subscriber import CAUGHT_UP, EVENT, following


@pytest.fixture
def judgements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of live entries that were judged."""
    positions = list[int]()

    def counted(entry: Any, *given: Any) -> Frame | None:
        positions.append(int(entry["_id"]))
        return judged(entry, *given)

    monkeypatch.setattr("hub.journal.cohorts.judged", counted)
    return positions


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions above which pages of the log were read for replays."""
    positions = list[int]()

    async def counted(mongo: Any, position: int, **given: Any) -> Any:
        positions.append(position)
        return await read_after(mongo, position, **given)

    monkeypatch.setattr(replaying, "read_after", counted)
    return positions


async def test_an_entry_is_judged_once_for_all_who_are_told_the_same(journal: Journal, judgements: list[int]) -> None:
    interaction = await opened(journal)
    async with contextlib.AsyncExitStack() as open:
        colleagues = [Bearer(viewer(Role.AGENT)), Bearer(viewer(Role.AGENT, "par_one")), Bearer(viewer(Role.AGENT, "par_two"))]
        readers = [await open.enter_async_context(following(journal, one)) for one in colleagues]
        for reader in readers:
            await reader.take(1)
        assert journal.cohorts.subscribers == 3

        await report(journal, interaction)

        assert [await reader.take(1) for reader in readers] == [[(EVENT, 2)]] * 3
        assert readers[0].read[-1] is readers[1].read[-1] is readers[2].read[-1]
    assert judgements == [2]
    assert (journal.cohorts.subscribers, journal.feed.listeners) == (0, 0)


async def test_who_follows_one_thing_costs_nothing_while_others_are_worked_on(journal: Journal, judgements: list[int]) -> None:
    one, other = await customer(journal), await customer(journal)
    own, foreign = await opened(journal, customer_id=one), await opened(journal, customer_id=other)

    async with (
        following(journal, ALL, EventFilter(interaction_ids=frozenset({own}))) as by_id,
        following(journal, bearer(one)) as by_party,
    ):
        await by_id.take(1)
        await by_party.take(1)
        await report(journal, foreign)
        assert judgements == []

        await report(journal, own)

        assert [await by_id.take(1), await by_party.take(1)] == [[(EVENT, 6)]] * 2
    assert judgements == [6, 6]


async def test_what_was_missed_a_moment_ago_is_not_read_at_all(journal: Journal, reads: list[int]) -> None:
    party = await customer(journal)
    interaction = await opened(journal, customer_id=party)
    for _ in range(3):
        await report(journal, interaction)

    async with following(journal, bearer(party), after=2) as reader:
        assert await reader.take(4) == [(EVENT, 3), (EVENT, 4), (EVENT, 5), (CAUGHT_UP, 5)]

    assert reads == []


async def test_what_many_missed_long_ago_is_read_once(journal: Journal, reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 1)
    interaction = await opened(journal)
    for _ in range(9):
        await report(journal, interaction)

    async def back() -> list[int]:
        async with following(journal, after=2) as reader:
            await reader.take(9)
            return reader.events

    assert await asyncio.gather(*(back() for _ in range(20))) == [list(range(3, 11))] * 20
    assert reads == [2]


async def test_what_was_missed_long_ago_is_read_page_by_page_to_its_end(
    journal: Journal, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "MOST", 1)
    monkeypatch.setattr(replaying, "PAGE", 3)
    interaction = await opened(journal)
    for _ in range(9):
        await report(journal, interaction)

    async with following(journal, after=2) as reader:
        assert await reader.take(9) == [*((EVENT, position) for position in range(3, 11)), (CAUGHT_UP, 10)]

    assert reads == [2, 5, 8]


async def test_who_leaves_while_a_page_is_read_takes_it_from_nobody(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 1)
    come, go = asyncio.Event(), asyncio.Event()
    interaction = await opened(journal)
    for _ in range(4):
        await report(journal, interaction)

    async def held_up(*given: Any, **more: Any) -> Any:
        come.set()
        await go.wait()
        return await read_after(*given, **more)

    monkeypatch.setattr(replaying, "read_after", held_up)
    async with following(journal, after=2) as one, following(journal, after=2) as other:
        leaves, stays = asyncio.create_task(one.next()), asyncio.create_task(other.next())
        await come.wait()
        await ended([leaves])
        go.set()

        assert (await stays).position == 3


async def test_a_reading_that_fails_is_nobodys_for_long(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 1)
    interaction = await opened(journal)
    for _ in range(4):
        await report(journal, interaction)

    async def broken(*_: Any, **__: Any) -> Any:
        raise ConnectionError("injected")

    async with following(journal) as colleague:  # of the same cohort, which outlives the failure
        await colleague.take(1)
        with monkeypatch.context() as patched:
            patched.setattr(replaying, "read_after", broken)
            async with following(journal, after=2) as reader:
                with pytest.raises(ConnectionError):
                    await reader.next()
        async with following(journal, after=2) as reader:
            assert await reader.take(2) == [(EVENT, 3), (EVENT, 4)]
    assert journal.cohorts.apart.running == set()


async def test_while_the_database_does_not_answer_what_was_missed_is_late_and_not_passed_over(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "MOST", 1)
    monkeypatch.setattr(subscribing, "AGAIN", 0.001)
    interaction = await opened(journal)
    for _ in range(4):
        await report(journal, interaction)
    refusals = iter(range(3))

    async def away(*given: Any, **more: Any) -> Any:
        if next(refusals, None) is not None:
            raise Unavailable("injected")
        return await read_after(*given, **more)

    monkeypatch.setattr(replaying, "read_after", away)
    async with following(journal, after=2) as reader:
        assert await reader.take(4) == [(EVENT, 3), (EVENT, 4), (EVENT, 5), (CAUGHT_UP, 5)]
    assert next(refusals, None) is None


# ---------------------------------------------------------------- the tail


def entry(position: int, id: str = "int_1", type: str = "NOTE_ADDED", **more: Any) -> dict[str, Any]:
    return {"_id": position, "subject": {"kind": "interaction", "id": id}, "type": type, "visibleTo": [], "facts": {}, **more}


def positions(tail: Tail, above: int, most: int = 100) -> list[int] | None:
    found = tail.after(above, most)
    return None if found is None else [one["_id"] for one in found]


def test_the_tail_gives_what_follows_a_position_and_says_where_it_cannot() -> None:
    tail = Tail(10)
    for position in range(11, 16):
        tail.take(entry(position))

    assert positions(tail, 10) == [11, 12, 13, 14, 15]
    assert positions(tail, 13) == [14, 15]
    assert positions(tail, 11, most=2) == [12, 13]
    assert positions(tail, 15) == []
    assert positions(tail, 9) is None


def test_the_tail_is_bounded_in_number_and_in_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 8)
    tail = Tail(0)
    for position in range(1, 101):
        tail.take(entry(position, id=f"int_{position}"))
        assert len(tail.after(tail.base, 1_000) or ()) <= 8
    assert positions(tail, 99) == [100]
    assert tail.last("int_1") is None
    assert (tail.last("int_100") or {})["_id"] == 100

    monkeypatch.setattr(remembering, "MOST", 1_000)
    monkeypatch.setattr(remembering, "WEIGHT", 100_000)
    for position in range(101, 201):
        tail.take(entry(position, personal={"note": "x" * 8_000}))
        assert len(tail.after(tail.base, 1_000) or ()) <= 20


def test_a_claim_takes_what_lies_below_it_out_of_the_tail() -> None:
    """It rewrites who saw that."""
    tail = Tail(0)
    for position in range(1, 4):
        tail.take(entry(position))

    tail.take(entry(4, type="CLAIMED"))
    tail.take(entry(5))

    assert positions(tail, 2) is None
    assert positions(tail, 3) == [4, 5]


# ---------------------------------------------------------------- reading for all who ask at once


async def test_those_who_ask_while_an_answer_is_on_its_way_share_the_next_one() -> None:
    begun, go = list[int](), asyncio.Event()

    async def read() -> int:
        begun.append(len(begun) + 1)
        number = begun[-1]
        await go.wait()
        return number

    apart = Apart()
    head = Gathered(read, apart)
    first = [asyncio.create_task(head()) for _ in range(3)]
    while not begun:  # noqa: ASYNC110 - it has begun as soon as it is asked
        await asyncio.sleep(0)
    later = [asyncio.create_task(head()) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()

    assert await asyncio.gather(*first) == [1] * 3
    assert await asyncio.gather(*later) == [2] * 5
    assert apart.running == set()


async def test_who_hangs_up_takes_the_answer_from_nobody() -> None:
    go = asyncio.Event()

    async def read() -> str:
        await go.wait()
        return "there"

    head = Gathered(read, Apart())
    one, other = asyncio.create_task(head()), asyncio.create_task(head())
    await asyncio.sleep(0)
    one.cancel()
    go.set()

    assert await other == "there"
