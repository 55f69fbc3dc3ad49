"""Interactions as GraphQL sees them: a view over the stored document, each field declared once."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from hub.access.mandates import ACTS, STAFF, STAFF_AND_SYSTEM, Act, allows, may_move
from hub.access.viewers import Viewer
from hub.commands.interactions import READS_ONLY
from hub.domain import lifecycle, promises
from hub.domain.terms import PRIORITIES, Status
from hub.domain.terms import InvolvementRole as Involved
from hub.domain.terms import NoteVisibility as Visible
from hub.graph.context import Context, Document, Info
from hub.graph.enums import (
    ChannelType,
    Direction,
    InteractionKind,
    InteractionStatus,
    InvolvementRole,
    NoteVisibility,
    Priority,
    Role,
    Vertical,
)
from hub.graph.fields import is_own, joined, stored, viewed
from hub.graph.nodes import Node, PageInfo
from hub.graph.parties import ExternalIdentifier, Party
from hub.graph.redactions import Redaction, redacted
from hub.graph.scalars import Cursor
from hub.graph.timelines import timeline
from hub.store import paging

if TYPE_CHECKING:
    from hub.graph.events import EventConnection
Events = Annotated["EventConnection", strawberry.lazy("hub.graph.events")]

NOTES = 50  # of an interaction, when nobody says how many


@strawberry.type(description="A channel the interaction has used.")
class InteractionChannel:
    type: ChannelType = stored("type")
    name: str | None = stored("name")
    since: datetime = stored("since")


@strawberry.type(description="A party that takes part, and as what.")
class Involvement:
    role: InvolvementRole = stored("role")
    party: Party | None = joined(lambda involvement: (involvement["party"], involvement["role"]), "parties")
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


def _transitions(document: Document, context: Context) -> list[Status]:
    """The moves that are legal now, cut to what this viewer may do."""
    viewer, status = context.viewer, Status(document["status"])
    if not allows(viewer, ACTS[Act.TRANSITION], own=_may_act(document, viewer)):
        return []
    legal = lifecycle.moves(status, ended_at=document.get("endedAt"), now=context.now, window=context.reopen_window)
    return [to for to in legal if may_move(viewer, status, to)]


def _may_act(document: Document, viewer: Viewer) -> bool:
    return is_own(document, viewer) and any(one["party"] == viewer.party and one["role"] not in READS_ONLY for one in document["parties"])


def _notes(visibility: Visible) -> Callable[[Document, Context], list[Document]]:
    def read(document: Document, context: Context) -> list[Document]:
        return [note | {"visibleTo": document["visibleTo"]} for note in document.get("notes", ()) if note["visibility"] == visibility]

    return read


def _public_notes(root: strawberry.Parent[Any], info: Info, first: int | None = None, before: str | None = None) -> Any:
    notes = _notes(Visible.PUBLIC)(root, info.context)
    if before is not None:
        notes = notes[: next((index for index, note in enumerate(notes) if note["id"] == before), 0)]
    return notes[-(NOTES if first is None else paging.size(first)) :]


async def _timeline(root: strawberry.Parent[Any], info: Info, first: int | None = None, after: Cursor | None = None) -> Any:
    return await timeline(info.context, root, first, after)


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
    status_reason: str | None = stored("statusReason", requires=STAFF_AND_SYSTEM)
    allowed_transitions: list[InteractionStatus] = viewed(_transitions, "status", "endedAt", "parties", "visibleTo", depends_on="viewer")
    started_at: datetime = stored("startedAt")
    ended_at: datetime | None = stored("endedAt")
    created_at: datetime = stored("createdAt")
    updated_at: datetime = viewed(_updated_at, "updatedAt", "publicUpdatedAt")
    channels: list[InteractionChannel] = stored("channels")
    parties: list[Involvement] = viewed(
        lambda document, _: [one | {"visibleTo": document["visibleTo"]} for one in document["parties"]], "parties", "visibleTo"
    )
    customer: Party | None = joined(_customer, "parties", depends_on="viewer")
    items: list[InteractionItem] = stored("items", default=())
    external_identifiers: list[ExternalIdentifier] | None = stored("externalIdentifiers", default=())
    internal_notes: list[Note] | None = viewed(_notes(Visible.INTERNAL), "notes", requires=STAFF)
    progress: Progress | None = stored("progress")
    redactions: list[Redaction] = redacted()

    notes: list[Note] = strawberry.field(
        resolver=_public_notes, description="Public notes in order: the last `first` of them, or of those before a note's id."
    )
    timeline: Events | None = strawberry.field(
        resolver=_timeline, description="What happened, oldest first, as far as this viewer may see."
    )

    @classmethod
    def is_type_of(cls, obj: object, info: object) -> bool:
        return True


@strawberry.type
class InteractionEdge:
    cursor: str = stored("cursor")
    node: Interaction = stored("node")


async def _total(page: Document, context: Context) -> int:
    if "total" not in page:
        page["total"] = asyncio.ensure_future(page["count"]())  # asked for twice, counted once
    return int(await page["total"])


async def _is_exact(page: Document, context: Context) -> bool:
    return await _total(page, context) <= paging.COUNTED


@strawberry.type(description="A page of interactions.")
class InteractionConnection:
    edges: list[InteractionEdge] = stored("edges")
    nodes: list[Interaction] = viewed(lambda page, _: [edge["node"] for edge in page["edges"]])
    page_info: PageInfo = stored("pageInfo")
    total_count: int = viewed(_total, description="Exact up to 10,000; 10,001 says: more than that.")
    total_count_is_exact: bool = viewed(_is_exact)
    cursor: Cursor = stored("cursor", description="Everything on this page is at least this new: subscribe from here and miss nothing.")
