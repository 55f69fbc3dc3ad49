"""How far a viewer reaches: which interactions, journal entries and parties exist for it.

One declaration, two faces: a filter for pages, which MongoDB reads, and `sees` for documents in hand. Both say the same
(a property test holds them to it), and what they leave out looks like what never was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from hub.access.mandates import KEEPERS, STAFF_SYSTEM_AND_PRIVACY
from hub.access.viewers import PARTY_BOUND, Viewer
from hub.domain.ids import PartyId
from hub.domain.terms import Audience, Role
from hub.domain.token_filters import OPEN, TokenFilter

# Where an interaction and an entry hold what a token's filter asks for.
ROW: Final = {"vertical": "vertical", "channel": "channels.type", "kind": "kind", "topic": "topic", "direction": "direction"}
ENTRY: Final = {name: f"facts.{name}" for name in ROW} | {"channel": "facts.channels"}

NOTHING: Final[Mapping[str, object]] = {"_id": {"$in": []}}  # MongoDB answers it without looking at a document


@dataclass(frozen=True, slots=True)
class Visibility:
    """First argument of every read. Of several roles the widest counts."""

    everything: bool  # all rows, whoever takes part
    internal: bool  # entries that only staff read, too
    takes_part: PartyId | None  # rows in which this party takes part
    oneself: PartyId | None  # the party row that one may always see
    all_roles: bool  # all party roles, whoever holds them
    all_tokens: bool  # all tokens that were issued, whoever holds them
    narrowed: TokenFilter = OPEN  # to what, of all these rows, the token reaches

    @classmethod
    def of(cls, viewer: Viewer) -> Self:
        """What this viewer's roles and party let it see; nobody sees nothing."""
        return cls(
            everything=not viewer.roles.isdisjoint(STAFF_SYSTEM_AND_PRIVACY),
            internal=viewer.is_staff,
            takes_part=None if viewer.roles.isdisjoint(PARTY_BOUND) else viewer.party,
            oneself=viewer.party,
            all_roles=not viewer.roles.isdisjoint(KEEPERS),
            all_tokens=Role.ADMIN in viewer.roles,
            narrowed=viewer.narrowed,
        )

    @property
    def sees_all(self) -> bool:
        """Whether every interaction is in sight."""
        return self.everything and self.narrowed.is_open

    @property
    def needs(self) -> tuple[str, ...]:
        """What `sees` looks at: every projection of an interaction carries it."""
        return ("visibleTo",) if self.narrowed.is_open else ("visibleTo", "vertical", "channels", "kind", "topic", "direction")

    def filter(self) -> dict[str, object]:
        """The interactions in sight; put it beside other conditions under `$and`."""
        return self._within("visibleTo", self.takes_part) | self._narrowed(ROW)

    def sees(self, document: Mapping[str, Any]) -> bool:
        """Whether this interaction is in sight."""
        return self._takes_in(document) and (self.narrowed.is_open or _holds(self.narrowed, document, _channels(document)))

    def entries(self) -> dict[str, object]:
        """The journal's entries in sight, by their own list, audience and facts."""
        return self._told() | self._narrowed(ENTRY)

    def sees_entry(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry is in sight, by its own list, audience and facts."""
        return self._is_told(entry) and self._reaches_facts(entry.get("facts", {}))

    def reaches(self, last: Mapping[str, Any] | None) -> bool:
        """Whether an interaction is in sight as its last entry leaves it, whoever is told of that entry. As `sees` of its document."""
        return last is not None and self._takes_in(last) and self._reaches_facts(last.get("facts", {}))

    def leavings(self) -> dict[str, object]:
        """Entries of which some took their interaction out of sight; `loses` says which of them did."""
        lost: list[dict[str, object]] = [] if self.everything or self.takes_part is None else [{"left": self.takes_part}]
        if not self.narrowed.is_open:
            lost.append(self._told() | {"was": {"$exists": True}})
        return {"$or": lost} if lost else dict(NOTHING)

    def loses(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry took its interaction out of sight."""
        facts, was = entry.get("facts", {}), entry.get("was") or {}
        if not self._reaches_facts({**facts, **was}):  # it was out of sight before
            return False
        if not self.everything and self.takes_part is not None and self.takes_part in entry.get("left", ()):
            return True
        return bool(was) and self._is_told(entry) and not self._reaches_facts(facts)

    def parties(self) -> dict[str, object]:
        """The parties in sight by themselves; who takes part in the same interaction is shown by its view, masked."""
        return self._within("_id", self.oneself)

    def sees_party(self, document: Mapping[str, object]) -> bool:
        """Whether this party is in sight by itself."""
        return self._reaches(document.get("_id"), self.oneself)

    def party_roles(self) -> dict[str, object]:
        """The party roles in sight: one's own, and all for those who grant them or see every party."""
        return {} if self.all_roles else self._within("party", self.oneself)

    def sees_party_role(self, document: Mapping[str, object]) -> bool:
        """Whether this party role is in sight."""
        return self.all_roles or self._reaches(document.get("party"), self.oneself)

    def tokens(self) -> dict[str, object]:
        """The tokens in sight, as what is remembered of them: those of one's party, and all for who revokes them."""
        return {} if self.all_tokens else dict(NOTHING) if self.oneself is None else {"party": self.oneself}

    def sees_token(self, document: Mapping[str, Any]) -> bool:
        """Whether this token is in sight."""
        return self.all_tokens or (self.oneself is not None and document.get("party") == self.oneself)

    @property
    def updated_at(self) -> str:
        """The time of the last event that this viewer may know of: what hides internal work hides it in every order too."""
        return "updatedAt" if self.internal else "publicUpdatedAt"

    @property
    def audiences(self) -> tuple[str, ...]:
        """Of what is told about interactions, what is told to this viewer."""
        return (Audience.PUBLIC.value, Audience.INTERNAL.value) if self.internal else (Audience.PUBLIC.value,)

    def _told(self) -> dict[str, object]:
        return self._within("visibleTo", self.takes_part) | {"audience": {"$in": [*self.audiences]}}

    def _is_told(self, entry: Mapping[str, Any]) -> bool:
        return entry.get("audience") in self.audiences and self._takes_in(entry)

    def _takes_in(self, document: Mapping[str, Any]) -> bool:
        return self._reaches(document.get("visibleTo"), self.takes_part)

    def _reaches_facts(self, facts: Mapping[str, Any]) -> bool:
        return self.narrowed.is_open or _holds(self.narrowed, facts, facts.get("channels") or ())

    def _narrowed(self, paths: Mapping[str, str]) -> dict[str, object]:
        return {paths[name]: {"$in": words} for name, words in self.narrowed.words.items()}

    def _within(self, field: str, party: PartyId | None) -> dict[str, object]:
        if self.everything:
            return {}
        return dict(NOTHING) if party is None else {field: party}  # never {field: None}: that finds what lacks the field

    def _reaches(self, value: object, party: PartyId | None) -> bool:
        if self.everything:
            return True
        return party is not None and (party in value if isinstance(value, list) else party == value)


def _holds(narrowed: TokenFilter, facts: Mapping[str, Any], channels: Iterable[str]) -> bool:
    asked = {name: facts.get(name) for name in ("vertical", "kind", "topic", "direction")}
    return narrowed.holds(channels=channels, **asked)


def _channels(document: Mapping[str, Any]) -> list[str]:
    return [channel["type"] for channel in document.get("channels", ())]
