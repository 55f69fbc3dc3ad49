"""The roles of parties as they are read."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.store import paging
from hub.store.mongo import Mongo, unit_of_work
from hub.store.paging import Order, Rows, Window
from hub.store.searching import all_of

COLLECTION: Final = "partyRoles"
NEWEST: Final = Order("NEWEST")
HELD: Final = 100  # roles of one party that are shown with it; a page of `partyRoles` shows all


class PartyRoles:
    """The party roles of one hub; also what access asks (`hub.access.standing`)."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, visibility: Visibility, id: str) -> dict[str, Any] | None:
        """The party role with this id, or None when it is unknown or out of sight."""
        return (await self.find_many(visibility, [id]))[0]

    async def find_many(self, visibility: Visibility, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """One for each id, in order, None where unknown or out of sight."""
        with unit_of_work():
            found = await self._mongo.by_ids(COLLECTION, sorted(set(ids)))
        return [role if (role := found.get(id)) is not None and visibility.sees_party_role(role) else None for id in ids]

    async def held(self, visibility: Visibility, parties: Sequence[str], at: datetime) -> list[list[dict[str, Any]]]:
        """The roles that are valid at a moment, of each party, in order; in one query."""
        query = {"$and": [{"party": {"$in": sorted(set(parties))}}, _valid(at), visibility.party_roles()]}
        with unit_of_work():
            found = await self._mongo.page(COLLECTION, query, sort=[("party", 1), ("_id", 1)])
        roles: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for role in found:
            roles[role["party"]].append(role)
        return [roles[party][:HELD] for party in parties]

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        """The names of the roles that are valid at a moment, casefolded."""
        with unit_of_work():
            found = await self._mongo.page(COLLECTION, {"party": party, **_valid(at)}, projection={"name": 1})
        return frozenset(role["name"].casefold() for role in found)

    async def page(self, visibility: Visibility, party: str | None, name: str | None, window: Window) -> Rows:
        """A page in sight, whether valid or not, the newest first."""
        with unit_of_work():
            return await paging.page(self._mongo, COLLECTION, _sought(visibility, party, name), (NEWEST, window))

    async def count(self, visibility: Visibility, party: str | None, name: str | None) -> int:
        """How many are in sight, up to `paging.COUNTED`."""
        with unit_of_work():
            return await paging.count(self._mongo, COLLECTION, _sought(visibility, party, name))


def _valid(at: datetime) -> dict[str, Any]:
    return {"validFrom": {"$lte": at}, "$or": [{"validTo": {"$exists": False}}, {"validTo": {"$gt": at}}]}


def _sought(visibility: Visibility, party: str | None, name: str | None) -> dict[str, Any]:
    wanted = {field: value for field, value in (("party", party), ("name", name)) if value is not None}
    return all_of(visibility.party_roles(), wanted)
