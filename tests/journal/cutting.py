"""A wire between a hub and its database that a test can cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Wire:
    """Carries bytes both ways. Cut, nothing gets through and nobody is told; mended, it carries what is new, and what it was
    carrying stays dead, as behind a firewall that has forgotten."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._host, self._port = parts.hostname, parts.port
        self._uri = uri
        self._whole = asyncio.Event()
        self._whole.set()
        self._life = 0
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def uri(self) -> str:
        """That of the database, by this wire."""
        assert self._server is not None
        return self._uri.replace(f":{self._port}", f":{self._server.sockets[0].getsockname()[1]}")

    def cut(self) -> None:
        self._whole.clear()
        self._life += 1

    def mend(self) -> None:
        self._whole.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            await self._whole.wait()
            life = self._life
            there, thither = await asyncio.open_connection(self._host, self._port)
            with contextlib.closing(writer), contextlib.closing(thither), contextlib.suppress(ConnectionError):
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._pump(reader, thither, life))
                    ways.create_task(self._pump(there, writer, life))
        except* (ConnectionError, asyncio.CancelledError):
            writer.close()
        finally:
            self._carrying.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, life: int) -> None:
        while some := await reader.read(1 << 16):
            if life == self._life:
                writer.write(some)
                await writer.drain()
        if life == self._life:
            raise ConnectionResetError  # one end hung up: so does the other
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def wired(uri: str) -> AsyncIterator[Wire]:
    """A wire to this database."""
    wire = Wire(uri)
    wire._server = await asyncio.start_server(wire._carry, "127.0.0.1", 0)
    try:
        yield wire
    finally:
        wire._server.close()
        for task in tuple(wire._carrying):
            task.cancel()
        await asyncio.gather(*wire._carrying, return_exceptions=True)
