"""What is told in the moment in which it comes, by an outlet, and what it does not take: nothing missed, nothing twice, in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from hub.access.bearers import Bearer
from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.journal.filters import EVERYTHING
from hub.journal.frames import Frame
from hub.journal.opening import Journal
from hub.journal.subscriber import Outlet, Ring, Subscriber
from tests.journal.acts import ALL, BOUND, customer, opened, report, until, viewer
from tests.journal.test_subscriber import EVENT, frame


@dataclass
class Told:
    """What a subscriber was told, in order: by its outlet (True) or read from it (False)."""

    frames: list[tuple[int, bool]]

    async def up_to(self, position: int) -> None:
        await until(lambda: bool(self.frames) and self.frames[-1][0] >= position)


@asynccontextmanager
async def listening(journal: Journal, takes: Callable[[Frame], bool], bearer: Bearer = ALL) -> AsyncIterator[Told]:
    """A subscriber that is live, and reads on for as long as the block lasts. `takes`: whether its outlet takes a frame; may raise."""
    told, is_live = Told([]), asyncio.Event()

    def outlet(frame: Frame) -> bool:
        if took := takes(frame):
            told.frames.append((frame.position, True))
        return took

    async def read(frames: Subscriber) -> None:
        async for one in frames:
            is_live.set()
            if one.kind is EVENT:
                told.frames.append((one.position, False))

    async with aclosing(Subscriber(journal.cohorts, bearer, lambda: EVERYTHING, None)) as frames:
        frames.through(outlet)
        reading = asyncio.create_task(read(frames))
        async with asyncio.timeout(BOUND):
            await is_live.wait()
        await asyncio.sleep(0)  # it waits for the next one
        yield told
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def waits(ring: Ring, outlet: Outlet) -> asyncio.Task[bool]:
    """Whoever reads from this ring, as it waits."""
    ring.outlet = outlet
    waiting = asyncio.create_task(ring.changes(within=BOUND))
    await asyncio.sleep(0)
    return waiting


async def test_what_an_outlet_does_not_take_is_not_overtaken_by_what_comes_in_the_same_moment() -> None:
    ring, offered = Ring(0), list[int]()

    def outlet(frame: Frame) -> bool:
        offered.append(frame.position)
        return frame.position != 1

    waiting = await waits(ring, outlet)
    for position in (1, 2, 3):  # before whoever waits has its turn
        ring.hear(frame(position))

    assert await waiting
    assert offered == [1]
    assert [told and told.position for told in (ring.pop(), ring.pop(), ring.pop(), ring.pop())] == [1, 2, 3, None]


async def test_while_somebody_reads_nothing_is_offered() -> None:
    """It is still busy with a frame before."""
    ring, offered = Ring(0), list[Frame]()
    ring.outlet = lambda frame: not offered.append(frame)  # type: ignore[func-returns-value]

    ring.hear(frame(1))

    assert offered == []
    assert ring.pop() is not None


async def test_what_an_outlet_took_is_not_told_again_when_what_was_missed_is_read(journal: Journal) -> None:
    party = await customer(journal)
    interaction = await opened(journal, customer_id=party)
    bearer = Bearer(viewer(Role.AGENT))

    async with listening(journal, lambda _: True, bearer) as told:
        for _ in range(3):
            await report(journal, interaction)
        narrower: Viewer = replace(bearer.viewer, scopes=frozenset({"event:subscribe"}))
        bearer.become(narrower)  # all that follows is judged anew, from where it was
        await report(journal, interaction)
        await told.up_to(6)

    assert [position for position, _ in told.frames] == [3, 4, 5, 6]
    assert told.frames[:3] == [(3, True), (4, True), (5, True)]


async def test_what_could_not_be_told_in_its_moment_is_read_by_whom_it_was_for(journal: Journal) -> None:
    """A fault in an outlet is not its subscriber's loss, nor its neighbours'."""
    interaction = await opened(journal)

    def fails_once(frame: Frame) -> bool:
        if frame.position == 2:
            raise ValueError("injected")
        return True

    async with listening(journal, fails_once) as one, listening(journal, lambda _: True) as other:
        for _ in range(3):
            await report(journal, interaction)
        await one.up_to(4)

    assert [position for position, _ in one.frames] == [2, 3, 4]
    assert one.frames[0] == (2, False)
    assert other.frames == [(2, True), (3, True), (4, True)]
