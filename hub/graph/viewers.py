"""The viewer, as it sees itself."""

from datetime import datetime
from typing import Any

import strawberry

from hub.access.mandates import ordered
from hub.graph.context import Context
from hub.graph.enums import Role
from hub.graph.fields import viewed
from hub.graph.parties import Party


async def _party(viewer: Any, context: Context) -> Any:
    return await context.party.load(viewer.party) if viewer.party else None


@strawberry.type(description="Whoever asks, as the token says.")
class Viewer:
    id: strawberry.ID = viewed(lambda viewer, _: viewer.id)
    party: Party | None = viewed(_party, depends_on="viewer")
    roles: list[Role] = viewed(lambda viewer, _: ordered(viewer.roles))
    scopes: list[str] = viewed(lambda viewer, _: sorted(viewer.scopes))
    expires_at: datetime | None = viewed(lambda viewer, _: viewer.expires_at, depends_on="viewer")
