"""Parties as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier, dialled
from hub.store import paging
from hub.store.documents import identifier_document
from hub.store.mongo import Mongo, unit_of_work
from hub.store.paging import Order, Rows, Window
from hub.store.searching import all_of, all_words

COLLECTION: Final = "parties"
NEWEST: Final = Order("NEWEST")
NARROWER: Final = "narrow it by rarer words, or by contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFilter:
    """None asks nothing. `contact`: a whole address or number, whatever its case or spacing."""

    words: tuple[str, ...] | None = None
    contact: str | None = None
    kind: str | None = None

    def query(self, visibility: Visibility) -> dict[str, Any]:
        """As MongoDB takes it, within sight."""
        return all_of(
            visibility.parties(),
            {} if self.words is None else all_words(self.words),
            {} if self.contact is None else {"addresses": {"$in": [self.contact.strip().casefold(), dialled(self.contact)]}},
            {} if self.kind is None else {"kind": self.kind},
        )


class Parties:
    """The parties of one hub."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str, projection: Any = None) -> dict[str, Any] | None:
        """The party with this id, or None when it is unknown or out of sight."""
        found = (await self.named(visibility, [id], projection))[0]
        return found if found is not None and visibility.sees_party(found) else None

    async def find_external(self, visibility: Visibility, identifier: ExternalIdentifier, projection: Any = None) -> dict[str, Any] | None:
        """The party with this external identifier, or None when it is unknown or out of sight."""
        with unit_of_work():
            named = {"externalIdentifiers": {"$elemMatch": identifier_document(identifier)}}
            found = await self._mongo.page(COLLECTION, named, projection=projection, limit=1)
        return found[0] if found and visibility.sees_party(found[0]) else None

    async def known_as(self, identifier: ExternalIdentifier) -> PartyId | None:
        """The id of the party with this external identifier: what access asks (`hub.access.standing`), before there is a viewer."""
        with unit_of_work():
            named = {"externalIdentifiers": {"$elemMatch": identifier_document(identifier)}}
            found = await self._mongo.page(COLLECTION, named, projection={"_id": 1}, limit=1)
        return PartyId(found[0]["_id"]) if found else None

    async def page(self, visibility: Visibility, sought: PartyFilter, window: Window, projection: Any = None) -> Rows:
        """A page in sight, the newest first. Raises TooBroad."""
        async with self._mongo.search(NARROWER):
            return await paging.page(self._mongo, COLLECTION, sought.query(visibility), (NEWEST, window), projection)

    async def count(self, visibility: Visibility, sought: PartyFilter) -> int:
        """How many are in sight, up to `paging.COUNTED`. Raises TooBroad."""
        async with self._mongo.search(NARROWER):
            return await paging.count(self._mongo, COLLECTION, sought.query(visibility))

    async def named(self, visibility: Visibility, ids: Sequence[str], projection: Any = None) -> list[dict[str, Any] | None]:
        """Parties that something in sight names, one for each id, in order.

        They are shown by a view that masks what `visibility.sees_party` does not cover, so rows are not dropped here.
        """
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)), projection)
        return [found.get(id) for id in ids]
