"""How far back events are replayed: the floor of the journal's head, which rises with time.

Nothing is moved and nothing is thrown away: a cursor at or below the floor is told to read anew, and timelines go on
showing the whole past. Every process looks; as the floor only ever rises, it does not matter who is first.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from bson import Int64
from pymongo.errors import PyMongoError

from hub.errors import Unavailable
from hub.journal import head
from hub.journal.head import HEAD
from hub.store.mongo import Mongo, brief, unit_of_work

EVENT_DAYS: Final = 30
EVERY: Final = 3_600.0  # seconds between two looks: within the hour is soon enough for a limit of days
AGAIN: Final = 60.0  # seconds after a look that failed

log = structlog.get_logger("hub.journal")


class Retention:
    """Raises the floor above what is older than `keep`, for as long as it runs."""

    def __init__(self, mongo: Mongo, keep: timedelta, clock: Callable[[], datetime]) -> None:
        self._mongo = mongo
        self._keep = keep
        self._clock = clock

    async def run(self) -> None:
        """Look at the start and every hour, not all processes at once. No failure ends it."""
        while True:
            pause = EVERY
            try:
                await self.raise_floor()
            except (PyMongoError, Unavailable) as error:
                log.info("floor_not_raised", cause=brief(error))
                pause = AGAIN
            except Exception:
                log.exception("retention_failed")
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter

    async def raise_floor(self) -> int:
        """Raise it now; where it stands then. Raises Unavailable."""
        now = await head.read(self._mongo)
        oldest_kept = self._clock() - self._keep
        # Below the head it stays, however long all is quiet: the cursor of now is never too old, else who is told to read anew
        # would be told so for ever.
        floor = min(await self._last_before(oldest_kept, now.floor, now.position), now.position - 1)
        if floor <= now.floor:
            return now.floor
        with unit_of_work():
            changed = await self._mongo["heads"].update_one(  # of this life of the journal, and never down: another may have been first
                {"_id": HEAD, "epoch": Int64(now.epoch), "floor": {"$lt": Int64(floor)}}, {"$set": {"floor": Int64(floor)}}
            )
        if changed.modified_count:
            log.info("floor_raised", floor=floor, kept_from=oldest_kept.isoformat())
        return floor

    async def _last_before(self, moment: datetime, floor: int, position: int) -> int:
        """The last position that was recorded before a moment; `floor` where none above it was.

        Positions are in the order of commits, and the clocks of several processes nearly are: so it is looked for by halves, some
        twenty reads by id in a million, and no index of times is kept for it."""
        below, above = max(floor, 0), position + 1
        while above - below > 1:
            middle = (below + above) // 2
            if await self._recorded_before(middle, moment):
                below = middle
            else:
                above = middle
        return below or floor

    async def _recorded_before(self, position: int, moment: datetime) -> bool:
        with unit_of_work():
            found = await self._mongo["journal"].find_one({"_id": Int64(position)}, {"recordedAt": 1})
        return found is None or found["recordedAt"] < moment  # a hole that a restore has left: nothing to replay
