"""The clients that teams really use, as npm has them: installed once for each lock, in the virtual environment."""

import asyncio
import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.api import Api

HERE: Final = Path(__file__).parent
SCHEMA: Final = HERE.parents[1] / "schema.graphql"
KEPT: Final = Path(sys.prefix) / "npm"
PATIENCE: Final = 60  # seconds: for a machine that does much else beside

Run = Callable[..., Awaitable[str]]


class Agent(NamedTuple):
    """Where the hub is, and an agent's token: what every client is given."""

    address: str
    token: str


def installed(npm: str) -> Path:
    """The packages of the lock; whoever has them first leaves them for all others."""
    lock = (HERE / "package-lock.json").read_bytes()
    place = KEPT / hashlib.sha256(lock).hexdigest()[:16]
    if not place.exists():
        KEPT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as making:
            made = Path(making) / "made"
            made.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, made)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm could not install the clients: {done.stderr.strip().splitlines()[-1:]}")
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(place)
    return place / "node_modules"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts, the schema and the packages in one place, where they may write."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node and npm here")
    packages = installed(npm)
    place = tmp_path_factory.mktemp("stock") / "clients"
    shutil.copytree(HERE, place, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (place / "relay" / "made").mkdir()
    shutil.copy(SCHEMA, place)
    (place / "node_modules").symlink_to(packages)
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
