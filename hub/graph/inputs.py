"""Inputs, and what they mean as commands. Null clears and absence keeps."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final

import strawberry

from hub.commands import interactions as acts
from hub.commands.interactions import Involved, Matter
from hub.commands.parties import Keep, Upsert
from hub.domain.parties import ContactMedium, ExternalIdentifier
from hub.domain.parts import EntityRef
from hub.errors import BadInput
from hub.graph.enums import (
    ChannelType,
    ContactMediumKind,
    Direction,
    EventType,
    InteractionKind,
    InteractionStatus,
    InvolvementRole,
    NoteVisibility,
    PartyKind,
    Priority,
    Vertical,
)
from hub.journal.filters import EventFilter

WORDS: Final = 500  # of one list of a filter; whoever follows more follows all


@strawberry.input
class ExternalIdentifierInput:
    owner: str
    value: str
    type: str | None = None

    def meant(self, *path: str) -> ExternalIdentifier:
        """The checked identifier; BadInput names `path`."""
        return ExternalIdentifier.of(self.owner, self.value, self.type, *path)


@strawberry.input
class EntityRefInput:
    type: str
    entity_id: str
    href: str | None = None
    name: str | None = None


@strawberry.input
class InvolvementInput:
    role: InvolvementRole
    party_id: strawberry.ID | None = None
    party_ref: ExternalIdentifierInput | None = None


@strawberry.input
class InteractionItemInput:
    type: str
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRefInput | None = None

    def meant(self) -> Matter:
        entity = self.entity and EntityRef(self.entity.type, self.entity.entity_id, self.entity.href, self.entity.name)
        return Matter(self.type, self.reason, self.resolution, self.vertical, entity or None)


@strawberry.input
class ContactMediumInput:
    kind: ContactMediumKind
    address: str
    preferred: bool = False


@strawberry.input
class CreateInteractionInput:
    direction: Direction
    channel: ChannelType
    kind: InteractionKind = InteractionKind.REQUEST
    priority: Priority = Priority.NORMAL
    id: strawberry.ID | None = strawberry.field(default=None, description="Client-made, to work offline; the same id again is a replay.")
    topic: str | None = None
    reason: str | None = None
    channel_name: str | None = None
    customer_id: strawberry.ID | None = strawberry.field(default=None, description="A CUSTOMER leaves it out: it is the viewer.")
    customer_ref: ExternalIdentifierInput | None = None
    description: str | None = None
    vertical: Vertical | None = None
    parties: list[InvolvementInput] | None = None
    items: list[InteractionItemInput] | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = strawberry.field(default=None, description="Given: a short interaction, logged complete in one call.")
    resolution: str | None = None
    external_identifier: ExternalIdentifierInput | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.Create:
        return acts.Create(
            direction=self.direction,
            channel=self.channel,
            kind=self.kind,
            priority=self.priority,
            id=self.id,
            topic=self.topic,
            reason=self.reason,
            description=self.description,
            channel_name=self.channel_name,
            customer_id=self.customer_id,
            customer_ref=self.customer_ref.meant("input", "customerRef") if self.customer_ref else None,
            vertical=self.vertical,
            parties=[
                Involved(one.role, one.party_id, one.party_ref.meant("input", "parties", str(index), "partyRef") if one.party_ref else None)
                for index, one in enumerate(self.parties or ())
            ],
            items=[item.meant() for item in self.items or ()],
            started_at=self.started_at,
            ended_at=self.ended_at,
            resolution=self.resolution,
            external_identifier=self.external_identifier.meant("input", "externalIdentifier") if self.external_identifier else None,
        )


@strawberry.input
class TransitionInteractionInput:
    id: strawberry.ID
    to: InteractionStatus
    reason: str | None = strawberry.field(default=None, description="Needed for HELD and CANCELLED.")
    question: str | None = strawberry.field(default=None, description="Needed for PENDING: what the customer is asked.")
    resolution: str | None = strawberry.field(default=None, description="Needed for RESOLVED.")
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.Transition:
        return acts.Transition(
            id=self.id,
            to=self.to,
            reason=self.reason,
            question=self.question,
            resolution=self.resolution,
            expected_revision=self.expected_revision,
        )


@strawberry.input
class CloseInteractionInput:
    id: strawberry.ID
    resolution: str
    resolve_open_items: bool = False
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.Close:
        return acts.Close(
            id=self.id, resolution=self.resolution, resolve_open_items=self.resolve_open_items, expected_revision=self.expected_revision
        )


@strawberry.input
class ReportProgressInput:
    id: strawberry.ID
    message: str
    percent: int | None = None
    stage: str | None = None
    channel: ChannelType | None = None
    expected_completion_at: datetime | None = None
    next_update_due_at: datetime | None = strawberry.field(default=None, description="The promise; left out, by policy.")
    idempotency_key: str | None = None

    def meant(self) -> acts.ReportProgress:
        return acts.ReportProgress(
            id=self.id,
            message=self.message,
            percent=self.percent,
            stage=self.stage,
            channel=self.channel,
            expected_completion_at=self.expected_completion_at,
            next_update_due_at=self.next_update_due_at,
        )


@strawberry.input
class AddNoteInput:
    id: strawberry.ID
    text: str
    visibility: NoteVisibility = NoteVisibility.PUBLIC
    channel: ChannelType | None = None
    written_at: datetime | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.AddNote:
        return acts.AddNote(id=self.id, text=self.text, visibility=self.visibility, channel=self.channel, written_at=self.written_at)


@strawberry.input
class UpsertPartyInput:
    kind: PartyKind
    name: str
    id: strawberry.ID | None = None
    preferred_language: str | None = strawberry.UNSET
    contact_media: list[ContactMediumInput] | None = strawberry.UNSET
    external_identifier: ExternalIdentifierInput | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> Upsert:
        media: list[ContactMedium] | Keep | None = Keep.KEEP
        if self.contact_media is not strawberry.UNSET:
            media = [
                ContactMedium.of(medium.kind, medium.address, medium.preferred, "input", "contactMedia", str(index))
                for index, medium in enumerate(self.contact_media or ())
            ]
        return Upsert(
            kind=self.kind,
            called=self.name,
            id=self.id,
            preferred_language=Keep.KEEP if self.preferred_language is strawberry.UNSET else self.preferred_language,
            contact_media=media,
            external_identifier=self.external_identifier.meant("input", "externalIdentifier") if self.external_identifier else None,
            expected_revision=self.expected_revision,
        )


@strawberry.input(name="EventFilter", description="What is asked must all hold; a list asks for one of.")
class EventFilterInput:
    interaction_ids: list[strawberry.ID] | None = None
    party_id: strawberry.ID | None = None
    types: list[EventType] | None = None
    status: list[InteractionStatus] | None = None
    kind: list[InteractionKind] | None = None
    topic: list[str] | None = None
    vertical: list[Vertical] | None = None
    channel: list[ChannelType] | None = None
    priority: list[Priority] | None = None

    def meant(self) -> EventFilter:
        return EventFilter(
            interaction_ids=_words(self.interaction_ids, "interactionIds"),
            party_id=self.party_id,
            types=_words(self.types, "types"),
            status=_words(self.status, "status"),
            kind=_words(self.kind, "kind"),
            topic=_words(self.topic, "topic"),
            vertical=_words(self.vertical, "vertical"),
            channel=_words(self.channel, "channel"),
            priority=_words(self.priority, "priority"),
        )


def _words(words: Sequence[str] | None, name: str) -> frozenset[str] | None:
    if words is not None and len(words) > WORDS:
        raise BadInput(f"{name} has {len(words)} entries; a filter takes at most {WORDS}.", "filter", name)
    return None if words is None else frozenset(str(word.value if isinstance(word, Enum) else word) for word in words)
