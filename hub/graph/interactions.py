"""Interactions as GraphQL sees them: a view over the stored document, each field declared once."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from graphql import GraphQLResolveInfo

from hub.access.gates import FIELDS
from hub.domain import promises
from hub.domain.terms import PRIORITIES
from hub.domain.terms import InvolvementRole as Involved
from hub.domain.terms import NoteVisibility as Visible
from hub.errors import BadInput
from hub.graph import allowed
from hub.graph.allowed import AllowedAct
from hub.graph.attachments import Attachment, attached_in
from hub.graph.context import Context, Document, Info
from hub.graph.enums import (
    ChannelType,
    Direction,
    EventType,
    InteractionKind,
    InteractionStatus,
    InvolvementRole,
    NoteVisibility,
    Priority,
    RelationshipType,
    Role,
    Vertical,
)
from hub.graph.fields import asked, joined, stored, viewed
from hub.graph.nodes import Node, PageInfo
from hub.graph.pages import Asked, is_exact, total
from hub.graph.parties import ExternalIdentifier, Party
from hub.graph.party_roles import PartyRole
from hub.graph.redactions import Redaction, redacted
from hub.graph.scalars import Cursor
from hub.graph.timelines import timeline
from hub.store import paging
from hub.store.documents import kept_notes as kept

if TYPE_CHECKING:
    from hub.graph.events import EventConnection
Events = Annotated["EventConnection", strawberry.lazy("hub.graph.events")]

ABOUT = ("kind", "topic", "vertical")  # what policies look at
NOTES = 50  # of an interaction, when nobody says how many


@strawberry.type(description="A channel the interaction has used.")
class InteractionChannel:
    type: ChannelType = stored("type")
    name: str | None = stored("name")
    since: datetime = stored("since")


async def _party_role(involvement: Document, context: Context) -> Document | None:
    return await context.party_role.load(involvement["partyRole"]) if "partyRole" in involvement else None


@strawberry.type(description="A party that takes part, and as what.")
class Involvement:
    role: InvolvementRole = stored("role")
    party: Party | None = joined(lambda involvement: (involvement["party"], involvement["role"]), "parties")
    party_role: PartyRole | None = viewed(
        _party_role,
        "parties",
        gate=FIELDS["Involvement.partyRole"],
        depends_on="viewer",
        description="Under which party role; null where it is not the viewer's to see.",
    )
    since: datetime = stored("since")


@strawberry.type(description="What an item is about, in the system that keeps it.")
class EntityRef:
    type: str = stored("type")
    entity_id: str = stored("entityId")
    href: str | None = stored("href")
    name: str | None = stored("name")


@strawberry.type(description="One matter of an interaction; open until it has a resolution.")
class InteractionItem:
    id: strawberry.ID = stored("id")
    type: str = stored("type")
    reason: str | None = stored("reason")
    resolution: str | None = stored("resolution")
    vertical: Vertical | None = stored("vertical")
    entity: EntityRef | None = stored("entity")
    created_at: datetime = stored("createdAt")
    resolved_at: datetime | None = stored("resolvedAt")


@strawberry.type
class Note:
    id: strawberry.ID = stored("id")
    text: str = stored("text")
    visibility: NoteVisibility = stored("visibility")
    channel: ChannelType | None = stored("channel")
    author: Party | None = joined(lambda note: (note["author"], note["authorRole"]) if "author" in note else None, "notes")
    author_role: Role = stored("authorRole")
    at: datetime = stored("at")


def _overdue(progress: Document, context: Context) -> bool:
    return promises.is_overdue(progress.get("nextUpdateDueAt"), progress.get("asOf", context.now))


@strawberry.type(description="What another interaction is to this one; one out of sight does not appear.")
class InteractionRelationship:
    type: RelationshipType = stored("type")
    interaction: Annotated["Interaction", strawberry.lazy("hub.graph.interactions")] | None = stored("interaction")


@strawberry.type(description="How content the customer was with how it was closed.")
class Satisfaction:
    score: int = stored("score", description="From 1, the worst, to 5.")
    comment: str | None = stored("comment")
    at: datetime = stored("at")


@strawberry.type(description="How it is going, and when the customer hears next.")
class Progress:
    percent: int | None = stored("percent")
    stage: str | None = stored("stage")
    message: str | None = stored("message")
    expected_completion_at: datetime | None = stored("expectedCompletionAt")
    updated_at: datetime = stored("updatedAt")
    next_update_due_at: datetime | None = stored("nextUpdateDueAt", description="The promise: by then the customer hears again.")
    overdue: bool = viewed(_overdue, "progress", description="Whether that promise has passed unkept.")


def _customer(document: Document) -> tuple[str, str] | None:
    return next(((one["party"], one["role"]) for one in document["parties"] if one["role"] == Involved.CUSTOMER), None)


def _notes(visibility: Visible) -> Callable[[Document, Context], list[Document]]:
    def read(document: Document, context: Context) -> list[Document]:
        return [note | {"visibleTo": document["visibleTo"]} for note in kept(document, visibility)]

    return read


def _public_notes(root: strawberry.Parent[Any], info: Info, first: int | None = None, before: str | None = None) -> Any:
    notes = _notes(Visible.PUBLIC)(root, info.context)
    if before is not None:
        place = next((index for index, note in enumerate(notes) if note["id"] == before), None)
        if place is None:
            raise BadInput("before is not the id of one of its public notes.", "before")
        notes = notes[:place]
    return notes[-(NOTES if first is None else paging.size(first)) :]


async def _relationships(document: Document, context: Context) -> list[Document]:
    """What is out of sight is left out, with its kind: that there is something is told to nobody else either."""
    kept = document.get("relationships", [])
    found = await context.interaction.load_many([one["interaction"] for one in kept])
    return [{"type": one["type"], "interaction": other} for one, other in zip(kept, found, strict=True) if other is not None]


async def _timeline(
    root: strawberry.Parent[Any],
    info: Info,
    *,
    types: list[EventType] | None = None,
    first: int | None = None,
    after: Cursor | None = None,
    last: int | None = None,
    before: Cursor | None = None,
) -> Any:
    return await timeline(info.context, root["_id"], types, Asked(first, after, last, before))


def _revision(document: Document, context: Context) -> int:
    return int(document["seq"] if context.viewer.counts_internal else document["publicSeq"])


def _updated_at(document: Document, context: Context) -> datetime:
    at: datetime = document["updatedAt" if context.viewer.counts_internal else "publicUpdatedAt"]
    return at


@strawberry.type(description="What a company and a customer have to do with each other, from its first call to its close.")
class Interaction(Node):
    revision: int = viewed(_revision, "seq", "publicSeq", description="The sequence of the last event that this viewer may see.")
    direction: Direction = stored("direction")
    kind: InteractionKind = stored("kind")
    topic: str | None = stored("topic", description="Coded, by the company's own list: drives policies and reports.")
    reason: str | None = stored("reason", description="Free text.")
    description: str | None = stored("description")
    vertical: Vertical | None = stored("vertical")
    priority: Priority = viewed(lambda document, _: PRIORITIES[document["priority"]], "priority")
    status: InteractionStatus = stored("status")
    status_changed_at: datetime = stored("statusChangedAt")
    question: str | None = stored("question", description="What the customer is asked while PENDING.")
    resolution: str | None = stored("resolution")
    status_reason: str | None = stored("statusReason", gate=FIELDS["Interaction.statusReason"])
    allowed_transitions: list[InteractionStatus] = viewed(
        allowed.transitions,
        "status",
        "endedAt",
        "parties",
        "visibleTo",
        *ABOUT,
        depends_on="viewer",
        description="The moves open to this viewer, now.",
    )
    allowed_acts: list[AllowedAct] = viewed(
        allowed.acts, "status", "endedAt", "parties", "visibleTo", "satisfaction", "createdAt", "visitor", *ABOUT, depends_on="viewer"
    )
    started_at: datetime = stored("startedAt")
    ended_at: datetime | None = stored("endedAt")
    created_at: datetime = stored("createdAt")
    updated_at: datetime = viewed(_updated_at, "updatedAt", "publicUpdatedAt")
    channels: list[InteractionChannel] = stored("channels")
    parties: list[Involvement] = viewed(
        lambda document, _: [one | {"visibleTo": document["visibleTo"]} for one in document["parties"]], "parties", "visibleTo"
    )
    customer: Party | None = joined(_customer, "parties")
    items: list[InteractionItem] = stored("items", default=())
    relationships: list[InteractionRelationship] = viewed(_relationships, "relationships", depends_on="viewer")
    external_identifiers: list[ExternalIdentifier] | None = stored("externalIdentifiers", default=())
    notes: list[Note] = asked(
        _public_notes, "notes", "visibleTo", description="Public notes in order: the last `first` of them, or of those before a note's id."
    )
    internal_notes: list[Note] | None = viewed(
        _notes(Visible.INTERNAL), "internalNotes", "notes", "visibleTo", gate=FIELDS["Interaction.internalNotes"]
    )
    attachments: list[Attachment] = viewed(
        attached_in("attachments"),
        "attachments",
        "visibleTo",
        description="Photos, bills and other files, in the order in which they came.",
    )
    internal_attachments: list[Attachment] | None = viewed(
        attached_in("internalAttachments"), "internalAttachments", "visibleTo", gate=FIELDS["Interaction.internalAttachments"]
    )
    assignee: Party | None = joined(
        lambda document: (document["assignee"], "") if "assignee" in document else None,
        "assignee",
        gate=FIELDS["Interaction.assignee"],
        description="A person, or an ORGANIZATION: a team.",
    )
    escalation_level: int | None = stored("escalationLevel", gate=FIELDS["Interaction.escalationLevel"], default=0)
    progress: Progress | None = stored("progress")
    satisfaction: Satisfaction | None = stored("satisfaction")
    timeline: Events | None = asked(_timeline, description="What happened, oldest first, as far as this viewer may see.")
    redactions: list[Redaction] = redacted()

    @classmethod
    def is_type_of(cls, obj: Document, info: GraphQLResolveInfo[Context]) -> bool:
        info.context.trail.interaction(obj)
        return True


@strawberry.type
class InteractionEdge:
    cursor: str = stored("cursor")
    node: Interaction = stored("node")


@strawberry.type(description="A page of interactions.")
class InteractionConnection:
    edges: list[InteractionEdge] = stored("edges")
    nodes: list[Interaction] = viewed(lambda page, _: [edge["node"] for edge in page["edges"]])
    page_info: PageInfo = stored("pageInfo")
    total_count: int = viewed(total, description="Exact up to 10,000; 10,001 says: more than that, or more than there was time to count.")
    total_count_is_exact: bool = viewed(is_exact)
    cursor: Cursor = stored("cursor", description="Everything on this page is at least this new: subscribe from here and miss nothing.")
