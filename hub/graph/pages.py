"""Pages of interactions: what the connection views."""

from collections.abc import Mapping
from typing import Any

from hub.graph.context import Context
from hub.graph.nodes import page_info
from hub.store import paging
from hub.store.paging import Key


async def interactions_page(context: Context, first: int | None, after: str | None) -> Mapping[str, Any]:
    """A page in sight, newest first, below `after`. Raises BadInput and CursorInvalid."""
    asked, below = paging.size(first), context.page_cursors.open(after) if after is not None else None
    reached = context.journal.feed.position  # before the page is read: everything on it is at least this new
    rows = await context.interactions.newest(context.visibility, first=asked, after=below)
    cursors = [context.page_cursors.seal(Key(row["createdAt"], row["_id"])) for row in rows.rows]
    return {
        "edges": [{"cursor": cursor, "node": row} for cursor, row in zip(cursors, rows.rows, strict=True)],
        "pageInfo": page_info(cursors, has_next=rows.has_next, has_previous=rows.has_previous),
        "count": lambda: context.interactions.count(context.visibility),
        "cursor": context.journal.cursors.cursor(reached),
    }
