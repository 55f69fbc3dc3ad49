"""The audit: who read or changed what about whom. Written and read, never changed: what is too old leaves by its index.

One document is a chunk: the records of one write, and once for all of them the parties that they are about, by which an
index finds it. Ids only: no text, no name, no address and no token stands here."""

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from hub.access.viewers import Viewer
from hub.store.documents import lean
from hub.store.mongo import Mongo, unit_of_work

COLLECTION: Final = "audit"
CHUNK: Final = 8_000  # ids of one chunk: some 50 bytes each, and for parties once more, so it stays under a megabyte
HEAD: Final = 10  # ids' worth of what a record says beside them
WRITE: Final = 4.0  # seconds for one chunk, which takes some milliseconds
LOOK: Final = 3_600.0  # seconds for reading about one party: whoever reads along sets the pace

Seen = tuple[str, Sequence[str]]  # an interaction and everybody in its sight; "" and the parties that were themselves looked at
INTERACTION: Final = itemgetter(0)
PARTIES: Final = itemgetter(1)


class Did(StrEnum):
    """What became of it."""

    READ = "READ"
    CHANGED = "CHANGED"


@dataclass(slots=True, eq=False)
class Record:
    """What one operation disclosed or changed. `operation` is its name and its root fields."""

    at: datetime
    viewer: Viewer
    operation: str
    did: Did
    seen: list[Seen]


def weight(seen: Collection[Seen]) -> int:
    """How many ids these are."""
    return len(seen) + sum(map(len, map(PARTIES, seen)))


def chunks(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Records as the documents that keep them, in order."""
    held, ids = list[dict[str, Any]](), 0
    for record in records:
        for part in _parts(record.seen):
            told = _told(record, part)
            grown = HEAD + len(told["interactions"]) + len(told["parties"])
            if held and ids + grown > CHUNK:
                yield _chunk(held)
                held, ids = [], 0
            held.append(told)
            ids += grown
    if held:
        yield _chunk(held)


async def insert(mongo: Mongo, chunk: Mapping[str, Any]) -> None:
    """Write a chunk, durably; again does no harm. Raises the driver's error or Unavailable."""
    with unit_of_work(WRITE):
        try:
            await mongo[COLLECTION].insert_one(dict(chunk))
        except DuplicateKeyError:  # it arrived, and the answer did not
            return


async def about(mongo: Mongo, party: str, since: datetime | None = None) -> AsyncGenerator[dict[str, Any], None]:
    """The records about a party from a moment on, the oldest chunk first; none for a party that nobody looked at.

    Processes write apart from each other: among theirs, what is less than a second apart may change places."""
    query: dict[str, Any] = {"parties": party}
    if since is not None:
        query["_id"] = {"$gte": ObjectId.from_datetime(since.astimezone(UTC))}  # a chunk is made after what it tells
    concerned = {"$in": [party, "$$record.parties"]}
    recent = [] if since is None else [{"$gte": ["$$record.at", since]}]
    kept = {"$filter": {"input": "$records", "as": "record", "cond": {"$and": [concerned, *recent]}}}
    with unit_of_work(LOOK):
        async for chunk in mongo.rows(COLLECTION, query, {"records": kept}, sort=[("_id", 1)]):
            for record in chunk["records"]:
                yield record


def _parts(seen: Sequence[Seen]) -> Iterator[Sequence[Seen]]:
    """What was seen, cut where it would fill more than a chunk."""
    if weight(seen) + HEAD <= CHUNK:
        yield seen
        return
    part, ids = list[Seen](), HEAD
    for one in seen:
        if part and ids + 1 + len(one[1]) > CHUNK:
            yield part
            part, ids = [], HEAD
        part.append(one)
        ids += 1 + len(one[1])
    yield part


def _told(record: Record, seen: Sequence[Seen]) -> dict[str, Any]:
    viewer = record.viewer
    interactions = dict.fromkeys(map(INTERACTION, seen))
    interactions.pop("", None)
    return lean(
        {
            "at": record.at,
            "token": viewer.token_id,
            "viewer": viewer.id,
            "party": viewer.party,
            "roles": sorted(map(str, viewer.roles)),
            "operation": record.operation,
            "did": str(record.did),
        }
    ) | {
        "interactions": list(interactions),
        "parties": list(dict.fromkeys(chain.from_iterable(map(PARTIES, seen)))),
    }


def _chunk(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    moments = [record["at"] for record in records]
    return {
        "_id": ObjectId(),
        "from": min(moments),
        "to": max(moments),
        "parties": list(dict.fromkeys(chain.from_iterable(record["parties"] for record in records))),
        "records": list(records),
    }
