"""The journal as it grows: one reader for the whole process, which hands every entry on once, in order.

This process's own commits arrive directly. Those of others are read from the log, after a hint on the bus or, at the
latest, at the next poll. What lies above a gap waits until the gap is read: a revocation stops what follows it by order.
An entry goes to those alone whom it may concern: whoever follows one interaction costs nothing while others are worked on.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

import structlog
from pymongo.errors import PyMongoError

from hub.domain.terms import SubjectKind
from hub.errors import Unavailable
from hub.journal.head import Head
from hub.journal.log import PAGE, Entry, read_after
from hub.journal.tail import Tail
from hub.store.mongo import Mongo, brief

POLL: Final = 1.0  # seconds between two looks at the log when nobody hints: the most that a lost hint costs
ANY: Final = ""  # a name that every entry has

log = structlog.get_logger("hub.journal")


class Member(Protocol):
    """Whoever follows the feed. `take` must be quick, and never raise or wait."""

    def take(self, entry: Entry) -> None: ...


def names(entry: Entry) -> Iterator[str]:
    """The ids under which an entry is handed on: its subject's, and those of the parties whom it is about. The same may come twice."""
    yield ANY
    yield entry["subject"]["id"]
    match entry["subject"]["kind"]:
        case SubjectKind.INTERACTION:
            yield from entry["visibleTo"]
            yield from entry.get("left", ())
        case SubjectKind.PARTY_ROLE:
            yield entry["data"]["party"]


class Feed:
    """Everybody attached gets every entry of its names above `position` at the time of attaching, in order, without a gap."""

    def __init__(self, mongo: Mongo, first: Head) -> None:
        self.mongo = mongo
        self.tail = Tail(first.position)
        self.ahead: Member | None = None  # hears of an entry before everybody else: by what it learns, they are judged
        self._members: dict[str, dict[Member, None]] = {}
        self._wake = asyncio.Event()
        self.position = first.position
        self._heard = first.position
        self.is_behind = False  # the log could not be read; what follows is held back
        self._whole_at = time.monotonic()  # all that was committed before was handed on

    @contextlib.contextmanager
    def attached(self, member: Member, under: Iterable[str] = (ANY,)) -> Iterator[None]:
        """Follow for as long as the block lasts."""
        self.attach(member, under)
        try:
            yield
        finally:
            self.detach(member, under)

    def attach(self, member: Member, under: Iterable[str]) -> None:
        """Hand on to it, from now on, what has one of these names; what has two of them, twice."""
        for name in under:
            self._members.setdefault(name, {})[member] = None

    def detach(self, member: Member, under: Iterable[str]) -> None:
        """The end of `attach`, under the same names."""
        for name in under:
            if (members := self._members.get(name)) is not None:
                members.pop(member, None)
                if not members:
                    del self._members[name]

    @property
    def known(self) -> int:
        """The last entry of the journal of which it has heard."""
        return max(self.position, self._heard)

    @property
    def lag(self) -> float:
        """Seconds that what is told may be old, at most: up to `POLL` and a read while all is well."""
        return time.monotonic() - self._whole_at

    @property
    def listeners(self) -> int:
        """How many follow."""
        return len({id(member) for members in self._members.values() for member in members})

    def offer(self, entries: Sequence[Entry]) -> None:
        """Own commits, in order: handed on at once, or, where something below them is still to be read, read after it."""
        if not self._extend(entries):
            self._heard = max(self._heard, int(entries[-1]["_id"]))
            self._wake.set()

    def hint(self, position: int | None = None) -> None:
        """Somebody committed, up to this position if it is known: look now, unless it is here."""
        if position is None or position > self.position:
            self._heard = max(self._heard, position or 0)
            self._wake.set()

    async def run(self) -> None:
        """Keep up with the log, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._wake.wait()
            self._wake.clear()
            looked = time.monotonic()
            try:
                self.is_behind = not await self._catch_up()
                if not self.is_behind:
                    self._whole_at = looked
            except (PyMongoError, Unavailable) as error:
                if not self.is_behind:
                    log.warning("feed_behind", cause=brief(error), position=self.position)
                self.is_behind = True
                await asyncio.sleep(POLL)
            except Exception:
                self.is_behind = True
                log.exception("feed_failed", position=self.position)
                await asyncio.sleep(POLL)

    async def _catch_up(self) -> bool:
        """Read to the end of the log; False where it has a hole, which no commit leaves: what lies above it is held back."""
        while True:
            page = await read_after(self.mongo, self.position)
            if not self._extend(page):
                return False
            if len(page) < PAGE:
                return True
            await asyncio.sleep(0)  # a long way to catch up must not keep everybody else waiting

    def _extend(self, entries: Sequence[Entry]) -> bool:
        """Hand on what follows the last entry; whether it reached the end of these, or had passed it before."""
        for entry in entries:
            position = int(entry["_id"])
            if position == self.position + 1:  # lower: own commits came while the page was read
                self.position = position
                self.tail.take(entry)
                self._hand_on(entry)
        return not entries or self.position >= int(entries[-1]["_id"])

    def _hand_on(self, entry: Entry) -> None:
        if self.ahead is not None:
            self._give(self.ahead, entry)
        for name in names(entry):
            for member in tuple(self._members.get(name, ())):
                self._give(member, entry)

    def _give(self, member: Member, entry: Entry) -> None:
        try:
            member.take(entry)
        except Exception:  # one member's trouble is not the others'
            log.exception("member_failed", position=self.position)
