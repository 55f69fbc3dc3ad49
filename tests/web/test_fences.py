"""Who may ask from where: pages of listed origins, by the names the hub has, through the proxies it trusts; and what browsers are told."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.errors import StartupError
from hub.settings import Settings
from hub.web.fences import Names
from tests.api import Api
from tests.conftest import sharing

DESK = "https://desk.example.org"
PREFLIGHT = {"origin": DESK, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


@pytest.fixture(scope="module")
async def listed(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub under a name of its own, behind a proxy on this machine, for the pages of a desk."""
    given = {
        "origins": f"{DESK}, https://other.example.org",
        "hosts": "hub.example.org, *.internal, 127.0.0.1",
        "url": "https://hub.example.org",
    }
    async with sharing(mongo_uri, tmp_path_factory.mktemp("listed"), trusted_proxies="127.0.0.0/8", visitors_per_minute=1, **given) as api:
        yield api


async def ask(api: Api, **headers: str) -> httpx.Response:
    named = {"authorization": f"Bearer {api.as_agent.token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post("/graphql", json={"query": "{ viewer { roles } }"}, headers=named)


async def test_a_page_of_a_listed_origin_may_ask_and_read(listed: Api) -> None:
    preflight = await listed.client.options("/graphql", headers=PREFLIGHT)
    answer = await ask(listed, origin=DESK)

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == DESK
    assert {"authorization", "content-type", "idempotency-key"} <= set(
        preflight.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert "access-control-allow-credentials" not in preflight.headers
    assert answer.headers["access-control-allow-origin"] == DESK
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    assert answer.json()["data"] == {"viewer": {"roles": ["AGENT"]}}


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://desk.example.org", f"{DESK}:8443", f"{DESK}.evil.org"])
async def test_a_page_of_another_origin_may_not_read(listed: Api, shared_api: Api, origin: str) -> None:
    for api in (listed, shared_api):
        preflight = await api.client.options("/graphql", headers=PREFLIGHT | {"origin": origin})
        answer = await ask(api, origin=origin)

        assert preflight.status_code in (400, 405)
        for response in (preflight, answer):
            assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [("POST", "/oauth/token", "authorization"), ("PUT", "/attachments/x", "content-type"), ("GET", "/graphql", "last-event-id")],
)
async def test_so_may_it_at_the_other_doors(listed: Api, method: str, path: str, needs: str) -> None:
    asked = {"origin": DESK, "access-control-request-method": method, "access-control-request-headers": needs}

    assert (await listed.client.options(path, headers=asked)).headers["access-control-allow-origin"] == DESK


@pytest.mark.parametrize("sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_what_a_browser_sends_without_asking_first_is_not_read(shared_api: Api, sent: str) -> None:
    body = json.dumps({"query": 'mutation { createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "forged"}) { cursor } }'})
    headers = {"content-type": sent, "authorization": f"Bearer {shared_api.as_agent.token}"}
    response = await shared_api.client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 415


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "session"])
async def test_nothing_that_a_browser_adds_by_itself_is_a_token(shared_api: Api, name: str) -> None:
    token = shared_api.as_agent.token or ""
    headers = {"cookie": f"{name}={token}; {name}=Bearer {token}", "accept": "application/json"}
    response = await shared_api.client.get("/graphql", params={"query": "{ viewer { id } cursor }", name: token}, headers=headers)

    assert response.json()["data"] in (None, {"viewer": None, "cursor": None})
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"UNAUTHENTICATED"}


@pytest.mark.parametrize("host", ["evil.example.org", "hub.example.org.evil.org", "internal", "xinternal", "localhost", "[::1]:80", ""])
async def test_under_another_name_nothing_is_answered(listed: Api, host: str) -> None:
    response = await ask(listed, host=host)

    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (421, "BAD_USER_INPUT")
    assert (await listed.client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(("host", "status"), [("rebound.example.org", 403), ("localhost", 101)])
async def test_neither_is_a_socket_opened(shared_api: Api, host: str, status: int) -> None:
    name, _, port = shared_api.address.partition(":")
    upgrade = f"GET /graphql HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"{upgrade}sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode())
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n")
    writer.close()

    assert int(head.split()[1]) == status


@pytest.mark.parametrize("host", ["hub.example.org", "HUB.example.ORG:443", "a.internal", "b.a.internal:8000"])
async def test_under_its_names_it_is(listed: Api, host: str) -> None:
    assert (await ask(listed, host=host)).status_code == 200


def named(settings: Settings, *hosts: str) -> list[str]:
    names = Names(settings)
    return [host for host in hosts if names.has([(b"host", host.encode())])]


def test_in_local_mode_a_hub_has_the_names_of_this_machine_and_elsewhere_any() -> None:
    hosts = ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "rebound.example.org", "10.0.0.1")

    assert named(Settings.load(), *hosts) == list(hosts[:3])
    assert named(Settings.load(issuers="issuers.toml"), *hosts) == list(hosts)
    assert named(Settings.load(hosts="rebound.example.org"), *hosts) == [hosts[3]]


def test_who_says_two_names_has_none() -> None:
    names = Names(Settings.load())

    assert not names.has([(b"host", b"localhost"), (b"host", b"localhost")])
    assert not names.has([])


async def visitor(api: Api, address: str) -> int:
    return (await api.client.post("/oauth/visitor", headers={"x-forwarded-for": address})).status_code


async def test_a_trusted_proxy_says_for_whom_it_asks_and_nobody_else_does(listed: Api, mongo_uri: str, tmp_path_factory: Any) -> None:
    assert [await visitor(listed, address) for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1")] == [200, 200, 429]

    async with sharing(mongo_uri, tmp_path_factory.mktemp("direct"), visitors_per_minute=1) as direct:
        assert [await visitor(direct, address) for address in ("198.51.100.1", "198.51.100.2")] == [200, 429]


@pytest.mark.parametrize("words", ["nonsense", "10.0.0.1/8", "10.0.0.0/33", "proxy.example.org"])
def test_proxies_are_addresses_and_networks(words: str) -> None:
    with pytest.raises(StartupError, match="HUB_TRUSTED_PROXIES"):
        Settings.load(trusted_proxies=words)


@pytest.mark.parametrize(
    "path", ["/graphql", "/healthz", "/metrics", "/nothing", "/oauth/token", "/.well-known/jwks.json", "/attachments/x", "/graphiql"]
)
async def test_browsers_are_told_to_make_nothing_of_an_answer(shared_api: Api, path: str) -> None:
    headers = (await shared_api.client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert len(headers.get_list("content-security-policy")) == 1
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"]
    assert "strict-transport-security" not in headers
    assert "server" not in headers


async def test_under_https_they_are_told_to_stay_with_it(listed: Api) -> None:
    assert (await listed.client.get("/healthz")).headers["strict-transport-security"] == "max-age=31536000"


async def test_an_event_stream_is_fenced_too(listed: Api) -> None:
    headers = {"origin": DESK, "accept": "text/event-stream", "authorization": f"Bearer {listed.as_agent.token}"}
    text = "subscription { interactionEvents { kind } }"
    async with asyncio.timeout(10), listed.client.stream("POST", "/graphql", json={"query": text}, headers=headers) as response:
        assert response.headers["access-control-allow-origin"] == DESK
        assert response.headers["x-content-type-options"] == "nosniff"
