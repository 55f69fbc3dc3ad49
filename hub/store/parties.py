"""Parties as they are read."""

from collections.abc import Sequence
from typing import Any

from hub.access.visibility import Visibility
from hub.domain.parties import ExternalIdentifier
from hub.store.documents import identifier_document
from hub.store.mongo import Mongo, unit_of_work

COLLECTION = "parties"


class Parties:
    """The parties of one hub."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str) -> dict[str, Any] | None:
        """The party with this id, or None when it is unknown or out of sight."""
        found = (await self.named(visibility, [id]))[0]
        return found if found is not None and visibility.sees_party(found) else None

    async def find_external(self, visibility: Visibility, identifier: ExternalIdentifier) -> dict[str, Any] | None:
        """The party with this external identifier, or None when it is unknown or out of sight."""
        with unit_of_work():
            found = await self._mongo.page(COLLECTION, {"externalIdentifiers": {"$elemMatch": identifier_document(identifier)}}, limit=1)
        return found[0] if found and visibility.sees_party(found[0]) else None

    async def named(self, visibility: Visibility, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Parties that something in sight names, one for each id, in order.

        They are shown by a view that masks what `visibility.sees_party` does not cover, so rows are not dropped here.
        """
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)))
        return [found.get(id) for id in ids]
