"""Streams of interactions: attach, replay, follow. Without `after`: from now on, CAUGHT_UP first."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import strawberry

from hub.errors import NotFound
from hub.graph.context import Info
from hub.graph.events import FeedFrame
from hub.graph.filters import EventFilterInput
from hub.graph.roots import admit, root
from hub.graph.scalars import Cursor
from hub.graph.timelines import place
from hub.journal.filters import EVERYTHING, EventFilter
from hub.journal.subscriber import Frame, follow


@strawberry.type
class InteractionStreams:
    @root("Subscription.interactionEvents", description="Every event in sight that the filter asks for, in order.")
    @staticmethod
    async def interaction_events(
        info: Info, filter: EventFilterInput | None = None, after: Cursor | None = None
    ) -> AsyncIterator[FeedFrame]:
        admit(info, "Subscription.interactionEvents")
        frames: Any = _frames(info, filter.meant(info.context.viewer) if filter else EVERYTHING, after)
        return frames

    @root("Subscription.interactionProgress", description="Every event of one interaction that its customer may see.")
    @staticmethod
    async def interaction_progress(info: Info, interaction_id: strawberry.ID, after: Cursor | None = None) -> AsyncIterator[FeedFrame]:
        admit(info, "Subscription.interactionProgress")
        if await info.context.interaction.load(interaction_id) is None:
            raise NotFound("interaction", "interactionId")
        frames: Any = _frames(info, EventFilter(interaction_ids=frozenset({interaction_id}), public_only=True), after)
        return frames


def _frames(info: Info, asked: EventFilter, after: str | None) -> AsyncIterator[Frame]:
    """What the type views. Checks are made before it is read from, so that a refusal is one `error` and no stream begins."""
    context = info.context
    start = place(context, after)

    async def renewed() -> AsyncGenerator[Frame, None]:
        async with aclosing(follow(context.journal.feed, context.visibility, asked, start)) as frames:
            async for frame in frames:
                context.renew()  # each frame is an answer of its own: what it joins is read anew
                context.trail.frame(frame)
                yield frame

    return renewed()
