"""GraphQL over HTTP: methods, media types, bodies, and JSON in every answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import local_issuer
from tests.api import Api

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
QUERY = {"query": "{ viewer { roles } }"}


async def post(api: Api, content: bytes | str, **headers: str) -> httpx.Response:
    named = {"content-type": JSON, "authorization": f"Bearer {api.as_agent.token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    response = await api.client.post("/graphql", content=content, headers=named)
    assert response.headers["content-type"].startswith(("application/json", GRAPHQL)), response.text
    return response


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


async def raw(api: Api, *parts: bytes) -> tuple[int, bytes]:
    """What the hub answers to these very bytes: the status and the rest."""
    host, _, port = api.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            return int(head.split()[1]), head
    finally:
        writer.close()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_graphql_is_asked_by_get_and_post(shared_api: Api, method: str) -> None:
    response = await shared_api.client.request(method, "/graphql")

    assert (response.status_code, codes(response)) == (405, ["BAD_USER_INPUT"])
    assert {word.strip() for word in response.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


async def got(api: Api, method: str = "GET", accept: str = JSON, **parameters: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {api.as_agent.token}", "accept": accept}
    return await api.client.request(method, "/graphql", params=parameters, headers=headers)


async def test_a_query_may_come_in_the_address(shared_api: Api) -> None:
    text = "query A { cursor } query B($n: Int) { interactions(first: $n) { pageInfo { hasNextPage } } }"
    response = await got(shared_api, query=text, operationName="B", variables='{"n": 1}', extensions="{}")

    assert response.json()["data"] == {"interactions": {"pageInfo": {"hasNextPage": False}}}
    assert response.headers["cache-control"] == "no-store"
    assert "authorization" in response.headers["vary"]


async def test_head_says_what_get_would_say_first(shared_api: Api) -> None:
    response = await got(shared_api, "HEAD", query="{ cursor }")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, "text/event-stream"])
async def test_a_mutation_in_the_address_is_not_done(shared_api: Api, accept: str) -> None:
    text = 'mutation { createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "by GET"}) { cursor } }'
    response = await got(shared_api, accept=accept, query=text)

    assert (response.status_code, codes(response), response.headers["allow"]) == (405, ["BAD_USER_INPUT"], "POST")
    found = await shared_api.as_agent.ask('{ interactions(filter: {text: "by GET"}) { nodes { id } } }')
    assert found.data["interactions"]["nodes"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ cursor", "variables": "{}"},
        {"query": "{ cursor }", "variables": "{"},
        {"query": "{ cursor }", "variables": "[]"},
        {"query": "{ cursor }", "variables": '"x"'},
        {"query": "{ cursor }", "extensions": "1"},
        {"query": "{ cursor }", "operationName": "Unknown"},
        {"query": "subscription { interactionEvents { kind } }"},
    ],
)
async def test_an_address_that_asks_for_nothing_is_refused(shared_api: Api, parameters: dict[str, str]) -> None:
    response = await got(shared_api, accept=GRAPHQL, **parameters)

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0, */*;q=0.1", JSON),
        ("text/html, */*;q=0.8", JSON),
        (f"TEXT/HTML, {GRAPHQL.upper()}", GRAPHQL),
        (f"{GRAPHQL};q=nonsense", GRAPHQL),
    ],
)
async def test_the_answer_comes_in_the_media_type_the_client_likes_best(shared_api: Api, accept: str | None, expected: str) -> None:
    response = await post(shared_api, json.dumps(QUERY), **({"accept": accept} if accept else {}))

    assert (response.status_code, response.headers["content-type"]) == (200, f"{expected}; charset=utf-8")
    assert response.json()["data"] == {"viewer": {"roles": ["AGENT"]}}


@pytest.mark.parametrize("accept", ["text/html", "image/*", f"{JSON};q=0", "", ","])
async def test_a_client_that_takes_none_of_ours_is_told_which_there_are(shared_api: Api, accept: str) -> None:
    response = await post(shared_api, json.dumps(QUERY), accept=accept)

    if accept == "":
        assert response.status_code == 200  # as if it were not there
    else:
        assert (response.status_code, codes(response)) == (406, ["BAD_USER_INPUT"])
        assert GRAPHQL in response.text


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/graphql", "multipart/form-data", f"{JSON}; charset=latin-1"])
async def test_a_body_is_json_in_utf_8(shared_api: Api, content_type: str) -> None:
    response = await post(shared_api, json.dumps(QUERY), content_type=content_type)

    assert (response.status_code, codes(response)) == (415, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "content_type", [JSON, f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"', f"{JSON}; profile=x; charset=utf-8", "APPLICATION/JSON"]
)
async def test_a_charset_may_be_named(shared_api: Api, content_type: str) -> None:
    assert (await post(shared_api, json.dumps(QUERY), content_type=content_type)).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"query": "\\ud800"}', "surrogate"),
        (b'{"query": "{ viewer { id } }", "variables": {"x": NaN}}', "JSON"),
        (b"[" * 20_000 + b"]" * 20_000, "JSON"),
        (b"null", "object"),
        (b'"{ viewer { id } }"', "object"),
        (b'[{"query": "{ viewer { id } }"}]', "batches"),
        (b"{}", "query"),
        (b'{"query": null}', "query"),
        (b'{"query": {"$gt": ""}}', "query"),
        (b'{"query": "{ cursor }", "variables": []}', "variables"),
        (b'{"query": "{ cursor }", "variables": "x"}', "variables"),
        (b'{"query": "{ cursor }", "operationName": 7}', "operationName"),
        (b'{"query": "{ cursor }", "extensions": 7}', "extensions"),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_body_that_is_no_request_is_a_400(shared_api: Api, body: bytes, says: str, accept: str) -> None:
    response = await post(shared_api, body, accept=accept)

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])
    assert says in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "{"},
        {"query": "{ unknown }"},
        {"query": "query A { cursor } query B { cursor }"},
        {"query": "query A { cursor }", "operationName": "B"},
        {"query": "query A { cursor }", "operationName": ""},
        {"query": "query($n: Int!) { interactions(first: $n) { totalCount } }"},
        {"query": "query($n: Int) { interactions(first: $n) { totalCount } }", "variables": {"n": "x"}},
    ],
)
async def test_a_request_that_did_not_run_has_no_data_and_its_status_depends_on_the_media_type(
    shared_api: Api, request_: dict[str, Any]
) -> None:
    named = {"x-request-id": "the-same"}
    plain, graphql = [await post(shared_api, json.dumps(request_), accept=accept, **named) for accept in (JSON, GRAPHQL)]

    assert (plain.status_code, graphql.status_code) == (200, 400)
    assert plain.json() == graphql.json()
    assert plain.json().keys() == {"errors"}
    assert set(codes(plain)) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_request_that_ran_is_a_200_whatever_was_refused_in_it(shared_api: Api, accept: str) -> None:
    response = await post(shared_api, json.dumps({"query": "{ interactions(first: 0) { totalCount } viewer { roles } }"}), accept=accept)

    assert response.status_code == 200
    assert response.json()["data"] == {"interactions": None, "viewer": {"roles": ["AGENT"]}}
    assert codes(response) == ["BAD_USER_INPUT"]


async def test_the_operation_that_is_named_is_run(shared_api: Api) -> None:
    text = "query A { viewer { roles } } query B($yes: Boolean!) { viewer { id @skip(if: $yes) scopes } }"

    response = await post(shared_api, json.dumps({"query": text, "operationName": "B", "variables": {"yes": True}, "extensions": {}}))

    assert list(response.json()["data"]["viewer"]) == ["scopes"]


async def test_a_subscription_is_not_for_http(shared_api: Api) -> None:
    response = await post(shared_api, json.dumps({"query": "subscription { interactionEvents { kind } }"}))

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])
    assert "WebSocket" in response.text


@pytest.mark.parametrize(
    "authorization", ["Bearer nonsense", "Bearer", "Basic dXNlcjpwYXNz", "bearer a.b.c", "nonsense", "Bearer " + "x" * 9_000]
)
async def test_a_token_that_does_not_verify_is_a_401_that_tells_a_forger_nothing(shared_api: Api, authorization: str) -> None:
    response = await post(shared_api, json.dumps(QUERY), authorization=authorization)

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json() == {
        "errors": [
            {
                "message": "A valid access token is needed: send it as `Authorization: Bearer <token>`.",
                "extensions": {"code": "UNAUTHENTICATED", "requestId": response.headers["x-request-id"]},
            }
        ]
    }


async def test_a_token_of_another_hub_is_no_token_here(shared_api: Api, settings: Settings) -> None:
    token = local_issuer(settings).mint([Role.AGENT])

    response = await post(shared_api, json.dumps(QUERY), authorization=f"Bearer {token}")

    assert response.status_code == 401


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_body_ends_at_64_kib_also_where_it_comes_in_chunks(shared_api: Api) -> None:
    padded = json.dumps(QUERY).encode().ljust(64 * 1024)
    headers = {"content-type": JSON, "authorization": f"Bearer {shared_api.as_agent.token}"}

    def sent(*parts: bytes) -> Any:
        return shared_api.client.post("/graphql", content=chunks(*parts), headers=headers)

    whole, chunked = await post(shared_api, padded), await sent(padded[:10], padded[10:])
    too_long, too_many = await post(shared_api, padded + b" "), await sent(padded, b" ")

    assert [response.status_code for response in (whole, chunked)] == [200, 200]
    for response in (too_long, too_many):
        assert (response.status_code, codes(response)) == (413, ["BAD_USER_INPUT"])
        assert "65536 bytes" in response.text


async def test_a_body_that_never_ends_is_refused_before_it_is_kept(shared_api: Api) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

    status, _ = await raw(shared_api, head, *[b"1000\r\n" + b" " * 0x1000 + b"\r\n"] * 20)

    assert status == 413


@pytest.mark.parametrize("length", [b"-5", b"nonsense", b"1e3", b"9" * 40, b"0x10", b"5, 6"])
async def test_a_length_that_is_none_is_a_bad_request(shared_api: Api, length: bytes) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: " + length + b"\r\n\r\n{}"

    status, _ = await raw(shared_api, head)

    assert status == 400


async def test_a_length_beyond_the_limit_is_refused_without_waiting_for_the_body(shared_api: Api) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n"

    status, _ = await raw(shared_api, head)

    assert status == 413


@pytest.mark.parametrize("path", ["/", "/graphq", "/graphql/", "/graphql/x", "/.env", "/healthz/../graphqlx", "/%00"])
async def test_what_is_not_there_is_a_404_in_json(shared_api: Api, path: str) -> None:
    response = await shared_api.client.get(path)

    assert (response.status_code, codes(response)) == (404, ["NOT_FOUND"])


async def test_a_health_check_is_read_only(shared_api: Api) -> None:
    response = await shared_api.client.post("/healthz")

    assert (response.status_code, codes(response)) == (405, ["BAD_USER_INPUT"])


async def test_text_outside_ascii_comes_back_as_it_was_sent(shared_api: Api) -> None:
    made = await shared_api.as_agent.create(reason="Zoë 🛰 العربية \u2028 \U0010ffff")

    assert made["reason"] == "Zoë 🛰 العربية \u2028 \U0010ffff"


async def test_a_client_that_hangs_up_in_mid_body_leaves_the_hub_well(shared_api: Api) -> None:
    host, _, port = shared_api.address.partition(":")
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()

    assert (await post(shared_api, json.dumps(QUERY))).status_code == 200
