"""Pages: what connections view, and where their cursors come from."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import TooBroad
from hub.graph.context import Context, Document
from hub.graph.filters import Ordered
from hub.graph.nodes import page_info
from hub.store import interactions, paging
from hub.store.paging import Order, Window
from hub.store.parties import NEWEST, PartyFilter
from hub.store.searching import InteractionFilter


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a page as clients give them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def window(self, context: Context, of: str, order: Order) -> Window:
        """What they mean. Raises BadInput and CursorInvalid."""
        size, is_backward = paging.sized(self.first, self.last)
        keys = [None if cursor is None else context.page_cursors.open(of, order, cursor) for cursor in (self.after, self.before)]
        return Window(size, is_backward, *keys)


async def interactions_page(context: Context, sought: InteractionFilter, ordered: Ordered, asked: Asked) -> Mapping[str, Any]:
    """A page of the interactions in sight. Raises BadInput, CursorInvalid, TooBroad and CostExceeded."""
    order = interactions.order(context.visibility, ordered.by, is_descending=ordered.is_descending)
    window = asked.window(context, "interactions", order)
    reached = context.journal.feed.position  # before the page is read: everything on it is at least this new
    projection = context.projection("Interaction", *([order.path] if order.path else []))
    async with context.page():
        rows = await context.interactions.page(context.visibility, sought, (order, window), now=context.now, projection=projection)
    page = _connection(context, "interactions", order, rows)
    if rows.rows:  # that there are any is told of those who were asked about, also where none is selected
        context.trail.parties(*sought.names)
    if sought.is_about_some:
        for row in rows.rows:
            context.trail.interaction(row)
    return page | {
        "count": lambda: _count_of(context, sought),
        "cursor": context.journal.cursors.cursor(reached),
    }


async def _count_of(context: Context, sought: InteractionFilter) -> int:
    count = await context.interactions.count(context.visibility, sought, now=context.now)
    if count:
        context.trail.parties(*sought.names)
    return count


async def parties_page(context: Context, sought: PartyFilter, asked: Asked) -> Mapping[str, Any]:
    """A page of the parties in sight, the newest first. Raises BadInput, CursorInvalid, TooBroad and CostExceeded."""
    window = asked.window(context, "parties", NEWEST)
    async with context.page():
        rows = await context.parties.page(context.visibility, sought, window, context.projection("Party"))
    if sought.words is not None or sought.contact is not None:
        context.trail.parties(*(row["_id"] for row in rows.rows))
    return _connection(context, "parties", NEWEST, rows) | {"count": lambda: context.parties.count(context.visibility, sought)}


async def party_roles_page(context: Context, party: str | None, name: str | None, asked: Asked) -> Mapping[str, Any]:
    """A page of the party roles in sight, the newest first. Raises BadInput, CursorInvalid and CostExceeded."""
    window = asked.window(context, "partyRoles", NEWEST)
    async with context.page():
        rows = await context.party_roles.page(context.visibility, party, name, window)
    if party is not None and rows.rows:
        context.trail.parties(party)
    page = _connection(context, "partyRoles", NEWEST, rows)
    return page | {"count": lambda: context.party_roles.count(context.visibility, party, name)}


async def tokens_page(context: Context, asked: Asked) -> Mapping[str, Any]:
    """A page of the tokens in sight, the newest first. Raises BadInput, CursorInvalid and CostExceeded."""
    window = asked.window(context, "tokens", NEWEST)
    async with context.page():
        rows = await context.tokens.page(context.visibility, window)
    return _connection(context, "tokens", NEWEST, rows) | {"count": lambda: context.tokens.count(context.visibility)}


def _connection(context: Context, of: str, order: Order, rows: paging.Rows) -> dict[str, Any]:
    cursors = [context.page_cursors.seal(of, order, row) for row in rows.rows]
    return {
        "edges": [{"cursor": cursor, "node": row} for cursor, row in zip(cursors, rows.rows, strict=True)],
        "pageInfo": page_info(cursors, has_next=rows.has_next, has_previous=rows.has_previous),
    }


async def total(page: Document, context: Context) -> int:
    """How many there are in all: asked for twice, counted once."""
    return await _counted(page, context)


async def is_exact(page: Document, context: Context) -> bool:
    """Whether that is all of them."""
    return await _counted(page, context) <= paging.COUNTED


async def _counted(page: Document, context: Context) -> int:
    if "total" not in page:
        page["total"] = asyncio.ensure_future(_count(page["count"], context))
    return int(await page["total"])


async def _count(count: Callable[[], Awaitable[int]], context: Context) -> int:
    """What cannot be counted in time is told as more than is counted: the rows of the page are there all the same."""
    async with context.abreast:
        try:
            return await count()
        except TooBroad:
            return paging.COUNTED + 1
