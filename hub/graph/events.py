"""Events as GraphQL sees them: a view over the journal's entries. All but `interaction` is as of the event."""

from datetime import datetime
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo

from hub.access.gates import FIELDS, change_gate
from hub.graph.attachments import Attachment
from hub.graph.context import Context, Document
from hub.graph.enums import ChannelType, EventType, FeedFrameKind, InteractionStatus, Role
from hub.graph.fields import joined, stored, viewed
from hub.graph.interactions import Interaction, InteractionItem, Note, Progress
from hub.graph.nodes import Node, PageInfo
from hub.graph.parties import Party
from hub.graph.redactions import Redaction, redacted
from hub.graph.scalars import Cursor, Json, format_timestamp


def _text(name: str) -> Any:
    return lambda entry, _: entry.get("personal", {}).get(name)


def _told(name: str) -> Any:
    return lambda entry, _: entry["data"].get(name)


def _sequence(entry: Document, context: Context) -> int:
    return int(entry["seq"] if context.viewer.counts_internal else entry["publicSeq"])


def _progress(entry: Document, _: Context) -> Document | None:
    facts = entry["data"].get("progress")
    return None if facts is None else facts | entry.get("personal", {}).get("progress", {}) | {"asOf": entry["recordedAt"]}


def _note(entry: Document, _: Context) -> Document | None:
    facts = entry["data"].get("note")
    return None if facts is None else facts | {"text": entry.get("personal", {}).get("note", ""), "visibleTo": entry["visibleTo"]}


def _item(entry: Document, _: Context) -> Document | None:
    facts = entry["data"].get("item")
    if facts is None:
        return None
    texts = entry.get("personal", {}).get("item", {})
    entity = {"entity": facts["entity"] | texts.get("entity", {})} if "entity" in facts else {}
    return {**facts, **texts, **entity}


def _attachment(entry: Document, _: Context) -> Document | None:
    facts = entry["data"].get("attachment")
    if facts is None:
        return None
    around = {"visibleTo": entry["visibleTo"], "interaction": entry["subject"]["id"]}
    return {"name": "", **facts, **entry.get("personal", {}).get("attachment", {}), **around}


def _changes(entry: Document, context: Context) -> list[Document]:
    changes = [*entry["data"].get("changes", ()), *entry.get("personal", {}).get("changes", ())]
    return [change for change in changes if (gate := change_gate(change["field"])) is None or gate.opens(context.viewer, own=False)]


def _value(name: str) -> Any:
    def read(change: Document, _: Context) -> Any:
        value = change.get(name)
        return format_timestamp(value) if isinstance(value, datetime) else value

    return read


async def _interaction(entry: Document, context: Context) -> Document | None:
    return await context.interaction.load(entry["subject"]["id"])


@strawberry.type(description="A field that an event changed. Values of times are ISO 8601 texts.")
class FieldChange:
    field: str = stored("field")
    from_: Json | None = viewed(_value("from"), "from", name="from")
    to: Json | None = viewed(_value("to"), "to")


@strawberry.type(description="Something that happened to an interaction. All but `interaction` is as of the event.")
class InteractionEvent(Node):
    id: strawberry.ID = viewed(lambda entry, context: context.journal.cursors.event_id(int(entry["_id"])), "_id")
    cursor: Cursor = viewed(lambda entry, context: context.journal.cursors.cursor(int(entry["_id"])), "_id")
    sequence: int = viewed(
        _sequence, "seq", "publicSeq", description="Per interaction: staff count all events, everyone else the public ones."
    )
    type: EventType = stored("type")
    at: datetime = stored("at", description="When it happened; for what was told later, before `recordedAt`.")
    recorded_at: datetime = stored("recordedAt")
    actor: Party | None = joined(
        lambda entry: (entry["actor"], entry["actorRole"]) if "actor" in entry else None,
        "actor",
        "actorRole",
        description="Staff stay nameless to others.",
    )
    actor_role: Role = stored("actorRole")
    channel: ChannelType | None = viewed(_told("channel"), "data")
    message: str | None = viewed(_text("message"), "personal")
    revision: int = viewed(_sequence, "seq", "publicSeq")
    status: InteractionStatus | None = viewed(_told("status"), "data")
    progress: Progress | None = viewed(_progress, "data", "personal")
    note: Note | None = viewed(_note, "data", "personal")
    item: InteractionItem | None = viewed(_item, "data", "personal")
    attachment: Attachment | None = viewed(_attachment, "data", "personal", "subject", "visibleTo")
    changes: list[FieldChange] | None = viewed(_changes, "data", "personal", gate=FIELDS["InteractionEvent.changes"])
    interaction_id: strawberry.ID = viewed(lambda entry, _: entry["subject"]["id"], "subject")
    interaction: Interaction | None = viewed(
        _interaction,
        "subject",
        gate=FIELDS["InteractionEvent.interaction"],
        depends_on="viewer",
        description="The present state, never older than the event; null when out of sight by now.",
    )
    redactions: list[Redaction] = redacted()

    @classmethod
    def is_type_of(cls, obj: Document, info: GraphQLResolveInfo[Context]) -> bool:
        info.context.trail.event(obj)
        return True


@strawberry.type
class EventEdge:
    cursor: Cursor = stored("cursor")
    node: InteractionEvent = stored("node")


@strawberry.type(description="A page of what happened to an interaction, or where a party takes part.")
class EventConnection:
    edges: list[EventEdge] = stored("edges")
    nodes: list[InteractionEvent] = stored("nodes")
    page_info: PageInfo = stored("pageInfo")
    cursor: Cursor = stored("cursor")


@strawberry.type(
    description="A page of the feed, for clients that pull. `reset`: the cursor is too old; read anew and go on from `cursor`."
)
class EventPage:
    nodes: list[InteractionEvent] = stored("nodes")
    cursor: Cursor = stored("cursor")
    has_more: bool = stored("hasMore")
    reset: bool = stored("reset")


@strawberry.type(description="What a subscription sends: an event, or where the stream stands.")
class FeedFrame:
    kind: FeedFrameKind = viewed(lambda frame, _: frame.kind)
    cursor: Cursor = viewed(lambda frame, context: context.journal.cursors.cursor(frame.position))
    event: InteractionEvent | None = viewed(lambda frame, _: frame.entry)
    interaction_id: strawberry.ID | None = viewed(lambda frame, _: frame.interaction)
    reason: str | None = viewed(lambda frame, _: frame.reason)
