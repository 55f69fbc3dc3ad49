"""The sockets and streams that are open in this process: how many may come at once, and how all of them leave.

When a process dies, its thousands come to its neighbours within a second. Those above a rate are told when to come again,
so that those below it are served. A process that is told to end sends its own away a few at a time, for the same reason.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

BURST: Final = 2  # seconds' worth of newcomers that may come at once
PACE: Final = 0.05  # seconds at most between two that are sent away: 20 a second, and a laptop's five in no time


class Lines:
    """Those of one process. Whoever holds one says how it is hung up."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`per_second`: how many newcomers are served in the long run."""
        self._rate = per_second
        self._clock = clock
        self._room = per_second * BURST
        self._at = clock()
        self._held: dict[object, Callable[[], None]] = {}
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._held)

    def wait(self) -> float:
        """How many seconds a newcomer is to wait before it comes again; 0: it is served now."""
        now = self._clock()
        self._room = min(self._rate * BURST, self._room + self._rate * (now - self._at))
        self._at = now
        if self._room < 1:
            return (1 - self._room) / self._rate + 1.0  # and a second, in which those before it are served
        self._room -= 1
        return 0.0

    @contextlib.contextmanager
    def held(self, hang_up: Callable[[], None]) -> Iterator[None]:
        """Open for as long as the block lasts. `hang_up` must be quick, and never raise or wait; it may be called twice."""
        line = object()
        self._held[line] = hang_up
        try:
            yield
        finally:
            del self._held[line]

    async def drain(self, within: float) -> None:
        """Send everybody away, evenly over so many seconds at most, and return when they are gone, or time is up."""
        self.is_draining = True
        end = self._clock() + within
        waiting = list(self._held.values())
        for number, hang_up in enumerate(waiting):
            hang_up()
            left = max(0.0, end - self._clock()) / (len(waiting) - number)
            await asyncio.sleep(min(PACE, left))
        for hang_up in list(self._held.values()):  # who came meanwhile
            hang_up()
        while self._held and self._clock() < end:  # noqa: ASYNC110 - each says for itself when it is gone
            await asyncio.sleep(PACE)
