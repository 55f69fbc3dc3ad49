"""A subscriber: attach, replay, follow. Nothing missed, nothing twice, bounded, and told what it can no longer see."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hub.access.bearers import Bearer
from hub.access.viewers import Viewer
from hub.commands.interactions import Transition
from hub.commands.notes import AddNote
from hub.domain.events import Event
from hub.domain.terms import Audience, EventType, NoteVisibility, Role, Status, SubjectKind
from hub.journal import feed as feeding
from hub.journal import head
from hub.journal import replay as replaying
from hub.journal import subscriber as subscribing
from hub.journal import tail as remembering
from hub.journal.cursors import Place
from hub.journal.desk import Change, Decision, Desk, Ref
from hub.journal.filters import EVERYTHING, EventFilter
from hub.journal.frames import Frame, FrameKind
from hub.journal.gathered import Gathered
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.journal.subscriber import Ring, Subscriber
from hub.store.mongo import Mongo
from tests.journal.acts import ALL, BOUND, Raw, bearer, customer, journal_on, opened, report, submit, until, viewer

EVENT, CAUGHT_UP, CHECKPOINT, LEFT, RESET = FrameKind


@dataclass
class Reader:
    """Reads a stream at its own pace."""

    frames: AsyncIterator[Frame]
    read: list[Frame] = field(default_factory=list)

    async def next(self) -> Frame:
        async with asyncio.timeout(BOUND):
            frame = await anext(self.frames)
        self.read.append(frame)
        return frame

    async def take(self, count: int) -> list[tuple[FrameKind, int]]:
        return [(frame.kind, frame.position) for frame in [await self.next() for _ in range(count)]]

    async def up_to(self, position: int) -> None:
        while not self.read or self.read[-1].position < position or self.read[-1].kind is CAUGHT_UP:
            await self.next()

    @property
    def events(self) -> list[int]:
        return [frame.position for frame in self.read if frame.kind is EVENT]

    @property
    def kinds(self) -> list[FrameKind]:
        return [frame.kind for frame in self.read]


@contextlib.asynccontextmanager
async def following(
    journal: Journal, bearer: Bearer = ALL, asked: EventFilter = EVERYTHING, after: Place | int | None = None, **given: Any
) -> AsyncIterator[Reader]:
    """A subscription for as long as the block lasts."""
    place = journal.cursors.read(journal.cursors.cursor(after)) if isinstance(after, int) else after
    async with contextlib.aclosing(Subscriber(journal.cohorts, bearer, lambda: asked, place, **given)) as frames:
        yield Reader(aiter(frames))


@pytest.fixture(params=["remembered", "forgotten"])
def tail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was missed is in memory, or nearly nothing is: the log says the same."""
    if request.param == "forgotten":
        monkeypatch.setattr(remembering, "MOST", 2)


async def test_without_a_cursor_a_stream_begins_now(journal: Journal) -> None:
    interaction = await opened(journal)

    async with following(journal) as reader:
        assert await reader.take(1) == [(CAUGHT_UP, 1)]
        await report(journal, interaction)
        assert await reader.take(1) == [(EVENT, 2)]


async def test_a_stream_begins_with_the_rights_that_its_bearer_has_once_it_is_attached(journal: Journal) -> None:
    own = await opened(journal, customer_id=(party := await customer(journal)))
    foreign = await opened(journal)

    async def present() -> Viewer:
        return viewer(Role.CUSTOMER, party)

    async with following(journal, Bearer(ALL.viewer, present)) as reader:
        await reader.next()
        await report(journal, foreign)
        await report(journal, own)
        heard = await reader.next()

    assert reader.kinds == [CAUGHT_UP, EVENT]
    assert heard.interaction == own


async def test_roles_that_count_only_while_they_are_held_are_asked_about_again_and_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a party's role may have been set long ago: when it comes, nothing is committed."""
    monkeypatch.setattr(subscribing, "AFRESH", 0.01)
    party, held = await customer(journal), True
    own = await opened(journal, customer_id=party)
    whole = replace(viewer(Role.CUSTOMER, party), backed=((Role.CUSTOMER, "customer"),))

    async def present() -> Viewer:
        return whole if held else replace(whole, roles=frozenset())

    held_by = Bearer(whole, present)
    async with following(journal, held_by) as reader:
        await reader.next()
        await report(journal, own)
        assert (await reader.next()).interaction == own
        waiting = asyncio.create_task(reader.next())
        held = False
        await until(lambda: not held_by.viewer.roles)
        await report(journal, own)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        held = True

        assert (await waiting).interaction == own


@pytest.mark.usefixtures("tail")
async def test_with_a_cursor_a_stream_replays_what_followed_it_and_goes_on(journal: Journal) -> None:
    interaction = await opened(journal)
    for _ in range(4):
        await report(journal, interaction)

    async with following(journal, after=2) as reader:
        assert await reader.take(4) == [(EVENT, 3), (EVENT, 4), (EVENT, 5), (CAUGHT_UP, 5)]
        await report(journal, interaction)
        assert await reader.take(1) == [(EVENT, 6)]


@pytest.mark.usefixtures("tail")
async def test_a_replayed_event_is_the_same_as_a_live_one(journal: Journal) -> None:
    async with following(journal, after=0) as live:
        await live.next()
        interaction = await opened(journal)
        await report(journal, interaction, "Half way")
        await live.take(2)
    async with following(journal, after=0) as replayed:
        await replayed.take(2)

    assert [frame.entry for frame in live.read[1:]] == [frame.entry for frame in replayed.read]


@pytest.mark.usefixtures("tail")
@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_missed_and_nothing_comes_twice_whenever_one_attaches(journal: Journal, mongo: Mongo, seed: int) -> None:
    chance = random.Random(seed)
    party = await customer(journal)
    own, foreign = await opened(journal, customer_id=party), await opened(journal)
    async with journal_on(mongo, "other") as other:

        async def commits(journal: Journal) -> None:
            for _ in range(30):
                await report(journal, chance.choice((own, foreign)))

        async def reads(slow: float) -> None:
            begin = 3 + chance.randrange(60)
            await until(lambda: journal.feed.position >= begin)
            after = chance.randrange(journal.feed.position + 1)
            async with following(journal, bearer(party), after=after, checkpoint=chance.choice((30.0, 0.0005))) as reader:
                while reader.read == [] or reader.read[-1].position < last or CAUGHT_UP not in reader.kinds:
                    await reader.next()
                    if chance.random() < slow:
                        await asyncio.sleep(0.002)
            expected = [
                entry["_id"] for entry in await mongo.page("journal", {"subject.id": own, "_id": {"$gt": after}}, sort=[("_id", 1)])
            ]
            assert reader.events == expected
            assert reader.kinds.count(CAUGHT_UP) == 1
            assert all(before.position <= then.position for before, then in zip(reader.read, reader.read[1:], strict=False))

        last = 3 + 60 + 1
        readers = [asyncio.create_task(reads(chance.random() / 2)) for _ in range(8)]
        await asyncio.gather(commits(journal), commits(other))
        await report(journal, own, "the last")
        await asyncio.gather(*readers)


@pytest.mark.usefixtures("tail")
async def test_who_falls_behind_reads_from_the_log_and_comes_back_live(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "BACKLOG", 8)
    monkeypatch.setattr(replaying, "PAGE", 16)
    interaction = await opened(journal)

    async with following(journal) as reader:
        await reader.next()
        for burst in range(3):
            await asyncio.gather(*(report(journal, interaction) for _ in range(50)))
            await reader.up_to(1 + 50 * (burst + 1))
        await report(journal, interaction)
        await reader.next()

    assert reader.events == list(range(2, 153))
    assert reader.kinds.count(CAUGHT_UP) == 1


def frame(position: int, text: str = "") -> Frame:
    return Frame(EVENT, position, {"_id": position, "subject": {"id": "int_1"}, "visibleTo": [], "personal": {"note": text}})


def test_what_waits_for_a_slow_reader_is_bounded_in_number() -> None:
    ring = Ring(0)

    for position in range(1, 10_000):
        ring.hear(frame(position))

    assert ring.is_behind
    assert ring.pop() is None


def test_what_waits_for_a_slow_reader_is_bounded_in_weight() -> None:
    ring = Ring(0)

    for position in range(1, 200):
        ring.hear(frame(position, "x" * 8_000))

    assert ring.is_behind


def test_what_was_read_weighs_nothing_any_more() -> None:
    ring = Ring(0)
    ring.hear(frame(1, "x" * 8_000))

    for position in range(2, 2_000):  # never empty
        ring.hear(frame(position, "x" * 8_000))
        told = ring.pop()
        assert told is not None
        assert told.position == position - 1

    assert not ring.is_behind


async def test_what_comes_in_the_moment_in_which_time_is_up_is_not_passed_over() -> None:
    ring = Ring(0)
    waiting = asyncio.create_task(ring.changes(within=0))
    ring.hear(frame(1))

    assert await waiting is True


async def test_a_cursor_of_another_journal_is_a_reset(journal: Journal) -> None:
    interaction = await opened(journal)
    place = journal.cursors.read(journal.cursors.cursor(1))

    async with following(journal, after=replace(place, epoch=place.epoch + 1)) as reader:
        assert await reader.take(2) == [(RESET, 1), (CAUGHT_UP, 1)]
        await report(journal, interaction)
        assert await reader.take(1) == [(EVENT, 2)]


@pytest.mark.parametrize(("after", "kind"), [(1, RESET), (2, RESET), (3, EVENT)])
async def test_a_cursor_at_or_below_the_floor_is_a_reset(journal: Journal, mongo: Mongo, after: int, kind: FrameKind) -> None:
    interaction = await opened(journal)
    for _ in range(4):
        await report(journal, interaction)
    await mongo["heads"].update_one({"_id": "journal"}, {"$set": {"floor": 2}})

    async with following(journal, after=after) as reader:
        assert (await reader.next()).kind is kind


async def test_a_cursor_ahead_of_the_head_is_a_reset(journal: Journal) -> None:
    await opened(journal)

    async with following(journal, after=2) as reader:
        assert await reader.take(2) == [(RESET, 1), (CAUGHT_UP, 1)]


async def test_a_cursor_that_this_process_gave_is_no_reset_though_the_database_reads_behind(journal: Journal, mongo: Mongo) -> None:
    """As a primary that was just elected may, for a moment."""
    interaction = await opened(journal)
    behind = await head.read(mongo)
    await report(journal, interaction)

    async def read() -> head.Head:
        return behind

    journal.cohorts.head = Gathered(read, journal.cohorts.apart)
    async with following(journal, after=2) as reader:
        assert await reader.take(1) == [(CAUGHT_UP, 2)]


async def test_a_cursor_ahead_of_this_process_has_it_look_and_waits_for_it(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "POLL", 3_600.0)
    async with journal_on(mongo) as journal, journal_on(mongo, "other") as other:
        interaction = await opened(other)
        await report(other, interaction)
        assert journal.feed.position == 0

        async with following(journal, after=1) as reader:
            await reader.up_to(2)

    assert reader.events == [2]
    assert RESET not in reader.kinds


async def test_a_checkpoint_comes_only_after_events_of_others(journal: Journal) -> None:
    party = await customer(journal)
    own, foreign = await opened(journal, customer_id=party), await opened(journal)

    async with following(journal, bearer(party), checkpoint=0.02) as reader:
        await reader.next()
        nothing = asyncio.create_task(reader.next())
        await asyncio.sleep(0.1)  # five times the interval in which nothing happens
        assert not nothing.done()
        await report(journal, foreign)
        await nothing
        await report(journal, own)
        await reader.next()

    assert [(frame.kind, frame.position) for frame in reader.read] == [(CAUGHT_UP, 3), (CHECKPOINT, 4), (EVENT, 5)]


async def test_a_customer_hears_what_it_takes_part_in_and_nothing_internal(journal: Journal) -> None:
    party = await customer(journal)
    own, foreign = await opened(journal, customer_id=party), await opened(journal)
    await submit(journal, AddNote(id=own, text="internal", visibility=NoteVisibility.INTERNAL))
    await report(journal, foreign)
    await submit(journal, AddNote(id=own, text="public"))

    async with following(journal, bearer(party), after=0) as reader:
        assert await reader.take(3) == [(EVENT, 2), (EVENT, 6), (CAUGHT_UP, 6)]
        await submit(journal, AddNote(id=own, text="internal", visibility=NoteVisibility.INTERNAL))
        await report(journal, foreign)
        await report(journal, own)
        assert await reader.take(1) == [(EVENT, 9)]


async def test_what_no_longer_matches_the_filter_leaves_once_live_and_on_replay(journal: Journal) -> None:
    asked = EventFilter(status=frozenset({"OPEN"}))

    async with following(journal, asked=asked) as live:
        await live.next()
        interaction = await opened(journal)
        await submit(journal, Transition(id=interaction, to=Status.IN_PROGRESS))
        await report(journal, interaction)
        await opened(journal)
        await live.take(3)
    async with following(journal, asked=asked, after=0) as replayed:
        await replayed.take(3)

    for reader in (live, replayed):
        frames = [(frame.kind, frame.position, frame.interaction == interaction) for frame in reader.read if frame.kind is not CAUGHT_UP]
        assert frames == [(EVENT, 1, True), (LEFT, 2, True), (EVENT, 4, False)]


async def test_an_answer_that_moves_an_interaction_on_is_told_before_it_leaves(journal: Journal) -> None:
    party = await customer(journal)
    interaction = await opened(journal, customer_id=party)
    await submit(journal, Transition(id=interaction, to=Status.PENDING, question="Which one?"))
    pending = EventFilter(status=frozenset({"PENDING"}))

    async with following(journal, asked=pending) as live:
        await live.next()
        await submit(journal, AddNote(id=interaction, text="The red one."), viewer(Role.CUSTOMER, party))
        assert await live.take(2) == [(EVENT, 4), (LEFT, 5)]


@pytest.mark.usefixtures("tail")
async def test_who_is_taken_out_hears_that_it_left_and_nothing_after(journal: Journal) -> None:
    party = await customer(journal)
    interaction = await opened(journal, customer_id=party)

    def without(desk: Desk) -> Decision:
        found = desk.interaction(interaction)
        assert found is not None
        after = replace(found, parties=(), seq=found.seq + 1, public_seq=found.public_seq + 1)
        event = Event(
            type=EventType.UPDATED, at=desk.now, audience=Audience.PUBLIC, seq=after.seq, public_seq=after.public_seq,
            status=after.status, progress=after.progress,
        )  # fmt: skip
        return Decision(Ref(SubjectKind.INTERACTION, interaction), (Change(after, (event,)),))

    async with following(journal, bearer(party)) as live:
        await live.next()
        await report(journal, interaction)
        await journal.committer.submit(Raw(without, (Ref(SubjectKind.INTERACTION, interaction),)), Actor(None, Role.AGENT))
        await report(journal, interaction)
        own = await opened(journal, customer_id=party)
        assert await live.take(3) == [(EVENT, 3), (LEFT, 4), (EVENT, 6)]
    async with following(journal, bearer(party), after=0) as replayed:
        assert await replayed.take(3) == [(LEFT, 4), (EVENT, 6), (CAUGHT_UP, 6)]  # replay shows only what is in sight now

    assert [frame.interaction for frame in live.read[2:]] == [interaction, own]


async def test_a_reader_that_leaves_is_forgotten(journal: Journal) -> None:
    async with following(journal) as reader:
        await reader.next()
        assert journal.feed.listeners == 1

    await until(lambda: journal.feed.listeners == 0)
