"""What was found out and holds for a while: the longest unused gives way, so a flood costs time, never memory."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most `size` values by their keys, each until its time has come."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[K, tuple[V, datetime]] = OrderedDict()

    def get(self, key: K, now: datetime) -> V | None:
        """The value, or None when it is unknown or its time has come."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        value, until = kept
        if until <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value

    def drop(self, key: K) -> None:
        """It does not hold any more."""
        self._kept.pop(key, None)

    def put(self, key: K, value: V, until: datetime) -> None:
        """Keep it; the latest word counts, and counts as just used."""
        self._kept[key] = value, until
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
