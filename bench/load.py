"""Clients in a closed loop: each asks again as soon as it has its answer, so that load never runs ahead of what is served."""

import gc
import time
from asyncio import TaskGroup
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

Act = Callable[[], Awaitable[object]]

WARM_UP: Final = 0.3  # seconds in which connections open and queues fill; what is answered in them is not counted


@dataclass(frozen=True, slots=True)
class Figures:
    """What one measurement saw: answers per second, and milliseconds that half and 99 of 100 answers took at most."""

    per_second: float
    p50: float
    p99: float


async def closed_loop(acts: Sequence[Act], seconds: float) -> Figures:
    """Run one client for each act.

    Answers count for the rate where they came in time; those that came late still count among the waits, so that nobody
    who was starved is left out.
    """
    gc.collect()  # nobody pays for what others left
    gc.freeze()  # as `hub serve` does when it is open
    begin = time.perf_counter() + WARM_UP
    end = begin + seconds
    waits: list[float] = []
    late = 0

    async def client(act: Act) -> None:
        nonlocal late
        while (asked := time.perf_counter()) < end:
            await act()
            answered = time.perf_counter()
            if answered >= begin:
                waits.append(answered - asked)
                late += answered > end

    async with TaskGroup() as clients:
        for act in acts:
            clients.create_task(client(act))
    waits.sort()
    return Figures((len(waits) - late) / seconds, 1000 * at(waits, 0.50), 1000 * at(waits, 0.99))


def typical(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over the rounds."""
    return Figures(median(r.per_second for r in rounds), median(r.p50 for r in rounds), median(r.p99 for r in rounds))


def at(ordered: Sequence[float], part: float) -> float:
    """What so large a part of them is at most."""
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else float("nan")
