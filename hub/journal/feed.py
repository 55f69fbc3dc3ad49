"""The journal as it grows: one reader for the whole process, which hands every entry on once, in order.

This process's own commits arrive directly. Those of others are read from the log, after a hint on the bus or, at the
latest, at the next poll. What lies above a gap waits until the gap is read: a revocation stops what follows it by order.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import structlog
from pymongo.errors import PyMongoError

from hub.errors import Unavailable
from hub.journal.head import Head
from hub.journal.log import PAGE, Entry, read_after
from hub.store.mongo import Mongo, brief

POLL: Final = 1.0  # seconds between two looks at the log when nobody hints: the most that a lost hint costs
HELD: Final = 10_000  # own entries that wait above a gap; beyond it they are dropped and read from the log later

log = structlog.get_logger("hub.journal")


class Member(Protocol):
    """Whoever follows the feed. `take` must be quick, and never raise or wait."""

    def take(self, entry: Entry) -> None: ...


class Feed:
    """Everybody attached gets every entry above `position` at the time of attaching, in order, without a gap."""

    def __init__(self, mongo: Mongo, first: Head) -> None:
        self.mongo = mongo
        self._held: dict[int, Entry] = {}
        self._members: dict[Member, None] = {}
        self._wake = asyncio.Event()
        self.position = first.position
        self.is_behind = False  # the log could not be read; what follows is held back

    @contextlib.contextmanager
    def attached(self, member: Member) -> Iterator[None]:
        """Follow for as long as the block lasts."""
        self._members[member] = None
        try:
            yield
        finally:
            self._members.pop(member, None)

    @property
    def listeners(self) -> int:
        """How many follow."""
        return len(self._members)

    def offer(self, entries: Sequence[Entry]) -> None:
        """Own commits, in order: handed on at once unless something below them is still to be read."""
        if entries and int(entries[0]["_id"]) == self.position + 1:
            for entry in entries:
                self._hand_on(entry)
            return
        if len(self._held) < HELD:
            self._held.update((int(entry["_id"]), entry) for entry in entries)
        self._wake.set()

    def hint(self) -> None:
        """Somebody committed: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Keep up with the log, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._catch_up()
                self.is_behind = False
            except (PyMongoError, Unavailable) as error:
                if not self.is_behind:
                    log.warning("feed_behind", cause=brief(error), position=self.position)
                self.is_behind = True
                await asyncio.sleep(POLL)
            except Exception:
                log.exception("feed_failed", position=self.position)
                await asyncio.sleep(POLL)

    async def _catch_up(self) -> None:
        while True:
            page = await read_after(self.mongo, self.position)
            for entry in page:
                if int(entry["_id"]) == self.position + 1:  # own commits may have come while the page was read
                    self._hand_on(entry)
            while (held := self._held.pop(self.position + 1, None)) is not None:
                self._hand_on(held)
            for position in [position for position in self._held if position <= self.position]:
                del self._held[position]
            if len(page) < PAGE:
                return

    def _hand_on(self, entry: Entry) -> None:
        self.position = int(entry["_id"])
        for member in tuple(self._members):
            member.take(entry)
