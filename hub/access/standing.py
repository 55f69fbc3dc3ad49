"""What a party is worth in the company's life: which one a foreign name means, and which roles it holds at the moment.

The answers are the database's, through two seams, and are kept for seconds only: a role that has ended, or a party that
was made since, counts a moment later.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from hub.access.remembered import Remembered
from hub.access.viewers import Viewer
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier

FRESH: Final = timedelta(seconds=5)  # how long an ended role may go on counting; a page asks some ten times in it
KEPT: Final = 10_000  # parties


class Standing(Protocol):
    """Who keeps the roles of parties; `hub.store.party_roles` does."""

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        """The names of the roles that are valid at a moment, casefolded: planned and ended ones do not count."""
        ...


class Naming(Protocol):
    """Who knows parties by the names that other systems give them; `hub.store.parties` does."""

    async def known_as(self, identifier: ExternalIdentifier) -> PartyId | None:
        """The party of this external identifier."""
        ...


@dataclass(slots=True, eq=False)
class Question:
    """The database is being asked which roles a party holds."""

    party: PartyId
    is_late: bool = False  # they have changed since: the answer may be older than that


class Standings:
    """What claims are worth now, asked again every few seconds."""

    def __init__(self, naming: Naming, standing: Standing) -> None:
        self._naming = naming
        self._standing = standing
        self._parties: Remembered[ExternalIdentifier, tuple[PartyId | None]] = Remembered(KEPT)
        self._held: Remembered[PartyId, frozenset[str]] = Remembered(KEPT)
        self._questions: set[Question] = set()

    async def settle(self, viewer: Viewer, identifier: ExternalIdentifier | None, now: datetime) -> Viewer:
        """The viewer with the party that the identifier means, if any, and without the roles that nothing backs."""
        backed = dict(viewer.backed)
        party = viewer.party if identifier is None else await self._party(identifier, now)
        held = frozenset[str]() if party is None or viewer.roles.isdisjoint(backed) else await self._roles(party, now)
        roles = frozenset(role for role in viewer.roles if role not in backed or backed[role].casefold() in held)
        return replace(viewer, party=party, roles=roles)

    def forget(self, party: str) -> None:
        """Its roles have changed."""
        self._held.drop(PartyId(party))
        for question in self._questions:
            question.is_late |= question.party == party

    async def _party(self, identifier: ExternalIdentifier, now: datetime) -> PartyId | None:
        known = self._parties.get(identifier, now)
        if known is None:
            known = (await self._naming.known_as(identifier),)
            self._parties.put(identifier, known, now + FRESH)
        return known[0]

    async def _roles(self, party: PartyId, now: datetime) -> frozenset[str]:
        """Never those from before a change that `forget` has told of: who begins to follow now is not told of it again."""
        while (held := self._held.get(party, now)) is None:
            question = Question(party)
            self._questions.add(question)
            try:
                held = await self._standing.valid(party, now)
            finally:
                self._questions.discard(question)
            if not question.is_late:
                self._held.put(party, held, now + FRESH)
                return held
        return held
