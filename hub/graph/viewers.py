"""The viewer, as it sees itself."""

from datetime import datetime
from typing import Any

import strawberry

from hub.access.mandates import ordered
from hub.graph.context import Context
from hub.graph.enums import Role
from hub.graph.fields import stored, viewed
from hub.graph.parties import Party


async def _party(viewer: Any, context: Context) -> Any:
    return await context.party.load(viewer.party) if viewer.party else None


@strawberry.type(description="How much may be asked for: costs are taken from it, and it fills up again over a minute.")
class RateLimit:
    limit: int = stored("limit", description="What it holds when it is full; 2147483647 where there is no limit.")
    remaining: int = stored("remaining", description="What it holds now.")
    reset_at: datetime = stored("resetAt", description="When it is full again, if nothing is asked for until then.")


def _rate_limit(viewer: Any, context: Context) -> dict[str, Any]:
    balance = context.budgets.balance(viewer)
    return {"limit": balance.limit, "remaining": balance.remaining, "resetAt": balance.reset_at}


@strawberry.type(description="Whoever asks, as the token says.")
class Viewer:
    id: strawberry.ID = viewed(lambda viewer, _: viewer.id)
    party: Party | None = viewed(_party, depends_on="viewer")
    roles: list[Role] = viewed(lambda viewer, _: ordered(viewer.roles))
    scopes: list[str] = viewed(lambda viewer, _: sorted(viewer.scopes))
    rate_limit: RateLimit = viewed(_rate_limit, depends_on="viewer")
    expires_at: datetime | None = viewed(lambda viewer, _: viewer.expires_at, depends_on="viewer")
