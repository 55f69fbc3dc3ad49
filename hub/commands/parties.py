"""What can be asked for about a party."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hub.access.mandates import ACTS, Act, Mandate, require
from hub.access.viewers import Viewer
from hub.commands.asking import Keep, given
from hub.domain.ids import PARTY, PartyId
from hub.domain.parties import ContactMedium, ExternalIdentifier, Party, PartyEvent
from hub.domain.terms import PartyKind, SubjectKind
from hub.errors import BadInput, Conflict, NotFound
from hub.journal.desk import Change, Decision, Desk, External, Ref, Touch

Media = Sequence[ContactMedium] | Keep | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """Register a party, or bring a known one up to date: known by its id, or by its external identifier."""

    name: ClassVar[str] = "upsertParty"
    mandate: ClassVar[Mandate] = ACTS[Act.UPSERT_PARTY]

    kind: PartyKind
    called: str
    id: str | None = None
    preferred_language: str | Keep | None = Keep.KEEP
    contact_media: Media = Keep.KEEP
    external_identifier: ExternalIdentifier | None = None
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        if self.id is not None:
            yield Ref(SubjectKind.PARTY, self.id)
        if self.external_identifier is not None:
            yield External(SubjectKind.PARTY, self.external_identifier)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        known = self._known(desk)
        wanted = _wanted(self.called, self.preferred_language, self.contact_media) | {"kind": self.kind}
        if known is None:
            identifiers = () if self.external_identifier is None else (self.external_identifier,)
            return _decision(*Party.register(PartyId(desk.new_id(PARTY)), at=desk.now, external_identifiers=identifiers, **wanted))
        known.check_revision(self.expected_revision)
        if self.external_identifier is not None and self.external_identifier not in known.external_identifiers:
            wanted["external_identifiers"] = (*known.external_identifiers, self.external_identifier)
        return _decision(*known.change(at=desk.now, **wanted))

    def _known(self, desk: Desk) -> Party | None:
        named = desk.named(SubjectKind.PARTY, self.external_identifier) if self.external_identifier else None
        if self.id is None:
            return named if isinstance(named, Party) else None
        if (party := desk.party(self.id)) is None:
            raise NotFound("party", "input", "id")
        if named is not None and named.id != party.id:
            raise Conflict("Another party carries this external identifier.", conflicting_id=named.id)
        return party


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Bring a known party up to date: absence keeps, null clears."""

    name: ClassVar[str] = "updateParty"
    mandate: ClassVar[Mandate] = ACTS[Act.UPSERT_PARTY]

    id: str
    called: str | Keep | None = Keep.KEEP
    preferred_language: str | Keep | None = Keep.KEEP
    contact_media: Media = Keep.KEEP
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.PARTY, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        party = desk.party(self.id)
        if party is None:
            raise NotFound("party", "input", "id")
        party.check_revision(self.expected_revision)
        if self.called is None:
            raise BadInput("A party always has a name; leave it out to keep it.", "input", "name")
        return _decision(*party.change(at=desk.now, **_wanted(self.called, self.preferred_language, self.contact_media)))


def _wanted(called: str | Keep, preferred_language: str | Keep | None, contact_media: Media) -> dict[str, Any]:
    """What was sent; a null is the empty value."""
    media = contact_media if isinstance(contact_media, Keep) else tuple(contact_media or ())
    wanted: dict[str, Any] = given(name=called, preferred_language=preferred_language, contact_media=media)
    return wanted


def _decision(party: Party, event: PartyEvent | None) -> Decision:
    return Decision(Ref(SubjectKind.PARTY, party.id), (Change(party, (event,)),) if event else ())
