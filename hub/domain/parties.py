"""A party: a person, an organization or a system that takes part in interactions (TMF632), and how it is reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypedDict, Unpack

from hub.domain.ids import PartyId
from hub.domain.terms import ContactMediumKind, PartyKind
from hub.domain.texts import SHORT, optional, text
from hub.errors import BadInput, Conflict

CONTACT_MEDIA: Final = 50  # per party; a person has a handful, an organization a few dozen
IDENTIFIERS: Final = 50
LANGUAGE: Final = 35  # characters of a language tag (RFC 5646, section 4.4.1)

NAMES: Final[Mapping[str, str]] = {
    "kind": "kind",
    "name": "name",
    "preferred_language": "preferredLanguage",
    "contact_media": "contactMedia",
    "external_identifiers": "externalIdentifiers",
}
"""What can change, and the name that it has in the schema."""


class PartyEventType(StrEnum):
    """What happened to a party. SYSTEM entries of the journal: every feed passes them in their order, no viewer reads them."""

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

    @property
    def told(self) -> dict[str, str]:
        """As a change tells it."""
        return {"owner": self.owner, "value": self.value} | ({"type": self.type} if self.type else {})

    def among(self, known: Sequence["ExternalIdentifier"]) -> tuple["ExternalIdentifier", ...]:
        """The known ones with this one: it takes the place of the one of the same owner and type, else it comes last."""
        others = tuple(one for one in known if (one.owner, one.type) != (self.owner, self.type))
        return tuple(known) if self in known else (*others, self)


DIALLED: Final = frozenset({ContactMediumKind.PHONE, ContactMediumKind.SMS})


def dialled(number: str) -> str:
    """A number by its digits alone, however it is spaced; "+44" and "0044" are the same."""
    return "".join(character for character in number if character.isdecimal()).removeprefix("00")


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

    @property
    def key(self) -> str:
        """What the address is found by: a number by its digits, anything else whatever its case."""
        return (dialled(self.address) if self.kind in DIALLED else "") or self.address.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyEvent:
    """One entry about a party; `changed` names the fields that have another value than before."""

    type: PartyEventType
    at: datetime
    seq: int
    changed: tuple[str, ...] = ()


class Wanted(TypedDict, total=False):
    """What of a party is to be different; what is left out stays."""

    kind: PartyKind
    name: str
    preferred_language: str | None
    contact_media: Sequence[ContactMedium]
    external_identifiers: Sequence[ExternalIdentifier]


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
        given = Wanted(
            kind=kind,
            name=name,
            preferred_language=preferred_language,
            contact_media=contact_media,
            external_identifiers=external_identifiers,
        )
        party = cls(id=id, seq=1, created_at=at, updated_at=at, **_checked(given))
        return party, PartyEvent(type=PartyEventType.REGISTERED, at=at, seq=1)

    def check_revision(self, expected: int | None) -> None:
        """Raises Conflict where the caller has read an older revision than the present one."""
        if expected is not None and expected != self.seq:
            raise Conflict(f"The party is at revision {self.seq}, not {expected}; read it again.", current_revision=self.seq)

    def change(self, *, at: datetime, **wanted: Unpack[Wanted]) -> tuple["Party", PartyEvent | None]:
        """The party as it is wanted; where that is how it stands already, no event."""
        changed = replace(self, **_checked(wanted))
        fields = tuple(NAMES[name] for name in wanted if getattr(changed, name) != getattr(self, name))
        if not fields:
            return self, None
        changed = replace(changed, seq=self.seq + 1, updated_at=max(at, self.updated_at))
        return changed, PartyEvent(type=PartyEventType.CHANGED, at=changed.updated_at, seq=changed.seq, changed=fields)


def _checked(wanted: Wanted) -> dict[str, Any]:
    checked: dict[str, Any] = dict(wanted)
    if "name" in wanted:
        checked["name"] = text(wanted["name"], "input", "name", most=SHORT)
    if "preferred_language" in wanted:
        checked["preferred_language"] = optional(wanted["preferred_language"], "input", "preferredLanguage", most=LANGUAGE)
    if "contact_media" in wanted:
        checked["contact_media"] = _media(wanted["contact_media"])
    if "external_identifiers" in wanted:
        checked["external_identifiers"] = _identifiers(wanted["external_identifiers"])
    return checked


def _media(media: Sequence[ContactMedium]) -> tuple[ContactMedium, ...]:
    if len(media) > CONTACT_MEDIA:
        raise BadInput(f"A party has at most {CONTACT_MEDIA} contact media.", "input", "contactMedia")
    return tuple(media)


def _identifiers(identifiers: Sequence[ExternalIdentifier]) -> tuple[ExternalIdentifier, ...]:
    if len(identifiers) > IDENTIFIERS:
        raise BadInput(f"A party has at most {IDENTIFIERS} external identifiers.", "input", "externalIdentifier")
    return tuple(identifiers)
