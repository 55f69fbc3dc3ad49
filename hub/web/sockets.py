"""GraphQL over WebSocket: the graphql-transport-ws protocol (github.com/enisdenjo/graphql-ws, PROTOCOL.md), and no other.

Each operation has a context of its own. A socket ends when its token does: 4403, which stock clients answer with a fresh
token and a new connection.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.access.bearers import Bearer, renews
from hub.access.viewers import NOBODY, Viewer
from hub.errors import BadInput, CursorInvalid, InternalError, Refused, Unauthenticated, Unavailable
from hub.graph import signals
from hub.graph.documents import Asked
from hub.graph.execution import NotRun
from hub.graph.faults import log_fault, told
from hub.graph.signals import Signal
from hub.journal.cursors import Place
from hub.journal.opening import ended
from hub.web.closing import AGAIN, BAD, EARLY, MANY, OVER, PROTOCOL, RESTART, SILENT, TOO_BIG, TWICE, Closed
from hub.web.doors import door_of
from hub.web.hub import Hub
from hub.web.lines import Lines
from hub.web.observing import Observing
from hub.web.wire import bearer, decoded, encoded, operation

SPOKEN: Final = "graphql-transport-ws"
INIT_WAIT: Final = 5.0  # seconds to connection_init: mobile radios need more than 1, an idle socket deserves no more
BEFORE: Final = 8 * 1024  # characters of a message before connection_ack: a token of 4 KiB, and room
OPERATIONS: Final = 25  # at once on one socket; a screen has a handful


async def socket(websocket: WebSocket) -> None:
    """One connection, from the handshake to its close; leaves no task behind."""
    hub: Hub = websocket.app.state.hub
    lines: Lines = websocket.app.state.lines
    observing: Observing = websocket.app.state.observing
    if not is_welcome(websocket.headers, hub.settings.origins):
        observing.turned_away("socket", "origin")
        await websocket.close()  # before it is accepted: 403
        return
    if SPOKEN not in websocket.scope.get("subprotocols", ()):
        observing.turned_away("socket", "protocol")
        await websocket.accept()
        await websocket.close(PROTOCOL.code, f"Speak {SPOKEN}")
        return
    await websocket.accept(subprotocol=SPOKEN)
    try:
        if lines.is_draining:
            observing.turned_away("socket", "draining")
            raise Closed(RESTART, "This process ends; another takes over")
        if wait := lines.wait():
            observing.turned_away("socket", "rate")
            raise Closed(AGAIN, f"Too many come at once; come again in {ceil(wait)} s")
        connection = Connection(websocket, hub)
        with lines.held(connection.hang_up):
            await connection.serve()
    except* WebSocketDisconnect:  # nobody is there any more
        pass
    except* Closed as closed:
        first = next(error for error in closed.exceptions if isinstance(error, Closed))
        observing.closed(first.code)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it may be gone already
            await websocket.close(first.code, first.reason)


class Connection:
    """The protocol's state on one socket."""

    def __init__(self, websocket: WebSocket, hub: Hub) -> None:
        self._websocket = websocket
        self._hub = hub
        self._observing: Observing = websocket.app.state.observing
        self._token: str | None = None
        self._bearer = Bearer(NOBODY, self._present)
        self._life: asyncio.Timeout | None = None  # that of its token, once it is acknowledged
        self._resumed: Place | None = None  # from where on it was told nothing before it came back
        self._acting = 0  # operations that are no subscriptions, and are to be answered before it is sent away
        self._is_leaving = False
        self._running: dict[str, asyncio.Task[None]] = {}  # by the client's ids; what it completes leaves at once
        self._tasks: set[asyncio.Task[None]] = set()
        self._door = door_of(websocket)

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
            raise Closed(OVER, "The token has expired") from None

    def hang_up(self) -> None:
        """Send the client away, to another process: at once, or when it has the answers to what it has begun."""
        self._is_leaving = True
        if not self._acting:
            self._door.hang_up(Closed(RESTART, "This process ends; another takes over"))

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(INIT_WAIT):
                while (message := await self._receive())["type"] != "connection_init":
                    await self._before_init(message)
        except TimeoutError:
            raise Closed(SILENT, "Connection initialisation timeout") from None
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            raise Closed(BAD, "The payload of connection_init is an object")
        self._token = _token(payload or {}, self._websocket.headers)
        del self._websocket._headers
        self._door.begin()
        self._resumed = self._oldest((payload or {}).get("cursors"))
        try:
            await self._bearer.ask_again()
        except Unavailable as refused:
            raise Closed(AGAIN, "The token cannot be verified now; come again") from refused
        remaining, cursors, feed = self._remaining(), self._hub.journal.cursors, self._hub.journal.feed
        expires = None if remaining is None else int(1000 * remaining)
        await self._send({"type": "connection_ack", "payload": {"cursor": cursors.cursor(feed.position), "expiresInMs": expires}})

    def _oldest(self, cursors: object) -> Place | None:
        """The place up to which everything was told, of the cursors that a client had when its socket broke. One of another journal is
        older than all of this: who holds it has not heard yet that it is to read anew."""
        if cursors is None or cursors == []:
            return None
        if not isinstance(cursors, list) or not all(isinstance(cursor, str) for cursor in cursors):
            raise Closed(BAD, "`cursors` is a list of cursors")
        try:
            ours = self._hub.journal.cursors
            return min(map(ours.read, cursors), key=lambda place: (ours.is_ours(place), place.position))
        except CursorInvalid as refused:
            raise Closed(BAD, f"{refused.code}: {refused.message}") from None

    async def _present(self) -> Viewer:
        """Who the token's bearer is now: what an issuer or a party's role has taken back counts from the next operation on."""
        try:
            return await self._hub.viewer(self._token)
        except Unauthenticated as refused:
            raise Closed(OVER, "The token is not valid") from refused

    async def _before_init(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._pong(message)
            case "pong":
                pass
            case "subscribe":
                raise Closed(EARLY, "Unauthorized")
            case unknown:
                raise Closed(BAD, f"Before connection_ack there is no message of type {unknown!r}")

    async def _handle(self, message: Mapping[str, Any], operations: asyncio.TaskGroup) -> None:
        match message["type"]:
            case "connection_init":
                raise Closed(MANY, "Too many initialisation requests")
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
                raise Closed(BAD, f"Unknown message type {unknown!r}")

    def _start(self, message: Mapping[str, Any], operations: asyncio.TaskGroup) -> None:
        id = _id(message)
        if id in self._running:
            raise Closed(TWICE, f"Subscriber for {id} already exists")
        if len(self._running) >= OPERATIONS:
            raise Closed(MANY, f"At most {OPERATIONS} operations at once")
        try:
            asked = operation(message.get("payload"))
        except BadInput as refused:
            raise Closed(BAD, refused.message) from None
        task = operations.create_task(self._run(id, asked), name="operation")
        self._running[id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, id: str, asked: Asked) -> None:
        """One operation. What goes wrong in it ends it, not its neighbours; WebSocketDisconnect and Closed end them all."""
        signal = Signal(signals.new_request_id(), self._observing, "socket")
        signals.begin(signal)
        self._observing.begin(signal)
        try:
            await self._served(id, asked)
        finally:
            self._observing.end(signal)

    async def _served(self, id: str, asked: Asked) -> None:
        try:
            await self._answer(id, asked)
            closing: dict[str, Any] = {"id": id, "type": "complete"}
        except NotRun as failure:
            closing = {"id": id, "type": "error", "payload": failure.errors}
        except Refused as refused:
            closing = {"id": id, "type": "error", "payload": [told(refused)]}
        except (WebSocketDisconnect, Closed):
            raise
        except Exception as fault:
            log_fault(fault, "operation")
            closing = {"id": id, "type": "error", "payload": [told(InternalError())]}
        if self._running.get(id) is asyncio.current_task():
            del self._running[id]  # the id is free before the client hears so
            await self._send(closing)

    async def _answer(self, id: str, named: Asked) -> None:
        """Send what is answered: once, or as long as it is followed."""
        await self._bearer.ask_again()
        asked = await self._hub.documents.operation(named, self._bearer.viewer)
        executor, context = self._hub.executor, self._hub.context(self._bearer)
        head, task = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id), asyncio.current_task()

        def runs() -> bool:  # not any more where it was completed, and the cancellation is on its way or got lost in a library's wait
            return self._running.get(id) is task

        async def send(answer: bytes) -> None:
            if self._hub.tokens.has_ended(self._bearer.viewer):  # while the answer was made
                raise Closed(OVER, "The token was taken back")
            await self._door.put(head + answer + b"}")

        if executor.kind(asked, self._bearer.viewer) is not OperationType.SUBSCRIPTION:
            with self._answering():
                answer = encoded(await executor.run(asked, context))
                return await send(answer) if runs() else None
        context.resumed = self._resumed
        async with contextlib.aclosing(await executor.stream(asked, context)) as stream:
            door = self._door
            stream.through(lambda answer: door.write(head + answer + b"}"), lambda: door.is_writable and runs())
            async for _, answer in stream:
                if not runs():
                    return
                await send(answer)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        self._acting += 1
        try:
            yield
        finally:
            self._acting -= 1
            if self._is_leaving:
                self.hang_up()

    async def _receive(self) -> dict[str, Any]:
        try:
            text = await self._websocket.receive_text()
            if self._life is None and len(text) > BEFORE:
                raise Closed(TOO_BIG, f"At most {BEFORE} bytes before connection_ack")
            message = decoded(text)
        except KeyError:
            raise Closed(BAD, "Messages are text") from None
        except BadInput as refused:
            raise Closed(BAD, refused.message) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(BAD, "A message is an object with a type")
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
            raise Closed(OVER, "The token is not valid") from refused
        except Unavailable as refused:  # the one before is as good as it was
            return await self._send({"type": "pong", "payload": {"renewed": False, "retryAfterMs": refused.retry_after_ms}})
        if not renews(viewer, self._bearer.viewer):
            raise Closed(OVER, "A socket is renewed by a token of the same subject and client that opens no more")
        self._token = token
        self._bearer.become(viewer)
        remaining = self._remaining()
        if self._life is not None:
            self._life.reschedule(None if remaining is None else asyncio.get_running_loop().time() + remaining)
        await self._send({"type": "pong", "payload": {"renewed": True}})

    async def _pong(self, message: Mapping[str, Any]) -> None:
        answer = {"type": "pong", "payload": message["payload"]} if isinstance(message.get("payload"), dict) else {"type": "pong"}
        try:
            text = encoded(answer)
        except TypeError:  # orjson reads what is nested deeper than what it writes
            raise Closed(BAD, "The payload of a ping is nested too deep to be answered") from None
        await self._door.put(text)

    async def _send(self, message: Mapping[str, Any]) -> None:
        """One frame, whole. Raises WebSocketDisconnect where the client is gone, or does not read."""
        await self._door.put(encoded(message))

    def _remaining(self) -> float | None:
        expires = self._bearer.viewer.expires_at
        return None if expires is None else max(0.0, (expires - datetime.now(UTC)).total_seconds())


def is_welcome(headers: Mapping[str, str], origins: Sequence[str]) -> bool:
    """Whether a page of this origin may open a socket: of the hub's own, or a listed one. Programs send no origin, and may."""
    origin, host = headers.get("origin"), headers.get("host")
    return origin is None or origin in origins or (bool(host) and origin in {f"http://{host}", f"https://{host}"})


def _id(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        raise Closed(BAD, "A message of an operation has an id")
    return id


def _token(payload: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """From connection_init's `Authorization` or `token`, else from the handshake's header."""
    for name in ("Authorization", "authorization"):
        if isinstance(given := payload.get(name), str):
            return bearer(given)
    if isinstance(given := payload.get("token"), str):
        return given
    return bearer(headers.get("authorization"))
