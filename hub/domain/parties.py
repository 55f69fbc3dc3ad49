"""A party: a person, an organization or a system that takes part in interactions (TMF632), and how it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hub.domain.ids import PartyId
from hub.domain.terms import ContactMediumKind, PartyKind
from hub.domain.texts import SHORT, optional, text
from hub.errors import BadInput

CONTACT_MEDIA: Final = 50  # per party; a person has a handful, an organization a few dozen
IDENTIFIERS: Final = 50


class PartyEventType(StrEnum):
    """What happened to a party. SYSTEM entries of the journal: feeds obey them, no viewer reads them."""

    REGISTERED = "REGISTERED"
    CHANGED = "CHANGED"


@dataclass(frozen=True, slots=True)
class ExternalIdentifier:
    """The name that another system knows something by (TMF: ExternalIdentifier); unique over its owner and type."""

    owner: str
    value: str
    type: str | None = None

    @classmethod
    def of(cls, owner: str, value: str, type: str | None, *path: str) -> "ExternalIdentifier":
        """Checked texts of at most 500 characters each."""
        return cls(
            text(owner, *path, "owner", most=SHORT),
            text(value, *path, "value", most=SHORT),
            optional(type, *path, "type", most=SHORT),
        )


@dataclass(frozen=True, slots=True)
class ContactMedium:
    """One way to reach a party."""

    kind: ContactMediumKind
    address: str
    preferred: bool = False

    @classmethod
    def of(cls, kind: ContactMediumKind, address: str, preferred: bool, *path: str) -> "ContactMedium":
        """A checked address of at most 500 characters."""
        return cls(kind, text(address, *path, "address", most=SHORT), preferred)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyEvent:
    """One entry about a party: which fields changed, and what stands in them now."""

    type: PartyEventType
    at: datetime
    seq: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    id: PartyId
    seq: int
    kind: PartyKind
    name: str
    preferred_language: str | None = None
    contact_media: tuple[ContactMedium, ...] = ()
    external_identifiers: tuple[ExternalIdentifier, ...] = ()
    created_at: datetime
    updated_at: datetime

    @classmethod
    def register(
        cls,
        id: PartyId,
        *,
        kind: PartyKind,
        name: str,
        at: datetime,
        preferred_language: str | None = None,
        contact_media: Sequence[ContactMedium] = (),
        external_identifiers: Sequence[ExternalIdentifier] = (),
    ) -> tuple["Party", PartyEvent]:
        """A party that was not known before."""
        party = cls(
            id=id,
            seq=1,
            kind=kind,
            name=text(name, "input", "name", most=SHORT),
            preferred_language=optional(preferred_language, "input", "preferredLanguage", most=35),
            contact_media=_media(contact_media),
            external_identifiers=tuple(external_identifiers),
            created_at=at,
            updated_at=at,
        )
        return party, PartyEvent(type=PartyEventType.REGISTERED, at=at, seq=1, changed=("kind", "name"))

    def change(self, *, at: datetime, **wanted: Any) -> tuple["Party", PartyEvent | None]:
        """The party with other values of kind, name, preferred_language, contact_media, external_identifiers.

        What stays as it was writes no event.
        """
        if "name" in wanted:
            wanted["name"] = text(wanted["name"], "input", "name", most=SHORT)
        if "preferred_language" in wanted:
            wanted["preferred_language"] = optional(wanted["preferred_language"], "input", "preferredLanguage", most=35)
        if "contact_media" in wanted:
            wanted["contact_media"] = _media(wanted["contact_media"])
        if len(wanted.get("external_identifiers", ())) > IDENTIFIERS:
            raise BadInput(f"A party has at most {IDENTIFIERS} external identifiers.", "input", "externalIdentifier")
        changed = tuple(name for name, value in wanted.items() if value != getattr(self, name))
        if not changed:
            return self, None
        at = max(at, self.updated_at)
        party = replace(self, seq=self.seq + 1, updated_at=at, **{name: wanted[name] for name in changed})
        return party, PartyEvent(type=PartyEventType.CHANGED, at=at, seq=party.seq, changed=changed)


def _media(media: Sequence[ContactMedium]) -> tuple[ContactMedium, ...]:
    if len(media) > CONTACT_MEDIA:
        raise BadInput(f"A party has at most {CONTACT_MEDIA} contact media.", "input", "contactMedia")
    return tuple(media)
