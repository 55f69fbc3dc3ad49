"""A hub that is killed: what it told of how to reach somebody is recorded, and of all else what is older than a second."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from tests.test_cli import HUB, PATIENCE, SECRET, begun, until
from tests.typed import hub

ROUNDS = 5
CLIENTS = 8
WITHIN = 1.0  # seconds in which a record is promised to be on disk


def asking(url: str, token: str, client: int, party: str, told: dict[str, float]) -> None:
    """Ask until nobody answers, by turns for a name and for an address; each operation by a name of its own."""
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE) as http:
        for number in range(1_000_000):
            name = f"{'Address' if number % 2 else 'Name'}_{client}_{number}"
            fields = "contactMedia { address }" if number % 2 else "name"
            try:
                answer = http.post(url, json={"query": f'query {name} {{ party(id: "{party}") {{ {fields} }} }}'})
            except httpx.HTTPError:
                return
            assert answer.json()["data"]["party"], answer.text
            told[name] = time.monotonic()


@pytest.mark.prove
@pytest.mark.parametrize("round", range(ROUNDS))
def test_a_hub_that_is_killed_has_recorded_what_it_told(mongo_uri: str, tmp_path: Path, round: int) -> None:
    database = f"killed-{round}-{time.monotonic_ns()}"
    data_dir = tmp_path / "data"
    settings = {"HUB_MONGO_URI": mongo_uri, "HUB_SECRET": SECRET, "HUB_MONGO_DATABASE": database}
    told: dict[str, float] = {}
    with begun(tmp_path / "serve", HUB, "serve", "--port", "0", "--data-dir", str(data_dir), **settings) as process:
        until(lambda: process.lines)
        url = next(word for word in process.lines[0].split() if word.startswith("http"))
        token = hub("token", "--role", "AGENT", "--data-dir", data_dir).stdout.splitlines()[-1]
        made = 'mutation { upsertParty(input: {kind: INDIVIDUAL, name: "Ada", contactMedia: [{kind: EMAIL, address: "a@example.com"}]})'
        opened = httpx.post(url, json={"query": made + " { party { id } } }"}, headers={"authorization": f"Bearer {token}"})
        party = opened.json()["data"]["upsertParty"]["party"]["id"]
        with ThreadPoolExecutor(CLIENTS) as clients:
            asked = [clients.submit(asking, url, token, client, party, told) for client in range(CLIENTS)]
            time.sleep(WITHIN + random.uniform(0.5, 1.5))
            at = time.monotonic()
            process.running.send_signal(signal.SIGKILL)
            for one in asked:
                one.result(PATIENCE)

    with MongoClient[dict[str, Any]](mongo_uri) as client:
        chunks = list(client[database]["audit"].find({"parties": party}))
        client.drop_database(database)
    recorded = {record["operation"].split(":")[0] for chunk in chunks for record in chunk["records"]}
    addresses = {name for name in told if name.startswith("Address")}
    older = {name for name, moment in told.items() if moment < at - WITHIN}

    assert len(addresses) > 20
    assert len(older) > 20
    assert addresses <= recorded
    assert older <= recorded
