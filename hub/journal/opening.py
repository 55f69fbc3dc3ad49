"""The journal of one process, opened: committer, feed, bus, audit, retention and their tasks, with one owner that waits for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from hub.access.claim_codes import ClaimCodes
from hub.access.guard import Guard
from hub.access.keys import Keyring
from hub.domain.ids import Ids
from hub.domain.rules import Rules
from hub.journal import head
from hub.journal.audit import Audit
from hub.journal.bus import Bus
from hub.journal.cohorts import Cohorts
from hub.journal.committer import Committer
from hub.journal.cursors import Cursors
from hub.journal.feed import Feed
from hub.journal.log import Entry
from hub.journal.retention import EVENT_DAYS, Retention
from hub.journal.turns import Turns
from hub.store.mongo import Mongo

AGAIN: Final = 0.5  # seconds before a task that did not hear its cancellation is told again


@dataclass(frozen=True, slots=True)
class Journal:
    """What the rooms above write through and follow."""

    mongo: Mongo
    committer: Committer
    feed: Feed
    cohorts: Cohorts
    cursors: Cursors
    bus: Bus
    audit: Audit


@contextlib.asynccontextmanager
async def opened(
    mongo: Mongo,
    keyring: Keyring,
    *,
    name: str,
    clock: Callable[[], datetime],
    new_id: Ids,
    bus_url: str = "memory://",
    event_days: int = EVENT_DAYS,
    rules: Rules | None = None,
    guard: Guard | None = None,
) -> AsyncIterator[Journal]:
    """The journal, working. `name` tells this process from its neighbours, and is the same after a restart."""
    first = await head.read(mongo)
    turns = Turns(mongo, uuid4().hex, name)
    guard = guard or Guard(ClaimCodes(keyring))
    committer = Committer(mongo, first, turns, clock=clock, new_id=new_id, rules=rules or Rules(), guard=guard)
    feed = Feed(mongo, first)
    cohorts = Cohorts(feed)
    bus = Bus(bus_url, mongo)
    audit = Audit(mongo)
    retention = Retention(mongo, timedelta(days=event_days), clock)

    def announce(entries: Sequence[Entry]) -> None:
        feed.offer(entries)
        bus.ring()

    committer.announce = announce
    await turns.enter()
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:  # should one of them end, the hub does
        running = [
            tasks.create_task(committer.run(), name="committer"),
            tasks.create_task(turns.beat(), name="heartbeat"),
            tasks.create_task(feed.run(), name="feed"),
            tasks.create_task(bus.run(feed.hint), name="bus"),
            tasks.create_task(audit.run(), name="audit"),
            tasks.create_task(retention.run(), name="retention"),
        ]
        try:
            yield Journal(mongo, committer, feed, cohorts, Cursors(keyring, first), bus, audit)
        except Exception as error:  # told below: the group would wrap it
            failure = error
        finally:
            await committer.drain()
            await audit.drain()
            await ended([*running, *cohorts.apart.running])
            await turns.leave()
    if failure is not None:
        raise failure


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they are over. Once is not enough where the driver sends: until Python 3.12, `asyncio.wait_for`
    swallows a cancellation that comes together with its result."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN)
