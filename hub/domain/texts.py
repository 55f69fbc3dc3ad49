"""What a person typed, checked once: length, and characters that no store or screen could hold."""

from datetime import datetime, timedelta
from typing import Final

from hub.errors import BadInput

LONG: Final = 8_000  # characters of a note, message or description
SHORT: Final = 500  # characters of a reason, topic, subject, name or address
CLOCK_SKEW: Final = timedelta(minutes=5)  # how far ahead of ours a client's clock may be


def text(value: str, *path: str, most: int = LONG) -> str:
    """`value` without surrounding space; refused when empty, too long, or holding NUL or half a surrogate pair."""
    if "\x00" in value:
        raise BadInput(f"{path[-1]} holds a NUL character; leave it out.", *path)
    if any("\ud800" <= character <= "\udfff" for character in value) if not value.isascii() else False:
        raise BadInput(f"{path[-1]} holds half of a surrogate pair; send well-formed Unicode.", *path)
    if len(value) > most:
        raise BadInput(f"{path[-1]} has {len(value)} characters; at most {most} are kept.", *path)
    if not (trimmed := value.strip()):
        raise BadInput(f"{path[-1]} is empty; say something or leave it out.", *path)
    return trimmed


def optional(value: str | None, *path: str, most: int = LONG) -> str | None:
    """As `text`; None stays None."""
    return None if value is None else text(value, *path, most=most)


def not_future(moment: datetime, now: datetime, *path: str) -> datetime:
    """A moment that has been, give or take `CLOCK_SKEW`."""
    if moment > now + CLOCK_SKEW:
        raise BadInput(f"{path[-1]} lies in the future; it says when something happened.", *path)
    return moment
