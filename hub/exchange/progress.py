"""How an import is going, as one line of a terminal that is drawn over itself."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

EVERY: Final = 0.1  # seconds between two drawings: faster, nobody reads it
BAR: Final = 20  # characters of the bar
CLEAR: Final = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Standing:
    """How many bytes were read, of how many where that is known, and what came of the records in them."""

    read: int
    total: int | None
    made: int
    already_there: int
    repairs: int
    skipped: int

    @property
    def records(self) -> int:
        return self.made + self.already_there + self.skipped


class Bar:
    """Draws where a person looks on, and nowhere else."""

    def __init__(self, to: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._to = to
        self._clock = clock
        self._is_seen = to.isatty()
        self._is_drawn = False
        self._last = float("-inf")
        self._begun: tuple[float, int] | None = None

    def show(self, standing: Standing) -> None:
        """Draw it, unless it was drawn a moment ago."""
        now = self._clock()
        self._begun = self._begun or (now, standing.records)
        if not self._is_seen or now - self._last < EVERY:
            return
        since, records = self._begun
        rate = (standing.records - records) / (now - since) if now > since else 0.0
        width = shutil.get_terminal_size().columns - 1
        self._to.write(CLEAR + line(standing, rate)[:width])
        self._to.flush()
        self._last, self._is_drawn = now, True

    def clear(self) -> None:
        """Make room for something else; the next drawing comes at once."""
        if self._is_drawn:
            self._to.write(CLEAR)
            self._to.flush()
            self._last, self._is_drawn = float("-inf"), False


def line(standing: Standing, rate: float) -> str:
    """What it says: `[#####---------------]  25%  1.0 of 4.0 MB  1,200/s  3,000 imported  ...`."""
    parts = [f"{standing.read / 1e6:,.1f} MB"]
    if standing.total:
        share = min(standing.read / standing.total, 1.0)
        drawn = int(share * BAR)
        parts = [f"[{'#' * drawn}{'-' * (BAR - drawn)}] {share:4.0%}", f"{standing.read / 1e6:,.1f} of {standing.total / 1e6:,.1f} MB"]
    counts = [
        f"{rate:,.0f}/s",
        f"{standing.made:,} imported",
        f"{standing.already_there:,} already there",
        f"{standing.repairs:,} repairs",
        f"{standing.skipped:,} skipped",
    ]
    return "  ".join(parts + counts)
