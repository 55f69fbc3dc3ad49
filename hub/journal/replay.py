"""What lies behind a cursor: pages of frames, from memory where it was a moment ago, else from the log.

A replayed event is judged twice: by what its entry says, and by how its interaction stands now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.access.visibility import Visibility
from hub.journal.filters import EventFilter
from hub.journal.frames import Frame, FrameKind, judged
from hub.journal.log import PAGE, read_after
from hub.journal.tail import Tail
from hub.store.mongo import Mongo, unit_of_work


@dataclass(frozen=True, slots=True)
class Page:
    """Frames, how far it was read for them, and whether there is more below where it was to end."""

    frames: list[Frame]
    reached: int
    has_more: bool


def remembered(tail: Tail, visibility: Visibility, asked: EventFilter, above: int) -> Page | None:
    """One page of replay without a read; None where memory does not reach back so far."""
    entries = tail.after(above, PAGE)
    if entries is None:
        return None
    frames = [frame for entry in entries if (frame := judged(entry, visibility, asked)) is not None]
    if not visibility.sees_all:  # each has its interaction's last entry above it
        frames = [frame for frame in frames if frame.kind is not FrameKind.EVENT or visibility.reaches(tail.last(frame.interaction or ""))]
    return Page(frames, above + len(entries), len(entries) == PAGE)


async def frames_after(mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int) -> Page:
    """One page of replay: what the entries themselves show to this viewer AND is in sight now."""
    return await _page(mongo, visibility, asked, above, up_to=up_to, limit=PAGE, only=(_shown(visibility), asked.narrows()))


async def events_after(mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int, limit: int) -> Page:
    """As `frames_after`, of events alone: what the filter leaves out is not read at all."""
    return await _page(mongo, visibility, asked, above, up_to=up_to, limit=limit, only=(visibility.entries(), asked.selects()))


async def _page(
    mongo: Mongo, visibility: Visibility, asked: EventFilter, above: int, *, up_to: int, limit: int, only: Sequence[Mapping[str, Any]]
) -> Page:
    clauses = [clause for clause in only if clause]
    entries = await read_after(mongo, above, up_to=up_to, limit=limit, only={"$and": clauses} if clauses else None)
    frames = [frame for entry in entries if (frame := judged(entry, visibility, asked)) is not None]
    if not visibility.sees_all:
        ids = sorted({frame.interaction for frame in frames if frame.kind is FrameKind.EVENT and frame.interaction})
        with unit_of_work():
            present = await mongo.by_ids("interactions", ids, dict.fromkeys(visibility.needs, 1))
        frames = [frame for frame in frames if frame.kind is not FrameKind.EVENT or visibility.sees(present.get(frame.interaction, {}))]
    has_more = len(entries) == limit
    return Page(frames, int(entries[-1]["_id"]) if has_more else up_to, has_more)


def _shown(visibility: Visibility) -> dict[str, Any]:
    return {} if visibility.sees_all else {"$or": [visibility.entries(), visibility.leavings()]}
