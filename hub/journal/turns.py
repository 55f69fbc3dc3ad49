"""Turns: how several committers share one head without starving each other or waiting for the dead.

Alone, a committer never asks: it looks every `LOOK` whether someone waits. Who met a conflict puts itself in the queue
beside the head; whoever sees a queue stands at its end. Each committer keeps a lease with its session and a heartbeat by
the server's clock. mongod keeps a dead writer's transaction, and so its hold on the head, for over a minute: who waits
kills the sessions of those whose heart stopped.
"""

import asyncio
import time
from typing import Any, Final

import structlog
from bson import Binary
from pymongo import timeout
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from hub.store.mongo import UNIT, Mongo, brief

BEAT: Final = 0.5  # seconds between heartbeats
DEAD_AFTER: Final = 2_000  # milliseconds without a heartbeat; a stalled process loses a turn, never a write
LOOK: Final = 0.02  # seconds between two looks at the queue while alone: what a waiter pays at most
POLL: Final = 0.002  # seconds between two looks while waiting
QUEUE: Final = "turns"

log = structlog.get_logger("hub.journal")


class Turns:
    """One committer's place among the committers of a database. `me` is unique to a life, `name` outlives it."""

    def __init__(self, mongo: Mongo, me: str, name: str) -> None:
        self._mongo = mongo
        self._me = me
        self._name = name
        self._session: AsyncClientSession | None = None
        self._stale: list[Binary] = []
        self._queued = False
        self._looked = 0.0

    async def session(self) -> AsyncClientSession:
        """The session that this committer writes with, known to its lease; a transaction of the one before it is over."""
        if self._session is None:
            await self._end(self._stale)
            self._stale.clear()
            self._session = await self._mongo.session()
            await self._beat()
        return self._session

    async def renew_session(self) -> None:
        """Forget a session that a failure may have left in an unknown state."""
        if self._session is not None:
            session, self._session = self._session, None
            self._stale.append(session.session_id["id"])
            try:
                with timeout(1):
                    await session.end_session()
            except PyMongoError as error:
                log.info("session_lost", cause=brief(error))

    async def enter(self) -> None:
        """Begin a life: the transactions that an earlier one left open under this name are ended."""
        with timeout(UNIT):
            await self._bury([lease async for lease in self._mongo["leases"].find({"name": self._name, "_id": {"$ne": self._me}})])
        await self.session()

    async def leave(self) -> None:
        """End a life in order."""
        try:
            with timeout(1):
                await self.pass_on()
                await self._mongo["leases"].delete_one({"_id": self._me})
        except PyMongoError as error:
            log.info("lease_left_behind", cause=brief(error))
        await self.renew_session()

    async def beat(self) -> None:
        """Keep the lease alive for as long as this runs."""
        while True:
            await asyncio.sleep(BEAT)
            try:
                with timeout(UNIT):
                    await self._beat()
            except PyMongoError as error:
                log.info("heartbeat_missed", cause=brief(error))

    async def take(self) -> None:
        """Returns when it is this committer's turn. Alone: at once, nearly always without asking."""
        now = time.monotonic()
        if not self._queued and now - self._looked < LOOK:
            return
        self._looked = now
        queue = await self._waiting()
        if not queue:
            self._queued = False
            return
        if self._me not in queue:
            await self._stand()
        waited = time.monotonic()
        while (queue := await self._waiting()) and queue[0] != self._me:
            if self._me not in queue:
                await self._stand()
            if time.monotonic() - waited > BEAT:
                await self._bury_dead()
                waited = time.monotonic()
            await asyncio.sleep(POLL)

    async def pass_on(self) -> None:
        """The turn is used: the next in the queue may commit."""
        if self._queued:
            self._queued = False
            self._looked = time.monotonic()
            try:
                await self._mongo["heads"].update_one({"_id": QUEUE}, {"$pull": {"queue": self._me}})
            except PyMongoError as error:  # it keeps the turn until it takes it again; nothing is lost
                log.info("turn_kept", cause=brief(error))
                self._queued = True

    async def lost(self) -> None:
        """Another writer was faster, or holds the head: stand in the queue, and see that nobody dead holds it."""
        await self._stand()
        await self._bury_dead()
        await asyncio.sleep(POLL)

    async def _stand(self) -> None:
        self._queued = True
        await self._mongo["heads"].update_one({"_id": QUEUE}, {"$addToSet": {"queue": self._me}}, upsert=True)

    async def _waiting(self) -> list[str]:
        found = await self._mongo["heads"].find_one({"_id": QUEUE})
        return list(found.get("queue", ())) if found else []

    async def _beat(self) -> None:
        session = {"session": self._session.session_id["id"]} if self._session else {}
        lease = [{"$set": {"name": self._name, "heartbeat": "$$NOW", **session}}]
        await self._mongo["leases"].update_one({"_id": self._me}, lease, upsert=True)

    async def _bury_dead(self) -> None:
        silent = {"$expr": {"$lt": ["$heartbeat", {"$subtract": ["$$NOW", DEAD_AFTER]}]}, "_id": {"$ne": self._me}}
        await self._bury([lease async for lease in self._mongo["leases"].find(silent)])
        if queue := await self._waiting():  # one that was buried by mistake, stood again and died before its next beat has no lease
            leased = await self._mongo.by_ids("leases", queue, {"_id": 1})
            await self._mongo["heads"].update_one({"_id": QUEUE}, {"$pullAll": {"queue": [one for one in queue if one not in leased]}})

    async def _bury(self, leases: list[dict[str, Any]]) -> None:
        for lease in leases:
            log.info("dead_committer_ended", name=lease.get("name"), lease=lease["_id"])
            await self._end([lease["session"]] if "session" in lease else [])
            await self._mongo["heads"].update_one({"_id": QUEUE}, {"$pull": {"queue": lease["_id"]}})
            await self._mongo["leases"].delete_one({"_id": lease["_id"]})

    async def _end(self, sessions: list[Binary]) -> None:
        if sessions:
            await self._mongo.client.admin.command({"killSessions": [{"id": session} for session in sessions]})
