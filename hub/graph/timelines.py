"""Pages of events, made of the journal: an interaction's own, and the feed's for clients that pull."""

from collections.abc import Mapping
from typing import Any, Final

from hub.errors import CursorInvalid
from hub.graph.context import Context, Document
from hub.graph.nodes import page_info
from hub.journal import head
from hub.journal.cursors import Place
from hub.journal.filters import EventFilter
from hub.journal.log import read_after
from hub.journal.subscriber import FrameKind, frames_after
from hub.store import paging

PAGES: Final = 25  # of 200 entries that one request looks through; what it has not reached it goes on from


def place(context: Context, cursor: str | None) -> Place | None:
    """Where a cursor lies; CursorInvalid for what this hub did not make."""
    return None if cursor is None else context.journal.cursors.read(cursor)


async def timeline(context: Context, interaction: Document, first: int | None, after: str | None) -> Document:
    """One interaction's history, oldest first, as far as this viewer's audience goes; the interaction itself is in sight."""
    asked, start = paging.size(first), place(context, after)
    if start is not None and not context.journal.cursors.is_ours(start):
        raise CursorInvalid
    only = {"subject.id": interaction["_id"], "audience": context.visibility.entries()["audience"]}
    entries = await read_after(context.journal.mongo, start.position if start else 0, limit=asked + 1, only=only)
    page, cursors = entries[:asked], [context.journal.cursors.cursor(int(entry["_id"])) for entry in entries[:asked]]
    return {
        "nodes": page,
        "edges": [{"cursor": cursor, "node": entry} for cursor, entry in zip(cursors, page, strict=True)],
        "pageInfo": page_info(cursors, has_next=len(entries) > asked, has_previous=start is not None),
        "cursor": cursors[-1] if cursors else after or context.journal.cursors.cursor(context.journal.feed.position),
    }


async def events(context: Context, asked_for: EventFilter, first: int | None, after: str | None) -> Mapping[str, Any]:
    """A page of the feed: same cursors, filter and order as the subscription. `after` None: the oldest kept."""
    asked, start = paging.size(first), place(context, after)
    journal = context.journal
    now = await head.read(journal.mongo)
    if start is not None and not (start.epoch == now.epoch and now.floor < start.position <= now.position):
        return {"nodes": [], "cursor": journal.cursors.cursor(now.position), "hasMore": False, "reset": True}
    above, has_more = start.position if start else max(now.floor, 0), True
    nodes: list[Any] = []
    for _ in range(PAGES):
        page = await frames_after(journal.mongo, context.visibility, asked_for, above, up_to=now.position)
        nodes += [frame.entry for frame in page.frames if frame.kind is FrameKind.EVENT]
        above, has_more = page.reached, page.has_more and page.reached < now.position
        if len(nodes) > asked:
            nodes = nodes[:asked]
            above, has_more = int(nodes[-1]["_id"]), True
        if len(nodes) == asked or not has_more:
            break
    return {"nodes": nodes, "cursor": journal.cursors.cursor(above), "hasMore": has_more, "reset": False}
