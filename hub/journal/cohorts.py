"""Subscribers who are told the same: an entry is judged once for all of them, and what they missed is read once.

They ask for the same, see the same, and have it rendered the same way. A thousand customers' apps that follow one
interaction are one cohort, or a few; a thousand who follow one each are a thousand, of which the feed wakes one.
"""

import asyncio
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from hub.access.visibility import Visibility
from hub.journal import head
from hub.journal.feed import ANY, Feed
from hub.journal.filters import EventFilter
from hub.journal.frames import Frame, judged
from hub.journal.gathered import Apart, Gathered
from hub.journal.head import Head
from hub.journal.log import Entry
from hub.journal.replay import Page, frames_after, remembered

log = structlog.get_logger("hub.journal")


class Listener(Protocol):
    """One of a cohort. `hear` must be quick, and never wait; what it fails to hear, it is told to read later by `drop`."""

    def hear(self, frame: Frame) -> None: ...

    def drop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What makes a cohort: what is asked for, how far its members see, and whatever renders for all of them."""

    asked: EventFilter
    visibility: Visibility
    rendering: Hashable = None

    @classmethod
    def of(cls, asked: EventFilter, visibility: Visibility, rendering: Hashable = None) -> "Wanted":
        """The same for all who are told the same: what no event is judged by is left out."""
        return cls(asked, replace(visibility, oneself=None, all_roles=False, all_tokens=False), rendering)

    @property
    def names(self) -> Iterable[str]:
        """Under which the feed hands on every entry that is told, and not many others."""
        if self.asked.interaction_ids is not None:
            return self.asked.interaction_ids
        if self.visibility.everything:
            return (ANY,)
        return () if self.visibility.takes_part is None else (self.visibility.takes_part,)


class Cohort:
    """Follows the feed for its members."""

    def __init__(self, wanted: Wanted, feed: Feed, apart: Apart) -> None:
        self.wanted = wanted
        self.members: dict[Listener, None] = {}
        self._feed = feed
        self._apart = apart
        self._replay: tuple[tuple[int, int], asyncio.Task[Page]] | None = None

    def take(self, entry: Entry) -> None:
        """The feed's door."""
        frame = judged(entry, self.wanted.visibility, self.wanted.asked)
        if frame is None:
            return
        self._replay = None  # nobody asks for this page any more: its texts are let go
        for member in self.members:
            try:
                member.hear(frame)
            except Exception:  # one member's trouble is not the others'
                log.exception("subscriber_failed", position=frame.position)
                member.drop()

    async def after(self, above: int) -> Page:
        """One page of what lies above a position, up to where the feed stands. What several ask for at once, or after one another
        while nothing new comes, is read once."""
        asked, visibility, up_to = self.wanted.asked, self.wanted.visibility, self._feed.position
        if (page := remembered(self._feed.tail, visibility, asked, above)) is not None:
            return page
        if self._replay is None or self._replay[0] != (above, up_to) or _has_failed(self._replay[1]):
            reading = frames_after(self._feed.mongo, visibility, asked, above, up_to=up_to)
            self._replay = (above, up_to), self._apart.start(reading, "replay")
        return await asyncio.shield(self._replay[1])


class Cohorts:
    """Those of one process."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.apart = Apart()
        self.head: Gathered[Head] = Gathered(lambda: head.read(feed.mongo), self.apart)
        self._cohorts: dict[Wanted, Cohort] = {}

    @property
    def subscribers(self) -> int:
        """How many follow."""
        return sum(len(cohort.members) for cohort in self._cohorts.values())

    def join(self, wanted: Wanted, member: Listener) -> Cohort:
        """From now on it hears every frame of this kind."""
        cohort = self._cohorts.get(wanted)
        if cohort is None:
            cohort = self._cohorts[wanted] = Cohort(wanted, self.feed, self.apart)
            self.feed.attach(cohort, wanted.names)
        cohort.members[member] = None
        return cohort

    def leave(self, cohort: Cohort, member: Listener) -> None:
        """It hears nothing more."""
        cohort.members.pop(member, None)
        if not cohort.members and self._cohorts.pop(cohort.wanted, None) is not None:
            self.feed.detach(cohort, cohort.wanted.names)


def _has_failed(task: asyncio.Task[Page]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
