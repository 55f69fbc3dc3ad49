"""Turns: how several committers share one head without starving each other or waiting for the dead.

Alone, a committer never asks: it looks every `LOOK` whether someone waits. Who met a conflict puts itself in the queue
beside the head; whoever sees a queue stands at its end. Each committer keeps a lease with its session and a heartbeat by
the server's clock. mongod keeps a dead writer's transaction, and so its hold on the head, for over a minute: who waits
kills the sessions of those whose heart stopped.

Queue and leases decide who tries next, never what is written: so they are kept without waiting for a majority.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from bson import Binary
from pymongo import ReturnDocument, timeout
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.store.mongo import Mongo, brief, unit_of_work

BEAT: Final = 0.5  # seconds between heartbeats
DEAD_AFTER: Final = 2_000  # milliseconds without a heartbeat; a stalled process loses a turn, never a write
SEARCH: Final = 0.2  # seconds between two searches for the dead: so the next commit comes 2.2 to 2.7 s after a death
LOOK: Final = 0.05  # seconds between two looks at the queue while alone: what a waiter pays at most
POLL: Final = 0.002  # seconds between two looks while waiting
FAREWELL: Final = 1.0  # seconds for leaving in order; who is cut short is buried by the others
QUEUE: Final = "turns"

log = structlog.get_logger("hub.journal")


class Turns:
    """One committer's place among the committers of a database. `me` is unique to a life, `name` outlives it."""

    def __init__(self, mongo: Mongo, me: str, name: str) -> None:
        self._mongo = mongo
        self._me = me
        self._name = name
        self._heads = mongo["heads"].with_options(read_concern=ReadConcern("local"), write_concern=WriteConcern(w=1))
        self._leases = mongo["leases"].with_options(read_concern=ReadConcern("local"), write_concern=WriteConcern(w=1))
        self._session: AsyncClientSession | None = None
        self._stale: list[AsyncClientSession] = []
        self._ending = asyncio.Lock()
        self._queued = False  # it may stand in the queue
        self._crowded = False  # others stood there when it left
        self._working = False  # between `take` and `pass_on`
        self._looked = self._searched = 0.0

    async def session(self) -> AsyncClientSession:
        """The session that this committer writes with, known to its lease; a transaction of the one before it is over."""
        if self._session is None:
            await self._end_stale()
            self._session = await self._mongo.session()
            await self._beat()
        return self._session

    def renew_session(self) -> None:
        """Forget a session that a failure may have left in an unknown state."""
        if self._session is not None:
            self._stale.append(self._session)
            self._session = None

    async def enter(self) -> None:
        """Begin a life: the transactions that an earlier one left open under this name are ended. Raises Unavailable."""
        with unit_of_work():
            await self._bury([lease async for lease in self._leases.find({"name": self._name, "_id": {"$ne": self._me}})])
            await self.session()

    async def leave(self) -> None:
        """End a life in order."""
        self.renew_session()
        try:
            with timeout(FAREWELL):
                await self._end_stale()
                await self.pass_on()
                await self._leases.delete_one({"_id": self._me})
        except PyMongoError as error:
            log.info("lease_left_behind", cause=brief(error))

    async def beat(self) -> None:
        """Keep the lease alive for as long as this runs; while nothing is being written, mend what could not be done in time."""
        while True:
            await asyncio.sleep(BEAT)
            try:
                with timeout(DEAD_AFTER / 1000):
                    await self._beat()
                    if not self._working:
                        await self._end_stale()
                        await self._step_out()
            except PyMongoError as error:
                log.info("heartbeat_missed", cause=brief(error))
            except Exception:  # others would bury a live committer again and again
                log.exception("heartbeat_failed")

    async def take(self) -> bool:
        """Returns when it is this committer's turn: alone at once, nearly always without asking. Whether others had theirs."""
        self._working = True
        if not (self._queued or self._crowded) and time.monotonic() - self._looked < LOOK:
            return False
        has_waited = False
        while (queue := await self._waiting()) and queue[0] != self._me:
            has_waited = True
            if self._me in queue:
                await self._search()
                await asyncio.sleep(POLL)
            else:
                await self._stand()
        self._crowded = False
        self._looked = time.monotonic()
        return has_waited

    async def pass_on(self) -> None:
        """The turn is used: the next in the queue may commit."""
        try:
            await self._step_out()
        except PyMongoError as error:  # the heartbeat sees to it
            log.info("turn_kept", cause=brief(error))
        self._working = False

    async def lost(self) -> None:
        """Another writer was faster, or holds the head: stand in the queue, and see that nobody dead holds it."""
        await self._stand()
        await self._search()
        await asyncio.sleep(POLL)

    async def _stand(self) -> None:
        self._queued = True
        await self._heads.update_one({"_id": QUEUE}, {"$addToSet": {"queue": self._me}}, upsert=True)

    async def _step_out(self) -> None:
        if not self._queued:
            return
        self._queued = False  # before it is so, lest a `_stand` that comes meanwhile be forgotten
        leave = {"$pull": {"queue": self._me}}
        try:
            left = await self._heads.find_one_and_update({"_id": QUEUE}, leave, return_document=ReturnDocument.AFTER)
        except BaseException:
            self._queued = True
            raise
        self._crowded = bool(left and left["queue"])

    async def _waiting(self) -> list[str]:
        found = await self._heads.find_one({"_id": QUEUE})
        return list(found.get("queue", ())) if found else []

    async def _beat(self) -> None:
        session = {"session": self._session.session_id["id"]} if self._session else {}
        lease = [{"$set": {"name": self._name, "heartbeat": "$$NOW", **session}}]
        await self._leases.update_one({"_id": self._me}, lease, upsert=True)

    async def _search(self) -> None:
        """End those whose heart stopped, and take out of the queue who has no lease."""
        if time.monotonic() - self._searched < SEARCH:
            return
        self._searched = time.monotonic()
        silent = {"$expr": {"$lt": ["$heartbeat", {"$subtract": ["$$NOW", DEAD_AFTER]}]}, "_id": {"$ne": self._me}}
        await self._bury([lease async for lease in self._leases.find(silent)])
        queue = await self._waiting()  # one that was buried by mistake, stood again and died before its next beat has no lease
        leased = {lease["_id"] async for lease in self._leases.find({"_id": {"$in": queue}}, {"_id": 1})}
        if gone := [one for one in queue if one not in leased]:
            await self._heads.update_one({"_id": QUEUE}, {"$pullAll": {"queue": gone}})

    async def _bury(self, leases: Sequence[dict[str, Any]]) -> None:
        for lease in leases:
            log.info("dead_committer_ended", name=lease.get("name"), lease=lease["_id"])
            await self._end([lease["session"]] if "session" in lease else [])
            await self._heads.update_one({"_id": QUEUE}, {"$pull": {"queue": lease["_id"]}})
            await self._leases.delete_one({"_id": lease["_id"], "heartbeat": lease.get("heartbeat")})

    async def _end_stale(self) -> None:
        """End the transactions of forgotten sessions. Only then do their numbers go back to the driver, which uses them again."""
        async with self._ending:
            stale = tuple(self._stale)
            await self._end([session.session_id["id"] for session in stale])
            for session in stale:
                await session.end_session()
                self._stale.remove(session)

    async def _end(self, sessions: Sequence[Binary]) -> None:
        if sessions:
            await self._mongo.client.admin.command({"killSessions": [{"id": session} for session in sessions]})
