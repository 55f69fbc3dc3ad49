"""Pages by keyset: a cursor says after which key to go on, so that a page costs the same wherever it lies."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.access.keys import Keyring, Seal
from hub.errors import BadInput, CursorInvalid
from hub.store.mongo import Mongo, unit_of_work

PAGE: Final = 20  # rows when nobody says how many
LARGEST: Final = 100
COUNTED: Final = 10_000  # totals are exact up to here; counting a million costs 100 ms and tells a person nothing more
STAMP: Final = struct.Struct(">q")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands: its time, in milliseconds as MongoDB keeps it, and its id."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One page, and whether there is more on either side."""

    rows: list[dict[str, Any]]
    has_next: bool
    has_previous: bool


class PageCursors:
    """Seals keys, one purpose an order: a cursor of another list is refused, not misread."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._seal = Seal(keyring, f"page:{purpose}")

    def seal(self, key: Key) -> str:
        """The cursor of a row."""
        return self._seal.seal(STAMP.pack((key.at - EPOCH) // timedelta(milliseconds=1)) + key.id.encode())

    def open(self, cursor: str) -> Key:
        """The row's key; CursorInvalid for what is not one of this list's cursors."""
        packed = self._seal.open(cursor)
        if len(packed) <= STAMP.size:
            raise CursorInvalid
        return Key(EPOCH + timedelta(milliseconds=STAMP.unpack(packed[: STAMP.size])[0]), packed[STAMP.size :].decode())


def size(first: int | None) -> int:
    """How many rows a page has; BadInput outside 1 to 100."""
    if first is None:
        return PAGE
    if not 1 <= first <= LARGEST:
        raise BadInput(f"first lies between 1 and {LARGEST}; ask for the next page with `after`.", "first")
    return first


async def newest_first(mongo: Mongo, collection: str, query: Mapping[str, object], *, by: str, first: int, after: Key | None) -> Rows:
    """Matching documents by a time and `_id`, newest first, below `after`."""
    below = {"$or": [{by: {"$lt": after.at}}, {by: after.at, "_id": {"$lt": after.id}}], by: {"$lte": after.at}} if after else {}
    with unit_of_work():
        rows = await mongo.page(
            collection, {"$and": [clause for clause in (query, below) if clause] or [{}]}, sort=[(by, -1), ("_id", -1)], limit=first + 1
        )
    return Rows(rows[:first], has_next=len(rows) > first, has_previous=after is not None)


async def count(mongo: Mongo, collection: str, query: Mapping[str, object]) -> int:
    """How many match: exact up to `COUNTED`, and one more than that for all beyond."""
    with unit_of_work():
        return await mongo[collection].count_documents(dict(query), limit=COUNTED + 1)
