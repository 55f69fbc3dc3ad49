"""GraphQL over WebSocket: the graphql-transport-ws protocol (github.com/enisdenjo/graphql-ws, PROTOCOL.md), and no other.

Each operation has a context of its own. A socket ends when its token does: 4403, which stock clients answer with a fresh
token and a new connection.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.access.bearers import Bearer, renews
from hub.access.viewers import NOBODY, Viewer
from hub.errors import BadInput, InternalError, Refused, Unauthenticated, Unavailable
from hub.graph.execution import Answer, NotRun, Operation
from hub.graph.faults import told
from hub.journal.opening import ended
from hub.web.hub import Hub
from hub.web.wire import bearer, decoded, encoded, operation

PROTOCOL: Final = "graphql-transport-ws"
INIT_WAIT: Final = 5.0  # seconds to connection_init: mobile radios need more than 1, an idle socket deserves no more
OPERATIONS: Final = 25  # at once on one socket; a screen has a handful
SEND_WAIT: Final = 30.0  # seconds that a client may take to read one frame before its socket is given up
REASON: Final = 123  # bytes that the reason in a close frame may have (RFC 6455, section 5.5)

log = structlog.get_logger("hub.web")


class Closed(Exception):
    """The socket is to be closed, for the reason given. Stock clients retry 4403 and 4408, and give up on the others."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON].decode(errors="ignore")


async def socket(websocket: WebSocket) -> None:
    """One connection, from the handshake to its close; leaves no task behind."""
    if PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.accept()
        await websocket.close(4406, f"Speak {PROTOCOL}")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    try:
        await Connection(websocket, websocket.app.state.hub).serve()
    except* WebSocketDisconnect:  # nobody is there any more
        pass
    except* Closed as closed:
        first = next(error for error in closed.exceptions if isinstance(error, Closed))
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it may be gone already
            await websocket.close(first.code, first.reason)


class Connection:
    """The protocol's state on one socket."""

    def __init__(self, websocket: WebSocket, hub: Hub) -> None:
        self._websocket = websocket
        self._hub = hub
        self._token: str | None = None
        self._bearer = Bearer(NOBODY, self._present)
        self._life: asyncio.Timeout
        self._running: dict[str, asyncio.Task[None]] = {}  # by the client's ids; what it completes leaves at once
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Read until the client leaves; what it had running ends with it. Raises Closed or WebSocketDisconnect, alone or grouped."""
        await self._initialise()
        try:
            async with asyncio.timeout(self._remaining()) as self._life, asyncio.TaskGroup() as operations:
                try:
                    while True:
                        await self._handle(await self._receive(), operations)
                finally:
                    await ended(self._tasks)
        except TimeoutError:
            raise Closed(4403, "The token has expired") from None

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(INIT_WAIT):
                while (message := await self._receive())["type"] != "connection_init":
                    await self._before_init(message)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            raise Closed(4400, "The payload of connection_init is an object")
        self._token = _token(payload or {}, self._websocket.headers)
        try:
            await self._bearer.ask_again()
        except Unavailable as refused:
            raise Closed(1013, "The token cannot be verified now; come again") from refused
        await self._send({"type": "connection_ack"})

    async def _present(self) -> Viewer:
        """Who the token's bearer is now: what an issuer or a party's role has taken back counts from the next operation on."""
        try:
            return await self._hub.viewer(self._token)
        except Unauthenticated as refused:
            raise Closed(4403, "The token is not valid") from refused

    async def _before_init(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._pong(message)
            case "pong":
                pass
            case "subscribe":
                raise Closed(4401, "Unauthorized")
            case unknown:
                raise Closed(4400, f"Before connection_ack there is no message of type {unknown!r}")

    async def _handle(self, message: Mapping[str, Any], operations: asyncio.TaskGroup) -> None:
        match message["type"]:
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case "ping":
                await self._renew(message)
            case "pong":
                pass
            case "subscribe":
                self._start(message, operations)
            case "complete":
                if task := self._running.pop(_id(message), None):
                    task.cancel()
            case unknown:
                raise Closed(4400, f"Unknown message type {unknown!r}")

    def _start(self, message: Mapping[str, Any], operations: asyncio.TaskGroup) -> None:
        id = _id(message)
        if id in self._running:
            raise Closed(4409, f"Subscriber for {id} already exists")
        if len(self._running) >= OPERATIONS:
            raise Closed(4429, f"At most {OPERATIONS} operations at once")
        try:
            asked = operation(message.get("payload"))
        except BadInput as refused:
            raise Closed(4400, refused.message) from None
        task = operations.create_task(self._run(id, asked), name="operation")
        self._running[id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, id: str, asked: Operation) -> None:
        """One operation. What goes wrong in it ends it, not its neighbours; WebSocketDisconnect and Closed end them all."""
        try:
            async with contextlib.aclosing(self._answers(asked)) as answers:
                async for answer in answers:
                    if not self._runs(id):  # it was completed, and the cancellation got lost in a library's wait
                        return
                    if self._hub.tokens.has_ended(self._bearer.viewer):  # while the answer was made
                        raise Closed(4403, "The token was taken back")
                    await self._send({"id": id, "type": "next", "payload": answer})
            closing: dict[str, Any] = {"id": id, "type": "complete"}
        except NotRun as failure:
            closing = {"id": id, "type": "error", "payload": failure.errors}
        except Refused as refused:
            closing = {"id": id, "type": "error", "payload": [told(refused)]}
        except (WebSocketDisconnect, Closed):
            raise
        except Exception:
            log.exception("operation_failed")
            closing = {"id": id, "type": "error", "payload": [told(InternalError())]}
        if self._runs(id):
            del self._running[id]  # the id is free before the client hears so
            await self._send(closing)

    def _runs(self, id: str) -> bool:
        """Whether the present task is the operation that the client knows by this id."""
        return self._running.get(id) is asyncio.current_task()

    async def _answers(self, asked: Operation) -> AsyncGenerator[Answer, None]:
        await self._bearer.ask_again()
        executor, context = self._hub.executor, self._hub.context(self._bearer)
        if executor.kind(asked) is OperationType.SUBSCRIPTION:
            async with contextlib.aclosing(await executor.stream(asked, context)) as stream:
                async for answer in stream:
                    yield answer
        else:
            yield await executor.run(asked, context)

    async def _receive(self) -> dict[str, Any]:
        try:
            message = decoded(await self._websocket.receive_text())
        except KeyError:
            raise Closed(4400, "Messages are text") from None
        except BadInput as refused:
            raise Closed(4400, refused.message) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "A message is an object with a type")
        return message

    async def _renew(self, message: Mapping[str, Any]) -> None:
        """A ping that carries a token puts it in the place of the one before; any other is answered as it is."""
        payload = message.get("payload")
        token = _token(payload, {}) if isinstance(payload, dict) else None
        if token is None:
            return await self._pong(message)
        try:
            viewer = await self._hub.viewer(token)
        except Unauthenticated as refused:
            raise Closed(4403, "The token is not valid") from refused
        except Unavailable as refused:  # the one before is as good as it was
            return await self._send({"type": "pong", "payload": {"renewed": False, "retryAfterMs": refused.retry_after_ms}})
        if not renews(viewer, self._bearer.viewer):
            raise Closed(4403, "A socket is renewed by a token of the same subject and client that opens no more")
        self._token = token
        self._bearer.become(viewer)
        remaining = self._remaining()
        self._life.reschedule(None if remaining is None else asyncio.get_running_loop().time() + remaining)
        await self._send({"type": "pong", "payload": {"renewed": True}})

    async def _pong(self, message: Mapping[str, Any]) -> None:
        await self._send({"type": "pong", "payload": message["payload"]} if isinstance(message.get("payload"), dict) else {"type": "pong"})

    async def _send(self, message: Mapping[str, Any]) -> None:
        """One frame, whole. Raises WebSocketDisconnect where the client is gone, or does not read for `SEND_WAIT`."""
        try:
            async with self._sending, asyncio.timeout(SEND_WAIT):
                await self._websocket.send_text(encoded(message).decode())
        except (TimeoutError, RuntimeError) as error:  # Starlette's word for a socket that was closed
            raise WebSocketDisconnect(1006, "The client does not read") from error

    def _remaining(self) -> float | None:
        expires = self._bearer.viewer.expires_at
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
