"""Sweeps away files whose upload was cut off: begun a while ago, and an attachment of nothing.

Every process looks; as taking away twice does no harm, it does not matter who is first.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.errors import Unavailable
from hub.journal.opening import ended
from hub.store.files import Files

OLD: Final = timedelta(hours=1)  # an upload takes ten minutes at most, and its commit some seconds more
EVERY: Final = 900.0  # seconds between two looks
AGAIN: Final = 60.0  # seconds after a look that failed

log = structlog.get_logger("hub.workers")


@contextlib.asynccontextmanager
async def sweeping(files: Files, clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Sweep for as long as the block lasts."""
    task = asyncio.create_task(_sweep(files, clock), name="orphans")
    try:
        yield
    finally:
        await ended([task])


async def _sweep(files: Files, clock: Callable[[], datetime]) -> None:
    """At the start and every quarter of an hour, not all processes at once. No failure ends it."""
    while True:
        pause = EVERY
        try:
            if dropped := await files.sweep(clock() - OLD):
                log.info("orphans_swept", files=dropped)
        except Unavailable:
            pause = AGAIN
        except Exception:
            log.exception("sweep_failed")
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
