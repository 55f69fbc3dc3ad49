"""Pages of events, made of the journal: an interaction's, a party's, and the feed's for clients that pull."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.errors import CursorInvalid
from hub.graph.context import Context, Document
from hub.graph.nodes import page_info
from hub.graph.pages import Asked
from hub.journal import head
from hub.journal.cursors import Place
from hub.journal.filters import EventFilter
from hub.journal.frames import FrameKind
from hub.journal.log import read_after, read_before, read_one
from hub.journal.replay import events_after
from hub.store import paging

LOOK: Final = 1.0  # seconds that one request looks for events; what it has not reached it goes on from
SPAN: Final = 20_000  # positions that one query looks through: 20 to 50 ms


def place(context: Context, cursor: str | None) -> Place | None:
    """Where a cursor lies; CursorInvalid for what this hub did not make."""
    return None if cursor is None else context.journal.cursors.read(cursor)


async def timeline(context: Context, id: str, types: Sequence[str] | None, asked: Asked) -> Document:
    """The history of an interaction in sight, oldest first, as far as this viewer's audience goes."""
    return await _history(context, {"subject.id": id, "audience": {"$in": [*context.visibility.audiences]}}, types, asked)


async def party_timeline(context: Context, party: str, types: Sequence[str] | None, asked: Asked) -> Document:
    """What happened where a party takes part, oldest first: in sight then, and of an interaction that is in sight now.

    A page may be short where an interaction went out of sight in between; its cursors lead on all the same."""
    page = await _history(context, {"$and": [context.visibility.entries(), {"visibleTo": party}]}, types, asked)
    present = await context.interaction.load_many([edge["node"]["subject"]["id"] for edge in page["edges"]])
    edges = [edge for edge, interaction in zip(page["edges"], present, strict=True) if interaction is not None]
    return page | {"edges": edges, "nodes": [edge["node"] for edge in edges]}


async def event(context: Context, id: str) -> Document | None:
    """The event with this id, if it is told to this viewer and its interaction is in sight now; else None."""
    try:
        found = place(context, id)
    except CursorInvalid:
        return None
    if found is None or not context.journal.cursors.is_ours(found):
        return None
    entry = await read_one(context.journal.mongo, found.position)
    if entry is None or entry["audience"] not in context.visibility.audiences:
        return None
    return entry if await context.interaction.load(entry["subject"]["id"]) is not None else None


async def _history(context: Context, only: Mapping[str, Any], types: Sequence[str] | None, asked: Asked) -> Document:
    reached = context.journal.feed.position  # before the page is read: what comes meanwhile lies after it
    size, is_backward = paging.sized(asked.first, asked.last)
    after, before = _own_place(context, asked.after), _own_place(context, asked.before)
    sought = {**only} if types is None else {**only, "type": {"$in": sorted(map(str, types))}}
    above, below = after or 0, before
    mongo = context.journal.mongo
    if is_backward:
        async with context.page():
            entries = await read_before(mongo, below, above=above, limit=size + 1, only=sought)
        has_next, has_previous, page = before is not None, len(entries) > size, entries[-size:]
    else:
        up_to = None if below is None else below - 1
        async with context.page():
            entries = await read_after(mongo, above, up_to=up_to, limit=size + 1, only=sought)
        has_next, has_previous, page = len(entries) > size, after is not None, entries[:size]
    cursors = [context.journal.cursors.cursor(int(entry["_id"])) for entry in page]
    return {
        "nodes": page,
        "edges": [{"cursor": cursor, "node": entry} for cursor, entry in zip(cursors, page, strict=True)],
        "pageInfo": page_info(cursors, has_next=has_next, has_previous=has_previous),
        "cursor": cursors[-1] if cursors else asked.after or context.journal.cursors.cursor(reached),
    }


def _own_place(context: Context, cursor: str | None) -> int | None:
    """The position of a cursor of this journal; CursorInvalid for any other."""
    found = place(context, cursor)
    if found is not None and not context.journal.cursors.is_ours(found):
        raise CursorInvalid
    return None if found is None else found.position


async def events(context: Context, asked_for: EventFilter, first: int | None, after: str | None) -> Mapping[str, Any]:
    """A page of the feed: same cursors, filter and order as the subscription. `after` None: the oldest kept."""
    asked, start = paging.size(first), place(context, after)
    journal = context.journal
    now = await head.read(journal.mongo)
    if start is not None and not (start.epoch == now.epoch and now.floor < start.position <= now.position):
        return {"nodes": [], "cursor": journal.cursors.cursor(now.position), "hasMore": False, "reset": True}
    above, has_more = start.position if start else max(now.floor, 0), True
    nodes: list[Any] = []
    async with context.page():
        until = time.monotonic() + LOOK
        while has_more and len(nodes) < asked and time.monotonic() < until:
            end = min(now.position, above + SPAN)
            page = await events_after(journal.mongo, context.visibility, asked_for, above, up_to=end, limit=asked + 1 - len(nodes))
            nodes += [frame.entry for frame in page.frames if frame.kind is FrameKind.EVENT]
            above, has_more = page.reached, page.reached < now.position
    if len(nodes) > asked:
        nodes = nodes[:asked]
        above, has_more = int(nodes[-1]["_id"]), True
    for entry in nodes:  # that there are any is told also where none is selected
        context.trail.event(entry)
    return {"nodes": nodes, "cursor": journal.cursors.cursor(above), "hasMore": has_more, "reset": False}
