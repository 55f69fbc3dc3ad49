"""What a server's processes have taken, as Linux keeps it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

QUIET: Final = 0.05  # of a processor: a server that does no more has nothing left to do
LOOK: Final = 0.1  # seconds
PATIENCE: Final = 30.0


def tree(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from tree(int(child))


def spent(pid: int) -> float:
    """Seconds of processor time, user and system, of a process with all its threads, and of those that it has started."""
    return sum(time.clock_gettime(~one << 3 | 2) for one in tree(pid))  # the clock of another process: clock_getcpuclockid(3)


def held(pid: int) -> int:
    """Bytes of memory that they hold."""
    return sum(1024 * int(_status(one).split("VmRSS:")[1].split()[0]) for one in tree(pid))


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


async def settled(pid: int) -> None:
    """Wait until nothing is left to do of what came before."""
    end = time.monotonic() + PATIENCE
    before = spent(pid)
    while time.monotonic() < end:
        await asyncio.sleep(LOOK)
        now = spent(pid)
        if now - before < QUIET * LOOK:
            return
        before = now
    raise RuntimeError(f"Process {pid} was still busy after {PATIENCE:g} s of nothing to do.")
