"""The port for operators alone: `/metrics`, health and readiness, apart from what clients reach."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from hub.settings import Settings
from hub.web.app import BACKLOG, Server, Unsignalled, listening, private


@contextlib.contextmanager
def bound(settings: Settings, *, is_shared: bool = False) -> Iterator[socket.socket | None]:
    """The socket of HUB_METRICS_PORT, where that is set; StartupError where the port is taken."""
    if settings.metrics_port is None:
        yield None
    else:
        with listening(settings.metrics_host, settings.metrics_port, is_shared=is_shared, chosen_by="HUB_METRICS_PORT") as one:
            yield one


@contextlib.asynccontextmanager
async def served(beside: Server, on: socket.socket | None) -> AsyncIterator[None]:
    """Served for as long as the block lasts, also while clients are sent away: then it is of interest."""
    if on is None:
        yield
        return
    on.listen(BACKLOG)  # a shared one does not yet
    config = uvicorn.Config(private(beside.application), lifespan="off", ws="none", access_log=False, log_config=None, server_header=False)
    server = Unsignalled(config)
    task = asyncio.create_task(server.serve(sockets=[on]), name="metrics-port")
    try:
        yield
    finally:
        server.should_exit = True
        await task
