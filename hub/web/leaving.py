"""A client that hangs up while its query runs: the query ends with it, and what it asked of the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

PATIENCE: Final = 0.05  # seconds before anybody looks whether the client is there: most answers take less, and looking costs more than that


@contextlib.asynccontextmanager
async def while_there(request: Request) -> AsyncIterator[None]:
    """For as long as the client of a request is there, whose body has been read. Raises ClientDisconnect when it is gone."""
    loop, watching = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    life = asyncio.timeout(None)
    try:
        async with life:

            async def watch() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                life.reschedule(loop.time())

            timer = loop.call_later(PATIENCE, lambda: watching.add(loop.create_task(watch(), name="client")))
            try:
                yield
            finally:
                timer.cancel()
                for task in watching:
                    task.cancel()
    except TimeoutError:
        if life.expired():
            raise ClientDisconnect from None
        raise
