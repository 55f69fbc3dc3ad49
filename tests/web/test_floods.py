"""What one client sends without end: it costs nobody else their turn, and no memory."""

import asyncio
import contextlib
import gc
import json
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest

from hub.web.doors import FRAGMENTS, Door
from tests.api import Api, connected

TEXT, PING, PONG = 1, 9, 10
MASK = bytes(4)  # what it masks with leaves everything as it is


def frame(data: bytes, opcode: int = TEXT, *, is_last: bool = True) -> bytes:
    """One frame of a client."""
    length = bytes([128 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    return bytes([opcode | (128 if is_last else 0)]) + length + MASK + data


@contextlib.asynccontextmanager
async def raw(address: str) -> AsyncIterator[socket.socket]:
    """A socket that is acknowledged, with little room for what it does not read."""
    host, port = address.split(":")
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.setblocking(False)
        await loop.sock_connect(client, (host, int(port)))
        hello = (
            f"GET /graphql HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )
        await loop.sock_sendall(client, hello.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await loop.sock_recv(client, 1)
        assert head.startswith(b"HTTP/1.1 101")
        await loop.sock_sendall(client, frame(b'{"type":"connection_init"}'))
        assert b"connection_ack" in await loop.sock_recv(client, 1_000)
        yield client


def doors() -> list[Door]:
    return [one for one in gc.get_objects() if type(one) is Door and not one.transport.is_closing()]


async def test_fragments_without_end_are_closed_with_1009(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        stream.socket.transport.write(frame(b'{"type":', is_last=False) + frame(b"", 0, is_last=False) * FRAGMENTS)

        assert (await stream.closed())[0] == 1009


async def test_a_message_in_many_fragments_is_one(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        text = json.dumps({"type": "ping", "payload": {"x": "ü" * 10_000}}, ensure_ascii=False).encode()
        parts = [text[at : at + 99] for at in range(0, len(text), 99)]  # some cut a letter in two
        sent = [frame(part, 0 if number else TEXT, is_last=number == len(parts) - 1) for number, part in enumerate(parts)]
        stream.socket.transport.write(frame(b"x", PING).join(sent))

        assert (await stream.receive())["payload"]["x"] == "ü" * 10_000


async def test_many_messages_at_once_are_each_answered_in_order(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        pings = [frame(json.dumps({"type": "ping", "payload": {"n": number}}).encode()) for number in range(2_000)]
        stream.socket.transport.write(b"".join(pings))

        assert [(await stream.receive())["payload"]["n"] for _ in pings] == list(range(2_000))


async def test_a_goodbye_is_heard_behind_a_flood(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        stream.socket.transport.write(frame(b"{") + frame(b"", PONG) * 10_000)

        assert (await stream.closed())[0] == 4400


@pytest.mark.parametrize("text", [frame(b"\xff"), frame(b'{"\xc3', is_last=False) + frame(b"(", 0)])
async def test_what_is_no_utf_8_is_closed_with_1007_and_not_logged(shared_api: Api, caplog: pytest.LogCaptureFixture, text: bytes) -> None:
    async with connected(shared_api.address) as stream:
        stream.socket.transport.write(text + frame(b"\xff"))

        assert (await stream.closed())[0] == 1007
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_flood_of_small_frames_keeps_nobody_waiting(shared_api: Api) -> None:
    """Counted in the processor's time: what else this machine does is no fault of the hub."""
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)

    async with raw(shared_api.address) as client:
        turns = asyncio.create_task(others())
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, frame(b"", PONG) * 50_000 + frame(b'{"type":"ping"}'))
        assert b'"pong"' in await loop.sock_recv(client, 100)
        turns.cancel()

    assert longest < 0.06


async def test_of_who_pings_and_does_not_read_the_last_ping_is_answered(shared_api: Api) -> None:
    def ping(number: int) -> bytes:
        return b"%06d" % number + b"x" * 100

    async with raw(shared_api.address) as client:
        (door,), loop, number, unread = doors(), asyncio.get_running_loop(), 0, 0
        door.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        while unread < 20_000:
            await loop.sock_sendall(client, b"".join(frame(ping(one), PING) for one in range(number, number + 100)))
            number += 100
            unread += 0 if door.writable.is_set() else 100
        waits = door.transport.get_write_buffer_size()

        answers = b""
        async with asyncio.timeout(20):
            while ping(number - 1) not in answers[-200:]:
                answers += await loop.sock_recv(client, 1 << 20)

    assert waits < 128 * 1024
    assert len(answers) < number * 108
