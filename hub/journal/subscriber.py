"""One subscriber's view of the journal: attach, replay, follow.

Attaching comes first and what replay has shown is dropped from what follows, so that nothing is missed and nothing comes
twice. Whoever waits for the next event is told of it in the moment in which it comes, in one pass over its cohort; for
whoever is still busy with one before, it waits in a ring. Who falls behind reads what it missed until it has caught up:
late, never wrong, and at nobody else's cost. Knows nothing of GraphQL or sockets.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from typing import Final

from hub.access.bearers import Bearer
from hub.errors import Unavailable
from hub.journal.cohorts import Cohort, Cohorts, Wanted
from hub.journal.cursors import Place
from hub.journal.filters import EventFilter
from hub.journal.frames import Frame, FrameKind
from hub.journal.log import Entry
from hub.journal.rights import concerning, touches
from hub.journal.tail import weight

BACKLOG: Final = 256  # frames one slow client may lag before it reads what it missed
WEIGHT: Final = 1 << 20  # bytes of text among them
AFRESH: Final = 30.0  # seconds after which it is asked again whether a party holds the roles that count only then: no entry ends them
AGAIN: Final = 0.5  # seconds before what could not be read is asked for again
CHECKPOINT: Final = 30.0  # seconds of foreign events after which a quiet stream hears how far the journal is

Outlet = Callable[[Frame], bool]


class Ring:
    """What waits for one subscriber, bounded: when it overflows, everything is dropped and read later."""

    __slots__ = ("_frames", "_is_stirred", "_waiting", "_weight", "is_behind", "outlet", "told")

    def __init__(self, position: int) -> None:
        self.told = position  # up to here it was told
        self.is_behind = False
        self.outlet: Outlet | None = None
        self._frames: deque[tuple[Frame, int]] | None = None  # most wait for hours with nothing in it
        self._weight = 0
        self._is_stirred = False  # there may be something to pop, or to recover from
        self._waiting: asyncio.Future[None] | None = None  # whoever reads waits for the next frame, and for nothing else

    def hear(self, frame: Frame) -> None:
        """The cohort's door."""
        if self.is_behind or frame.position <= self.told:
            return
        if self._waiting is not None and self.outlet is not None and self.outlet(frame):
            self.told = frame.position
            return
        if self._frames is None:
            self._frames = deque()
        weighs = 512 if frame.entry is None else weight(frame.entry)
        self._frames.append((frame, weighs))
        self._weight += weighs
        if len(self._frames) > BACKLOG or self._weight > WEIGHT:
            self.drop()
        self.stir()

    def drop(self) -> None:
        """Read later what waits here, and what comes until then."""
        self._frames, self._weight = None, 0
        self.is_behind = True
        self.stir()

    def recover(self) -> None:
        """Take frames again: what was dropped is about to be read."""
        self.is_behind = False

    def pop(self) -> Frame | None:
        """The next frame that was not told."""
        while self._frames:
            frame, weighs = self._frames.popleft()
            self._weight -= weighs
            if frame.position > self.told:
                return frame
        self._frames, self._is_stirred = None, False
        return None

    async def changes(self, within: float) -> bool:
        """Whether there is something to pop, or to recover from, within so many seconds."""
        if not self._is_stirred:
            loop = asyncio.get_running_loop()
            self._waiting = waiting = loop.create_future()
            time_up = loop.call_later(within, _wake, waiting)
            try:
                await waiting
            finally:
                self._waiting = None
                time_up.cancel()
        return self._is_stirred  # it may have come in the very moment in which time was up

    def stir(self) -> None:
        """There is something to do before the next frame is told."""
        self._is_stirred = True
        if self._waiting is not None:
            _wake(self._waiting)
            self._waiting = None  # what comes next waits behind what is here


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class Subscriber:
    """Frames above `after`, then live ones for as long as somebody reads. Without `after`: from now on.

    Each is judged by the bearer's rights as they are then. An entry that may have changed these stops all that follows it
    until they are known, and a database that does not answer makes what is to be read late, no more. `asking` gives the
    filter, at the beginning and after each change, and `rendering` whatever renders for all who are told the same. What
    `asking` or `bearer` raises ends the stream, but for a bearer that is Unavailable once it has begun."""

    def __init__(
        self,
        cohorts: Cohorts,
        bearer: Bearer,
        asking: Callable[[], EventFilter],
        after: Place | None,
        *,
        rendering: Callable[[], Hashable] = lambda: None,
        checkpoint: float = CHECKPOINT,
    ) -> None:
        self._cohorts = cohorts
        self._feed = cohorts.feed
        self._bearer = bearer
        self._asking = asking
        self._rendering = rendering
        self._after = after
        self._checkpoint = checkpoint
        self._ring = Ring(self._feed.position)
        self._cohort: Cohort | None = None
        self._watched: frozenset[str] = frozenset()  # names under which the feed hands on what is about the bearer's rights
        self._version = bearer.version
        self._afresh: asyncio.TimerHandle | None = None
        self._is_shaken = False  # an entry may have changed what its bearer has a right to
        self._frames = self._follow()

    def through(self, outlet: Outlet) -> None:
        """Offer each live frame to `outlet` in the moment in which it comes, as long as nothing else waits. It says whether it took
        it; what it did not take is read as ever."""
        self._ring.outlet = outlet

    def __aiter__(self) -> AsyncGenerator[Frame, None]:
        return self._frames

    async def aclose(self) -> None:
        """The end: nothing of it stays."""
        await self._frames.aclose()

    def take(self, entry: Entry) -> None:
        """The feed's door, for what is about the bearer's rights."""
        if touches(entry, self._bearer.viewer):
            self._is_shaken = True
            self._ring.drop()

    async def _follow(self) -> AsyncGenerator[Frame, None]:
        ring = self._ring
        ring.told = self._feed.position
        with self._bearer.watched(ring.drop):
            try:
                self._join()
                await self._bearer.ask_again()  # its rights may have changed since it was asked last, and nobody was there to hear of it
                if self._after is not None and not await self._starts_from(self._after):
                    reason = "The cursor is too old, or of another journal: read anew, and follow from here."
                    yield Frame(FrameKind.RESET, ring.told, reason=reason)
                is_live = False
                while True:
                    if self._is_unsure:
                        await self._make_sure()
                    if ring.is_behind:
                        ring.recover()
                        try:
                            async with contextlib.aclosing(self._replay()) as replay:
                                async for frame in replay:
                                    yield frame
                        except Unavailable:  # late, and not over
                            ring.drop()
                            await asyncio.sleep(AGAIN)
                    elif not is_live:
                        is_live = True
                        yield Frame(FrameKind.CAUGHT_UP, ring.told)
                    elif (waiting := ring.pop()) is not None:
                        ring.told = waiting.position
                        yield waiting
                    elif not await ring.changes(within=self._checkpoint) and self._feed.position > ring.told:
                        ring.told = self._feed.position
                        yield Frame(FrameKind.CHECKPOINT, ring.told)
            finally:
                self._leave()

    async def _starts_from(self, after: Place) -> bool:
        """Go back to a cursor, unless it is too old, of another journal, or of none that there is."""
        while True:
            with contextlib.suppress(Unavailable):
                now = await self._cohorts.head()
                break
            await asyncio.sleep(AGAIN)
        if not (after.epoch == now.epoch and now.floor < after.position <= max(now.position, self._feed.position)):
            return False
        self._ring.told = after.position
        self._ring.drop()
        self._feed.hint()  # it may lie ahead of what this process has seen
        return True

    async def _replay(self) -> AsyncGenerator[Frame, None]:
        """What was missed, until it has caught up with the feed, or does not know its rights any more."""
        ring = self._ring
        while (cohort := self._cohort) is not None and ring.told < self._feed.position:
            page = await cohort.after(ring.told)
            for frame in page.frames:
                if self._is_unsure:
                    return
                ring.told = frame.position
                yield frame
            if self._is_unsure:
                return
            ring.told = page.reached

    @property
    def _is_unsure(self) -> bool:
        """Whether nothing may be told before it is known what the bearer has a right to now."""
        return self._is_shaken or self._version != self._bearer.version

    async def _make_sure(self) -> None:
        """Ask; what was judged before was dropped with the change, and is judged again. Raises whatever ends the bearer's rights."""
        while self._is_unsure:
            if self._is_shaken:
                self._is_shaken = False
                try:
                    await self._bearer.ask_again()
                except Unavailable:  # until that can be said, nothing is told
                    self._is_shaken = True
                    await asyncio.sleep(AGAIN)
                    continue
            if self._version != self._bearer.version:
                self._version = self._bearer.version
                self._leave()
                self._join()

    def _join(self) -> None:
        viewer = self._bearer.viewer
        wanted = Wanted.of(self._asking(), self._bearer.visibility, self._rendering())
        self._cohort = self._cohorts.join(wanted, self._ring)
        self._watched = frozenset(concerning(viewer))
        self._feed.attach(self, self._watched)
        if viewer.backed:
            self._ask_afresh_later()

    def _ask_afresh_later(self) -> None:
        self._afresh = asyncio.get_running_loop().call_later(AFRESH, self._ask_afresh)

    def _ask_afresh(self) -> None:
        self._is_shaken = True
        self._ring.stir()
        self._ask_afresh_later()

    def _leave(self) -> None:
        if self._afresh is not None:
            self._afresh.cancel()
            self._afresh = None
        if self._cohort is not None:
            self._cohorts.leave(self._cohort, self._ring)
            self._feed.detach(self, self._watched)
            self._cohort = None
