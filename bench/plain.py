"""The plain way: each command in a transaction of its own, written as PyMongo's documentation shows it.

It is an honest peer: the same commands are decided by the same code into the same documents, in collections with the same
validators and indexes. Where there is a choice, it takes the cheaper one: the idempotency key is not looked up but
inserted, and a duplicate is the replay.

Ordered, it gives entries positions without gaps, as the hub does: each transaction moves the head, so only one can be under
way. Left to meet there, transactions fail and are tried again more often than they succeed (119/s with 64 clients where one
client alone did 236/s). So those of this process wait for each other at a lock, which several processes could not.

Unordered, it leaves the head alone and takes an entry's `_id` from a local count: cheaper, and less than the hub promises,
for nobody could follow such a journal and know that nothing was missed.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from bson import Binary, Int64
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.access.claim_codes import ClaimCodes
from hub.access.guard import Guard
from hub.access.keys import Keyring
from hub.domain.events import Event
from hub.domain.ids import Ids
from hub.domain.interactions import Interaction
from hub.domain.rules import Rules
from hub.domain.terms import SubjectKind
from hub.errors import IdempotencyKeyReused
from hub.journal.batch import Committed, Key
from hub.journal.desk import Change, Command, Desk, Ref, ref_of
from hub.journal.head import HEAD
from hub.journal.log import Actor, Written, interaction_entry, numbered
from hub.store.documents import KEPT, difference
from hub.store.mongo import Mongo

GUARD: Final = Guard(ClaimCodes(Keyring(bytes(32))))  # nothing that is measured asks it for a code


class Plain:
    """`submit` does what the committer's does, alone."""

    def __init__(self, mongo: Mongo, *, clock: Callable[[], datetime], new_id: Ids, ordered: bool) -> None:
        self._mongo = mongo
        self._clock = clock
        self._new_id = new_id
        self._ordered = ordered
        self._turn = asyncio.Lock() if ordered else contextlib.nullcontext()
        self._last = time.time_ns()  # what positions there are lie far below

    async def submit(self, command: Command, actor: Actor, key: Key | None = None) -> Committed:
        """Decide and commit; a transaction that met another one is tried again by the driver."""

        async def act(session: AsyncClientSession) -> Committed:
            return await self._act(session, command, actor, key)

        async with self._turn, self._mongo.client.start_session() as session:
            try:
                return await session.with_transaction(act, ReadConcern("snapshot"), WriteConcern(w="majority", j=True))
            except DuplicateKeyError:
                if key is None:
                    raise
                return await self._replayed(key)

    async def _act(self, session: AsyncClientSession, command: Command, actor: Actor, key: Key | None) -> Committed:
        desk = await self._loaded(session, command)
        decision = command.decide(desk)
        (change,) = decision.changes  # every command that is measured changes one interaction
        document = await self._store(session, desk, change)
        written = _entries(desk, change, actor)
        position = await self._position(session, len(written))
        reached = position + len(written)
        numbered(written, position, secrets.token_bytes(12))
        if key is not None:
            await self._mongo["idempotency"].insert_one(_key(key, decision.about, reached, desk.now), session=session)
        for one in written:
            await self._mongo["journal"].insert_one(one.entry, session=session)
            if one.personal is not None:
                await self._mongo["personal"].insert_one(one.personal, session=session)
        return Committed(decision.about, reached, False, document)

    async def _loaded(self, session: AsyncClientSession, command: Command) -> Desk:
        desk = Desk(self._clock(), self._new_id, Rules(), GUARD)
        for touch in command.touches():
            if isinstance(touch, Ref):
                desk.stored[touch] = await self._mongo[KEPT[touch.kind].collection].find_one({"_id": touch.id}, session=session)
        return desk

    async def _store(self, session: AsyncClientSession, desk: Desk, change: Change) -> dict[str, Any]:
        ref = ref_of(change.subject)
        kept = KEPT[ref.kind]
        document = kept.to_document(change.subject)
        if (was := desk.stored.get(ref)) is None:
            await self._mongo[kept.collection].insert_one(document, session=session)
            return document
        guard = {"_id": ref.id, "seq": was["seq"]}
        await self._mongo[kept.collection].update_one(guard, difference(was, document), session=session)
        return was | document

    async def _position(self, session: AsyncClientSession, entries: int) -> int:
        """The position before these entries."""
        if not self._ordered:
            self._last += entries
            return self._last - entries
        head = await self._mongo["heads"].find_one_and_update(
            {"_id": HEAD},
            {"$inc": {"position": Int64(entries)}},
            projection={"position": 1},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if head is None:
            raise RuntimeError("The journal has no head.")
        return int(head["position"]) - entries

    async def _replayed(self, key: Key) -> Committed:
        known = await self._mongo["idempotency"].find_one({"_id": Binary(key.id)})
        if known is None or known["request"] != key.request:
            raise IdempotencyKeyReused
        return Committed(Ref(SubjectKind(known["subject"]["kind"]), known["subject"]["id"]), int(known["position"]), True, None)


def _entries(desk: Desk, change: Change, actor: Actor) -> list[Written]:
    subject = change.subject
    if not isinstance(subject, Interaction):
        raise TypeError("only what happens to interactions is measured")
    was = desk.interaction(subject.id)
    return [interaction_entry(event, was, subject, actor, desk.now) for event in change.events if isinstance(event, Event)]


def _key(key: Key, about: Ref, position: int, at: datetime) -> dict[str, Any]:
    subject = {"kind": str(about.kind), "id": about.id}
    return {"_id": Binary(key.id), "request": key.request, "subject": subject, "position": position, "at": at}
