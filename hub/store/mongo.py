"""The one seam to the database: connecting, checking, sessions and transactions, and what its errors mean to a caller.

PyMongo Async and Motor differ in a handful of awaits; `Mongo` hides them, so that nothing else knows which one it runs on
(decision 1). Everything is written with `w=majority`, journaled, and read with majority read concern.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import pymongo
import structlog
from bson import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, UpdateOne, timeout
from pymongo.asynchronous.change_stream import AsyncCollectionChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from hub.errors import StartupError, TooBroad, Unavailable

Document = Mapping[str, Any]  # as MongoDB keeps it: what a view reads; nothing above `graph` takes it apart
Driver = Literal["pymongo", "motor"]

UNIT: Final = 8.0  # seconds that one unit of work may take; a URI's timeoutMS would not bound a transaction
SEARCH: Final = 2.0  # seconds for a search: who waits longer at a screen has gone
REACH: Final = 5_000  # milliseconds to find a primary: an election takes two or three seconds
FAREWELL: Final = 1.0  # seconds to tell the server that our sessions are over; it forgets them by itself after half an hour
NOT_NOW: Final = frozenset(
    {11600, 11602, 91, 189, 10107, 13435, 13436, 133}  # going down, stepping down, no primary
    | {6, 7, 89, 202, 317, 9001}  # a host not found, not reached, its connection lost
    | {50, 64, 134, 262}  # in time it was not done, not acknowledged by a majority, not yet readable
    | {43, 237, 11601}  # killed: with the session of a committer that was thought dead, or a cursor by a failover
)

log = structlog.get_logger("hub.store")


@dataclass(frozen=True, slots=True)
class Update:
    """A change, and the one document that it is for."""

    filter: Document
    change: Document


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What the stages of a pipeline make of every document that matches."""

    filter: Document
    stages: Sequence[Document]


class Mongo:
    """One database, one client, one event loop: made in the lifespan, never at import."""

    def __init__(self, uri: str, database: str, driver: Driver = "pymongo") -> None:
        self.driver = driver
        options: dict[str, Any] = {
            "tz_aware": True,
            "retryWrites": True,
            "serverSelectionTimeoutMS": REACH,
            "connectTimeoutMS": REACH,
            "appname": "interaction-hub",
            "maxPoolSize": 64,
        }
        make: Any = AsyncMongoClient if driver == "pymongo" else AsyncIOMotorClient
        try:
            self.client: AsyncMongoClient[dict[str, Any]] = make(uri, **options)
            self.database: AsyncDatabase[dict[str, Any]] = self.client.get_database(
                database,
                codec_options=cast("CodecOptions[dict[str, Any]]", CodecOptions(tz_aware=True)),
                write_concern=WriteConcern(w="majority", j=True),
                read_concern=ReadConcern("majority"),
            )
        except (InvalidURI, ConfigurationError) as error:
            raise StartupError(f"HUB_MONGO_URI cannot be used: {error}.") from None

    def __getitem__(self, name: str) -> AsyncCollection[dict[str, Any]]:
        return self.database[name]

    async def close(self) -> None:
        """Let go of every connection. It says goodbye to the server, and does not wait for one that is away."""
        with timeout(FAREWELL):
            if self.driver == "pymongo":
                await self.client.close()
            else:  # Motor says it on the event loop's own thread, and everybody would wait
                await asyncio.to_thread(cast("Any", self.client).delegate.close)

    async def check(self) -> str:
        """The server's version; StartupError where it cannot keep what the hub promises, saying what to change."""
        try:
            with timeout(UNIT):
                hello = await self.client.admin.command("hello")
                if "setName" not in hello:
                    raise StartupError(
                        "This MongoDB is no replica set, and the hub needs transactions: start it with --replSet NAME, run rs.initiate()."
                    )
                defaults = await self.client.admin.command("getDefaultRWConcern")
                if (found := defaults.get("defaultWriteConcern", {}).get("w")) != "majority":
                    raise StartupError(
                        f"This MongoDB's default write concern is w: {found!r}, not 'majority' (an arbiter lowers it): run "
                        "db.adminCommand({setDefaultRWConcern: 1, defaultWriteConcern: {w: 'majority'}})."
                    )
                return str((await self.client.admin.command("buildInfo"))["version"])
        except PyMongoError as error:
            raise StartupError(f"The hub cannot talk to its MongoDB: {brief(error)}") from None

    async def answers(self, seconds: float = 2.0) -> bool:
        """Whether a primary answers within some seconds."""
        try:
            async with asyncio.timeout(seconds):  # the driver's own clock is not looked at while Motor's threads are all busy
                with timeout(seconds):
                    await self.client.admin.command("ping")
        except (PyMongoError, TimeoutError):
            return False
        return True

    @contextlib.asynccontextmanager
    async def search(self, helps: str) -> AsyncIterator[None]:
        """A unit of work of which the question decides how long it takes. Raises TooBroad, saying what `helps`, where time
        runs out on a database that is well."""
        with unit_of_work():
            try:
                with timeout(SEARCH):
                    yield
            except PyMongoError as error:
                if error.timeout and await self.answers(1.0):
                    raise TooBroad(helps) from error
                raise

    async def session(self) -> AsyncClientSession:
        """A new session; end it with `end_session`."""
        return cast("AsyncClientSession", await _ready(self.client.start_session()))

    async def begin(self, session: AsyncClientSession) -> None:
        """Open a transaction with majority write concern on `session`; its first command starts it on the server."""
        await _ready(session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=WriteConcern(w="majority", j=True)))

    async def page(
        self, collection: str, query: Document, *, projection: Any = None, sort: Any = None, limit: int = 0
    ) -> list[dict[str, Any]]:
        """Every matching document, at most `limit`, as one list."""
        cursor = self[collection].find(dict(query), projection, sort=sort, limit=limit, batch_size=max(limit, 0) or 1_000)
        return await cursor.to_list(None)

    async def aggregate(self, collection: str, pipeline: Sequence[Document], **options: Any) -> list[dict[str, Any]]:
        """Everything that a pipeline gives, as one list; `options` are the aggregate command's."""
        cursor = await _ready(self[collection].aggregate([dict(stage) for stage in pipeline], **{"batchSize": 1_000} | options))
        return cast("list[dict[str, Any]]", await cursor.to_list(None))

    async def rows(
        self, collection: str, query: Document, projection: Any, *, limit: int = 0, sort: Any = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Matching documents one after the other: no more of them are held than come together."""
        async for document in self[collection].find(dict(query), projection, limit=limit, sort=sort):
            yield document

    async def watch(
        self, collection: str, pipeline: Sequence[Document], *, after: Document | None, wait: int
    ) -> AsyncCollectionChangeStream[dict[str, Any]]:
        """What happens to a collection from now on, or after a token. The stream is open: nothing that comes now is missed.
        `try_next` answers after `wait` milliseconds at most, with None where nothing happened."""
        stages = [dict(stage) for stage in pipeline]
        stream = await _ready(self[collection].watch(stages, start_after=after, max_await_time_ms=wait))
        await stream.__aenter__()  # with Motor it is opened only here
        return cast("AsyncCollectionChangeStream[dict[str, Any]]", stream)

    async def by_ids(self, collection: str, ids: Sequence[Any], projection: Any = None) -> dict[Any, dict[str, Any]]:
        """The documents with these `_id`s that exist, by `_id`; asks nothing for no ids."""
        if not ids:
            return {}
        found = await self.page(collection, {"_id": {"$in": list(ids)}}, projection=projection)
        return {document["_id"]: document for document in found}

    async def update(self, collection: str, updates: Sequence[Update], session: AsyncClientSession) -> int:
        """How many documents the updates of a transaction matched. A lone one goes without the machinery of many."""
        if len(updates) == 1:
            return (await self[collection].update_one(dict(updates[0].filter), dict(updates[0].change), session=session)).matched_count
        many = [UpdateOne(dict(one.filter), dict(one.change)) for one in updates]
        return (await self[collection].bulk_write(many, ordered=False, session=session)).matched_count

    async def update_all(self, collection: str, change: Rewrite, session: AsyncClientSession) -> None:
        """Whatever matches, as the stages make it of itself, in a transaction."""
        stages = [dict(stage) for stage in change.stages]
        await self[collection].update_many(dict(change.filter), stages, session=session)

    async def insert(self, collection: str, documents: Sequence[Any], session: AsyncClientSession) -> None:
        """Documents in a transaction; nothing for none."""
        if len(documents) == 1:
            await self[collection].insert_one(documents[0], session=session)
        elif documents:
            await self[collection].insert_many(documents, ordered=False, session=session)


async def _ready(begun: Any) -> Any:
    """What one driver gives at once and the other after a while."""
    return await begun if isinstance(begun, Awaitable) else begun


@contextlib.contextmanager
def unit_of_work(seconds: float = UNIT) -> Iterator[None]:
    """Bounds what runs inside and tells a driver's failure as what it means: Unavailable, or a fault of ours."""
    try:
        with timeout(seconds):
            yield
    except PyMongoError as error:
        if is_unavailable(error):
            log.warning("database_unavailable", cause=brief(error))
            raise Unavailable("The database does not answer at the moment.") from error
        raise


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """What is asked of the database inside has an end on the server too; a unit of work ends with it, if not before."""
    with timeout(seconds):
        yield


def is_unavailable(error: PyMongoError) -> bool:
    """Whether the database, not the request, is the trouble, so that the same request may succeed later."""
    return (
        isinstance(error, (ConnectionFailure, ExecutionTimeout, WaitQueueTimeoutError))
        or (isinstance(error, OperationFailure) and error.code in NOT_NOW)
        or error.timeout
        or isinstance(error, pymongo.errors.InvalidOperation)
    )


def brief(error: BaseException) -> str:
    """The first sentence of a driver's error, without the topology, the whole reply or a key's values: those may name a person."""
    return re.split(r", Timeout:|, full error:| dup key:", str(error), maxsplit=1)[0][:300]


@contextlib.asynccontextmanager
async def connected(uri: str, database: str, driver: Driver = "pymongo") -> AsyncIterator[Mongo]:
    """A connection for as long as the block lasts."""
    mongo = Mongo(uri, database, driver)
    try:
        yield mongo
    finally:
        await mongo.close()
