"""Streams as server-sent events: one request, one operation; ids are cursors, and a broken stream is taken up where it was."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.domain.terms import Role
from hub.web import sse
from tests import clients
from tests.api import Api, Caller
from tests.conftest import PLAIN

EVENTS = "subscription($after: Cursor) { interactionEvents(after: $after) { kind cursor event { type message } } }"
CREATE = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { interaction { id } errors { code } } }"


@dataclass(frozen=True)
class Event:
    name: str
    id: str | None
    data: Any


@dataclass(frozen=True)
class Listening:
    """An open event stream."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def block(self) -> list[str]:
        """The lines up to the next empty one; none at the end."""
        block: list[str] = []
        async with asyncio.timeout(30):
            async for line in self.lines:
                if not line:
                    return block
                block.append(line)
        return block

    async def next(self) -> Event | None:
        """The next event, whatever comments come before it; None at the end."""
        while block := await self.block():
            fields = {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in block)}
            if "event" in fields:
                return Event(fields["event"], fields.get("id"), json.loads(fields["data"]) if fields["data"] else None)
        return None

    async def frame(self) -> Any:
        event = await self.next()
        assert event is not None
        frame = event.data["data"]["interactionEvents"]
        assert event.id == frame["cursor"]
        return frame


@contextlib.asynccontextmanager
async def listening(caller: Caller, query: str, headers: dict[str, str] | None = None, **variables: Any) -> AsyncIterator[Listening]:
    """An operation whose answers come as events, on a connection of its own."""
    given = {"accept": "text/event-stream", "authorization": f"Bearer {caller.token}"} | (headers or {})
    async with (
        httpx.AsyncClient(base_url=f"http://{caller.address}", timeout=30, verify=PLAIN) as client,
        client.stream("POST", "/graphql", json={"query": query, "variables": variables}, headers=given) as response,
    ):
        yield Listening(response, aiter(response.aiter_lines()))


async def reported(api: Api, id: str, message: str) -> str:
    return str((await api.as_agent.act("reportProgress", id=id, message=message))["cursor"])


async def nothing_stays(api: Api) -> None:
    async with asyncio.timeout(10):
        while api.hub.journal.cohorts.subscribers:  # noqa: ASYNC110 - a subscriber that goes tells nobody
            await asyncio.sleep(0.01)


async def test_a_subscription_is_followed_and_each_id_is_a_cursor(shared_api: Api) -> None:
    id = (await shared_api.as_customer.create())["id"]

    async with listening(shared_api.as_customer, EVENTS) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await reported(shared_api, id, "Ünterwegs\n2 lines")
        frame = await stream.frame()

    assert frame["event"] == {"type": "PROGRESS_REPORTED", "message": "Ünterwegs\n2 lines"}
    await nothing_stays(shared_api)


async def test_who_comes_back_with_the_last_id_goes_on_where_it_was(shared_api: Api) -> None:
    id = (await shared_api.as_customer.create())["id"]
    before = await shared_api.as_customer.cursor()
    last = await reported(shared_api, id, "one")
    await reported(shared_api, id, "two")

    async with listening(shared_api.as_customer, EVENTS, {"last-event-id": last}, after=before) as stream:
        frames = [await stream.frame() for _ in range(2)]

    assert [frame["event"] and frame["event"]["message"] for frame in frames] == ["two", None]


async def test_a_browsers_event_source_asks_with_get(shared_api: Api) -> None:
    id = (await shared_api.as_customer.create())["id"]
    before = await shared_api.as_customer.cursor()
    await reported(shared_api, id, "one")
    asked = {"query": EVENTS, "variables": json.dumps({"after": before})}
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {shared_api.as_customer.token}"}

    async with shared_api.client.stream("GET", "/graphql", params=asked, headers=headers) as response:
        frame = await Listening(response, aiter(response.aiter_lines())).frame()

    assert frame["event"]["message"] == "one"


async def test_queries_and_mutations_are_answered_once_and_completed(shared_api: Api) -> None:
    for query, variables in (("{ viewer { roles } }", {}), (CREATE, {"input": {"direction": "INBOUND", "channel": "PHONE"}})):
        async with listening(shared_api.as_customer, query, **variables) as stream:
            answer, end, over = await stream.next(), await stream.next(), await stream.next()

        assert answer is not None
        assert "errors" not in answer.data
        assert (end, over) == (Event("complete", None, None), None)


async def test_a_mutation_is_not_asked_for_with_get(shared_api: Api) -> None:
    response = await shared_api.client.get("/graphql", params={"query": "mutation { __typename }"}, headers={"accept": "text/event-stream"})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_nothing_is_followed_with_head(shared_api: Api) -> None:
    response = await shared_api.client.head("/graphql", params={"query": EVENTS}, headers={"accept": "text/event-stream"})

    assert response.status_code == 400


async def test_a_refused_subscription_is_one_answer_with_errors_and_complete(shared_api: Api) -> None:
    text = "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind } }"

    async with listening(shared_api.as_customer, text, id="int_unknown") as stream:
        answer, end = await stream.next(), await stream.next()

    assert answer is not None
    assert [error["extensions"]["code"] for error in answer.data["errors"]] == ["NOT_FOUND"]
    assert end == Event("complete", None, None)


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("{", {}, 400, "BAD_USER_INPUT"),
        ("{ unknown }", {}, 400, "BAD_USER_INPUT"),
        (EVENTS, {"authorization": "Bearer nonsense"}, 401, "UNAUTHENTICATED"),
        (EVENTS, {"last-event-id": "nonsense"}, 400, "CURSOR_INVALID"),
        (EVENTS, {"content-type": "text/plain"}, 415, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_begin_is_refused_in_json(shared_api: Api, query: str, headers: dict[str, str], status: int, code: str) -> None:
    async with listening(shared_api.as_customer, query, headers) as stream:
        await stream.response.aread()

    assert stream.response.status_code == status
    assert stream.response.headers["content-type"].startswith("application/json")
    assert [error["extensions"]["code"] for error in stream.response.json()["errors"]] == [code]


async def test_a_comment_comes_while_nothing_happens(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "BEAT", 0.05)

    async with listening(shared_api.as_customer, EVENTS) as stream:
        await stream.frame()

        assert [await stream.block() for _ in range(2)] == [[":"], [":"]]


async def test_a_stream_ends_with_its_token_and_is_not_complete(shared_api: Api) -> None:
    token = shared_api.issuer.mint([Role.CUSTOMER], party=shared_api.customer, ttl=timedelta(seconds=2))

    async with listening(Caller(shared_api.client, shared_api.address, token), EVENTS) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"

        assert await stream.next() is None
    await nothing_stays(shared_api)


async def test_a_token_that_is_taken_back_ends_its_stream_before_what_comes_after(shared_api: Api) -> None:
    id = (await shared_api.as_partner.create())["id"]
    narrow, token = await clients.holder(shared_api.as_partner, scopes=["event:subscribe"])

    async with listening(narrow, EVENTS) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await clients.revoked(shared_api.as_partner, token)
        await reported(shared_api, id, "not for it")

        assert await stream.next() is None


async def test_a_client_that_goes_leaves_nothing(shared_api: Api) -> None:
    async with listening(shared_api.as_customer, EVENTS) as stream:
        await stream.frame()
        assert shared_api.hub.journal.cohorts.subscribers == 1

    await nothing_stays(shared_api)
