"""The server's end of one WebSocket, for whoever has a frame to send: written at once where the client reads, else waited for.

Made by the server for each connection, and found in the connection's scope.
"""

import array
import asyncio
import fcntl
import sys
import termios
from typing import Any, Final, cast

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from hub.web.closing import Closed

SEND_WAIT: Final = 30.0  # seconds in which a client may read nothing at all while something waits for it
NAME: Final = "hub.door"


class Messages(asyncio.Queue[Any]):
    """What was received, and waits to be read by the one that reads: asyncio's queue for thousands of readers takes 3 KiB."""

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        """Never full: reading pauses while one waits."""
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        """The next one."""
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._messages.pop(0)

    def empty(self) -> bool:
        """Whether none waits."""
        return not self._messages


class Door(WebSocketsSansIOProtocol):
    """uvicorn's connection, with a way to write that does not wait."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.queue = Messages()
        self._unread_then = 0  # when it was last asked whether it is there

    async def run_asgi(self) -> None:
        """As uvicorn does, with the door in the scope."""
        cast(dict[str, Any], self.scope)[NAME] = self
        await super().run_asgi()

    def begin(self) -> None:
        """The handshake is over and its headers were read: they are not kept for the hours that follow."""
        del self.request, self.response
        self.scope["headers"] = []

    @property
    def is_writable(self) -> bool:
        """Whether a frame would leave now: the client reads, and nobody has said goodbye."""
        return self.writable.is_set() and self.conn.state is State.OPEN and not (self.close_sent or self.transport.is_closing())

    def write(self, text: bytes) -> None:
        """One text frame, now; only where it `is_writable`."""
        self.transport.write(_head(len(text)) + text)

    @property
    def unread(self) -> int:
        """Bytes that were written and are not acknowledged. The kernel lets more be written only when a third of what it holds is gone:
        at a kilobyte a second that takes minutes, and what a client reads meanwhile shows in the kernel alone."""
        waiting = self.transport.get_write_buffer_size()
        if sys.platform == "linux" and not self.transport.is_closing():
            held = array.array("i", [0])
            fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, held)
            waiting += held[0]
        return waiting

    def send_keepalive_ping(self) -> None:
        """As uvicorn does."""
        self._unread_then = self.unread
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """As uvicorn does, but for a client that reads slowly: it will see the ping when it has read what lies before it."""
        if self.ping_timeout is not None and 0 < (unread := self.unread) < self._unread_then:
            self._unread_then = unread
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def hang_up(self, why: Closed) -> None:
        """Say goodbye now; whoever receives from this connection is told that it is over."""
        if self.handshake_complete and self.is_writable:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": why.code, "reason": why.reason})
            self.conn.send_close(why.code, why.reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        else:  # it does not read, so it would not hear
            self.transport.abort()

    async def put(self, text: bytes) -> None:
        """Write one text frame as soon as the client reads. Raises WebSocketDisconnect where it is gone, or reads nothing at all for
        `SEND_WAIT`: a slow client is served as long as it is one."""
        while not self.is_writable:
            if self.writable.is_set():
                raise WebSocketDisconnect(1006, "The client is gone")
            waiting = self.unread
            try:
                async with asyncio.timeout(SEND_WAIT):
                    await self.writable.wait()
            except TimeoutError as error:
                if self.unread >= waiting:
                    self.transport.abort()
                    raise WebSocketDisconnect(1006, "The client does not read") from error
        self.write(text)


def _head(length: int) -> bytes:
    """Of a final text frame from a server, which masks nothing (RFC 6455, section 5.2). Made here, as it is made a thousand times an
    event."""
    if length < 126:
        return b"\x81%c" % length
    return b"\x81\x7e" + length.to_bytes(2, "big") if length < 1 << 16 else b"\x81\x7f" + length.to_bytes(8, "big")


def door_of(websocket: WebSocket) -> Door:
    """The door of a connection."""
    return cast(Door, websocket.scope[NAME])
