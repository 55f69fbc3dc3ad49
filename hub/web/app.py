"""The routes of a hub, and how they are served."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from hub.errors import ErrorCode, InternalError, StartupError
from hub.graph.faults import told
from hub.web import console, metrics, oauth
from hub.web.doors import Door
from hub.web.http import graphql
from hub.web.hub import Hub
from hub.web.lines import Lines
from hub.web.sockets import socket as graphql_socket
from hub.web.throttle import Throttle

PATH: Final = "/graphql"
FRAME: Final = 64 * 1024  # bytes of one WebSocket message
IDLE: Final = 75  # seconds that an idle connection is kept: longer than proxies keep theirs, so that the hub is not the one to hang up
BACKLOG: Final = 2048  # connections that wait to be taken
GRACE: Final = 5  # seconds that requests under way get at the end


class Application(Starlette):
    """Starlette's, but for the socket, which waits for hours: between it and the server there is nothing that waits with it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == PATH:
            scope["app"] = self
            await graphql_socket(WebSocket(scope, receive, send))
        else:
            await super().__call__(scope, receive, send)


def app(hub: Hub) -> Starlette:
    """The application for a hub that is open."""
    starlette = Application(
        routes=[
            Route(PATH, graphql, methods=["GET", "POST"]),
            *oauth.ROUTES,
            *console.routes(hub.settings),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics.scraped),
        ],
        exception_handlers={HTTPException: refused, Exception: failed},
    )
    starlette.router.redirect_slashes = False
    starlette.state.hub = hub
    starlette.state.lines = lines = Lines(hub.settings.sockets_per_second)
    starlette.state.metrics = metrics.of(hub, lines)
    starlette.state.visitors = Throttle(hub.settings.visitors_per_minute)
    return starlette


async def refused(_: Request, error: Any) -> Response:
    """What the routes refuse (an HTTPException), as JSON: no such path, no such method."""
    if error.status_code == 404:
        code, message = ErrorCode.NOT_FOUND, f"There is nothing at this path; GraphQL is at {PATH}."
    else:
        code, message = ErrorCode.BAD_USER_INPUT, f"This path takes {(error.headers or {}).get('Allow')}."
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, error.status_code, error.headers)


async def failed(_: Request, error: Exception) -> Response:
    """A fault of ours: its cause is for the log."""
    return JSONResponse({"errors": [told(InternalError())]}, 500)


async def healthz(_: Request) -> Response:
    """The process is alive."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Whether it can answer: each part with its state; 503 while one is not well."""
    hub: Hub = request.app.state.hub
    lines: Lines = request.app.state.lines
    parts = {
        "database": "ok" if await hub.mongo.answers() else "does not answer",
        "feed": "behind: the log cannot be read" if hub.journal.feed.is_behind else "ok",
        "bus": hub.journal.bus.state,
        "audit": hub.journal.audit.state,
    }
    if lines.is_draining:
        parts["process"] = f"ends: {len(lines)} sockets and streams are sent away"
    well = parts["database"] == parts["feed"] == "ok" and not hub.journal.audit.is_full and not lines.is_draining
    return JSONResponse({"status": "ok" if well else "unavailable", **parts}, 200 if well else 503)


class Unsignalled(uvicorn.Server):
    """uvicorn, whose owner takes the signals: what is queued is committed and mongod is stopped in order after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server(Unsignalled):
    """A hub's, which sends its clients away before it ends."""

    def __init__(self, config: uvicorn.Config, lines: Lines, drain: float) -> None:
        super().__init__(config)
        self.lines = lines
        self._drain = drain
        self._leaving: asyncio.Task[None] | None = None

    def leave(self) -> None:
        """End in order: sockets and streams are sent away first, and what has begun is finished. Again: at once."""
        if self._leaving is not None:
            self.force_exit = self.should_exit = True
            return
        self._leaving = asyncio.get_running_loop().create_task(self._leave(), name="leaving")

    async def _leave(self) -> None:
        try:
            await self.lines.drain(self._drain)
        finally:
            self.should_exit = True


def server(hub: Hub) -> Server:
    """A server for a hub; give it the socket of `listening`."""
    application = app(hub)
    return Server(
        uvicorn.Config(
            application,
            lifespan="off",  # the hub is open before it is served, and closes after it
            ws=Door,
            ws_max_size=FRAME,
            ws_per_message_deflate=False,  # 64 KiB a socket with it, 14 without
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=IDLE,
            access_log=False,
            log_config=None,
            server_header=False,
        ),
        application.state.lines,
        hub.settings.drain_seconds,
    )


def listening(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A bound socket, before anything else is started; StartupError where the port is taken.

    `is_shared`: other sockets of the same user may be bound there too, and it does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # by its protocol asyncio knows it for TCP, and sends at once: else an answer waits 40 ms for the client's delayed ACK
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
        if not is_shared:
            bound.listen(BACKLOG)  # so that a port that another hub listens on is refused now
    except OSError as error:
        bound.close()
        raise StartupError(f"The hub cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.") from None
    return bound
