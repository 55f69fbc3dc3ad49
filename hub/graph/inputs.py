"""Inputs, and what they mean as commands. Null clears and absence keeps."""

from datetime import datetime
from typing import Any

import strawberry

from hub.commands import attachments, channels, handling, items, notes, relationships
from hub.commands import interactions as acts
from hub.commands.asking import Keep
from hub.commands.claiming import Claim
from hub.commands.involvements import AddParty, Involved, RemoveParty
from hub.commands.items import Matter
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import EntityRef
from hub.domain.texts import SHORT, optional, text
from hub.graph.enums import (
    ChannelType,
    Direction,
    InteractionKind,
    InteractionStatus,
    InvolvementRole,
    NoteVisibility,
    Priority,
    RelationshipType,
    Vertical,
)


def sent(value: Any) -> Any:
    """What a client sent; `Keep` where it left the field out."""
    return Keep.KEEP if value is strawberry.UNSET else value


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

    def meant(self, *path: str) -> EntityRef:
        """The checked reference; BadInput names `path`."""
        return EntityRef(
            text(self.type, *path, "type", most=SHORT),
            text(self.entity_id, *path, "entityId", most=SHORT),
            optional(self.href, *path, "href", most=SHORT),
            optional(self.name, *path, "name", most=SHORT),
        )


@strawberry.input(description="A party, by its id, by an external identifier, or by a party role that it holds.")
class InvolvementInput:
    role: InvolvementRole
    party_id: strawberry.ID | None = None
    party_ref: ExternalIdentifierInput | None = None
    party_role_id: strawberry.ID | None = strawberry.field(default=None, description="A valid one, of this party.")

    def meant(self, *path: str) -> Involved:
        return Involved(self.role, self.party_id, self.party_ref.meant(*path, "partyRef") if self.party_ref else None, self.party_role_id)


@strawberry.input
class InteractionItemInput:
    type: str
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRefInput | None = None

    def meant(self, *path: str) -> Matter:
        entity = self.entity.meant(*path, "entity") if self.entity else None
        return Matter(self.type, self.reason, self.resolution, self.vertical, entity)


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
            parties=[one.meant("input", "parties", str(index)) for index, one in enumerate(self.parties or ())],
            items=[item.meant("input", "items", str(index)) for index, item in enumerate(self.items or ())],
            started_at=self.started_at,
            ended_at=self.ended_at,
            resolution=self.resolution,
            external_identifier=self.external_identifier.meant("input", "externalIdentifier") if self.external_identifier else None,
        )


@strawberry.input(description="What is left out stays; null clears.")
class UpdateInteractionInput:
    id: strawberry.ID
    kind: InteractionKind | None = strawberry.UNSET
    topic: str | None = strawberry.UNSET
    reason: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    vertical: Vertical | None = strawberry.UNSET
    priority: Priority | None = strawberry.UNSET
    external_identifier: ExternalIdentifierInput | None = strawberry.field(
        default=strawberry.UNSET, description="Takes the place of the one of this owner and type, or is added; null clears them all."
    )
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.Update:
        identifier = sent(self.external_identifier)
        return acts.Update(
            id=self.id,
            kind=sent(self.kind),
            topic=sent(self.topic),
            reason=sent(self.reason),
            description=sent(self.description),
            vertical=sent(self.vertical),
            priority=sent(self.priority),
            external_identifier=identifier.meant("input", "externalIdentifier")
            if isinstance(identifier, ExternalIdentifierInput)
            else identifier,
            expected_revision=self.expected_revision,
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

    def meant(self) -> notes.AddNote:
        return notes.AddNote(id=self.id, text=self.text, visibility=self.visibility, channel=self.channel, written_at=self.written_at)


@strawberry.input(description="A reference by its url, or, with mimeType and size instead, a file that will be uploaded.")
class AddAttachmentInput:
    id: strawberry.ID
    name: str = strawberry.field(description="The name under which it is saved, with its ending.")
    visibility: NoteVisibility = NoteVisibility.PUBLIC
    url: str | None = strawberry.field(default=None, description="Where it is, if it is kept elsewhere: https.")
    mime_type: str | None = strawberry.field(default=None, description="Needed for an upload: a kind that this hub takes.")
    size: int | None = strawberry.field(default=None, description="In bytes. Needed for an upload, which must have exactly as many.")
    idempotency_key: str | None = None

    def meant(self) -> attachments.AddAttachment:
        return attachments.AddAttachment(
            id=self.id, called=self.name, visibility=self.visibility, url=self.url, mime_type=self.mime_type, size=self.size
        )


@strawberry.input
class AddItemInput:
    id: strawberry.ID
    item: InteractionItemInput
    idempotency_key: str | None = None

    def meant(self) -> items.AddItem:
        return items.AddItem(id=self.id, item=self.item.meant("input", "item"))


@strawberry.input
class ResolveItemInput:
    id: strawberry.ID
    item_id: strawberry.ID
    resolution: str
    idempotency_key: str | None = None

    def meant(self) -> items.ResolveItem:
        return items.ResolveItem(id=self.id, item_id=self.item_id, resolution=self.resolution)


@strawberry.input
class AddPartyInput:
    id: strawberry.ID
    involvement: InvolvementInput
    idempotency_key: str | None = None

    def meant(self) -> AddParty:
        return AddParty(id=self.id, involved=self.involvement.meant("input", "involvement"))


@strawberry.input
class RemovePartyInput:
    id: strawberry.ID
    party_id: strawberry.ID
    role: InvolvementRole
    idempotency_key: str | None = None

    def meant(self) -> RemoveParty:
        return RemoveParty(id=self.id, party_id=self.party_id, role=self.role)


@strawberry.input
class AddChannelInput:
    id: strawberry.ID
    channel: ChannelType
    name: str | None = None
    idempotency_key: str | None = None

    def meant(self) -> channels.AddChannel:
        return channels.AddChannel(id=self.id, channel=self.channel, called=self.name)


@strawberry.input
class AssignInteractionInput:
    id: strawberry.ID
    assignee_id: strawberry.ID | None = strawberry.field(default=None, description="A person or an organization; null: nobody.")
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> handling.Assign:
        return handling.Assign(id=self.id, assignee_id=self.assignee_id, expected_revision=self.expected_revision)


@strawberry.input
class EscalateInteractionInput:
    id: strawberry.ID
    reason: str
    idempotency_key: str | None = None

    def meant(self) -> handling.Escalate:
        return handling.Escalate(id=self.id, reason=self.reason)


@strawberry.input(description="What the other interaction is to this one.")
class LinkInteractionsInput:
    id: strawberry.ID
    type: RelationshipType
    other_id: strawberry.ID
    idempotency_key: str | None = None

    def meant(self) -> relationships.Link:
        return relationships.Link(id=self.id, type=self.type, other_id=self.other_id)

    def taken_back(self) -> relationships.Unlink:
        """The same link, no more."""
        return relationships.Unlink(id=self.id, type=self.type, other_id=self.other_id)


@strawberry.input
class RateInteractionInput:
    id: strawberry.ID
    score: int = strawberry.field(description="From 1, the worst, to 5.")
    comment: str | None = None
    idempotency_key: str | None = None

    def meant(self) -> acts.Rate:
        return acts.Rate(id=self.id, score=self.score, comment=self.comment)


@strawberry.input
class ClaimInteractionInput:
    id: strawberry.ID
    claim_code: str = strawberry.field(description="As it was given when the visitor opened it; case, spaces and hyphens do not matter.")
    idempotency_key: str | None = None

    def meant(self) -> Claim:
        return Claim(id=self.id, claim_code=self.claim_code)
