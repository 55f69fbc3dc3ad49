"""What was repaired and refused, counted by kind, each with the place where it was met first. Holds a bounded number of kinds."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

KINDS: Final = 100  # kinds told apart; a file that is wrong in more ways than these is no TMF683
OTHERS: Final = "others"

QUOTED: Final = re.compile(r'".*"')
INDEX: Final = re.compile(r"\[\d+\]")
VARYING: Final = re.compile(r"sha256:[0-9a-f]+|\b\d[\d:.TZ+-]*(?<=[\dZ])")


@dataclass(frozen=True, slots=True)
class Kind:
    """What was met, how often, and where first."""

    what: str
    count: int
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} x {self.what}; first at {self.first}"


class Tally:
    """Kinds in the order in which they were met."""

    def __init__(self, known: Iterable[Kind] = ()) -> None:
        self._kinds = {kind.what: kind for kind in known}

    def add(self, place: str, line: str) -> None:
        """Count what a line tells, whatever its values."""
        what = _kind(line)
        if what not in self._kinds and len(self._kinds) >= KINDS:
            what = OTHERS
        known = self._kinds.get(what, Kind(what, 0, place))
        self._kinds[what] = Kind(what, known.count + 1, known.first)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())


def _kind(line: str) -> str:
    return VARYING.sub("...", INDEX.sub("[]", QUOTED.sub('"..."', line.removesuffix("."))))[:300]
