"""The servers that streams are measured beside: Mercurius, and graphql-ws over ws, as a skilled engineer would write them.

They come from npm, with the versions of package-lock.json, into the virtual environment, when they are first asked for.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.serving import START_WAIT, Serving, announced, ended

PEERS: Final = {"Mercurius": "mercurius.js", "graphql-ws": "graphql-ws.js"}
HERE: Final = Path(__file__).parent
FILES: Final = ("package.json", "package-lock.json", "frames.js", *PEERS.values())
INSTALL_WAIT: Final = 180.0


class Absent(Exception):
    """There are no peers here; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Peer(Serving):
    """A peer at work."""

    process: Process

    async def collect(self) -> None:
        """Have it drop what it no longer needs."""
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGUSR2)
        await asyncio.wait_for(self.process.stdout.readuntil(b"collected\n"), START_WAIT)


async def installed() -> Path:
    """Where they are. Raises Absent."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Absent("Node and npm are not on this machine")
    asked = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    place = Path(sys.prefix) / "bench-peers"
    done = place / "installed"
    if not done.is_file() or done.read_text() != asked:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name in FILES:
            shutil.copy(HERE / name, place)
        command = ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
        installing = await asyncio.create_subprocess_exec(*command, cwd=place, stdin=DEVNULL, stdout=DEVNULL)
        try:
            failed = await asyncio.wait_for(installing.wait(), INSTALL_WAIT)
        except TimeoutError:
            failed = True
        finally:
            await ended(installing)
        if failed:
            raise Absent("`npm ci` could not install them")
        done.write_text(asked)
    return place


@contextlib.asynccontextmanager
async def served(program: Path) -> AsyncIterator[Peer]:
    """A peer on a free port, in a process of its own."""
    command = ("node", "--expose-gc", str(program))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, env=os.environ | {"NODE_ENV": "production"})
    try:
        yield Peer(await asyncio.wait_for(announced(process), START_WAIT), process.pid, process)
    finally:
        await ended(process)
