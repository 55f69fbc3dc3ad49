"""The stock JavaScript client meets the hub: npm's graphql-ws, in node."""

import asyncio
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.domain.terms import Role
from tests import npm
from tests.api import Api

HERE = Path(__file__).parent / "clients"


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts beside the packages that their lock names."""
    return npm.workshop(HERE, tmp_path_factory.mktemp("clients") / "web")


async def test_graphql_ws_asks_acts_follows_and_comes_back_with_a_fresh_token(shared_api: Api, clients: Path) -> None:
    brief, lasting = (
        shared_api.issuer.mint([Role.CUSTOMER], party=shared_api.customer, ttl=timedelta(seconds=seconds)) for seconds in (5, 600)
    )

    node = await asyncio.create_subprocess_exec(
        "node", "follow.mjs", shared_api.address, brief, lasting, cwd=clients, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(60):
        said, complained = await node.communicate()

    assert (node.returncode, complained.decode()) == (0, "")
    heard: list[tuple[str, Any]] = [(line["what"], line["value"]) for line in map(json.loads, said.splitlines())]
    caught_up = ("frame", {"kind": "CAUGHT_UP", "event": None})
    note = ("frame", {"kind": "EVENT", "event": {"type": "NOTE_ADDED", "message": "still here"}})
    begun, ended = heard[:2], heard[heard.index(("closed", 4403)) :]
    assert begun == [("query", {"viewer": {"roles": ["CUSTOMER"]}}), ("mutation", [])]
    assert ended == [("closed", 4403), caught_up, note, ("refused", ["BAD_USER_INPUT"]), ("closed", 1000)]
