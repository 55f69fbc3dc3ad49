"""Interactions as they are read: one by its id, or a page of those in sight."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from hub.access.visibility import Visibility
from hub.errors import TooBroad
from hub.store import paging
from hub.store.mongo import Mongo, unit_of_work
from hub.store.paging import Order, Rows, Window
from hub.store.searching import IS_OPEN, READ, InteractionFilter, all_of, folded, words_in

COLLECTION: Final = "interactions"
FEW: Final = 500  # interactions that are read through for words: some 10 ms, where an index of words may name 100,000
OWN: Final = 5_000  # ... of one's own: half a second

NARROWER: Final = (
    "narrow it by rarer words, partyId, assigneeId, externalIdentifier, entity, ids, or a short span of createdAt; a few open statuses help"
    " the orders PRIORITY and NEXT_UPDATE_DUE_AT"
)


class Interactions:
    """The interactions of one hub."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str, projection: Any = None) -> dict[str, Any] | None:
        """The interaction, or None when it is unknown or out of sight: the two cost and look the same."""
        return (await self.find_many(visibility, [id], projection))[0]

    async def find_many(self, visibility: Visibility, ids: Sequence[str], projection: Any = None) -> list[dict[str, Any] | None]:
        """One for each id, in order, None where unknown or out of sight."""
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)), projection)
        return [row if (row := found.get(id)) is not None and visibility.sees(row) else None for id in ids]

    async def page(
        self, visibility: Visibility, sought: InteractionFilter, within: tuple[Order, Window], *, now: datetime, projection: Any = None
    ) -> Rows:
        """A page in sight. Raises TooBroad where no index narrows a search enough."""
        async with self._mongo.search(NARROWER):
            return await paging.page(self._mongo, COLLECTION, await self._query(visibility, sought, now), within, projection)

    async def count(self, visibility: Visibility, sought: InteractionFilter, *, now: datetime) -> int:
        """How many are in sight, up to `paging.COUNTED`. Raises TooBroad."""
        async with self._mongo.search(NARROWER):
            return await paging.count(self._mongo, COLLECTION, await self._query(visibility, sought, now))

    async def _query(self, visibility: Visibility, sought: InteractionFilter, now: datetime) -> dict[str, Any]:
        """MongoDB reads an index of words from end to end, and looks last at whose an interaction is. So where someone has only
        a few, these are read instead: a search costs what one has oneself, not what the company has, and its time tells
        nothing of what others wrote. Who sees only its own is never searched otherwise."""
        if sought.words is None or not (narrow := sought.narrow.query(visibility, now)):
            return sought.query(visibility, now)
        most = FEW if visibility.everything else OWN
        wanted, ids, number = folded(" ".join(sought.words)), list[str](), 0
        async for document in self._mongo.rows(COLLECTION, narrow, dict.fromkeys(READ, 1), limit=most + 1):
            number += 1
            if wanted <= words_in(document):
                ids.append(document["_id"])
        if number <= most:
            return all_of({"_id": {"$in": ids}}, replace(sought, words=None).query(visibility, now))
        if not visibility.everything:
            raise TooBroad("narrow it by a span of createdAt")
        return sought.query(visibility, now)


def order(visibility: Visibility, by: str, *, is_descending: bool) -> Order:
    """An order of the contract's, as this viewer may know it: by `updatedAt` others than staff never see internal work pass."""
    match by:
        case "UPDATED_AT":
            return Order(by, visibility.updated_at, is_descending)
        case "PRIORITY":
            return Order(by, "priority", is_descending)
        case "NEXT_UPDATE_DUE_AT":
            return Order(by, "nextUpdateDueAt", is_descending, is_nullable=True, present=IS_OPEN)
        case _:
            return Order(by, "createdAt", is_descending)
