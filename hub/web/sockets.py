"""GraphQL over WebSocket: the graphql-transport-ws protocol (github.com/enisdenjo/graphql-ws, PROTOCOL.md), and no other.

Each operation has a context of its own. A socket ends when its token does: 4403, which stock clients answer with a fresh
token and a new connection.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.access.viewers import NOBODY, Viewer
from hub.errors import BadInput, InternalError, Refused, Unauthenticated
from hub.graph.execution import NotRun
from hub.web.hub import Hub
from hub.web.wire import bearer, decoded, encoded, operation, refusal

PROTOCOL: Final = "graphql-transport-ws"
INIT_WAIT: Final = 5.0  # seconds to connection_init: mobile radios need more than 1, an idle socket deserves no more
OPERATIONS: Final = 25  # at once on one socket; a screen has a handful
SEND_WAIT: Final = 30.0  # seconds that a client may take to read one frame before its socket is given up

log = structlog.get_logger("hub.web")


class Closed(Exception):
    """The socket is to be closed, for the reason given. Stock clients retry 4403 and 4408, and give up on the others."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def socket(websocket: WebSocket) -> None:
    """One connection, from the handshake to its close; leaves no task behind."""
    if PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.accept()
        await websocket.close(4406, f"Speak {PROTOCOL}")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    connection = Connection(websocket, websocket.app.state.hub)
    try:
        await connection.serve()
    except Closed as closed:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it may be gone already
            await websocket.close(closed.code, closed.reason)
    except WebSocketDisconnect:
        pass


class Connection:
    """The protocol's state on one socket."""

    def __init__(self, websocket: WebSocket, hub: Hub) -> None:
        self._websocket = websocket
        self._hub = hub
        self._viewer: Viewer = NOBODY
        self._is_acknowledged = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Read until the client leaves. Raises Closed or WebSocketDisconnect."""
        try:
            await self._initialise()
            async with asyncio.timeout(self._remaining()):
                while True:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise Closed(4403, "The token has expired") from None
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(INIT_WAIT):
                while (message := await self._receive())["type"] != "connection_init":
                    await self._before_init(message)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise Closed(4400, "The payload of connection_init is an object")
        try:
            self._viewer = self._hub.viewer(_token(payload, self._websocket.headers))
        except Unauthenticated as refused:
            raise Closed(4403, "The token is not valid") from refused
        self._is_acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _before_init(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._pong(message)
            case "pong":
                pass
            case "subscribe":
                raise Closed(4401, "Unauthorized")
            case unknown:
                raise Closed(4400, f"Unknown message type {str(unknown)[:40]!r}")

    async def _handle(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case "ping":
                await self._pong(message)
            case "pong":
                pass
            case "subscribe":
                self._start(message)
            case "complete":
                if task := self._running.pop(_id(message), None):
                    task.cancel()
            case unknown:
                raise Closed(4400, f"Unknown message type {str(unknown)[:40]!r}")

    def _start(self, message: Mapping[str, Any]) -> None:
        id = _id(message)
        if id in self._running:
            raise Closed(4409, f"Subscriber for {id[:64]} already exists")
        if len(self._running) >= OPERATIONS:
            raise Closed(4429, f"At most {OPERATIONS} operations at once")
        task = asyncio.create_task(self._run(id, message.get("payload")), name="operation")
        self._running[id] = task
        task.add_done_callback(lambda done: self._running.pop(id) if self._running.get(id) is done else None)

    async def _run(self, id: str, payload: Any) -> None:
        """One operation. What goes wrong in it ends it, not its neighbours."""
        try:
            asked = operation(payload)
            if self._hub.executor.kind(asked) is OperationType.SUBSCRIPTION:
                answers = await self._hub.executor.stream(asked, self._hub.context(self._viewer))
                async with contextlib.aclosing(answers) as stream:
                    async for answer in stream:
                        await self._send({"id": id, "type": "next", "payload": answer})
            else:
                answer = await self._hub.executor.run(asked, self._hub.context(self._viewer))
                await self._send({"id": id, "type": "next", "payload": answer})
            closing: dict[str, Any] = {"id": id, "type": "complete"}
        except NotRun as failure:
            closing = {"id": id, "type": "error", "payload": failure.errors}
        except Refused as refused:
            closing = {"id": id, "type": "error", "payload": [refusal(refused)]}
        except (WebSocketDisconnect, RuntimeError):  # nobody is there to be told
            return
        except Exception:
            log.exception("operation_failed")
            closing = {"id": id, "type": "error", "payload": [refusal(InternalError())]}
        self._running.pop(id, None)  # the id is free before the client hears so
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._send(closing)

    async def _receive(self) -> dict[str, Any]:
        try:
            message = decoded(await self._websocket.receive_text())
        except KeyError:
            raise Closed(4400, "Messages are text") from None
        except BadInput:
            raise Closed(4400, "Messages are JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "A message is an object with a type")
        return message

    async def _pong(self, message: Mapping[str, Any]) -> None:
        await self._send({"type": "pong", "payload": message["payload"]} if isinstance(message.get("payload"), dict) else {"type": "pong"})

    async def _send(self, message: Mapping[str, Any]) -> None:
        """One frame, whole; a client that does not read for `SEND_WAIT` is given up."""
        try:
            async with self._sending, asyncio.timeout(SEND_WAIT):
                await self._websocket.send_text(encoded(message).decode())
        except TimeoutError:
            raise WebSocketDisconnect(1006, "The client does not read") from None

    def _remaining(self) -> float | None:
        expires = self._viewer.expires_at
        return None if expires is None else max(0.0, (expires - datetime.now(UTC)).total_seconds())


def _id(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        raise Closed(4400, "A message of an operation has an id")
    return id


def _token(payload: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """From connection_init's `Authorization` or `token`, else from the handshake's header."""
    for name in ("Authorization", "authorization"):
        if isinstance(given := payload.get(name), str):
            return bearer(given)
    if isinstance(given := payload.get("token"), str):
        return given
    return bearer(headers.get("authorization"))
