"""What is kept of what clients send, as long as there is room: the least recently used goes first."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

V = TypeVar("V")

BESIDE: Final = 256  # what an entry takes beside its text, so that many empty ones have a bound too


class Remembered(Generic[V]):
    """Values by a short key, of at most so many characters together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, tuple[V, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: str) -> V | None:
        """The value, which is now the one used last."""
        if (found := self._held.get(key)) is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def keep(self, key: str, value: V, characters: int) -> None:
        """Keep this one, and let go of the oldest for it; one that is larger than all the room is not kept."""
        size = characters + BESIDE
        if size > self._most:
            return
        self.drop(key)
        self._held[key] = (value, size)
        self.size += size
        while self.size > self._most:
            self.size -= self._held.popitem(last=False)[1][1]

    def drop(self, key: str) -> None:
        """Let go of this one, if it is there."""
        if (found := self._held.pop(key, None)) is not None:
            self.size -= found[1]
