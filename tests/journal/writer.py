"""A process that writes: a hub as `hub serve` opens it, and some clients that report progress as fast as they are answered.

Told on standard output, a line each: "open", then the message of every report that was acknowledged. A report that was not
possible is sent again with the same idempotency key, as a client would. It ends when its standard input does.
"""

import asyncio
import itertools
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from hub.commands.interactions import ReportProgress
from hub.errors import Unavailable
from hub.settings import Settings
from hub.web.hub import Hub, opened
from tests.journal.acts import submit

CLIENTS = 8
AGAIN = 0.05  # seconds before a refused report is sent again


def tell(line: str) -> None:
    """In one system call: what is told stays told, whatever happens to this process."""
    os.write(1, f"{line}\n".encode())


async def work(hub: Hub, me: str, interactions: Sequence[str], numbers: "itertools.count[int]", over: asyncio.Event) -> None:
    while not over.is_set():
        message = f"{me}-{next(numbers)}"
        request = ReportProgress(id=random.choice(interactions), message=message)
        while True:
            try:
                await submit(hub.journal, request, named=message)
            except Unavailable:
                tell(f"unavailable {message}")
                await asyncio.sleep(AGAIN)
            else:
                tell(message)
                break


async def main(uri: str, data_dir: str, me: str, *interactions: str) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, over.set)  # nothing is ever written to it: it becomes readable when it ends
    settings = Settings.load(data_dir=Path(data_dir))
    async with opened(settings, uri, role="test") as hub, asyncio.TaskGroup() as clients:
        tell("open")
        numbers = itertools.count()
        for _ in range(CLIENTS):
            clients.create_task(work(hub, me, interactions, numbers, over))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
