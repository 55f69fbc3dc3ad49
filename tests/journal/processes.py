"""Writers as processes: started, read from, killed, stopped and ended. And a replica set of three."""

import asyncio
import itertools
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from hub import mongod
from hub.mongod import REPLICA_SET
from tests.journal.acts import BOUND, until

Fact = TypeVar("Fact")


@dataclass
class Writer:
    """One process of `tests.journal.writer`."""

    name: str
    process: asyncio.subprocess.Process
    told: list[tuple[float, str]] = field(default_factory=list)  # when, and which message was acknowledged
    opened_at: float | None = None
    refused: int = 0

    async def read(self) -> None:
        """Takes down what it tells, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            match line.decode().split():
                case ["open"]:
                    self.opened_at = time.monotonic()
                case ["unavailable", _]:
                    self.refused += 1
                case [message]:
                    self.told.append((time.monotonic(), message))

    async def acknowledges(self, more: int) -> None:
        """Returns when it has been acknowledged so many reports more."""
        goal = len(self.told) + more
        await until(lambda: len(self.told) >= goal or self.process.returncode is not None)
        assert len(self.told) >= goal, f"{self.name} ended"

    async def end(self) -> None:
        """It finishes what it has begun, in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(BOUND):
            assert await self.process.wait() == 0

    def slowest(self, since: float) -> float:
        """The longest it had to wait for an acknowledgement since then, in seconds."""
        moments = [since, *(moment for moment, _ in self.told if moment > since)]
        return max(after - before for before, after in itertools.pairwise(moments))


@asynccontextmanager
async def writing(uri: str, data_dir: Path, name: str, interactions: list[str]) -> AsyncIterator[Writer]:
    """A writer that has been acknowledged its first report; it is gone when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.journal.writer", uri, str(data_dir), name, *interactions),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    writer = Writer(name, process)
    reading = asyncio.create_task(writer.read())
    try:
        await writer.acknowledges(1)
        yield writer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way; its pipes would be found unclosed


@dataclass
class Members:
    """A replica set of three on loopback."""

    uri: str
    ports: dict[int, Any]

    def primary(self) -> int:
        """The port of the primary; waits for an election."""
        return _within(lambda: next((port for port in self.ports if self._leads(port)), None))

    def _leads(self, port: int) -> bool:
        process, _ = self.ports[port]
        return process.poll() is None and bool((_hello(port) or {}).get("isWritablePrimary"))

    def kill(self, port: int) -> None:
        """As a machine that goes out."""
        process, leash = self.ports[port]
        process.kill()
        mongod._end(process, leash)


@contextmanager
def replica_set(directory: Path, *, election: int) -> Iterator[Members]:
    """Three mongods that elect; `election` is their time-out in milliseconds."""
    program = mongod._program(None)
    ports: dict[int, Any] = {}
    try:
        for _ in range(3):
            port = _free_port()
            home = directory / str(port)
            (home / "db").mkdir(parents=True)
            ports[port] = mongod._spawn(program, home, port)
        for port in ports:
            _within(partial(_hello, port))
        config = {
            "_id": REPLICA_SET,
            "members": [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)],
            "settings": {"electionTimeoutMillis": election, "heartbeatIntervalMillis": election // 4, "catchUpTimeoutMillis": 2_000},
        }
        with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{next(iter(ports))}/?directConnection=true") as client:
            client.admin.command("replSetInitiate", config)
        uri = f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet={REPLICA_SET}"
        members = Members(uri, ports)
        members.primary()
        yield members
    finally:
        for process, leash in ports.values():
            process.kill()
            mongod._end(process, leash)
        shutil.rmtree(directory, ignore_errors=True)


def _within(fact: Callable[[], Fact | None]) -> Fact:
    """Wait for a fact that other processes bring about."""
    deadline = time.monotonic() + BOUND
    while time.monotonic() < deadline:
        if (found := fact()) is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError


def _hello(port: int) -> dict[str, Any] | None:
    try:
        with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true", serverSelectionTimeoutMS=500) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
