"""The clients of the hub's token endpoint, as they are read."""

from typing import Any, Final

from hub.domain.clients import Client
from hub.store.documents import client_from
from hub.store.mongo import Mongo, unit_of_work

COLLECTION: Final = "clients"


class Clients:
    """The clients of one hub. For the token endpoint and for operators: no viewer reads them."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, id: str) -> Client | None:
        """The client with this id."""
        with unit_of_work():
            found = (await self._mongo.by_ids(COLLECTION, [id])).get(id)
        return None if found is None else client_from(found)

    async def all(self) -> list[Client]:
        """Every client, the oldest first."""
        with unit_of_work():
            return [client_from(found) for found in await self._mongo.page(COLLECTION, {}, sort=[("_id", 1)])]

    async def disabled(self) -> list[dict[str, Any]]:
        """Those that are disabled, by id alone."""
        with unit_of_work():
            return await self._mongo.page(COLLECTION, {"disabledAt": {"$exists": True}}, projection={"_id": 1})
