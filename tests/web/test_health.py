"""How the hub is, told part by part: a state, and a sentence that says why."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from hub.access.sources import FetchedKeys
from hub.access.trust import configured
from tests.access.issuing import Oidc, Pair, providing
from tests.api import Api
from tests.conftest import PLAIN

PARTS = ("database", "feed", "bus", "keys", "audit", "process")


async def ready(api: Api) -> tuple[int, Mapping[str, Any]]:
    response = await api.client.get("/readyz")
    return response.status_code, response.json()


async def test_whoever_answers_is_alive_and_says_which_process_it_is(shared_api: Api) -> None:
    response = await shared_api.client.get("/healthz")

    assert response.status_code == 200
    assert response.json().keys() == {"status", "process", "reason"}
    assert (response.json()["status"], response.json()["process"]) == ("ok", shared_api.hub.role)


async def test_every_part_of_a_hub_that_is_ready_is_well_and_says_why(shared_api: Api) -> None:
    status, parts = await ready(shared_api)

    assert status == 200
    assert parts.keys() == {"status", *PARTS}
    assert parts["status"] == "ok"
    assert {parts[name]["state"] for name in PARTS} == {"ok"}
    assert all(parts[name]["reason"].endswith(".") for name in PARTS)


async def test_a_hub_whose_bus_is_down_is_ready_and_says_that_it_is_degraded(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_api.hub.journal.bus, "_trouble", "its listener ended")

    status, parts = await ready(shared_api)

    assert status == 200
    assert parts["bus"] == {"state": "degraded", "reason": "its listener ended; the poll bridges it, with up to a second's delay."}


async def test_a_feed_that_lags_is_degraded_and_one_that_cannot_read_is_not_ready(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = shared_api.hub.journal.feed
    monkeypatch.setattr(type(feed), "lag", 12.0)
    late = await ready(shared_api)
    monkeypatch.setattr(feed, "is_behind", True)
    behind = await ready(shared_api)

    assert (late[0], late[1]["feed"]["state"]) == (200, "degraded")
    assert "12 s behind" in late[1]["feed"]["reason"]
    assert (behind[0], behind[1]["feed"]["state"]) == (503, "behind")


def fetched(oidc: Oidc, client: httpx.AsyncClient, clock: Callable[[], float]) -> FetchedKeys:
    given = {"issuer": oidc.url, "audience": "hub", "algorithms": ["ES256"], "roles": {"agent": "AGENT"}}
    (trust,) = configured(json.dumps([given]))
    return FetchedKeys(trust, client, clock=clock)


async def test_keys_that_were_never_fetched_are_missing_and_old_ones_stale(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    async with providing(Pair.made("one")) as oidc, httpx.AsyncClient(verify=PLAIN) as client:
        one, other = [fetched(oidc, client, lambda: moment) for _ in range(2)]
        monkeypatch.setattr(type(shared_api.hub.tokens), "fetched", [one])
        missing = await ready(shared_api)
        await one.fetch()
        fine = await ready(shared_api)
        moment = 190.0
        oidc.answer = lambda: Response(status_code=503)
        await one.fetch()
        stale = await ready(shared_api)
        monkeypatch.setattr(type(shared_api.hub.tokens), "fetched", [one, other])
        partly = await ready(shared_api)

    assert (missing[0], missing[1]["keys"]["state"]) == (503, "missing")
    assert (fine[0], fine[1]["keys"]) == (200, {"state": "ok", "reason": "The keys of 1 issuers were fetched, the oldest 0 s ago."})
    assert (stale[0], stale[1]["keys"]["state"]) == (200, "stale")
    assert "those of 90 s ago go on verifying" in stale[1]["keys"]["reason"]
    assert (partly[0], partly[1]["keys"]["state"]) == (200, "missing")
    assert "127.0.0.1" not in str((missing, stale, partly))  # whom the hub trusts is nobody's business here
