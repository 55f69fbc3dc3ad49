"""Servers of uvicorn beside the tests that ask them, begun and ended as soon as can be."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Final

import uvicorn

GRACE: Final = 5.0  # seconds for what is under way


@contextlib.asynccontextmanager
async def running(server: uvicorn.Server, bound: socket.socket) -> AsyncIterator[str]:
    """A server at work on a bound socket: gives the address."""
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.001)
        yield f"127.0.0.1:{bound.getsockname()[1]}"
    finally:
        await _ended(server, task)
        bound.close()


async def _ended(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    """What uvicorn does at its end, but for its naps of a tenth of a second, which took longer than most tests."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    for door in server.servers:
        door.close()
    state = server.server_state
    for connection in list(state.connections):
        connection.shutdown()
    async with asyncio.timeout(GRACE):
        while state.connections or state.tasks:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
