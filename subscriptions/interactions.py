"""Streams of interactions: attach, replay, follow. Without `after`: from now on, CAUGHT_UP first."""

from collections.abc import AsyncIterator, Callable
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
from hub.journal.subscriber import Subscriber


@strawberry.type
class InteractionStreams:
    @root("Subscription.interactionEvents", description="Every event in sight that the filter asks for, in order.")
    @staticmethod
    async def interaction_events(
        info: Info, filter: EventFilterInput | None = None, after: Cursor | None = None
    ) -> AsyncIterator[FeedFrame]:
        def asking() -> EventFilter:
            admit(info, "Subscription.interactionEvents")
            return filter.meant(info.context.viewer) if filter else EVERYTHING

        frames: Any = _frames(info, asking, after)
        return frames

    @root("Subscription.interactionProgress", description="Every event of one interaction that its customer may see.")
    @staticmethod
    async def interaction_progress(info: Info, interaction_id: strawberry.ID, after: Cursor | None = None) -> AsyncIterator[FeedFrame]:
        def asking() -> EventFilter:
            admit(info, "Subscription.interactionProgress")
            return EventFilter(interaction_ids=frozenset({interaction_id}), public_only=True)

        frames: Any = _frames(info, asking, after)
        if await info.context.interaction.load(interaction_id) is None:
            raise NotFound("interaction", "interactionId")
        return frames


def _frames(info: Info, asking: Callable[[], EventFilter], after: str | None) -> Subscriber:
    """What the type views. `asking` checks the viewer's right; here, so that a refusal is one `error` and no stream begins, and
    again whenever its rights have changed."""
    context = info.context
    asking()

    def asking_anew() -> EventFilter:
        context.renew()
        return asking()

    start = context.starting(place(context, after))
    return Subscriber(context.journal.cohorts, context.bearer, asking_anew, start, rendering=context.rendering)
