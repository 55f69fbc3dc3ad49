"""Take over an interaction that another system kept until now, with the parties that take part in it.

It begins in the state it has, by one CREATED entry marked historical. Known by its external identifier: taken over twice,
it is there once. Rights are the caller's to check.

An import makes no promise unless it is told one: a promise in the past would be broken at birth, and one made from the
clock would tell as many customers "it takes longer", all in the same hour, as were taken over together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from hub.domain import lifecycle, promises, relationships
from hub.domain.ids import INTERACTION, ITEM, NOTE, PARTY, InteractionId, ItemId, NoteId, PartyId
from hub.domain.interactions import CHANNELS, FULL, IDENTIFIERS, ITEMS, NOTES, PARTIES, Interaction
from hub.domain.parties import ContactMedium, ExternalIdentifier, Party
from hub.domain.parts import Channel, EntityRef, Involvement, Item, Note, Progress, Relationship
from hub.domain.relationships import INVERSE, check_line
from hub.domain.terms import (
    ChannelType,
    Direction,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    PartyKind,
    Priority,
    RelationshipType,
    Role,
    Status,
    SubjectKind,
    Vertical,
)
from hub.domain.texts import SHORT, not_future, optional, text
from hub.errors import BadInput, NotFound
from hub.journal.desk import Change, Decision, Desk, External, Touch, both_ends, ref_of

EXTRA: Final = 4 * 1024 * 1024  # bytes of what the model does not know: half of what a document may hold

NEEDS_RESOLUTION: Final = frozenset({Status.RESOLVED, Status.COMPLETED})

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedParty:
    """A party that takes part; made when no party carries its identifier yet, else used as it is."""

    identifier: ExternalIdentifier
    name: str
    roles: tuple[InvolvementRole, ...] = ()
    kind: PartyKind = PartyKind.INDIVIDUAL
    preferred_language: str | None = None
    contact_media: tuple[ContactMedium, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedItem:
    type: str
    created_at: datetime
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRef | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNote:
    """A note; `author` is the identifier of one of the interaction's parties."""

    text: str
    at: datetime
    visibility: NoteVisibility
    author_role: Role
    author: ExternalIdentifier | None = None
    channel: ChannelType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProgress:
    """How it was going; a promise that comes with it lies ahead."""

    updated_at: datetime
    message: str | None = None
    percent: int | None = None
    stage: str | None = None
    expected_completion_at: datetime | None = None
    next_update_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImportParty:
    """A command for the committer: a party on its own."""

    party: ImportedParty

    def touches(self) -> Iterable[Touch]:
        yield External(SubjectKind.PARTY, self.party.identifier)

    def decide(self, desk: Desk) -> Decision:
        known = desk.named(SubjectKind.PARTY, self.party.identifier)
        if known is not None:
            return Decision(ref_of(known), replayed=True)
        change = _registered(self.party, desk)
        return Decision(ref_of(change.subject), (change,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportInteraction:
    """A command for the committer. `extra`: what the source knows and this model does not, as JSON.

    `further_identifiers` are what other systems call it; one that another interaction carries already is left to that one."""

    identifier: ExternalIdentifier
    status: Status
    direction: Direction
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    status_changed_at: datetime
    channels: tuple[Channel, ...]
    kind: InteractionKind = InteractionKind.REQUEST
    priority: Priority = Priority.NORMAL
    vertical: Vertical | None = None
    topic: str | None = None
    reason: str | None = None
    description: str | None = None
    question: str | None = None
    resolution: str | None = None
    status_reason: str | None = None
    ended_at: datetime | None = None
    parties: tuple[ImportedParty, ...] = ()
    items: tuple[ImportedItem, ...] = ()
    notes: tuple[ImportedNote, ...] = ()
    progress: ImportedProgress | None = None
    further_identifiers: tuple[ExternalIdentifier, ...] = ()
    extra: str | None = None

    def touches(self) -> Iterable[Touch]:
        for identifier in (self.identifier, *self.further_identifiers):
            yield External(SubjectKind.INTERACTION, identifier)
        for identifier in dict.fromkeys(party.identifier for party in self.parties):
            yield External(SubjectKind.PARTY, identifier)

    def decide(self, desk: Desk) -> Decision:
        known = desk.named(SubjectKind.INTERACTION, self.identifier)
        if known is not None:
            return Decision(ref_of(known), replayed=True)
        self._check_state()
        self._check_dates(desk.now)
        parties, registered = self._parties(desk)
        taken_over, event = self._interaction(desk, parties).with_history()
        return Decision(ref_of(taken_over), (*registered, Change(taken_over, (event,))))

    def _check_state(self) -> None:
        if (self.ended_at is not None) != (self.status in lifecycle.ENDED):
            raise BadInput("endedAt goes with COMPLETED and CANCELLED, and with nothing else.", "input", "endedAt")
        if (self.resolution is not None) != (self.status in NEEDS_RESOLUTION):
            raise BadInput("resolution goes with RESOLVED and COMPLETED, and with nothing else.", "input", "resolution")
        if (self.question is not None) != (self.status is Status.PENDING):
            raise BadInput("question goes with PENDING, and with nothing else.", "input", "question")
        if self.status is Status.COMPLETED and any(item.resolved_at is None for item in self.items):
            raise BadInput("The items of a COMPLETED interaction are resolved.", "input", "items")
        if not self.channels:
            raise BadInput("An interaction has at least one channel.", "input", "channels")
        if self.extra is not None and len(self.extra.encode()) > EXTRA:
            raise BadInput(f"extra is larger than {EXTRA // 1_048_576} MiB.", "input", "extra")

    def _check_dates(self, now: datetime) -> None:
        for moment, name in (
            (self.created_at, "createdAt"),
            (self.started_at, "startedAt"),
            (self.updated_at, "updatedAt"),
            (self.status_changed_at, "statusChangedAt"),
            (self.ended_at, "endedAt"),
        ):
            if moment is not None:
                not_future(moment, now, "input", name)
        if self.ended_at is not None and self.ended_at < self.started_at:
            raise BadInput("endedAt lies before startedAt.", "input", "endedAt")
        if self.updated_at < self.created_at:
            raise BadInput("updatedAt lies before createdAt.", "input", "updatedAt")

    def _parties(self, desk: Desk) -> tuple[dict[ExternalIdentifier, PartyId], list[Change]]:
        """Who takes part, by identifier, and the parties that had to be made."""
        ids: dict[ExternalIdentifier, PartyId] = {}
        registered: list[Change] = []
        for wanted in self.parties:
            if wanted.identifier in ids:
                continue
            known = desk.named(SubjectKind.PARTY, wanted.identifier)
            if known is None:
                registered.append(_registered(wanted, desk))
            ids[wanted.identifier] = PartyId(registered[-1].subject.id if known is None else known.id)
        return ids, registered

    def _identifiers(self, desk: Desk) -> tuple[ExternalIdentifier, ...]:
        free = (one for one in self.further_identifiers if desk.named(SubjectKind.INTERACTION, one) is None)
        return tuple(dict.fromkeys((self.identifier, *free)))

    def _interaction(self, desk: Desk, parties: Mapping[ExternalIdentifier, PartyId]) -> Interaction:
        notes = _at_most(NOTES, tuple(_note(note, desk, parties) for note in self.notes), "notes")
        takes_part = dict.fromkeys((parties[party.identifier], role) for party in self.parties for role in party.roles)
        return Interaction(
            id=InteractionId(desk.new_id(INTERACTION)),
            direction=self.direction,
            kind=self.kind,
            topic=optional(self.topic, "input", "topic", most=SHORT),
            reason=optional(self.reason, "input", "reason", most=SHORT),
            description=optional(self.description, "input", "description"),
            vertical=self.vertical,
            priority=self.priority,
            status=self.status,
            status_changed_at=self.status_changed_at,
            question=optional(self.question, "input", "question"),
            resolution=optional(self.resolution, "input", "resolution"),
            status_reason=optional(self.status_reason, "input", "statusReason", most=SHORT),
            started_at=self.started_at,
            ended_at=self.ended_at,
            created_at=self.created_at,
            updated_at=self.updated_at,
            public_updated_at=self.updated_at,
            channels=_at_most(CHANNELS, tuple(_channel(channel) for channel in self.channels), "channels"),
            parties=_at_most(PARTIES, tuple(Involvement(party, role, self.started_at) for party, role in takes_part), "parties"),
            items=_at_most(ITEMS, tuple(_item(item, desk) for item in self.items), "items"),
            notes=tuple(note for note in notes if note.visibility is NoteVisibility.PUBLIC),
            internal_notes=tuple(note for note in notes if note.visibility is NoteVisibility.INTERNAL),
            progress=None if self.progress is None else _progress(self.progress, self.status, desk.now),
            external_identifiers=_at_most(IDENTIFIERS, self._identifiers(desk), "externalIdentifiers"),
            extra=self.extra,
        )


@dataclass(frozen=True, slots=True)
class FindInteraction:
    """A command that changes nothing: its answer is about the interaction that carries this identifier. Raises NotFound."""

    identifier: ExternalIdentifier

    def touches(self) -> Iterable[Touch]:
        yield External(SubjectKind.INTERACTION, self.identifier)

    def decide(self, desk: Desk) -> Decision:
        known = desk.named(SubjectKind.INTERACTION, self.identifier)
        if known is None:
            raise NotFound("interaction")
        return Decision(ref_of(known), replayed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRelationship:
    """A command for the committer: what another interaction was to this one while another system kept them.

    Both are there by now. It is historical, so that neither counts as updated by it; made twice, it is there once."""

    id: str
    type: RelationshipType
    other_id: str

    def touches(self) -> Iterable[Touch]:
        return both_ends(self.id, self.type, self.other_id)

    def decide(self, desk: Desk) -> Decision:
        interaction, other = desk.interaction(self.id), desk.interaction(self.other_id)
        if interaction is None or other is None:
            raise NotFound("interaction")
        relationship = Relationship(self.type, other.id)
        check_line(interaction.id, relationship, desk.relationships)
        ends = [_linked(interaction, relationship)]
        if (inverse := INVERSE.get(self.type)) is not None:
            ends.append(_linked(other, Relationship(inverse, interaction.id)))
        changes = tuple(change for change in ends if change is not None)
        return Decision(ref_of(interaction), changes, replayed=not changes)


def _linked(interaction: Interaction, relationship: Relationship) -> Change | None:
    linked, event = relationships.link(interaction, relationship, at=interaction.updated_at)
    return None if event is None else Change(linked, (replace(event, historical=True),))


def _registered(wanted: ImportedParty, desk: Desk) -> Change:
    party, event = Party.register(
        PartyId(desk.new_id(PARTY)),
        kind=wanted.kind,
        name=wanted.name,
        at=desk.now,
        preferred_language=wanted.preferred_language,
        contact_media=wanted.contact_media,
        external_identifiers=(wanted.identifier,),
    )
    return Change(party, (event,))


def _channel(channel: Channel) -> Channel:
    return replace(channel, name=optional(channel.name, "input", "channelName", most=SHORT))


def _item(item: ImportedItem, desk: Desk) -> Item:
    return Item(
        id=ItemId(desk.new_id(ITEM)),
        type=text(item.type, "input", "items", "type", most=SHORT),
        created_at=item.created_at,
        reason=optional(item.reason, "input", "items", "reason", most=SHORT),
        resolution=optional(item.resolution, "input", "items", "resolution"),
        vertical=item.vertical,
        entity=item.entity,
        resolved_at=item.resolved_at,
    )


def _note(note: ImportedNote, desk: Desk, parties: Mapping[ExternalIdentifier, PartyId]) -> Note:
    return Note(
        id=NoteId(desk.new_id(NOTE)),
        text=text(note.text, "input", "notes", "text"),
        visibility=note.visibility,
        at=not_future(note.at, desk.now, "input", "notes", "at"),
        author=None if note.author is None else parties.get(note.author),
        author_role=note.author_role,
        channel=note.channel,
    )


def _progress(progress: ImportedProgress, status: Status, now: datetime) -> Progress:
    if status not in lifecycle.OPEN:
        raise BadInput("progress goes with an interaction that is open.", "input", "progress")
    if progress.percent is not None and not 0 <= progress.percent <= FULL:
        raise BadInput("percent lies between 0 and 100.", "input", "progress", "percent")
    due = progress.next_update_due_at
    if due is not None and status not in lifecycle.PROMISED:
        raise BadInput(f"Nothing is promised while {status}.", "input", "progress", "nextUpdateDueAt")
    return Progress(
        updated_at=not_future(progress.updated_at, now, "input", "progress", "updatedAt"),
        percent=progress.percent,
        stage=optional(progress.stage, "input", "progress", "stage", most=SHORT),
        message=optional(progress.message, "input", "progress", "message"),
        expected_completion_at=progress.expected_completion_at,
        next_update_due_at=None if due is None else promises.given(due, now, "input", "progress", "nextUpdateDueAt"),
    )


def _at_most(most: int, things: Sequence[Thing], name: str) -> tuple[Thing, ...]:
    if len(things) > most:
        raise BadInput(f"An interaction has at most {most} {name}.", "input", name)
    return tuple(things)
