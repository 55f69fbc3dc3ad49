"""The feed: every entry once, in order, whoever wrote it; and cursors, which only the hub makes."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.keys import Keyring
from hub.errors import CursorInvalid
from hub.journal import feed as feeding
from hub.journal import head
from hub.journal.cursors import Cursors, Place
from hub.journal.feed import Feed
from hub.journal.head import Head
from hub.journal.log import Entry, read_after
from hub.journal.opening import Journal
from hub.store.mongo import Mongo
from tests.journal.acts import SECRET, customer, journal_on, opened, owned, report, until


@dataclass(eq=False)
class Listener:
    """Takes down the positions it is handed."""

    heard: list[int] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        self.heard.append(int(entry["_id"]))


class Failing:
    """A member with a fault."""

    def take(self, entry: Entry) -> None:
        raise RuntimeError("injected")


async def test_own_commits_are_handed_on_before_their_answer(journal: Journal) -> None:
    listener = Listener()
    with journal.feed.attached(listener):
        interaction = await opened(journal)
        await report(journal, interaction)

        assert listener.heard == [1, 2]


async def test_who_detaches_hears_nothing_more(journal: Journal) -> None:
    listener = Listener()
    with journal.feed.attached(listener):
        assert journal.feed.listeners == 1

    await opened(journal)

    assert (listener.heard, journal.feed.listeners) == ([], 0)


async def test_commits_of_another_process_arrive_without_a_hint(journal: Journal, mongo: Mongo) -> None:
    listener = Listener()
    async with journal_on(mongo, "other") as other:
        with journal.feed.attached(listener):
            interaction = await opened(other)
            await report(other, interaction)

            await until(lambda: listener.heard == [1, 2])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (1, 2))])
async def test_two_processes_hear_everything_once_and_in_order(journal: Journal, mongo: Mongo, seed: int) -> None:
    chance, mine, theirs = random.Random(seed), Listener(), Listener()
    async with journal_on(mongo, "other") as other:
        interaction = await opened(journal)
        await until(lambda: other.feed.position == 1)
        with journal.feed.attached(mine), other.feed.attached(theirs):

            async def commits(journal: Journal) -> None:
                for _ in range(40):
                    await report(journal, interaction)
                    if chance.random() < 0.2:
                        other.feed.hint()

            await asyncio.gather(commits(journal), commits(other), commits(other))
            await until(lambda: len(mine.heard) == len(theirs.heard) == 120)

    assert mine.heard == theirs.heard == list(range(2, 122))


async def test_what_lies_above_a_gap_waits_until_the_gap_is_read(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)
    for _ in range(3):
        await report(journal, interaction)
    written = await read_after(mongo, 0)
    first = await head.read(mongo)
    feed, listener = Feed(mongo, Head(0, first.epoch, first.floor, first.key)), Listener()

    with feed.attached(listener):
        feed.offer(written[2:])
        assert listener.heard == []
        feed.offer(written[:1])
        assert listener.heard == [1]
        async with owned(asyncio.create_task(feed.run())):
            await until(lambda: listener.heard == [1, 2, 3, 4])
        feed.offer(written)

    assert listener.heard == [1, 2, 3, 4]


async def test_a_hole_in_the_log_stops_the_feed_and_nothing_else(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone's restore went wrong: it must not run in circles, nor hand on what lies above."""
    monkeypatch.setattr(feeding, "PAGE", 2)
    interaction = await opened(journal)
    for _ in range(5):
        await report(journal, interaction)
    first = await head.read(mongo)
    hole = await mongo["journal"].find_one_and_delete({"_id": 2})
    feed, listener = Feed(mongo, Head(0, first.epoch, first.floor, first.key)), Listener()

    with feed.attached(listener):
        async with owned(asyncio.create_task(feed.run())):
            feed.hint()
            await until(lambda: listener.heard == [1])
            await until(lambda: feed.is_behind)
            await report(journal, interaction)  # everybody else is served
            assert hole is not None
            await mongo["journal"].insert_one(hole)
            await until(lambda: listener.heard == [1, 2, 3, 4, 5, 6, 7] and not feed.is_behind)


async def test_a_long_way_behind_is_read_in_pages(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "PAGE", 7)
    interaction = await opened(journal)
    await asyncio.gather(*(report(journal, interaction) for _ in range(59)))
    first = await head.read(mongo)
    feed, listener = Feed(mongo, Head(0, first.epoch, first.floor, first.key)), Listener()

    with feed.attached(listener):
        async with owned(asyncio.create_task(feed.run())):
            feed.hint()
            await until(lambda: feed.position == 60)

    assert listener.heard == list(range(1, 61))


async def test_a_member_that_fails_costs_the_others_nothing(journal: Journal) -> None:
    listener = Listener()
    with journal.feed.attached(Failing()), journal.feed.attached(listener):
        await opened(journal)

    assert listener.heard == [1]


# ---------------------------------------------------------------- cursors


async def test_a_cursor_and_an_event_id_stand_for_the_same_place(journal: Journal, mongo: Mongo) -> None:
    epoch = (await head.read(mongo)).epoch

    assert journal.cursors.read(journal.cursors.cursor(41)) == Place(epoch, 41)
    assert journal.cursors.read(journal.cursors.event_id(41)) == Place(epoch, 41)
    assert journal.cursors.is_ours(Place(epoch, 41))
    assert not journal.cursors.is_ours(Place(epoch + 1, 41))


async def test_a_cursor_of_another_secret_is_refused_and_an_event_id_stays_what_it_is(journal: Journal, mongo: Mongo) -> None:
    first = await head.read(mongo)
    other = Cursors(Keyring(b"another secret, of the same length"), first)

    with pytest.raises(CursorInvalid):
        journal.cursors.read(other.cursor(41))
    assert journal.cursors.event_id(41) == other.event_id(41)


async def test_a_cursor_of_the_secret_before_still_counts(mongo: Mongo) -> None:
    first = await head.read(mongo)
    before, after = Cursors(Keyring(SECRET), first), Cursors(Keyring(b"another secret, of the same length", SECRET), first)

    assert after.read(before.cursor(41)) == Place(first.epoch, 41)


HEAD = Head(0, 1234567890, -1, bytes(range(64)))
CURSORS = Cursors(Keyring(SECRET), HEAD)


@given(st.integers(0, (1 << 63) - 1))
def test_every_position_has_its_own_cursor(position: int) -> None:
    assert CURSORS.read(CURSORS.cursor(position)).position == position
    assert CURSORS.read(CURSORS.event_id(position)).position == position


@given(st.text(max_size=80) | st.text("ABCDEFabcdef0123456789_-=", max_size=80).map(lambda text: "evt_" + text))
def test_what_the_hub_did_not_make_is_no_cursor(text: str) -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.read(text)


@given(st.sampled_from([CURSORS.cursor(41), CURSORS.event_id(41)]), st.data())
def test_a_cursor_with_a_letter_changed_or_cut_off_is_none(cursor: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(4, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCabc019_-").filter(lambda letter: letter != cursor[place]))

    for forged in (cursor[:place] + letter + cursor[place + 1 :], cursor[:place], cursor + letter):
        with pytest.raises(CursorInvalid):
            CURSORS.read(forged)


async def test_party_events_pass_the_feed_too(journal: Journal) -> None:
    """A revocation must stop what follows it: so every feed passes every entry, whoever may read it."""
    listener = Listener()
    with journal.feed.attached(listener):
        await customer(journal)

    assert listener.heard == [1]
