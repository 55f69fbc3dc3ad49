"""Thousands of clients in one process: as much of a WebSocket as it takes to follow a stream, and to read as slowly as one likes."""

import asyncio
import base64
import json
import os
import struct
import time
from dataclasses import dataclass, field
from typing import Any

HELLO = (
    "GET /graphql HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: {key}\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)


@dataclass(eq=False)
class Client(asyncio.Protocol):
    """One socket with one subscription. `frames` holds what it was told, with the moment in which it was."""

    address: str
    token: str
    query: str
    variables: dict[str, Any]
    frames: list[tuple[float, Any]] = field(default_factory=list)
    is_live: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None
    _bytes: bytearray = field(default_factory=bytearray)
    _is_open: bool = False
    _transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(HELLO.format(address=self.address, key=base64.b64encode(os.urandom(16)).decode()).encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.is_over.set()

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        if not self._is_open:
            head, found, rest = self._bytes.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._bytes, self._is_open = bytearray(rest), True
            self._send({"type": "connection_init", "payload": {"token": self.token}})
        while (frame := self._frame()) is not None:
            self._hear(*frame)

    def abort(self) -> None:
        """Go without a word."""
        self._transport.abort()

    def pause(self) -> None:
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._bytes) < 2:
            return None
        length, begin = self._bytes[1] & 127, 2
        if length == 126:
            if len(self._bytes) < 4:
                return None
            length, begin = struct.unpack(">H", self._bytes[2:4])[0], 4
        if len(self._bytes) < begin + length:
            return None
        opcode, body = self._bytes[0] & 15, bytes(self._bytes[begin : begin + length])
        del self._bytes[: begin + length]
        return opcode, body

    def _hear(self, opcode: int, body: bytes) -> None:
        if opcode == 9:
            self._write(10, body)
        elif opcode == 8:
            self.code = struct.unpack(">H", body[:2])[0]
            self._transport.abort()
        elif opcode == 1:
            message = json.loads(body)
            if message["type"] == "connection_ack":
                payload = {"query": self.query, "variables": self.variables}
                self._send({"id": "1", "type": "subscribe", "payload": payload})
            elif message["type"] == "next":
                frame = next(iter(message["payload"]["data"].values()))
                self.frames.append((time.perf_counter(), frame))
                if frame["kind"] == "CAUGHT_UP":
                    self.is_live.set()

    def _send(self, message: Any) -> None:
        self._write(1, json.dumps(message).encode())

    def _write(self, opcode: int, body: bytes) -> None:
        length = bytes([128 | len(body)]) if len(body) < 126 else bytes([128 | 126]) + struct.pack(">H", len(body))
        self._transport.write(bytes([128 | opcode]) + length + bytes(4) + body)


async def client(address: str, token: str, query: str, **variables: Any) -> Client:
    """One that has begun to connect."""
    host, _, port = address.partition(":")
    _, made = await asyncio.get_running_loop().create_connection(lambda: Client(address, token, query, variables), host, int(port))
    return made
