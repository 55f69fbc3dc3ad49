"""Pages by keyset: a cursor says after which key to go on, so that a page costs the same wherever it lies, in both directions."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.access.keys import Keyring, Seal
from hub.errors import BadInput
from hub.store.mongo import Mongo
from hub.store.searching import all_of

PAGE: Final = 20  # rows when nobody says how many
LARGEST: Final = 100
COUNTED: Final = 10_000  # totals are exact up to here; counting a million costs 100 ms and tells a person nothing more
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STAMP: Final = struct.Struct(">Bq")
EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)

Query = Mapping[str, Any]
Value = datetime | int | None


@dataclass(frozen=True, slots=True)
class Order:
    """By the value at `path`, then by `_id`, both in the same direction; without a path, by `_id` alone.

    Where a row may have no value, those rows come last in either direction, and `present` may say what else is true of the
    others: it is what lets a partial index serve them."""

    name: str
    path: str | None = None
    is_descending: bool = True
    is_nullable: bool = False
    present: Query | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands in an order: its value there, and its id."""

    value: Value
    id: str


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of an order: `size` rows between two keys, counted from the start or, backwards, from the end."""

    size: int = PAGE
    is_backward: bool = False
    after: Key | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One page, in its order, and whether there is more on either side."""

    rows: list[dict[str, Any]]
    has_next: bool
    has_previous: bool


class PageCursors:
    """Seals keys, with keys of its own for each list and order: a cursor of another one is refused, not misread."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._seals: dict[tuple[str, Order], Seal] = {}  # a handful of lists, each in a handful of orders

    def seal(self, of: str, order: Order, row: Mapping[str, Any]) -> str:
        """The cursor of a row."""
        value = row.get(order.path) if order.path else None
        stamp = (value - EPOCH) // timedelta(milliseconds=1) if isinstance(value, datetime) else value or 0
        return self._of(of, order).seal(STAMP.pack(_kind(value), stamp) + row["_id"].encode())

    def open(self, of: str, order: Order, cursor: str) -> Key:
        """The row's key; CursorInvalid for what is not a cursor of this list in this order."""
        packed = self._of(of, order).open(cursor)
        kind, stamp = STAMP.unpack(packed[: STAMP.size])
        value = (None, stamp, EPOCH + timedelta(milliseconds=stamp))[kind]
        return Key(value, packed[STAMP.size :].decode())

    def _of(self, of: str, order: Order) -> Seal:
        order = Order(order.name, order.path)  # whichever way it is walked, a key stands where it stands
        if (seal := self._seals.get((of, order))) is None:
            seal = self._seals[of, order] = Seal(self._keyring, f"page:{of}:{order.name}:{order.path}")
        return seal


def _kind(value: Value) -> int:
    """0 for none, 1 for a number, 2 for a moment."""
    return 2 if isinstance(value, datetime) else int(value is not None)


def size(first: int | None, name: str = "first") -> int:
    """How many rows a page has; BadInput outside 1 to 100."""
    if first is None:
        return PAGE
    if not 1 <= first <= LARGEST:
        raise BadInput(f"{name} lies between 1 and {LARGEST}; ask for the next page by its cursor.", name)
    return first


def sized(first: int | None, last: int | None) -> tuple[int, bool]:
    """How many rows a page has, and whether they are counted from its end. BadInput for both `first` and `last`."""
    if first is not None and last is not None:
        raise BadInput("A page has its first rows or its last: give `first` or `last`, not both.", "last")
    return (size(first), False) if last is None else (size(last, "last"), True)


async def page(mongo: Mongo, collection: str, query: Query, within: tuple[Order, Window], projection: Any = None) -> Rows:
    """The matching documents within a window of an order."""
    order, window = within
    rows: list[dict[str, Any]] = []
    wanted = window.size + 1  # one more, to know whether there is one
    for clauses, sort in _segments(order, window):
        if len(rows) < wanted:
            rows += await mongo.page(collection, all_of(query, *clauses), projection=projection, sort=sort, limit=wanted - len(rows))
    has_more, found = len(rows) > window.size, rows[: window.size]
    if window.is_backward:
        return Rows(found[::-1], has_next=window.before is not None, has_previous=has_more)
    return Rows(found, has_next=has_more, has_previous=window.after is not None)


async def count(mongo: Mongo, collection: str, query: Query) -> int:
    """How many match: exact up to `COUNTED`, and one more than that for all beyond."""
    return await mongo[collection].count_documents(dict(query), limit=COUNTED + 1)


def _segments(order: Order, window: Window) -> Iterator[tuple[list[Query], list[tuple[str, int]]]]:
    """What to ask for, one after the other: rows with a value and rows without are stretches of their own."""
    direction = -1 if order.is_descending != window.is_backward else 1
    bounds = [(key, is_after) for key, is_after in ((window.after, True), (window.before, False)) if key is not None]
    stretches = (order.path, None) if order.is_nullable else (order.path,)
    for path in reversed(stretches) if window.is_backward else stretches:
        clauses: list[Query] = [_stretch(order, path)]
        for key, is_after in bounds:
            clause = _bound(order, path, key, is_after=is_after)
            if clause is None:
                break
            clauses.append(clause)
        else:
            yield clauses, [*([(path, direction)] if path else []), ("_id", direction)]


def _stretch(order: Order, path: str | None) -> Query:
    if order.path is None or not order.is_nullable:
        return {}
    return {order.path: None} if path is None else {path: {"$gte": EARLIEST}, **(order.present or {})}


def _bound(order: Order, path: str | None, key: Key, *, is_after: bool) -> Query | None:
    """What lies after (or before) a key in one stretch: a clause, {} for all of it, None for nothing."""
    beyond = "$lt" if order.is_descending == is_after else "$gt"
    if path is None:
        if order.path is not None and key.value is not None:  # the key lies in the stretch before this one
            return {} if is_after else None
        return {"_id": {beyond: key.id}}
    if key.value is None:
        return None if is_after else {}
    either = [{path: {beyond: key.value}}, {path: key.value, "_id": {beyond: key.id}}]
    return {"$or": either, path: {f"{beyond}e": key.value}}
