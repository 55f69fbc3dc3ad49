"""Hints between processes that the journal has grown, carried by broadcaster. A hint says nothing but "look".

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

CHANNEL: Final = "journal"
AGAIN: Final = 1.0  # seconds before a broken bus is tried again; the feed's poll bridges them

log = structlog.get_logger("hub.journal")


class Bus:
    """One process's end of the bus. Raises StartupError for a URL that broadcaster cannot use."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            Broadcast(url)
        except (ValueError, ImportError):  # an unknown scheme, or one whose library is not installed
            raise StartupError(f"HUB_BUS: broadcaster cannot use {url.partition(':')[0]}:// here; memory:// always works.") from None
        self._me = uuid4().hex  # our own hints come back to us: they say nothing new
        self._news = asyncio.Event()
        self.is_up = False

    def ring(self) -> None:
        """Tell the others, soon: many calls may become one hint."""
        self._news.set()

    async def run(self, heard: Callable[[], None]) -> None:
        """Carry hints both ways, for ever; `heard` is called for each that arrives from another process."""
        while True:
            try:
                async with Broadcast(self._url) as broadcast, asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(broadcast, heard), name="bus-listen")
                    tasks.create_task(self._tell(broadcast), name="bus-tell")
            except* Exception as errors:
                log.warning("bus_down", cause=str(errors.exceptions[0])[:200])
            self.is_up = False
            await asyncio.sleep(AGAIN)

    async def _listen(self, broadcast: Broadcast, heard: Callable[[], None]) -> None:
        async with broadcast.subscribe(CHANNEL) as subscriber:
            self.is_up = True
            while True:
                if (await subscriber.get()).message != self._me:
                    heard()

    async def _tell(self, broadcast: Broadcast) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await broadcast.publish(CHANNEL, self._me)
