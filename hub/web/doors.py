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
from websockets.frames import Frame
from websockets.protocol import State

from hub.web.closing import TOO_BIG, Closed

SEND_WAIT: Final = 30.0  # seconds in which a client may read nothing at all while something waits for it
NAME: Final = "hub.door"
SLICE: Final = 4 * 1024  # bytes that are read of one client before the others' turn: some 700 of the smallest frames take 3 ms
FRAGMENTS: Final = 1_024  # of one message: what has 64 KiB at most is not sent in smaller pieces


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
        self._unparsed = b""  # while something is here, and while a message waits to be taken, nothing more is read
        self._owed = b""  # the answer to its last ping, while it does not read

    async def run_asgi(self) -> None:
        """As uvicorn does, with the door in the scope."""
        cast(dict[str, Any], self.scope)[NAME] = self
        await super().run_asgi()

    def begin(self) -> None:
        """The handshake is over and its headers were read: they are not kept for the hours that follow."""
        del self.request, self.response
        self.scope["headers"] = []

    def data_received(self, data: bytes) -> None:
        """As uvicorn does, but a slice at a time: between two of them it is the others' turn, and what was said is taken. uvicorn
        parses whatever has come, and libuv reads on meanwhile: a flood of empty frames kept everybody waiting for 7 s."""
        self._unparsed = self._unparsed + data if self._unparsed else data
        self._parse()

    def _parse(self) -> None:
        part, self._unparsed = self._unparsed[:SLICE], self._unparsed[SLICE:]
        super().data_received(part)
        if self._unparsed:
            self.transport.pause_reading()
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self.disconnected or not (self.close_sent or self.queue.empty()):  # over; or it goes on when that is taken
            return
        if self._unparsed:
            self._parse()
        if not self._unparsed and (self.close_sent or self.queue.empty()):
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """The next message; when none is left, more is read."""
        message = await self.queue.get()
        if self._unparsed:
            self.loop.call_soon(self._go_on)
        elif self.read_paused:
            self._go_on()
        return message

    def send_receive_event_to_app(self) -> None:
        """As uvicorn does; but what is no UTF-8 is its sender's fault, and no news for the log."""
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames)]
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                return self._fail(1007, "Text is UTF-8")
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        """As uvicorn does, up to so many: what is empty counts for no byte, and is kept for the message's end all the same."""
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        else:
            self._fail(TOO_BIG.code, f"At most {FRAGMENTS} fragments")

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        """As uvicorn does where the client reads; else the last is answered when it does (RFC 6455, section 5.5.3)."""
        answer = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(answer)
        else:
            self._owed = answer or self._owed

    def resume_writing(self) -> None:
        """As uvicorn does."""
        super().resume_writing()
        owed, self._owed = self._owed, b""
        if owed and not (self.close_sent or self.transport.is_closing()):
            self.transport.write(owed)

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
