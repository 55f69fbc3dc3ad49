"""What can be asked for about a party."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from hub.access.mandates import ACTS, Act, Mandate, require
from hub.access.viewers import Viewer
from hub.domain.ids import PARTY, PartyId
from hub.domain.parties import ContactMedium, ExternalIdentifier, Party
from hub.domain.terms import PartyKind, SubjectKind
from hub.errors import Conflict, NotFound
from hub.journal.desk import Change, Decision, Desk, External, Ref, Touch


class Keep(Enum):
    """In place of a value that the client did not send: what is there stays. A null clears."""

    KEEP = "KEEP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """Register a party, or bring a known one up to date: known by its id, or by its external identifier."""

    name: ClassVar[str] = "upsertParty"
    mandate: ClassVar[Mandate] = ACTS[Act.UPSERT_PARTY]

    kind: PartyKind
    called: str
    id: str | None = None
    preferred_language: str | Keep | None = Keep.KEEP
    contact_media: Sequence[ContactMedium] | Keep | None = Keep.KEEP
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
        if known is None:
            party, event = Party.register(
                PartyId(desk.new_id(PARTY)), kind=self.kind, name=self.called, at=desk.now, **self._given(), **self._identifiers(())
            )
            return Decision(Ref(SubjectKind.PARTY, party.id), (Change(party, (event,)),))
        if self.expected_revision is not None and self.expected_revision != known.seq:
            raise Conflict(
                f"The party is at revision {known.seq}, not {self.expected_revision}; read it again.", current_revision=known.seq
            )
        changed, happened = known.change(
            at=desk.now, kind=self.kind, name=self.called, **self._given(), **self._identifiers(known.external_identifiers)
        )
        return Decision(Ref(SubjectKind.PARTY, known.id), (Change(changed, (happened,)),) if happened else ())

    def _known(self, desk: Desk) -> Party | None:
        named = desk.named(SubjectKind.PARTY, self.external_identifier) if self.external_identifier else None
        if self.id is None:
            return named if isinstance(named, Party) else None
        if (party := desk.party(self.id)) is None:
            raise NotFound("party", "input", "id")
        if named is not None and named.id != party.id:
            raise Conflict("Another party carries this external identifier.", conflicting_id=named.id)
        return party

    def _given(self) -> dict[str, Any]:
        """What was sent; a null is the empty value."""
        given: dict[str, Any] = {}
        if not isinstance(self.preferred_language, Keep):
            given["preferred_language"] = self.preferred_language
        if not isinstance(self.contact_media, Keep):
            given["contact_media"] = tuple(self.contact_media or ())
        return given

    def _identifiers(self, known: tuple[ExternalIdentifier, ...]) -> dict[str, Any]:
        if self.external_identifier is None or self.external_identifier in known:
            return {}
        return {"external_identifiers": (*known, self.external_identifier)}
