"""The TypeScript package beside a real hub: its own tests, run by node, over a wire that is cut all the time."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.domain.terms import Role
from tests import npm
from tests.api import Api

PACKAGE = Path(__file__).parents[2] / "clients" / "typescript"
LIFE = 0.4  # seconds of a connection


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed and compiled in a place of its own."""
    place = npm.workshop(PACKAGE, tmp_path_factory.mktemp("client") / "typescript")
    done = subprocess.run(["node", "node_modules/typescript/bin/tsc"], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return place


@contextlib.asynccontextmanager
async def cut(address: str) -> AsyncIterator[str]:
    """The same hub behind a wire on which no connection lives long; each ends without a word."""
    host, _, port = address.partition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        both = [asyncio.create_task(carry(reader, there_writer)), asyncio.create_task(carry(there_reader, writer))]
        await asyncio.wait(both, timeout=LIFE, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for end in (writer, there_writer):
            end.transport.abort()
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_the_package_hears_everything_once_whatever_happens_to_its_connection(shared_api: Api, built: Path) -> None:
    api = shared_api
    brief, lasting = (api.issuer.mint([Role.AGENT], ttl=timedelta(seconds=seconds)) for seconds in (3, 600))
    async with cut(api.address) as wire:
        environment = os.environ | {
            "HUB_URL": f"http://{api.address}/graphql",
            "HUB_CUT_URL": f"http://{wire}/graphql",
            "HUB_BRIEF_TOKEN": brief,
            "HUB_TOKEN": lasting,
        }
        node = await asyncio.create_subprocess_exec(
            "node", "--test", "--test-reporter=tap", "build/test/", cwd=built, env=environment, stdout=subprocess.PIPE
        )
        async with asyncio.timeout(120):
            said = (await node.communicate())[0].decode()

    assert node.returncode == 0, said
    assert "# skipped 0" in said
    assert "# fail 0" in said
