"""The seam through which access asks which roles a party holds in the company's life: a claim may be worth only as much."""

from datetime import datetime
from typing import Protocol

from hub.domain.ids import PartyId


class Standing(Protocol):
    """Who keeps the roles of parties; `hub.store.party_roles` does."""

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        """The names of the roles that are valid at a moment, casefolded: planned and ended ones do not count."""
        ...
