"""The clients that teams really use, as npm has them: installed once for each lock, in the virtual environment."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests import npm
from tests.api import Api

HERE: Final = Path(__file__).parent
SCHEMA: Final = HERE.parents[1] / "schema.graphql"
PATIENCE: Final = 60  # seconds: for a machine that does much else beside

Run = Callable[..., Awaitable[str]]


class Agent(NamedTuple):
    """Where the hub is, and an agent's token: what every client is given."""

    address: str
    token: str


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts, the schema and the packages in one place, where they may write."""
    place = npm.workshop(HERE, tmp_path_factory.mktemp("stock") / "clients")
    (place / "relay" / "made").mkdir()
    shutil.copy(SCHEMA, place)
    return place


@pytest.fixture
def run(workshop: Path) -> Run:
    """Run a script of node to its end, and give what it said; it complains of nothing and ends with 0."""

    async def run(script: str, *arguments: str, inside: str = ".") -> str:
        process = await asyncio.create_subprocess_exec(
            "node", script, *arguments, cwd=workshop / inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                said, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"{said.decode()}\n{complained.decode()}"
        return said.decode()

    return run


@pytest.fixture
def agent(shared_api: Api) -> Agent:
    """An agent at a hub that the tests of a module share."""
    token = shared_api.as_agent.token
    assert token is not None
    return Agent(shared_api.address, token)
