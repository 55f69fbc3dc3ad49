"""Promises: when the customer must hear next. Arithmetic only; the clock comes from outside."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.domain.lifecycle import PROMISED
from hub.domain.terms import Priority, Status
from hub.errors import BadInput

UPDATE_WITHIN: Final[Mapping[Priority, timedelta]] = {
    Priority.LOW: timedelta(hours=72),
    Priority.NORMAL: timedelta(hours=24),
    Priority.HIGH: timedelta(hours=8),
    Priority.URGENT: timedelta(hours=2),
}
FARTHEST: Final = timedelta(days=366)  # a promise beyond a year is a typing error, not a promise


def promise(status: Status, priority: Priority, at: datetime, standing: datetime | None = None) -> datetime | None:
    """When the next update is due, for an interaction that is `status` at `at`; None where nobody waits for us.

    A promise that stands is kept, not moved: coming to another state does not win time."""
    return (standing or at + UPDATE_WITHIN[priority]) if status in PROMISED else None


def given(due: datetime, now: datetime, *path: str) -> datetime:
    """A promise that somebody makes by hand: ahead, and within a year."""
    if not now < due <= now + FARTHEST:
        raise BadInput(f"{path[-1]} must lie ahead, and within {FARTHEST.days} days.", *path)
    return due


def is_overdue(due: datetime | None, now: datetime) -> bool:
    """Whether a promise has passed unkept."""
    return due is not None and due < now
