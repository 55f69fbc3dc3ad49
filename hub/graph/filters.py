"""Filters and orders of searches, and what they mean. To ask by what one may not read is refused, by its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

import strawberry

from hub.access.gates import check_argument
from hub.access.viewers import Viewer
from hub.errors import BadInput
from hub.graph.enums import ChannelType, Direction, EventType, InteractionKind, InteractionStatus, Priority, Vertical
from hub.graph.inputs import EntityRefInput, ExternalIdentifierInput
from hub.journal.filters import EventFilter
from hub.store.searching import InteractionFilter, Span, words_of

WORDS: Final = 500  # of one list of a filter; whoever asks for more asks for all


class InteractionOrderField(StrEnum):
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    PRIORITY = "PRIORITY"
    NEXT_UPDATE_DUE_AT = "NEXT_UPDATE_DUE_AT"


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


strawberry.enum(InteractionOrderField, description="NEXT_UPDATE_DUE_AT: what has no promise comes last, in either direction.")
strawberry.enum(OrderDirection)


@dataclass(frozen=True, slots=True)
class Ordered:
    """By what, and in which direction; rows that are equal in it follow their ids."""

    by: str = "CREATED_AT"
    is_descending: bool = True


@strawberry.input(description="From a moment on, and before another: days and months fit together without a gap.")
class DateTimeRange:
    from_: datetime | None = strawberry.field(name="from", default=None)
    to: datetime | None = None

    def meant(self, name: str) -> Span:
        """As the store takes it; BadInput where it ends before it begins."""
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise BadInput(f"{name} holds no moment: it ends where it begins, or before.", "filter", name)
        return Span(self.from_, self.to)


@strawberry.input(name="InteractionFilter", description="What is asked must all hold; a list asks for one of.")
class InteractionFilterInput:
    ids: list[strawberry.ID] | None = None
    status: list[InteractionStatus] | None = None
    direction: Direction | None = None
    kind: list[InteractionKind] | None = None
    topic: list[str] | None = None
    vertical: list[Vertical] | None = None
    priority: list[Priority] | None = None
    channel: list[ChannelType] | None = None
    party_id: strawberry.ID | None = strawberry.field(default=None, description="Takes part, in whatever role.")
    assignee_id: strawberry.ID | None = None
    unassigned: bool | None = None
    escalated: bool | None = None
    overdue: bool | None = strawberry.field(default=None, description="Whether the promised next update has passed unkept.")
    entity: EntityRefInput | None = None
    external_identifier: ExternalIdentifierInput | None = None
    created_at: DateTimeRange | None = None
    updated_at: DateTimeRange | None = None
    ended_at: DateTimeRange | None = None
    text: str | None = strawberry.field(default=None, description="Words, all of them, of reason, description and public notes.")

    def meant(self, viewer: Viewer) -> InteractionFilter:
        """As the store takes it. Raises BadInput, and Forbidden by the name of what this viewer may not read."""
        _check(viewer, "InteractionFilter", assigneeId=self.assignee_id, unassigned=self.unassigned, escalated=self.escalated)
        if self.assignee_id is not None and self.unassigned:
            raise BadInput("assigneeId and unassigned contradict each other.", "filter", "unassigned")
        return InteractionFilter(
            ids=_words(self.ids, "ids"),
            status=_words(self.status, "status"),
            direction=None if self.direction is None else str(self.direction),
            kind=_words(self.kind, "kind"),
            topic=_words(self.topic, "topic"),
            vertical=_words(self.vertical, "vertical"),
            priority=self.priority,
            channel=_words(self.channel, "channel"),
            party_id=self.party_id,
            assignee_id=self.assignee_id,
            unassigned=self.unassigned,
            escalated=self.escalated,
            overdue=self.overdue,
            entity=self.entity.meant("filter", "entity") if self.entity else None,
            external_identifier=self.external_identifier.meant("filter", "externalIdentifier") if self.external_identifier else None,
            created_at=self.created_at.meant("createdAt") if self.created_at else None,
            updated_at=self.updated_at.meant("updatedAt") if self.updated_at else None,
            ended_at=self.ended_at.meant("endedAt") if self.ended_at else None,
            words=None if self.text is None else words_of(self.text, "filter", "text"),
        )


@strawberry.input
class InteractionOrder:
    field: InteractionOrderField
    direction: OrderDirection = OrderDirection.DESC

    def meant(self) -> Ordered:
        return Ordered(str(self.field), self.direction is OrderDirection.DESC)


@strawberry.input(name="EventFilter", description="What is asked must all hold; a list asks for one of.")
class EventFilterInput:
    interaction_ids: list[strawberry.ID] | None = None
    party_id: strawberry.ID | None = None
    assignee_id: strawberry.ID | None = None
    types: list[EventType] | None = None
    status: list[InteractionStatus] | None = None
    kind: list[InteractionKind] | None = None
    topic: list[str] | None = None
    vertical: list[Vertical] | None = None
    channel: list[ChannelType] | None = None
    priority: list[Priority] | None = None

    def meant(self, viewer: Viewer) -> EventFilter:
        """As the feed takes it. Raises BadInput, and Forbidden by the name of what this viewer may not read."""
        _check(viewer, "EventFilter", assigneeId=self.assignee_id)
        return EventFilter(
            interaction_ids=_words(self.interaction_ids, "interactionIds"),
            party_id=self.party_id,
            assignee_id=self.assignee_id,
            types=_words(self.types, "types"),
            status=_words(self.status, "status"),
            kind=_words(self.kind, "kind"),
            topic=_words(self.topic, "topic"),
            vertical=_words(self.vertical, "vertical"),
            channel=_words(self.channel, "channel"),
            priority=_words(self.priority, "priority"),
        )


def _check(viewer: Viewer, of: str, **asked: object) -> None:
    for name, value in asked.items():
        if value is not None:
            check_argument(viewer, f"{of}.{name}", f"Filtering by {name}")


def _words(words: Sequence[str] | None, name: str) -> frozenset[str] | None:
    if words is not None and len(words) > WORDS:
        raise BadInput(f"{name} has {len(words)} entries; a filter takes at most {WORDS}.", "filter", name)
    return None if words is None else frozenset(str(word.value if isinstance(word, Enum) else word) for word in words)
