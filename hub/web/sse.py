"""GraphQL over server-sent events: one operation a request (github.com/enisdenjo/graphql-sse, PROTOCOL.md, "Distinct connections mode").

The id of an event is its cursor: whoever comes back with `Last-Event-ID` goes on where it was. A stream that ends without
`complete` has broken, also because its token has ended or this process does: its client comes back, with a fresh token.
"""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any, Final

from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.access.bearers import Bearer
from hub.errors import InternalError, Refused, Unauthenticated
from hub.graph.context import Context
from hub.graph.execution import NotRun, Operation
from hub.graph.faults import log_fault, told
from hub.graph.signals import CURRENT
from hub.journal.frames import Frame
from hub.web.hub import Hub
from hub.web.lines import Lines
from hub.web.wire import encoded

EVENTS: Final = "text/event-stream"
LAST_EVENT: Final = "last-event-id"
BEAT: Final = 15.0  # seconds between comments: proxies hang up on what is silent for a minute, some for half of one
SEND_WAIT: Final = 120.0  # seconds in which a client may read nothing: a phone at 1 KB/s takes half of it for what is buffered
COMMENT: Final = b":\n\n"
COMPLETE: Final = b"event: complete\ndata:\n\n"
HEADERS: Final = {"content-type": f"{EVENTS}; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}


class Broken(Exception):
    """The stream ends here, and not because everything was told."""


def event(answer: bytes, cursor: str | None = None) -> bytes:
    """An answer as an event."""
    id = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return b"event: next\n%bdata: %b\n\n" % (id, answer)


class Events(Response):
    """The answers to one operation, as they come."""

    def __init__(self, hub: Hub, lines: Lines, asked: Operation, bearer: Bearer, context: Context) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._hub = hub
        self._lines = lines
        self._asked = asked
        self._bearer = bearer
        self._context = context
        self._send: Send
        self._is_over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell, until everything is told, the client is gone, its token has ended or the process does. Leaves no task behind."""
        self._send = send
        if (signal := CURRENT.get()) is not None:
            signal.door = "events"
        with self._lines.held(self._is_over.set):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            try:
                async with asyncio.timeout(self._remaining()), asyncio.TaskGroup() as tasks:
                    others = [tasks.create_task(one) for one in (self._beat(), self._leaves(receive), self._hangs_up())]
                    await self._tell()
                    for task in others:
                        task.cancel()
            except* (TimeoutError, Broken, Unauthenticated):
                pass
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self) -> None:
        try:
            async with contextlib.aclosing(self._answers()) as answers:
                async for answer in answers:
                    if self._hub.tokens.has_ended(self._bearer.viewer):  # while the answer was made
                        raise Broken
                    await self._write(answer)
        except NotRun as failure:
            await self._write(event(encoded({"errors": failure.errors})))
        except Unauthenticated:
            raise
        except Refused as refused:
            await self._write(event(encoded({"errors": [told(refused)]})))
        except Broken:
            raise
        except Exception as fault:
            log_fault(fault, "operation")
            await self._write(event(encoded({"errors": [told(InternalError())]})))
        await self._write(COMPLETE)

    async def _answers(self) -> Any:
        executor, cursors = self._hub.executor, self._hub.journal.cursors
        if executor.kind(self._asked, self._bearer.viewer) is not OperationType.SUBSCRIPTION:
            yield event(encoded(await executor.run(self._asked, self._context)))
            return
        frame: Frame
        async with contextlib.aclosing(await executor.stream(self._asked, self._context)) as stream:
            async for frame, answer in stream:
                yield event(answer, cursors.cursor(frame.position))

    async def _write(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_WAIT):
                await self._send({"type": "http.response.body", "body": text, "more_body": True})
        except TimeoutError:
            raise Broken from None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            await self._write(COMMENT)

    async def _leaves(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise Broken

    async def _hangs_up(self) -> None:
        await self._is_over.wait()
        raise Broken

    def _remaining(self) -> float | None:
        expires = self._bearer.viewer.expires_at
        return None if expires is None else max(0.0, (expires - datetime.now(UTC)).total_seconds())
