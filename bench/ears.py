"""`python -m bench.ears`: subscribers in a process of their own, on bare sockets, so that it is the server that is measured.

One loop over epoll reads whatever came, of whichever socket, and notes when. Every event's sequence must be the one that
follows: what is missing, doubled or out of order ends the measurement. Told what to do by lines of JSON on standard input,
one at a time; each is answered by a line on standard output.
"""

import gc
import os
import select
import socket
import struct
import sys
import time
from array import array
from base64 import b64encode
from collections import deque
from typing import Any, Final

import orjson

OPENING: Final = 32  # handshakes at once: more only queue in the server
READ: Final = 1 << 18
MASK: Final = b"\0\0\0\0"  # what is masked by zeros stays as it is; RFC 6455, section 5.3, wants chance for the sake of proxies
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
STATUS: Final = 101
CURSOR: Final = b'"cursor":"'
SEQUENCE: Final = b'"sequence":'
GREETED, INITIALISED, SUBSCRIBED, LIVE = range(4)


class Ear:
    """One subscriber: its socket, and how far it has come."""

    __slots__ = ("buffer", "last", "number", "reached", "socket", "subscribe", "token")

    def __init__(self, number: int, port: int, token: str, subscribe: bytes) -> None:
        self.number = number
        self.token = token
        self.subscribe = subscribe
        self.reached = GREETED
        self.buffer = b""
        self.last: int | None = None  # the sequence of the last event
        self.socket = socket.create_connection(("127.0.0.1", port))  # without a timeout, which would cost a call for each read
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: %b\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n" % (port, b64encode(os.urandom(16)))
        )

    def send(self, opcode: int, payload: bytes) -> None:
        """One frame, masked as a client's must be."""
        length = len(payload)
        size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0x80 | 126, length)
        self.socket.sendall(bytes((opcode,)) + size + MASK + payload)


class Ears:
    """All of them, and what they have heard since it was last told."""

    def __init__(self) -> None:
        self._ears: dict[int, Ear] = {}  # by the number of the socket
        self._epoll = select.epoll()
        self._epoll.register(sys.stdin.fileno(), select.EPOLLIN)
        self._drains: dict[int, socket.socket] = {}  # what is read and forgotten
        self._asked = b""
        self._events: dict[bytes, tuple[int, int]] = {}  # by cursor: how many were heard before it, and its sequence
        self._who, self._which, self._when = array("l"), array("l"), array("q")

    def run(self) -> None:
        """Until standard input ends."""
        while (line := self._line()) is not None:
            asked = orjson.loads(line)
            answer = getattr(self, asked.pop("do"))(**asked)
            sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
            sys.stdout.flush()

    def open(self, port: int, query: str, subscriptions: list[tuple[str, str]]) -> int:
        """Subscribe once on a socket for each token and interaction; how many there are when the last has heard its first frame."""
        waiting = deque(enumerate(subscriptions, start=len(self._ears)))
        wanted = len(self._ears) + len(waiting)
        opening: set[Ear] = set()
        end = time.monotonic() + 120
        while waiting or opening:
            while waiting and len(opening) < OPENING:
                number, (token, interaction) = waiting.popleft()
                payload = {"query": query, "variables": {"id": interaction}}
                ear = Ear(number, port, token, orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                self._ears[ear.socket.fileno()] = ear
                self._epoll.register(ear.socket.fileno(), select.EPOLLIN)
                opening.add(ear)
            self._listen(end)
            opening = {ear for ear in opening if ear.reached != LIVE}
        assert len(self._ears) == wanted
        return wanted

    def heard(self, deliveries: int, within: float) -> dict[str, Any]:
        """Wait for so many deliveries since the last time; who heard which event, when, in nanoseconds of the monotonic clock."""
        end = time.monotonic() + within
        while len(self._when) < deliveries:
            self._listen(end)
        events = [(cursor.decode(), sequence) for cursor, (_, sequence) in self._events.items()]
        told = {"events": events, "who": self._who.tolist(), "which": self._which.tolist(), "when": self._when.tolist()}
        self._events.clear()
        for column in (self._who, self._which, self._when):
            del column[:]
        return told

    def drain(self, port: int, many: int) -> int:
        """Read whatever comes on so many bare sockets."""
        for _ in range(many):
            drain = socket.create_connection(("127.0.0.1", port))
            self._drains[drain.fileno()] = drain
            self._epoll.register(drain.fileno(), select.EPOLLIN)
        return many

    def close(self) -> int:
        """Say goodbye on every socket; how many subscribers there were."""
        for drain in self._drains.values():
            self._epoll.unregister(drain)
            drain.close()
        self._drains.clear()
        for ear in self._ears.values():
            self._epoll.unregister(ear.socket)
            ear.send(CLOSE, struct.pack("!H", 1000))
            ear.socket.close()
        closed = len(self._ears)
        self._ears.clear()
        return closed

    def _line(self) -> bytes | None:
        """What is asked next; until then sockets are listened to."""
        while b"\n" not in self._asked:
            if not self._listen(None):
                return None
        line, _, self._asked = self._asked.partition(b"\n")
        return line

    def _listen(self, end: float | None) -> bool:
        """Read whatever has come; whether standard input is still open. Raises TimeoutError where nothing comes until `end`."""
        ready = self._epoll.poll(-1 if end is None else max(0.0, end - time.monotonic()), 4096)
        if not ready and end is not None:
            raise TimeoutError(f"Of {len(self._ears)} sockets, nothing more was heard after {len(self._when)} events.")
        for number, _ in ready:
            ear = self._ears.get(number)
            if ear is not None:
                self._read(ear)
            elif (drain := self._drains.get(number)) is not None:
                drain.recv(READ)
            elif part := os.read(number, READ):
                self._asked += part
            else:
                return False
        return True

    def _read(self, ear: Ear) -> None:
        read = ear.socket.recv(READ)
        moment = time.monotonic_ns()
        if not read:
            raise ConnectionError(f"Socket {ear.number} was closed.")
        came = ear.buffer + read if ear.buffer else read
        at = 0
        if ear.reached == GREETED:
            at = came.find(b"\r\n\r\n") + 4
            if at < 4:
                ear.buffer = came
                return
            if int(came.split(b" ", 2)[1]) != STATUS:
                raise ConnectionError(f"The handshake was answered {came!r}.")
            ear.reached = INITIALISED
            ear.send(TEXT, orjson.dumps({"type": "connection_init", "payload": {"token": ear.token}}))
        while len(came) >= at + 2:
            length, begin = came[at + 1], at + 2
            if length == 126:
                begin += 2
                length = int.from_bytes(came[at + 2 : begin]) if len(came) >= begin else len(came)
            elif length == 127:
                raise ConnectionError("A frame of more than 64 KiB.")
            if len(came) < begin + length:
                break
            self._take(ear, came[at], came[begin : begin + length], moment)
            at = begin + length
        ear.buffer = came[at:]

    def _take(self, ear: Ear, opcode: int, payload: bytes, moment: int) -> None:
        """One frame."""
        if opcode == TEXT and (found := payload.find(SEQUENCE)) >= 0:
            sequence = int(_value(payload, found + len(SEQUENCE), b","))
            if ear.last is not None and sequence != ear.last + 1:
                raise ValueError(f"Socket {ear.number} heard event {sequence} after {ear.last}.")
            ear.last = sequence
            cursor = _value(payload, payload.index(CURSOR) + len(CURSOR), b'"')
            number, _ = self._events.setdefault(cursor, (len(self._events), sequence))
            self._who.append(ear.number)
            self._which.append(number)
            self._when.append(moment)
        elif opcode == TEXT:
            self._spoken(ear, orjson.loads(payload))
        elif opcode == PING:
            ear.send(PONG, payload)
        elif opcode != PONG:
            raise ConnectionError(f"Socket {ear.number} was sent {opcode:#x} {payload!r}.")

    def _spoken(self, ear: Ear, message: dict[str, Any]) -> None:
        """A message that is no event."""
        match message["type"]:
            case "connection_ack" if ear.reached == INITIALISED:
                ear.reached = SUBSCRIBED
                ear.send(TEXT, ear.subscribe)
            case "next" if "errors" not in message["payload"]:
                ear.reached = LIVE
            case "ping":
                ear.send(TEXT, b'{"type":"pong"}')
            case "pong":
                pass
            case _:
                raise ConnectionError(f"Socket {ear.number} was told {message!r}.")


def _value(payload: bytes, begin: int, mark: bytes) -> bytes:
    return payload[begin : payload.index(mark, begin)]


if __name__ == "__main__":
    gc.disable()  # nothing here goes in circles, and a pause would be taken for the server's
    Ears().run()
