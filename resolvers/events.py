"""The feed, for clients that pull."""

from typing import Any

import strawberry

from hub.graph import timelines
from hub.graph.context import Info
from hub.graph.events import EventPage
from hub.graph.filters import EventFilterInput
from hub.graph.roots import admit, root
from hub.graph.scalars import Cursor
from hub.journal.filters import EVERYTHING


@strawberry.type
class EventQueries:
    @root(
        "Query.events",
        description="A page of the feed: same cursors, same filter, same order as the subscription. `after` null: the oldest kept.",
    )
    @staticmethod
    async def events(
        info: Info, after: Cursor | None = None, filter: EventFilterInput | None = None, first: int | None = None
    ) -> EventPage | None:
        admit(info, "Query.events")
        page: Any = await timelines.events(info.context, filter.meant(info.context.viewer) if filter else EVERYTHING, first, after)
        return page
