"""The last entries of the journal, in memory: whoever was away for a moment is caught up without a read.

When a process dies, its thousands of sockets come back to its neighbours within seconds, and all of them have missed the
same few entries. The last entry of an interaction also says how that stands now, so that what a replay must ask of the
present is answered here too.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from hub.domain.terms import EventType, SubjectKind
from hub.journal.log import Entry

MOST: Final = 4_096  # entries: at 100 a second, those of the last 40 seconds
WEIGHT: Final = 8 << 20  # bytes, about, of texts and the rest


class Tail:
    """Every entry above `base`, up to the last that was taken."""

    def __init__(self, base: int) -> None:
        self.base = base
        self._entries: deque[tuple[Entry, int]] = deque()
        self._weight = 0
        self._last: dict[str, Entry] = {}  # of each interaction that has an entry here

    def take(self, entry: Entry) -> None:
        """The next entry."""
        if entry["subject"]["kind"] == SubjectKind.INTERACTION:
            if entry["type"] == EventType.CLAIMED:  # it rewrote who sees the entries before it
                self._forget(len(self._entries))
            self._last[entry["subject"]["id"]] = entry
        weighs = weight(entry)
        self._entries.append((entry, weighs))
        self._weight += weighs
        if len(self._entries) > MOST or self._weight > WEIGHT:
            self._forget(1 + len(self._entries) // 4)  # many at once, so that it is seldom

    def after(self, position: int, most: int) -> Sequence[Entry] | None:
        """At most so many entries that follow a position, in order; None where some of them are no longer here."""
        if position < self.base:
            return None
        begin = position - self.base
        return [entry for entry, _ in islice(self._entries, begin, begin + most)]

    def last(self, interaction: str) -> Entry | None:
        """The last entry of an interaction, if it is here: as that stands now."""
        return self._last.get(interaction)

    def _forget(self, many: int) -> None:
        for _ in range(many):
            entry, weighs = self._entries.popleft()
            self._weight -= weighs
            self.base += 1
            id = entry["subject"]["id"]
            if self._last.get(id) is entry:
                del self._last[id]


def weight(entry: Entry) -> int:
    """How many bytes an entry takes, about."""
    personal = entry.get("personal")
    return 512 + (len(str(personal)) if personal else 0)
