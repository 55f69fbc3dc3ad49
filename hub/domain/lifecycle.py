"""The life of an interaction, as tables: which moves there are, and what each needs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.domain.terms import EventType, InteractionAct, Status

MOVES: Final[Mapping[Status, tuple[Status, ...]]] = {
    Status.OPEN: (Status.IN_PROGRESS, Status.PENDING, Status.HELD, Status.RESOLVED, Status.CANCELLED),
    Status.IN_PROGRESS: (Status.PENDING, Status.HELD, Status.RESOLVED, Status.CANCELLED),
    Status.PENDING: (Status.IN_PROGRESS, Status.HELD, Status.RESOLVED, Status.CANCELLED),
    Status.HELD: (Status.IN_PROGRESS, Status.PENDING, Status.RESOLVED, Status.CANCELLED),
    Status.RESOLVED: (Status.COMPLETED, Status.IN_PROGRESS),
    Status.COMPLETED: (Status.IN_PROGRESS,),
    Status.CANCELLED: (),
}

NEEDS: Final[Mapping[Status, str]] = {
    Status.PENDING: "question",
    Status.HELD: "reason",
    Status.RESOLVED: "resolution",
    Status.CANCELLED: "reason",
}
"""The one argument without which a move is not made; `question`, `reason` and `resolution` go with no other target
(a `reason` is welcome with any)."""

OPEN: Final = frozenset({Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.HELD})
"""Work is going on, or waited for: progress may be reported and a promise may run."""

ENDED: Final = frozenset({Status.COMPLETED, Status.CANCELLED})

EVERY: Final = frozenset(Status)

TAKES: Final[Mapping[InteractionAct, frozenset[Status]]] = {
    InteractionAct.UPDATE: EVERY,  # a topic that was coded wrongly is put right also when all is over: reports depend on it
    InteractionAct.TRANSITION: EVERY - {Status.CANCELLED},
    InteractionAct.CLOSE: EVERY - ENDED,
    InteractionAct.REPORT_PROGRESS: OPEN,
    InteractionAct.ADD_NOTE: EVERY,
    InteractionAct.ADD_INTERNAL_NOTE: EVERY,
    InteractionAct.ADD_ATTACHMENT: EVERY,
    InteractionAct.ADD_INTERNAL_ATTACHMENT: EVERY,
    InteractionAct.ADD_ITEM: OPEN,  # all items of what is over are resolved; a new matter reopens it, or is a follow-up
    InteractionAct.ADD_PARTY: EVERY,
    InteractionAct.ADD_CHANNEL: EVERY,
    InteractionAct.ASSIGN: EVERY - ENDED,
    InteractionAct.ESCALATE: OPEN,
    InteractionAct.LINK: EVERY,
    InteractionAct.RATE: frozenset({Status.COMPLETED}),
    InteractionAct.CLAIM: EVERY,
}
"""Where an interaction must stand for an act. TRANSITION depends on its target too, which `moves` knows."""

PROMISED: Final = OPEN - {Status.PENDING}
"""Where the customer waits for us, and a next update is promised; while PENDING we wait for the customer."""

REOPEN_WINDOW: Final = timedelta(days=14)


def moves(status: Status, *, ended_at: datetime | None, now: datetime, window: timedelta = REOPEN_WINDOW) -> tuple[Status, ...]:
    """The states that can follow, now: a completed interaction reopens within its window only."""
    if status is Status.COMPLETED and (ended_at is None or now > ended_at + window):
        return ()
    return MOVES[status]


def event_of(was: Status, to: Status) -> EventType:
    """The one event that a move writes."""
    if to is Status.COMPLETED:
        return EventType.CLOSED
    if to is Status.IN_PROGRESS and was in {Status.RESOLVED, Status.COMPLETED}:
        return EventType.REOPENED
    return EventType.STATUS_CHANGED
