"""Records on their way into the audit: queued in memory, and written together by one task, so that they are on disk within a second.

The queue is bounded, and what could not be recorded is refused: nothing is read unaudited. What is sensitive is told only
once its record is on disk; all who wait for that share one write.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pymongo.errors import PyMongoError

from hub.errors import Unavailable
from hub.store import audit
from hub.store.audit import Record, Seen, weight
from hub.store.mongo import Mongo, brief

EVERY: Final = 0.5  # seconds that a record waits for company; on disk it is some milliseconds later
FULL: Final = 250_000  # ids that wait, about 150 bytes each: 40 MB, a busy hub's reads of half a minute without a database
RECORD: Final = 4  # ids' worth of a record itself
BATCH: Final = 500  # records that are made into chunks at a stretch: 5 to 15 ms
PATIENCE: Final = 8.0  # seconds that a sensitive answer waits for its record
PAUSE: Final = 0.25  # seconds between two tries while the database does not answer
LAST: Final = 3.0  # seconds for what is queued when the hub goes down

log = structlog.get_logger("hub.journal")


@dataclass(slots=True, eq=False)
class Queued:
    """A record that waits, and those who wait for it."""

    record: Record
    weight: int
    is_taken: bool = False  # it is being written: what comes now belongs in another one
    written: asyncio.Future[None] | None = None


class Audit:
    """The audit's only writer in this process. `run` works until it is cancelled; `drain` first lets what is queued be written."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self.every = EVERY
        self.most = FULL
        self._queue: deque[Queued] = deque()
        self._weight = 0  # of what waits and what is being written
        self._unwritten = 0  # records, likewise
        self._waiting = asyncio.Event()
        self._urgent = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_behind = False  # the last write failed

    @property
    def is_full(self) -> bool:
        """Whether reads are refused until some of what waits is written."""
        return self._weight >= self.most

    @property
    def waiting(self) -> int:
        """How many records are not on disk yet."""
        return self._unwritten

    @property
    def state(self) -> str:
        """For people: "ok", or what is the matter."""
        if self.is_full:
            return f"full: {self._unwritten} records wait, and reads are refused until they are written"
        return f"behind: {self._unwritten} records wait" if self._is_behind else "ok"

    def admit(self) -> None:
        """Pass, or raise Unavailable where nothing more could be recorded."""
        if self.is_full:
            raise Unavailable("What is read must be recorded, and the records cannot be written at the moment.")

    def record(self, record: Record) -> Queued:
        """Queue a record. It is taken also where there is no room: whoever can still refuse asks `admit` first."""
        queued = Queued(record, RECORD + weight(record.seen))
        self._queue.append(queued)
        self._weight += queued.weight
        self._unwritten += 1
        self._idle.clear()
        self._waiting.set()
        return queued

    def extend(self, queued: Queued, seen: Sequence[Seen]) -> None:
        """Add to a record that is not taken yet."""
        more = weight(seen)
        queued.record.seen += seen
        queued.weight += more
        self._weight += more

    def add(self, queued: Queued, seen: Seen) -> None:
        """As `extend`, of one: each event that a thousand follow comes by here a thousand times."""
        queued.record.seen.append(seen)
        more = 1 + len(seen[1])
        queued.weight += more
        self._weight += more

    async def written(self, queued: Queued) -> None:
        """Have a record written at once, and wait until it is on disk. Raises Unavailable where that takes too long; it may be
        there later all the same, for it stays queued."""
        queued.written = asyncio.get_running_loop().create_future()
        self._urgent.set()
        try:
            async with asyncio.timeout(PATIENCE):
                await queued.written
        except TimeoutError:
            raise Unavailable("What is read here must be recorded first, and the record cannot be written at the moment.") from None

    async def run(self) -> None:
        """Write what is queued, until cancelled. No failure of the database ends the loop, and none loses a record."""
        while True:
            await self._waiting.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await self._urgent.wait()
            self._urgent.clear()
            due = len(self._queue)  # what comes meanwhile waits for company again
            while due > 0:
                taken = [self._queue.popleft() for _ in range(min(due, BATCH))]
                due -= len(taken)
                await self._write(taken)
            if not self._queue:
                self._waiting.clear()
                self._idle.set()

    async def drain(self) -> None:
        """Return when everything queued is on disk, or has waited long enough."""
        if self._unwritten:
            self._urgent.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                await self._idle.wait()
        if self._unwritten:
            log.error("audit_lost", records=self._unwritten)

    async def _write(self, taken: Sequence[Queued]) -> None:
        for queued in taken:
            queued.is_taken = True
        for chunk in audit.chunks(queued.record for queued in taken):
            await self._insert(chunk)
        self._weight -= sum(queued.weight for queued in taken)
        self._unwritten -= len(taken)
        _tell(queued.written for queued in taken)

    async def _insert(self, chunk: dict[str, Any]) -> None:
        """Until it is there: what cannot be recorded is not forgotten, and in the end nothing more is read."""
        while True:
            try:
                await audit.insert(self._mongo, chunk)
            except (Unavailable, PyMongoError) as error:
                if not self._is_behind:
                    log.warning("audit_behind", cause=brief(error), records=self._unwritten)
                self._is_behind = True
                await asyncio.sleep(PAUSE)
            else:
                self._is_behind = False
                return


def _tell(waiting: Iterable[asyncio.Future[None] | None]) -> None:
    for written in waiting:
        if written is not None and not written.done():
            written.set_result(None)
