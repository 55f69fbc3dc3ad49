"""One id from the client to the log, and lines that say what happened and nothing about anybody."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from hub.web.observing import Observing
from tests.api import Api, connected

LOUD = """
import logging, structlog
from hub.settings import Settings
from hub.web import logs
logs.configure(Settings.load(log_level="info"))
structlog.contextvars.bind_contextvars(request_id="r-1")
structlog.get_logger("hub.web").info("ours")
structlog.get_logger("hub.web").debug("too much")
logging.getLogger("uvicorn.error").warning("Invalid HTTP %s", "request")
logging.getLogger("uvicorn.error").info("Started")
try:
    1 / 0
except ZeroDivisionError as error:
    structlog.get_logger("hub.web").error("fault", exc_info=error)
"""


@pytest.mark.parametrize("given", ["abc-1", "A" * 64, "0_.-"])
async def test_a_clients_request_id_is_answered_in_the_header_and_with_each_error(shared_api: Api, given: str) -> None:
    response = await shared_api.client.post("/graphql", json={"query": "{ nonsense other }"}, headers={"x-request-id": given})

    assert response.headers.get_list("x-request-id") == [given]
    assert [error["extensions"]["requestId"] for error in response.json()["errors"]] == [given] * 2


@pytest.mark.parametrize("given", [None, "", "A" * 65, "a b", 'a"b', "é", "<script>"])
async def test_in_place_of_one_that_is_no_good_a_request_gets_its_own(shared_api: Api, given: str | None) -> None:
    headers = {} if given is None else {b"x-request-id": given.encode()}
    one, other = [await shared_api.client.get("/healthz", headers=headers) for _ in range(2)]

    ids = {one.headers["x-request-id"], other.headers["x-request-id"]}
    assert len(ids) == 2
    assert given not in ids
    assert all(len(id) == 24 for id in ids)


@pytest.mark.parametrize("path", ["/nowhere", "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/oauth/token", "/graphql"])
async def test_every_answer_has_an_id(shared_api: Api, path: str) -> None:
    assert (await shared_api.client.get(path, headers={"x-request-id": "mine"})).headers["x-request-id"] == "mine"


async def test_each_operation_on_a_socket_has_an_id_of_its_own(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        ids = []
        for id in ("1", "2"):
            await stream.subscribe(id, "{ interactions(first: 0) { totalCount } }")
            ids.append((await stream.receive())["payload"]["errors"][0]["extensions"]["requestId"])
            assert (await stream.receive())["type"] == "complete"
        await stream.subscribe("3", "{ nonsense }")
        ids.append((await stream.receive())["payload"][0]["extensions"]["requestId"])

    assert len(set(ids)) == 3


async def test_a_refusal_is_one_short_line_without_a_word_of_the_client_but_its_operations_name(shared_api: Api) -> None:
    name = "N" * 500
    with capture_logs(processors=[merge_contextvars]) as logs:
        await shared_api.as_agent.ask(f"query {name}($a: Int!) {{ interactions(first: $a) {{ totalCount }} }}", a="Zora's secret")
        await shared_api.anonymous.ask("{ cursor nonsense }", id="Zora's secret")
        await shared_api.as_agent.ask("{ viewer { roles } }")

    refused, unknown = logs
    assert refused.keys() == {"event", "log_level", "request_id", "door", "type", "ms", "name", "codes"}
    assert (refused["type"], refused["name"], refused["codes"]) == ("query", "N" * 64, ["BAD_USER_INPUT"])
    assert (unknown["type"], unknown["codes"]) == ("-", ["BAD_USER_INPUT"])
    for line in logs:
        assert len(json.dumps(line)) < 500
        assert "Zora" not in str(line)
        assert str(shared_api.as_agent.token) not in str(line)


async def test_who_asks_for_fifty_things_that_are_refused_gets_one_line(shared_api: Api) -> None:
    fields = " ".join(f"a{number}: interactions(first: 0) {{ totalCount }}" for number in range(50))
    with capture_logs() as logs:
        await shared_api.as_agent.ask(f"{{ {fields} }}")

    (line,) = logs
    assert line["codes"] == ["BAD_USER_INPUT"]


async def test_with_all_there_is_a_line_for_each_operation_on_every_door(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    observing = observing_of(shared_api)
    monkeypatch.setattr(observing, "_access_log", "all")
    with capture_logs() as logs:
        await shared_api.as_agent.ask("query Http { viewer { roles } }")
        async with shared_api.as_agent.socket() as stream:
            await stream.subscribe("1", "query Socket { viewer { roles } }")
            await stream.receive()
            await stream.receive()
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {shared_api.as_agent.token}"}
        await shared_api.client.post("/graphql", json={"query": "query Events { viewer { roles } }"}, headers=headers)
        async with connected(shared_api.address):
            pass

    assert [(line["door"], line["name"], line["type"]) for line in logs] == [
        ("http", "Http", "query"),
        ("socket", "Socket", "query"),
        ("events", "Events", "query"),
    ]


def observing_of(api: Api) -> Observing:
    """Of the application that serves."""
    found = api.hub.journal.committer.observe
    observing: Observing = found.__self__  # type: ignore[attr-defined]
    return observing


def test_lines_are_json_also_those_of_libraries_and_faults_keep_to_one_line(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=True, cwd=tmp_path).stderr

    ours, theirs, fault = (json.loads(line) for line in told.splitlines())
    assert (ours["event"], ours["level"], ours["request_id"]) == ("ours", "info", "r-1")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("Invalid HTTP request", "warning", "uvicorn.error")
    assert "ZeroDivisionError" in fault["exception"]
