"""A bus without a second system: the journal's head as MongoDB's own change stream tells of it, as a backend of broadcaster.

A commit moves the head, and that is the hint: nothing is published beside it. A hint names the position that the head has
moved to, so that whoever is there already, as the committer itself nearly always is, need not look (decision 13).
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from typing import Any, Final

import structlog
from broadcaster import BroadcastBackend, Event
from pymongo import timeout
from pymongo.asynchronous.change_stream import AsyncCollectionChangeStream
from pymongo.errors import PyMongoError

from hub.journal.head import HEAD
from hub.store.mongo import FAREWELL, Mongo, brief, is_unavailable

WAIT: Final = 500  # milliseconds that the server keeps a question open: Motor's thread cannot be called back before
SILENT: Final = 2.0  # seconds without an answer to such a question after which the stream counts as down
FIRST: Final = 0.1  # seconds before a stream is opened again, doubled with each failure
LAST: Final = 2.0  # ... up to this
# The document holds more than the position (`floor`), and the collection more than the journal's head (the queue of turns, far busier).
MOVES: Final = (
    {"$match": {"documentKey._id": HEAD, "updateDescription.updatedFields.position": {"$exists": True}}},
    {"$project": {"position": "$updateDescription.updatedFields.position"}},
)
NOT_YET: Final = "it is not open yet"
LOOK: Final = ""  # the hint that names no position: something may have been missed

log = structlog.get_logger("hub.journal")


class ChangeStream(BroadcastBackend):
    """The stream, opened again where it was after whatever happens to it. `trouble` says what is the matter, None: nothing."""

    def __init__(self, mongo: Mongo) -> None:
        self.trouble: str | None = NOT_YET
        self._mongo = mongo
        self._stream: AsyncCollectionChangeStream[dict[str, Any]] | None = None
        self._token: Mapping[str, Any] | None = None  # after which the next one begins
        self._failures = 0
        self._channel = ""
        self._is_over = False
        self._reading = asyncio.Lock()

    async def connect(self) -> None:
        """The stream is opened by the first read: a database that is away now is no reason to fail."""

    async def subscribe(self, channel: str) -> None:
        self._channel = channel

    async def unsubscribe(self, channel: str) -> None:
        self._channel = ""

    async def publish(self, channel: str, message: Any) -> None:
        """Nothing: what is to be heard is committed, and a commit is heard."""

    async def next_published(self) -> Event:
        """The next hint; waits for it through every failure of the database."""
        async with self._reading:
            while not self._is_over:
                try:
                    if (hint := await self._next()) is not None:
                        return Event(self._channel, hint)
                except PyMongoError as error:
                    await self._failed(error)
        raise ConnectionAbortedError("The bus was closed.")

    async def disconnect(self) -> None:
        """Broadcaster has cancelled the reader, once and without waiting for it: here it is waited for."""
        self._is_over = True
        async with self._reading:
            await self._close()

    async def _next(self) -> str | None:
        """A hint, or None where nothing happened for a while. The first answer of a stream is a hint in any case: only now is it
        certain that from here on nothing is missed."""
        is_new = self._stream is None
        late = asyncio.get_running_loop().call_later(SILENT, self._fell_silent)
        try:
            if self._stream is None:
                self._stream = await self._mongo.watch("heads", MOVES, after=self._token, wait=WAIT)
                self._token = self._stream.resume_token or self._token
                moved = None
            else:
                moved = await self._stream.try_next()
                self._token = self._stream.resume_token
        finally:
            late.cancel()
        if self.trouble not in {None, NOT_YET}:
            log.info("bus_up")
        self.trouble, self._failures = None, 0
        if not self._stream.alive:  # the collection was dropped or renamed: the next one begins after that
            await self._close()
        return LOOK if is_new else None if moved is None else str(moved["position"])

    def _fell_silent(self) -> None:
        """Only told: a database that was stopped answers when it goes on, and the driver's monitor breaks what is dead."""
        self.trouble = "the database is silent"

    async def _failed(self, error: PyMongoError) -> None:
        if self._failures == 0:
            log.warning("bus_down", cause=brief(error))
        self.trouble = brief(error)
        if not is_unavailable(error):  # the place is no longer in the oplog, or never was: begin now, for everybody looks anyway
            self._token = None
        await self._close()
        await asyncio.sleep(min(LAST, FIRST * 2**self._failures) * random.uniform(0.5, 1.0))  # noqa: S311 - not all at once
        self._failures = min(self._failures + 1, 10)

    async def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(PyMongoError), timeout(FAREWELL):
                await stream.close()
