"""Whoever reads nothing of what waits for it, and does not leave either: the connection is given up, and nothing stays."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from hub.web import app, sse
from hub.web.hub import Hub
from tests.api import Api
from tests.conftest import played, serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long it is to wait")

LONG = " ".join(f"c{number}: cursor" for number in range(180))
SELECTED = f"subscription {{ interactionEvents {{ kind {LONG} }} }}"


@contextlib.asynccontextmanager
async def deaf(address: str, token: str | None) -> AsyncIterator[None]:
    """An event stream that nobody reads, by a client that has hardly room for it."""
    host, port = address.split(":")
    body = json.dumps({"query": SELECTED})
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        await loop.sock_sendall(client, (head + body).encode())
        yield


async def lines_open(api: Api) -> float:
    text = (await api.client.get("/metrics")).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("hub_lines_open{"))


async def test_a_stream_that_nobody_reads_leaves_no_connection(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that waits to say that it has ended."""
    monkeypatch.setattr(sse, "SEND_WAIT", 0.2)
    monkeypatch.setattr(app, "UNREAD", 1)
    async with serving(hub) as address, played(hub, address) as api:
        id = (await api.as_agent.create())["id"]
        async with deaf(address, api.as_agent.token), asyncio.timeout(20):
            while not hub.journal.cohorts.subscribers:  # noqa: ASYNC110 - who follows tells nobody
                await asyncio.sleep(0.01)
            while hub.journal.cohorts.subscribers:
                await asyncio.gather(*(api.as_agent.done("reportProgress", id=id, message="x") for _ in range(32)))

            while await lines_open(api):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
