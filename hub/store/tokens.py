"""The tokens that the hub issued, as they are read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hub.access.visibility import Visibility
from hub.store import paging
from hub.store.mongo import Mongo, unit_of_work
from hub.store.paging import Order, Rows, Window

COLLECTION: Final = "tokens"
NEWEST: Final = Order("NEWEST")


class Tokens:
    """What one hub remembers of its tokens."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str) -> dict[str, Any] | None:
        """The token with this id, or None when it is unknown or out of sight."""
        return (await self.find_many(visibility, [id]))[0]

    async def find_many(self, visibility: Visibility, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """One for each id, in order, None where unknown or out of sight."""
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)))
        return [token if (token := found.get(id)) is not None and visibility.sees_token(token) else None for id in ids]

    async def page(self, visibility: Visibility, window: Window) -> Rows:
        """A page in sight, the newest first."""
        with unit_of_work():
            return await paging.page(self._mongo, COLLECTION, visibility.tokens(), (NEWEST, window))

    async def count(self, visibility: Visibility) -> int:
        """How many are in sight, up to `paging.COUNTED`."""
        with unit_of_work():
            return await paging.count(self._mongo, COLLECTION, visibility.tokens())

    async def revoked(self, now: datetime) -> list[dict[str, Any]]:
        """Those that were revoked and would still be good."""
        with unit_of_work():
            query = {"revokedAt": {"$exists": True}, "expiresAt": {"$gt": now}}
            return await self._mongo.page(COLLECTION, query, projection={"expiresAt": 1})
