"""The routes of a hub, and how they are served."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from hub.errors import BadInput, ErrorCode, InternalError, StartupError
from hub.graph import signals
from hub.graph.faults import log_fault, told
from hub.graph.signals import Signal
from hub.journal.opening import ended
from hub.web import console, fences, files, metrics, oauth, tracing
from hub.web.doors import Door
from hub.web.health import healthz, readyz
from hub.web.http import graphql
from hub.web.hub import Hub
from hub.web.lines import Lines
from hub.web.observing import Observing
from hub.web.sockets import socket as graphql_socket
from hub.web.throttle import Throttle

PATH: Final = "/graphql"
REQUEST_ID: Final = b"x-request-id"
FRAME: Final = 64 * 1024  # bytes of one WebSocket message
IDLE: Final = 75  # seconds that an idle connection is kept: longer than proxies keep theirs, so that the hub is not the one to hang up
UNREAD: Final = 120  # seconds in which a client may read nothing of what waits for it: then nothing waits any more, not even a goodbye
BACKLOG: Final = 2048  # connections that wait to be taken
GRACE: Final = 5  # seconds that requests under way get at the end


class Application(Starlette):
    """Starlette's, but for the socket, which waits for hours: between it and the server there is nothing that waits with it.

    Each request has an id, which its answer bears; what is asked of GraphQL is counted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == PATH:
            scope["app"] = self
            if self._is_meant(scope):
                await graphql_socket(WebSocket(scope, receive, send))
            else:
                self.state.observing.turned_away("socket", "host")
                await WebSocket(scope, receive, send).close()
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _is_meant(self, scope: Scope) -> bool:
        names: fences.Names = self.state.names
        return names.has(scope["headers"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        observing: Observing = self.state.observing
        guards: fences.Headers = self.state.guards
        given: str | None = None
        for name, value in scope["headers"]:
            if name == REQUEST_ID:
                given = value.decode("latin-1")
        signal = Signal(signals.request_id(given), observing)
        signals.begin(signal)

        def answer(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (REQUEST_ID, signal.request_id.encode())]
                fences.guard(message, guards)
            return send(message)

        is_operation = scope["path"] == PATH
        if is_operation:
            observing.begin(signal, scope["headers"])
        try:
            if scope["path"] in fences.ALIVE or self._is_meant(scope):
                await super().__call__(scope, receive, answer)
            else:
                await misdirected()(scope, receive, answer)
        except Exception:  # noqa: S110 - `failed` has told and logged it, and Starlette raises it again
            pass
        finally:
            if is_operation:
                observing.end(signal)


def app(hub: Hub) -> Starlette:
    """The application for a hub that is open."""
    starlette = Application(
        routes=[
            Route(PATH, graphql, methods=["GET", "POST"]),
            *oauth.ROUTES,
            *files.ROUTES,
            *console.routes(hub.settings),
            *HEALTH,
            *([SCRAPED] if hub.settings.metrics_port is None else ()),
        ],
        middleware=fences.cross_origin(hub.settings),
        exception_handlers={HTTPException: refused, Exception: failed},
    )
    starlette.router.redirect_slashes = False
    starlette.state.hub = hub
    starlette.state.names = fences.Names(hub.settings)
    starlette.state.guards = fences.guarding(hub.settings)
    starlette.state.lines = lines = Lines(hub.settings.sockets_per_second)
    starlette.state.metrics = numbers = metrics.of(hub, lines)
    starlette.state.observing = observing = Observing(numbers, hub.settings.access_log, tracing.tracer())
    hub.journal.committer.observe = observing.committed
    starlette.state.uploads = asyncio.Semaphore(files.ABREAST)
    starlette.state.visitors = Throttle(hub.settings.visitors_per_minute)
    return starlette


def private(public: Starlette) -> Starlette:
    """What operators alone ask for, for a port of its own."""
    starlette = Starlette(routes=[*HEALTH, SCRAPED], exception_handlers={HTTPException: refused, Exception: failed})
    starlette.state = public.state
    return starlette


async def refused(_: Request, error: Any) -> Response:
    """What the routes refuse (an HTTPException), as JSON: no such path, no such method."""
    if error.status_code == 404:
        code, message = ErrorCode.NOT_FOUND, f"There is nothing at this path; GraphQL is at {PATH}."
    else:
        code, message = ErrorCode.BAD_USER_INPUT, f"This path takes {(error.headers or {}).get('Allow')}."
    signals.tell(code)
    shown = {"message": message, "extensions": {"code": code, **signals.identified()}}
    return JSONResponse({"errors": [shown]}, error.status_code, error.headers)


def misdirected() -> Response:
    """For a request to a host that is not this one."""
    message = "The hub does not answer to this name; HUB_HOSTS says to which."
    return JSONResponse({"errors": [told(BadInput(message))]}, 421)


async def failed(_: Request, error: Exception) -> Response:
    """A fault of ours: its cause is for the log."""
    log_fault(error, "route")
    return JSONResponse({"errors": [told(InternalError())]}, 500)


HEALTH: Final = (Route("/healthz", healthz), Route("/readyz", readyz))
SCRAPED: Final = Route("/metrics", metrics.scraped)


class Unsignalled(uvicorn.Server):
    """uvicorn, whose owner takes the signals: what is queued is committed and mongod is stopped in order after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server(Unsignalled):
    """A hub's, which sends its clients away before it ends."""

    def __init__(self, application: Starlette, config: uvicorn.Config, drain: float) -> None:
        super().__init__(config)
        self.application = application
        self.lines: Lines = application.state.lines
        self._drain = drain
        self._leaving: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does. Where others may be asked for the numbers of this process, they are noted meanwhile."""
        numbers: metrics.Metrics = self.application.state.metrics
        looking = [asyncio.create_task(numbers.run(), name="metrics")] if numbers.is_shared else []
        try:
            await super().serve(sockets)
        finally:
            await ended(looking)

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
        application,
        uvicorn.Config(
            application,
            lifespan="off",  # the hub is open before it is served, and closes after it
            ws=Door,
            ws_max_size=FRAME,
            ws_per_message_deflate=False,  # 64 KiB a socket with it, 14 without
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=IDLE,
            proxy_headers=bool(hub.settings.trusted_proxies),
            forwarded_allow_ips=list(hub.settings.trusted_proxies),
            access_log=False,
            log_config=None,
            server_header=False,
        ),
        hub.settings.drain_seconds,
    )


def listening(host: str, port: int, *, is_shared: bool = False, chosen_by: str = "--port") -> socket.socket:
    """A bound socket, before anything else is started; StartupError where the port is taken.

    `is_shared`: other sockets of the same user may be bound there too, and it does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # by its protocol asyncio knows it for TCP, and sends at once: else an answer waits 40 ms for the client's delayed ACK
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":  # elsewhere who neither reads nor leaves is kept; each connection has this of the socket that listens
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * UNREAD)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
        if not is_shared:
            bound.listen(BACKLOG)  # so that a port that another hub listens on is refused now
    except OSError as error:
        bound.close()
        raise StartupError(f"The hub cannot listen on {host}:{port}: {error.strerror}. Choose another with {chosen_by}.") from None
    return bound
