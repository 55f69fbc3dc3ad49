"""Interactions as they are read: each reader begins with who is looking."""

from collections.abc import Sequence
from typing import Any

from hub.access.visibility import Visibility
from hub.store import paging
from hub.store.mongo import Mongo, unit_of_work
from hub.store.paging import Key, Rows

COLLECTION = "interactions"


class Interactions:
    """The interactions of one hub."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str) -> dict[str, Any] | None:
        """The interaction, or None when it is unknown or out of sight: the two cost and look the same."""
        return (await self.find_many(visibility, [id]))[0]

    async def find_many(self, visibility: Visibility, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """One for each id, in order, None where unknown or out of sight."""
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)))
        return [row if (row := found.get(id)) is not None and visibility.sees(row) else None for id in ids]

    async def newest(self, visibility: Visibility, *, first: int, after: Key | None) -> Rows:
        """A page in sight, newest first."""
        return await paging.newest_first(self._mongo, COLLECTION, visibility.filter(), by="createdAt", first=first, after=after)

    async def count(self, visibility: Visibility) -> int:
        """How many are in sight, up to `paging.COUNTED`."""
        return await paging.count(self._mongo, COLLECTION, visibility.filter())
