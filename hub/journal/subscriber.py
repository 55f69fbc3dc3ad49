"""One subscriber's view of the journal: attach, replay, follow.

Attaching comes first and what replay has shown is dropped from what follows, so that nothing is missed and nothing comes
twice. A live event is judged on its own list and facts, without a read. Who falls behind reads from the log until it has
caught up: late, never wrong, and at nobody else's cost. Knows nothing of GraphQL or sockets.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hub.access.bearers import Bearer
from hub.access.visibility import Visibility
from hub.domain.terms import SubjectKind
from hub.journal import head
from hub.journal.cursors import Place
from hub.journal.feed import Feed
from hub.journal.filters import EventFilter
from hub.journal.log import PAGE, Entry, read_after
from hub.journal.rights import touches
from hub.store.mongo import Mongo, unit_of_work

BACKLOG: Final = 256  # frames one slow client may lag before its feed reads from the log instead
WEIGHT: Final = 1 << 20  # bytes of text among them
CHECKPOINT: Final = 30.0  # seconds of foreign events after which a quiet stream hears how far the journal is


class FrameKind(StrEnum):
    EVENT = "EVENT"
    CAUGHT_UP = "CAUGHT_UP"
    CHECKPOINT = "CHECKPOINT"
    LEFT = "LEFT"
    RESET = "RESET"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a subscriber gets: an entry with EVENT, a reason with LEFT and RESET, and always where it stands now."""

    kind: FrameKind
    position: int
    entry: Entry | None = None
    interaction: str | None = None
    reason: str | None = None


def judged(entry: Mapping[str, Any], visibility: Visibility, asked: EventFilter) -> Frame | None:
    """The frame that this entry is to this subscriber, by what the entry itself says; None: it is not for them."""
    if entry["subject"]["kind"] != SubjectKind.INTERACTION:
        return None
    position, interaction = int(entry["_id"]), entry["subject"]["id"]
    if visibility.loses(entry):
        return Frame(FrameKind.LEFT, position, interaction=interaction, reason="It is no longer yours to see.")
    if not visibility.sees_entry(entry):
        return None
    if asked.matches(entry):
        return Frame(FrameKind.EVENT, position, entry=dict(entry), interaction=interaction)
    if asked.lets_go(entry):
        return Frame(FrameKind.LEFT, position, interaction=interaction, reason="It no longer matches the filter.")
    return None


class Ring:
    """What waits for one subscriber, bounded: when it overflows, or was judged by rights that may be others now, everything is
    dropped and read from the log later."""

    def __init__(self, bearer: Bearer, asking: Callable[[], EventFilter], position: int) -> None:
        self._bearer = bearer
        self._asking = asking
        self.asked = asking()
        self._frames: deque[tuple[Frame, int]] = deque()
        self._weight = 0
        self._version = bearer.version
        self._changed = asyncio.Event()
        self.passed = position  # the last entry that was looked at, whether for this subscriber or not
        self.is_behind = False
        self.is_shaken = False  # an entry may have changed what its bearer has a right to

    def take(self, entry: Entry) -> None:
        """The feed's door."""
        self.passed = int(entry["_id"])
        if touches(entry, self._bearer.viewer):
            self.is_shaken = True
            self.drop()
        if self.is_behind or (frame := judged(entry, self._bearer.visibility, self.asked)) is None:
            return
        weight = _weight(entry)
        self._frames.append((frame, weight))
        self._weight += weight
        if len(self._frames) > BACKLOG or self._weight > WEIGHT:
            self.drop()
        self._changed.set()

    def drop(self) -> None:
        """Read from the log what waits here, and what comes until then."""
        self._frames.clear()
        self._weight = 0
        self.is_behind = True
        self._changed.set()

    def wake(self) -> None:
        """There may be something to do."""
        self._changed.set()

    def pop(self, above: int) -> Frame | None:
        """The next frame above a position."""
        while self._frames:
            frame, weight = self._frames.popleft()
            self._weight -= weight
            if frame.position > above:
                return frame
        self._changed.clear()
        return None

    @property
    def is_unsure(self) -> bool:
        """Whether nothing may be told before it is known what the bearer has a right to now."""
        return self.is_shaken or self._version != self._bearer.version

    async def make_sure(self) -> None:
        """Ask, if need be; what was judged before is judged again. Raises whatever ends the bearer's rights."""
        while self.is_unsure:
            if self.is_shaken:
                self.is_shaken = False
                await self._bearer.ask_again()
            self._version = self._bearer.version
            self.asked = self._asking()
            self.drop()

    def recover(self) -> None:
        """Take frames again: what was dropped is about to be read from the log."""
        self.is_behind = False

    async def changes(self, within: float) -> bool:
        """Whether there is something to pop, or to recover from, within so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._changed.wait()
        return self._changed.is_set()  # it may have come in the very moment in which time was up


async def follow(
    feed: Feed, bearer: Bearer, asking: Callable[[], EventFilter], after: Place | None, *, checkpoint: float = CHECKPOINT
) -> AsyncGenerator[Frame, None]:
    """Frames above `after`, then live ones for as long as somebody reads. Without `after`: from now on.

    Each is judged by the bearer's rights as they are then. An entry that may have changed these stops all that follows it
    until they are known. `asking` gives the filter, at the beginning and after each change; what it or `bearer` raises ends
    the stream."""
    ring = Ring(bearer, asking, feed.position)
    with feed.attached(ring), bearer.watched(ring.wake):
        told, is_live = feed.position, False
        await bearer.ask_again()  # its rights may have changed since it was asked last, and nobody was attached to hear of it
        if after is not None:
            first = await head.read(feed.mongo)
            if after.epoch == first.epoch and first.floor < after.position <= max(first.position, feed.position):
                told = after.position
                ring.drop()
                feed.hint()  # it may lie ahead of what this process has seen
            else:
                yield Frame(FrameKind.RESET, told, reason="The cursor is too old, or of another journal: read anew, and follow from here.")
        while True:
            if ring.is_unsure:
                await ring.make_sure()
            if ring.is_behind:
                ring.recover()
                async with contextlib.aclosing(_replay(feed, bearer, ring.asked, told)) as replay:
                    async for frame in replay:
                        if ring.is_unsure:
                            break
                        told = frame.position
                        if frame.kind is not FrameKind.CHECKPOINT:
                            yield frame
            elif not is_live:
                is_live = True
                yield Frame(FrameKind.CAUGHT_UP, told)
            elif (waiting := ring.pop(told)) is not None:
                told = waiting.position
                yield waiting
            elif not await ring.changes(within=checkpoint) and ring.passed > told:
                told = ring.passed
                yield Frame(FrameKind.CHECKPOINT, told)


async def _replay(feed: Feed, bearer: Bearer, asked: EventFilter, above: int) -> AsyncGenerator[Frame, None]:
    """Frames from the log until it has caught up with the feed; a CHECKPOINT says how far each page has come."""
    while above < feed.position:
        page = await frames_after(feed.mongo, bearer.visibility, asked, above, up_to=feed.position)
        for frame in page.frames:
            yield frame
        above = page.reached
        yield Frame(FrameKind.CHECKPOINT, above)


@dataclass(frozen=True, slots=True)
class Page:
    """Frames from the log, how far it was read, and whether there is more below where it was to end."""

    frames: list[Frame]
    reached: int
    has_more: bool


async def frames_after(mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int, limit: int = PAGE) -> Page:
    """One page of replay: what the entries themselves show to this viewer AND is in sight now."""
    return await _page(mongo, visibility, asked, above, up_to=up_to, limit=limit, only=(_shown(visibility), asked.narrows()))


async def events_after(mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int, limit: int) -> Page:
    """As `frames_after`, of events alone: what the filter leaves out is not read at all."""
    return await _page(mongo, visibility, asked, above, up_to=up_to, limit=limit, only=(visibility.entries(), asked.selects()))


async def _page(
    mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int, limit: int, only: Sequence[Mapping[str, Any]]
) -> Page:
    clauses = [clause for clause in only if clause]
    entries = await read_after(mongo, above, up_to=up_to, limit=limit, only={"$and": clauses} if clauses else None)
    frames = [frame for entry in entries if (frame := judged(entry, visibility, asked)) is not None]
    if not visibility.sees_all:
        ids = sorted({frame.interaction for frame in frames if frame.kind is FrameKind.EVENT and frame.interaction})
        with unit_of_work():
            present = await mongo.by_ids("interactions", ids, dict.fromkeys(visibility.needs, 1))
        frames = [frame for frame in frames if frame.kind is not FrameKind.EVENT or visibility.sees(present.get(frame.interaction, {}))]
    has_more = len(entries) == limit
    return Page(frames, int(entries[-1]["_id"]) if has_more else up_to, has_more)


def _shown(visibility: Visibility) -> dict[str, Any]:
    return {} if visibility.sees_all else {"$or": [visibility.entries(), visibility.leavings()]}


def _weight(entry: Mapping[str, Any]) -> int:
    personal = entry.get("personal")
    return 512 + (len(str(personal)) if personal else 0)
