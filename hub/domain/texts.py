"""What a person typed, checked once: length, and characters that no store or screen could hold."""

import re
from datetime import datetime, timedelta
from typing import Final

from hub.errors import BadInput

LONG: Final = 8_000  # characters of a note, message or description
SHORT: Final = 500  # characters of a reason, topic, subject, name or address
HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
CLOCK_SKEW: Final = timedelta(minutes=5)  # how far ahead of ours a client's clock may be


def text(value: str, *path: str, most: int = LONG) -> str:
    """`value` without surrounding space; refused when empty, too long, or holding NUL or half a surrogate pair."""
    trimmed = value.strip()
    if not trimmed:
        raise BadInput(f"{path[-1]} is empty; say something or leave it out.", *path)
    if len(trimmed) > most:
        raise BadInput(f"{path[-1]} has {len(trimmed)} characters; at most {most} are kept.", *path)
    if "\x00" in trimmed:
        raise BadInput(f"{path[-1]} holds a NUL character; leave it out.", *path)
    if HALF_A_PAIR.search(trimmed):
        raise BadInput(f"{path[-1]} holds half of a surrogate pair; send well-formed Unicode.", *path)
    return trimmed


def optional(value: str | None, *path: str, most: int = LONG) -> str | None:
    """As `text`; None stays None."""
    return None if value is None else text(value, *path, most=most)


def not_future(moment: datetime, now: datetime, *path: str) -> datetime:
    """A moment that has been; one that is ahead by no more than `CLOCK_SKEW` was now, by our clock."""
    if moment > now + CLOCK_SKEW:
        raise BadInput(f"{path[-1]} lies in the future; it says when something happened.", *path)
    return min(moment, now)
