"""Commit together: all writes of a process, in one order, as few transactions as there is time for.

A batch is whatever queued while the last one committed; nothing waits on purpose. Per batch:

0. take the turn (`turns`);
1. read, outside the transaction: idempotency keys and the documents touched;
2. decide each command in order, in memory (`batch`); no entries, no transaction;
3. in one transaction, move the head on by the number of entries, from where we knew it: matched nothing, or a write
   conflict, means another writer was faster, so read and decide again. Then the documents, entries and keys. Commit;
4. hand the entries to the feed and answer.

Every write of the hub goes this way. So while the guarded move of the head succeeds, nothing that was read has changed.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from bson import Int64
from pymongo import timeout
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError
from pymongo.read_concern import ReadConcern

from hub.access.guard import Guard
from hub.domain.ids import Ids
from hub.domain.rules import Rules
from hub.errors import BadInput, Conflict, InternalError, Unavailable
from hub.journal import head
from hub.journal.batch import Asked, Committed, Decided, Key, decide
from hub.journal.desk import Command, Desk
from hub.journal.head import HEAD, Head
from hub.journal.log import Actor, Entry
from hub.journal.turns import Turns
from hub.store.mongo import Mongo, brief, is_unavailable

BATCH: Final = 128  # commands in one transaction: beyond it, latency grows and throughput does not
BACKLOG: Final = 4_096  # commands that may wait; about a second's work, later callers are told to come back
PATIENCE: Final = 8.0  # seconds a command may wait for the database before its caller hears UNAVAILABLE
LEAST: Final = 1.0  # seconds that any try gets: cut short in its commit, it would only leave doubt
PAUSE: Final = 0.05  # seconds between two tries while the database does not answer
LAST: Final = 3.0  # seconds that what is queued gets when the hub goes down; it is about a second's work
COMMITS: Final = 3  # repeated commits before the journal is asked
DUPLICATE: Final = 11000

log = structlog.get_logger("hub.journal")


class Lost(Exception):
    """Another writer was faster: read and decide again."""


class Doubtful(Exception):
    """Nobody could say whether the transaction was committed."""


class Committer:
    """Owns every write of this process. `run` works until it is cancelled; `drain` first lets what is queued finish."""

    def __init__(
        self,
        mongo: Mongo,
        first: Head,
        turns: Turns,
        *,
        clock: Callable[[], datetime],
        new_id: Ids,
        rules: Rules,
        guard: Guard,
    ) -> None:
        self._mongo = mongo
        self._position = first.position
        self._epoch = first.epoch
        self._turns = turns
        self._clock = clock
        self._new_id = new_id
        self._rules = rules
        self._guard = guard
        self._queue: list[Asked] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self.announce: Callable[[Sequence[Entry]], None] = lambda entries: None  # the feed's door, set when it opens
        self.observe: Callable[[Decided], None] = lambda decided: None  # told of every commit, by whoever counts them

    async def submit(
        self, command: Command, actor: Actor, key: Key | None = None, heard: Callable[[Committed], None] | None = None
    ) -> Committed:
        """Queue a command and wait for its commit. Raises Refused; UNAVAILABLE at once when the queue is full. `heard` is told
        of the commit even where the caller no longer waits; it must not raise."""
        if self._closed:
            raise Unavailable("The hub is going down.")
        if len(self._queue) >= BACKLOG:
            raise Unavailable(f"{BACKLOG} commands wait already.", retry_after_ms=500)
        loop = asyncio.get_running_loop()
        asked = Asked(command, actor, key, loop.time() + PATIENCE, loop.create_future(), heard)
        self._queue.append(asked)
        self._idle.clear()
        self._wake.set()
        try:
            async with asyncio.timeout_at(asked.until):
                return await asked.answer
        except TimeoutError:
            raise Unavailable("The database does not answer at the moment.") from None

    async def run(self) -> None:
        """Commit what is queued, until cancelled. No failure ends the loop."""
        taken: list[Asked] = []
        try:
            while True:
                await self._wake.wait()
                taken, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                if not self._queue:
                    self._wake.clear()
                await self._work(taken)
                if not self._queue:
                    self._idle.set()
        finally:
            self._closed = True
            _all([*taken, *self._queue], Unavailable("The hub is going down."))
            self._queue.clear()
            self._idle.set()

    async def drain(self) -> None:
        """Take nothing new, and return when everything queued has its answer, or has waited long enough."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                await self._idle.wait()

    async def _work(self, taken: Sequence[Asked]) -> None:
        try:
            await self._settle(taken)
        except Exception:
            log.exception("batch_failed", commands=len(taken), request_ids=[_request_id(one) for one in taken])
            self._turns.renew_session()
            _all(taken, InternalError())
        try:
            with timeout(LEAST):
                await self._turns.pass_on()
        except Exception:
            log.exception("turn_kept")

    async def _settle(self, asked: Sequence[Asked]) -> None:
        """Answer every command of a batch, halving it where it cannot be written, until the guilty one stands alone."""
        try:
            decided = await self._persist(asked)
        except Exception as error:
            self._turns.renew_session()
            if len(asked) == 1:
                asked[0].settle(_meaning(error, asked[0]))
                return
            middle = len(asked) // 2
            await self._settle(asked[:middle])
            await self._settle(asked[middle:])
        else:
            if decided is not None:
                self._done(decided)

    async def _persist(self, asked: Sequence[Asked]) -> Decided | None:
        """Try until it is committed, or nobody waits any more (None). What it raises left nothing behind."""
        decided: Decided | None = None
        doubt: Decided | None = None
        is_reread = False
        while waiting := _waiting(asked):
            try:
                with timeout(_patience(waiting)):
                    if doubt is not None and await self._landed(doubt):
                        return doubt
                    doubt = None
                    if await self._turns.take():
                        self._position = (await head.read(self._mongo)).position
                    decided = await self._decided(waiting)
                    await self._write(decided)
            except Lost:
                await self._again(lost=True)
            except Doubtful:
                doubt = decided
                await self._again()
            except Unavailable:  # the head could not be read
                await self._again()
            except PyMongoError as error:
                stale = DUPLICATE in _codes(error) and not is_reread  # a read behind a failover would have shown it
                if not (stale or is_unavailable(error) or error.has_error_label("TransientTransactionError")):
                    raise
                log.warning("commit_retried", cause=brief(error), commands=len(waiting))
                await self._again()
                is_reread = stale or is_reread
            else:
                return decided
        return None

    async def _again(self, *, lost: bool = False) -> None:
        """Before another try: stand in the queue, or take another session, and see where the head is."""
        try:
            with timeout(LEAST):
                if lost:
                    await self._turns.lost()
                else:
                    self._turns.renew_session()
                    await asyncio.sleep(PAUSE)
                found = await head.read(self._mongo, anew=not lost)
                self._position = found.position
                if found.epoch != self._epoch:
                    log.error("journal_replaced", told="The database holds another journal than at start: start the hub again.")
        except (PyMongoError, Unavailable) as error:
            log.info("head_unread", cause=brief(error))
            await asyncio.sleep(PAUSE)

    async def _decided(self, asked: Sequence[Asked]) -> Decided:
        """Steps 1 and 2."""
        desk = Desk(self._clock(), self._new_id, self._rules, self._guard)
        keys, _ = await asyncio.gather(
            self._mongo.by_ids("idempotency", [one.key.id for one in asked if one.key]),
            desk.load(self._mongo, (touch for one in asked for touch in one.command.touches())),
        )
        return decide(asked, desk, {bytes(id): key for id, key in keys.items()}, self._position)

    async def _write(self, decided: Decided) -> None:
        """Step 3. Raises Lost, Doubtful, or the driver's error; unless it returns, nothing counts as written."""
        if not decided.written:
            return
        decided.began = time.time_ns()
        session = await self._turns.session()
        try:
            await self._mongo.begin(session)
            await self._move_head(decided, session)
            await self._insert(decided, session)
        except BaseException:
            await _abort(session)
            raise
        await _commit(session)
        decided.ended = time.time_ns()

    async def _move_head(self, decided: Decided, session: AsyncClientSession) -> None:
        try:
            moved = await self._mongo["heads"].update_one(
                {"_id": HEAD, "epoch": Int64(self._epoch), "position": Int64(decided.position)},
                {"$inc": {"position": Int64(len(decided.written))}},
                session=session,
            )
        except PyMongoError as error:
            if error.has_error_label("TransientTransactionError") and not is_unavailable(error):
                raise Lost from error
            raise
        if moved.matched_count == 0:
            raise Lost

    async def _insert(self, decided: Decided, session: AsyncClientSession) -> None:
        for collection, updates in decided.updates.items():
            if await self._mongo.update(collection, updates, session) != len(updates):  # a guard that misses is silent
                raise Lost
        for collection, documents in decided.inserts.items():
            await self._mongo.insert(collection, documents, session)
        for inherited in decided.inherited:  # after the insert: what was decided in this very batch is of the past too
            await self._mongo.update_all("journal", inherited, session)

    async def _landed(self, doubt: Decided) -> bool:
        """Whether a transaction of which nobody knew was committed: its first entry bears its mark. Raises Doubtful.

        A new session ends the old one's transaction first, so that what is not there now will not come.
        """
        journal = self._mongo["journal"].with_options(read_concern=ReadConcern("linearizable"))
        try:
            await self._turns.session()
            found = await journal.find_one({"_id": Int64(doubt.position + 1)}, {"batch": 1})
        except Exception as error:  # as long as nobody knows, nothing may be decided anew
            raise Doubtful from error
        return found is not None and bytes(found["batch"]) == doubt.mark

    def _done(self, decided: Decided) -> None:
        """Step 4."""
        self._position = decided.position + len(decided.written)
        try:
            if decided.written:
                self.announce(decided.entries)
        except Exception:  # it is committed; the feed reads what it was not told
            log.exception("announcement_failed")
        for one, answer in decided.answers:
            one.settle(answer)
        try:
            if decided.written:
                self.observe(decided)
        except Exception:
            log.exception("observation_failed")


async def _commit(session: AsyncClientSession) -> None:
    """Commit, and again while the answer is unknown: the server answers a repeated commit as it did the first."""
    for left in reversed(range(1 + COMMITS)):
        try:
            return await session.commit_transaction()
        except PyMongoError as error:
            if not left or error.timeout or not error.has_error_label("UnknownTransactionCommitResult"):
                raise Doubtful from error
            await asyncio.sleep(PAUSE)
        except Exception as error:
            raise Doubtful from error


async def _abort(session: AsyncClientSession) -> None:
    try:
        if session.in_transaction:
            await session.abort_transaction()
    except PyMongoError as error:  # it ends by itself, or by whoever waits for the head
        log.info("abort_unheard", cause=brief(error))


def _all(asked: Sequence[Asked], answer: Exception) -> None:
    for one in asked:
        one.settle(answer)


def _waiting(asked: Sequence[Asked]) -> list[Asked]:
    """Those whose patience is not over: the others have heard that the database does not answer."""
    now = asyncio.get_running_loop().time()
    return [one for one in asked if one.until > now]


def _patience(asked: Sequence[Asked]) -> float:
    """Seconds that a try for these may take."""
    return max(LEAST, max(one.until for one in asked) - asyncio.get_running_loop().time())


def _meaning(error: Exception, asked: Asked) -> Exception:
    """What the database's refusal of a single command means to its caller."""
    if DUPLICATE in _codes(error):
        return Conflict("Another one carries this identifier already.")
    if isinstance(error, DocumentTooLarge):
        return BadInput("The result would be larger than the hub keeps.", "input")
    asked.of.run(log.error, "command_unwritable", command=type(asked.command).__name__, cause=brief(error), exc_info=error)
    return InternalError()


def _request_id(asked: Asked) -> Any:
    """The id of the request that its caller was told."""
    return asked.of.run(structlog.contextvars.get_contextvars).get("request_id")


def _codes(error: Exception) -> set[Any]:
    """The server's codes in an error of one or of many writes."""
    if isinstance(error, BulkWriteError):
        return {failure.get("code") for failure in error.details.get("writeErrors", ())}
    return {getattr(error, "code", None)}
