"""Hints between processes that the journal has grown, carried by broadcaster. A hint says "look", or how far to look, and no more.

Hints may be lost, doubled or late: the feed polls. One channel, one subscription for the whole process, taken up again
when it ends, for broadcaster ends a listener whose connection broke without a word.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import structlog
from broadcaster import Broadcast

from hub.errors import StartupError
from hub.journal.change_stream import LOOK, NOT_YET, ChangeStream
from hub.store.mongo import Mongo

CHANNEL: Final = "journal"
AGAIN: Final = 1.0  # seconds before a broken bus is tried again; the feed's poll bridges them
BRIDGED: Final = "the poll bridges it, with up to a second's delay"

log = structlog.get_logger("hub.journal")


class Bus:
    """One process's end of the bus. `mongodb://` (or `mongodb`) is the hub's own, over the database that it has anyway.

    Raises StartupError for a URL that broadcaster cannot use."""

    def __init__(self, url: str, mongo: Mongo) -> None:
        self._url = url
        self._mongo = mongo
        scheme, _, place = url.partition(":")
        self._stream: ChangeStream | None = None
        self._is_own = scheme == "mongodb"
        if self._is_own and place.strip("/"):
            raise StartupError("HUB_BUS: mongodb:// is the hub's own database and takes no address; HUB_MONGO_URI says where that is.")
        try:
            if not self._is_own:
                Broadcast(url)
        except (ValueError, ImportError):  # an unknown scheme, or one whose library is not installed
            raise StartupError(f"HUB_BUS: broadcaster cannot use {scheme}:// here; mongodb:// and memory:// always work.") from None
        self._me = uuid4().hex  # our own hints come back to us: they say nothing new
        self._news = asyncio.Event()
        self._trouble: str | None = NOT_YET
        self.hints = 0  # heard from the bus since the start, whether or not they said anything new

    @property
    def trouble(self) -> str | None:
        """What is the matter with it; None while it carries hints."""
        return self._trouble or (self._stream.trouble if self._stream else None)

    @property
    def is_up(self) -> bool:
        """Whether it carries hints."""
        return self.trouble is None

    @property
    def state(self) -> str:
        """For people: "ok", or what is the matter and what comes of it."""
        return "ok" if self.trouble is None else f"degraded: {self.trouble}; {BRIDGED}"

    def ring(self) -> None:
        """Tell the others, soon: many calls may become one hint."""
        if not self._is_own:  # which hears of the commit by itself
            self._news.set()

    async def run(self, heard: Callable[[int | None], None]) -> None:
        """Carry hints both ways, for ever; `heard` is called for each that says something new, with the position that the journal
        has reached where the hint names one."""
        while True:
            stream = self._stream = ChangeStream(self._mongo) if self._is_own else None
            try:
                async with Broadcast(self._url, backend=stream) as broadcast, asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(broadcast, heard), name="bus-listen")
                    tasks.create_task(self._tell(broadcast), name="bus-tell")
                    tasks.create_task(_ends(broadcast), name="bus-ends")
            except* Exception as errors:
                self._trouble = str(errors.exceptions[0])[:200] or type(errors.exceptions[0]).__name__
                log.warning("bus_down", cause=self._trouble)
            finally:
                if stream is not None:  # broadcaster leaves out the backend where its listener failed
                    await stream.disconnect()
            await asyncio.sleep(AGAIN)

    async def _listen(self, broadcast: Broadcast, heard: Callable[[int | None], None]) -> None:
        async with broadcast.subscribe(CHANNEL) as subscriber:
            self._trouble = None
            while True:
                message = (await subscriber.get()).message
                self.hints += 1
                if self._is_own:
                    heard(None if message == LOOK else int(message))
                elif message != self._me:
                    heard(None)

    async def _tell(self, broadcast: Broadcast) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await broadcast.publish(CHANNEL, self._me)


async def _ends(broadcast: Broadcast) -> None:
    """Raises when broadcaster's listener has ended, of which it tells nobody."""
    listener: asyncio.Task[None] = broadcast._listener_task
    await asyncio.wait([listener])
    raise ConnectionError(f"its listener ended: {None if listener.cancelled() else listener.exception()}")
