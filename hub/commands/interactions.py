"""What can be asked for about an interaction: what each request touches, who may, and what it does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from hub.access.mandates import ACTS, Act, Mandate, may_move, require
from hub.access.viewers import STAFF, Viewer
from hub.access.visibility import Visibility
from hub.domain.events import Event
from hub.domain.ids import INTERACTION, ITEM, NOTE, InteractionId, ItemId, NoteId, PartyId, is_id
from hub.domain.interactions import Interaction
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import EntityRef, Involvement, Item, Note
from hub.domain.terms import (
    ChannelType,
    Direction,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    Priority,
    Role,
    Status,
    SubjectKind,
    Vertical,
)
from hub.domain.texts import SHORT, optional, text
from hub.errors import BadInput, Conflict, Forbidden, IllegalTransition, NotFound
from hub.journal.desk import Change, Decision, Desk, External, Ref, Touch

READS_ONLY: Final = frozenset({InvolvementRole.OBSERVER, InvolvementRole.GUARDIAN})
"""Involvements that see and do nothing; a guardian acts once a stronger login can be asked for."""

OPENS_AS: Final[dict[Role, InvolvementRole]] = {
    Role.CUSTOMER: InvolvementRole.CUSTOMER,
    Role.VISITOR: InvolvementRole.CUSTOMER,
    Role.PARTNER: InvolvementRole.PARTNER,
    Role.AGENT: InvolvementRole.INITIATOR,
    Role.SUPERVISOR: InvolvementRole.INITIATOR,
    Role.BACK_OFFICE: InvolvementRole.INITIATOR,
    Role.SYSTEM: InvolvementRole.INITIATOR,
}
"""As what the opener takes part."""

SELF_SERVICE: Final = frozenset({Role.CUSTOMER, Role.VISITOR})


@dataclass(frozen=True, slots=True)
class Involved:
    """A party to take part, by its id or by an external identifier."""

    role: InvolvementRole
    party_id: str | None = None
    party_ref: ExternalIdentifier | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """An item, as it is asked for."""

    type: str
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Open an interaction; with `ended_at` and `resolution`, log one that is over, in one call."""

    name: ClassVar[str] = "createInteraction"
    mandate: ClassVar[Mandate] = ACTS[Act.OPEN]

    direction: Direction
    channel: ChannelType
    kind: InteractionKind = InteractionKind.REQUEST
    priority: Priority = Priority.NORMAL
    id: str | None = None
    topic: str | None = None
    reason: str | None = None
    description: str | None = None
    channel_name: str | None = None
    customer_id: str | None = None
    customer_ref: ExternalIdentifier | None = None
    vertical: Vertical | None = None
    parties: Sequence[Involved] = ()
    items: Sequence[Matter] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    resolution: str | None = None
    external_identifier: ExternalIdentifier | None = None

    def touches(self) -> Iterable[Touch]:
        if self.id is not None:
            yield Ref(SubjectKind.INTERACTION, self.id)
        if self.external_identifier is not None:
            yield External(SubjectKind.INTERACTION, self.external_identifier)
        for wanted in self._involved():
            yield _touch(wanted)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        self._check_right(viewer)
        if self.id is not None:
            if not is_id(self.id, INTERACTION):
                raise BadInput(f"A client-made id is {INTERACTION} and the 32 lower-case hex digits of a UUIDv7.", "input", "id")
            if (known := desk.interaction(self.id)) is not None:
                return _replay(known, viewer, fingerprint)
        self._check_identifier(desk, viewer)
        interaction, event = Interaction.opened(
            InteractionId(self.id or desk.new_id(INTERACTION)),
            at=desk.now,
            direction=self.direction,
            kind=self.kind,
            priority=self.priority,
            channel=self.channel,
            channel_name=self.channel_name,
            started_at=self.started_at,
            ended_at=self.ended_at,
            topic=self.topic,
            reason=self.reason,
            description=self.description,
            resolution=self.resolution,
            vertical=self.vertical,
            parties=self._parties(desk, viewer),
            items=[_item(matter, desk, index) for index, matter in enumerate(self.items)],
            external_identifiers=[self.external_identifier] if self.external_identifier else [],
            maker=viewer.id,
            request=fingerprint,
        )
        return _decision(interaction, event)

    def _check_right(self, viewer: Viewer) -> None:
        """Self-service opens for itself, inbound and unfinished; the rest is said in the mandate."""
        require(viewer, self.mandate, self.name, own=self.customer_id in {None, viewer.party} and self.customer_ref is None)
        role = viewer.acting_role
        if role not in {*STAFF, Role.SYSTEM} and self.parties:
            raise Forbidden("Naming further parties", roles=STAFF)
        if role not in SELF_SERVICE:
            return
        if self.direction is not Direction.INBOUND:
            raise BadInput("What a customer opens is INBOUND.", "input", "direction")
        if role is Role.VISITOR and self.channel is not ChannelType.WEB_SELF_SERVICE:
            raise BadInput("A visitor opens over WEB_SELF_SERVICE; log in to use another channel.", "input", "channel")
        if self.ended_at is not None:
            raise Forbidden("Logging an interaction that is over", roles=[*STAFF, Role.SYSTEM, Role.PARTNER])
        if self.external_identifier is not None:
            raise Forbidden("Giving an external identifier", roles=[*STAFF, Role.SYSTEM, Role.PARTNER])

    def _check_identifier(self, desk: Desk, viewer: Viewer) -> None:
        if self.external_identifier is None:
            return
        if (known := desk.named(SubjectKind.INTERACTION, self.external_identifier)) is not None and isinstance(known, Interaction):
            raise Conflict(
                "Another interaction carries this external identifier.", conflicting_id=known.id if _in_sight(known, viewer) else None
            )

    def _involved(self) -> list[Involved]:
        if self.customer_id is None and self.customer_ref is None:
            return [*self.parties]
        return [Involved(InvolvementRole.CUSTOMER, self.customer_id, self.customer_ref), *self.parties]

    def _parties(self, desk: Desk, viewer: Viewer) -> list[Involvement]:
        """The customer, then who was named, then the opener: each party once a role."""
        if self.customer_id is not None and self.customer_ref is not None:
            raise BadInput("Name the customer by customerId or by customerRef, not by both.", "input", "customerRef")
        wanted: dict[tuple[PartyId, InvolvementRole], None] = {}
        for involved in self._involved():
            wanted[_party(involved, desk), involved.role] = None
        if viewer.party is not None:
            wanted[viewer.party, OPENS_AS[viewer.acting_role]] = None
        return [Involvement(party, role, desk.now) for party, role in wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Move an interaction to another state."""

    name: ClassVar[str] = "transitionInteraction"
    mandate: ClassVar[Mandate] = ACTS[Act.TRANSITION]

    id: str
    to: Status
    reason: str | None = None
    question: str | None = None
    resolution: str | None = None
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = _own(self, desk, viewer)
        legal = interaction.allowed_transitions(desk.now, desk.reopen_window)
        if self.to not in legal:  # what would be legal is told as far as this viewer may do it
            open_to_viewer = [to for to in legal if may_move(viewer, interaction.status, to)]
            raise IllegalTransition(interaction.status, f"cannot become {self.to}", open_to_viewer)
        if not may_move(viewer, interaction.status, self.to):
            raise Forbidden(f"Moving it from {interaction.status} to {self.to}", roles=[*STAFF, Role.SYSTEM, Role.PARTNER])
        return _decision(
            *interaction.transition(
                self.to, at=desk.now, reason=self.reason, question=self.question, resolution=self.resolution, window=desk.reopen_window
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Resolve and complete in one act."""

    name: ClassVar[str] = "closeInteraction"
    mandate: ClassVar[Mandate] = ACTS[Act.CLOSE]

    id: str
    resolution: str
    resolve_open_items: bool = False
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = _own(self, desk, viewer)
        return _decision(
            *interaction.close(self.resolution, at=desk.now, resolve_open_items=self.resolve_open_items, window=desk.reopen_window)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress:
    """Tell how it is going, and promise the next update."""

    name: ClassVar[str] = "reportProgress"
    mandate: ClassVar[Mandate] = ACTS[Act.REPORT_PROGRESS]

    id: str
    message: str
    percent: int | None = None
    stage: str | None = None
    channel: ChannelType | None = None
    expected_completion_at: datetime | None = None
    next_update_due_at: datetime | None = None
    expected_revision: None = field(default=None, init=False)

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = _own(self, desk, viewer)
        return _decision(
            *interaction.report_progress(
                self.message,
                at=desk.now,
                percent=self.percent,
                stage=self.stage,
                channel=self.channel,
                expected_completion_at=self.expected_completion_at,
                next_update_due_at=self.next_update_due_at,
                window=desk.reopen_window,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Add a note, public or internal."""

    name: ClassVar[str] = "addNote"

    id: str
    text: str
    visibility: NoteVisibility = NoteVisibility.PUBLIC
    channel: ChannelType | None = None
    written_at: datetime | None = None
    expected_revision: None = field(default=None, init=False)

    @property
    def mandate(self) -> Mandate:
        return ACTS[Act.ADD_NOTE if self.visibility is NoteVisibility.PUBLIC else Act.ADD_INTERNAL_NOTE]

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = _own(self, desk, viewer)
        note = Note(
            id=NoteId(desk.new_id(NOTE)),
            text=self.text,
            visibility=self.visibility,
            at=self.written_at or desk.now,
            author=viewer.party,
            author_role=viewer.acting_role,
            channel=self.channel,
        )
        noted, events = interaction.add_note(note, at=desk.now)
        return _decision(noted, *events)


Act_ = Transition | Close | ReportProgress | AddNote


def _own(request: Act_, desk: Desk, viewer: Viewer) -> Interaction:
    """The interaction an act is about: in sight, within the viewer's right to act, at the revision it expects."""
    interaction = desk.interaction(request.id)
    if interaction is None or not _in_sight(interaction, viewer):
        raise NotFound("interaction", "input", "id")
    involved = interaction.involvements_of(viewer.party) - READS_ONLY
    require(viewer, request.mandate, request.name, own=bool(involved))
    interaction.check_revision(request.expected_revision, internal=viewer.counts_internal)
    return interaction


def _in_sight(interaction: Interaction, viewer: Viewer) -> bool:
    return Visibility.of(viewer).sees({"visibleTo": list(interaction.visible_to)})


def _replay(known: Interaction, viewer: Viewer, fingerprint: str) -> Decision:
    """A client-made id that exists: the same maker with the same request asks again, anybody else is in conflict."""
    if known.maker == viewer.id and known.request == fingerprint:
        return Decision(Ref(SubjectKind.INTERACTION, known.id), replayed=True)
    raise Conflict("An interaction with this id exists already.", conflicting_id=known.id if _in_sight(known, viewer) else None)


def _touch(involved: Involved) -> Touch:
    if involved.party_ref is not None:
        return External(SubjectKind.PARTY, involved.party_ref)
    return Ref(SubjectKind.PARTY, involved.party_id or "")


def _party(involved: Involved, desk: Desk) -> PartyId:
    if (involved.party_id is None) == (involved.party_ref is None):
        raise BadInput("A party is named by partyId or by partyRef, by exactly one of them.", "input", "parties")
    found = desk.named(SubjectKind.PARTY, involved.party_ref) if involved.party_ref else desk.party(involved.party_id or "")
    if found is None:
        raise NotFound("party", "input", "customerId" if involved.role is InvolvementRole.CUSTOMER else "parties")
    return PartyId(found.id)


def _item(matter: Matter, desk: Desk, index: int) -> Item:
    def at(name: str) -> tuple[str, ...]:
        return "input", "items", str(index), name

    resolution = optional(matter.resolution, *at("resolution"))
    entity = matter.entity
    return Item(
        id=ItemId(desk.new_id(ITEM)),
        type=text(matter.type, *at("type"), most=SHORT),
        reason=optional(matter.reason, *at("reason"), most=SHORT),
        resolution=resolution,
        vertical=matter.vertical,
        entity=entity
        and EntityRef(
            text(entity.type, *at("entity"), "type", most=SHORT),
            text(entity.entity_id, *at("entity"), "entityId", most=SHORT),
            optional(entity.href, *at("entity"), "href", most=SHORT),
            optional(entity.name, *at("entity"), "name", most=SHORT),
        ),
        created_at=desk.now,
        resolved_at=desk.now if resolution else None,
    )


def _decision(interaction: Interaction, *events: Event) -> Decision:
    return Decision(Ref(SubjectKind.INTERACTION, interaction.id), (Change(interaction, events),))
