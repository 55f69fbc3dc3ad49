"""The graphql-transport-ws protocol: what is answered, what closes a socket with which code, and that nothing stays behind."""

import asyncio
import contextlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from hub.domain.terms import Role
from hub.web import doors, sockets
from hub.web.app import app, listening, server
from hub.web.hub import Hub
from tests.api import Api, Stream, connected
from tests.conftest import played, serving, sharing

FOLLOW = "subscription { interactionEvents { kind event { type message } } }"
INIT: dict[str, Any] = {"type": "connection_init"}


async def nothing_stays(api: Api) -> None:
    """Waits until no listener is attached and no operation runs."""
    async with asyncio.timeout(5):
        while api.hub.journal.feed.listeners or any(task.get_name() == "operation" for task in asyncio.all_tasks()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("protocols", [("graphql-ws",), ("soap", "mqtt"), ()])
async def test_another_protocol_is_closed_with_4406(shared_api: Api, protocols: tuple[str, ...]) -> None:
    spoken = [Subprotocol(protocol) for protocol in protocols] or None
    async with connect(f"ws://{shared_api.address}/graphql", subprotocols=spoken) as socket:
        code, reason = await Stream(socket).closed()

    assert (code, "graphql-transport-ws" in reason) == (4406, True)


async def test_the_protocol_is_chosen_among_several(shared_api: Api) -> None:
    async with connected(shared_api.address, "graphql-ws", "graphql-transport-ws") as stream:
        assert stream.socket.subprotocol == "graphql-transport-ws"


async def test_another_path_has_no_socket(shared_api: Api) -> None:
    with pytest.raises(Exception, match=r"HTTP 40[34]"):
        await connect(f"ws://{shared_api.address}/other", subprotocols=[Subprotocol("graphql-transport-ws")])


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "null",
        "[]",
        '"ping"',
        "{}",
        '{"type": 7}',
        '{"type": null}',
        '{"type": "nonsense"}',
        '{"type": "complete", "id": "1"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "connection_init", "payload": "token"}',
        '{"type": "ping", "payload": {"x": "\\ud800"}}',
        json.dumps({"type": "\U0001f600" * 200}),
        "[" * 5_000,
        f'{{"type": "ping", "payload": {{"x": {"[" * 300 + "]" * 300}}}}}',
    ],
)
async def test_what_is_no_message_is_closed_with_4400(shared_api: Api, message: str) -> None:
    async with connected(shared_api.address) as stream:
        await stream.socket.send(message)

        code, reason = await stream.closed()

    assert code == 4400
    assert reason


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nonsense"},
        {"type": "connection_ack"},
        {"type": "subscribe", "payload": {"query": "{ cursor }"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{ cursor }"}},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ cursor }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": "{ cursor }"},
        {"type": "subscribe", "id": "1", "payload": {}},
        {"type": "subscribe", "id": "1", "payload": {"query": 7}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ cursor }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ cursor }", "operationName": {}}},
        {"type": "complete"},
    ],
)
async def test_what_the_protocol_does_not_know_is_closed_with_4400(shared_api: Api, message: dict[str, Any]) -> None:
    async with shared_api.as_agent.socket() as stream:
        await stream.send(message)

        assert (await stream.closed())[0] == 4400


async def test_binary_frames_are_closed_with_4400(shared_api: Api) -> None:
    async with connected(shared_api.address) as stream:
        await stream.socket.send(json.dumps(INIT).encode())

        assert (await stream.closed())[0] == 4400


async def test_a_frame_beyond_64_kib_is_closed_with_1009(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        await stream.send({"type": "ping", "payload": {"x": "x" * (64 * 1024 - 200)}})
        assert (await stream.receive())["type"] == "pong"

        await stream.send({"type": "ping", "payload": {"x": "x" * 65 * 1024}})

        assert (await stream.closed())[0] == 1009


async def test_an_operation_before_the_acknowledgement_is_closed_with_4401(shared_api: Api) -> None:
    async with connected(shared_api.address) as stream:
        await stream.subscribe("1", "{ __typename }")

        assert await stream.closed() == (4401, "Unauthorized")


async def test_who_says_nothing_is_closed_with_4408(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "INIT_WAIT", 0.1)
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "ping"})

        assert await stream.closed() == (4408, "Connection initialisation timeout")


async def test_a_second_beginning_is_closed_with_4429(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        await stream.send(INIT)

        assert await stream.closed() == (4429, "Too many initialisation requests")


@pytest.mark.parametrize("id", ["1", "\U0001f600" * 100])
async def test_an_id_that_is_in_use_is_closed_with_4409(shared_api: Api, id: str) -> None:
    async with shared_api.as_agent.socket() as stream:
        await stream.subscribe(id, FOLLOW)
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await stream.subscribe(id, FOLLOW)

        code, reason = await stream.closed()

    assert code == 4409
    assert reason.startswith(f"Subscriber for {id[:20]}")
    await nothing_stays(shared_api)


async def test_a_socket_has_twenty_five_operations_at_once(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        for number in range(25):
            await stream.subscribe(str(number), FOLLOW)
        await stream.frames(25)
        await stream.send({"type": "complete", "id": "7"})
        await stream.subscribe("7 again", FOLLOW)
        assert (await stream.receive())["id"] == "7 again"

        await stream.subscribe("one more", FOLLOW)

        code, reason = await stream.closed()

    assert (code, "25" in reason) == (4429, True)
    await nothing_stays(shared_api)


@pytest.mark.parametrize(
    "payload", [{"token": "nonsense"}, {"Authorization": "Bearer nonsense"}, {"authorization": "Basic x"}, {"token": ""}]
)
async def test_a_token_that_does_not_verify_is_closed_with_4403(shared_api: Api, payload: dict[str, str]) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send(INIT | {"payload": payload})

        assert await stream.closed() == (4403, "The token is not valid")


async def test_a_token_comes_in_the_payload_or_in_the_handshake(shared_api: Api) -> None:
    token = shared_api.as_agent.token
    ways: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"token": token}, {}),
        ({"Authorization": f"Bearer {token}"}, {}),
        ({"authorization": f"bearer {token}"}, {}),
        ({}, {"Authorization": f"Bearer {token}"}),
        ({"token": token}, {"Authorization": "Bearer nonsense"}),
    ]
    for payload, headers in ways:
        async with connected(shared_api.address, **headers) as stream:
            await stream.send(INIT | {"payload": payload})
            assert (await stream.receive())["type"] == "connection_ack"
            await stream.subscribe("1", "{ viewer { roles } }")

            assert (await stream.receive())["payload"]["data"] == {"viewer": {"roles": ["AGENT"]}}


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}])
async def test_who_has_no_token_is_nobody(shared_api: Api, payload: dict[str, Any]) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send(INIT | payload)
        assert (await stream.receive())["type"] == "connection_ack"

        await stream.subscribe("1", "{ __typename }")
        await stream.subscribe("2", FOLLOW)
        answers = {message["id"]: message for message in [await stream.receive() for _ in range(3)] if message["type"] != "complete"}

    assert answers["1"]["payload"]["data"] == {"__typename": "Query"}
    assert answers["2"]["type"] == "error"
    assert answers["2"]["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_socket_ends_with_its_token(shared_api: Api) -> None:
    caller = shared_api.as_role(Role.CUSTOMER, shared_api.customer)
    token = shared_api.issuer.mint([Role.CUSTOMER], party=shared_api.customer, ttl=timedelta(seconds=1))
    async with connected(caller.address) as stream:
        await stream.send(INIT | {"payload": {"token": token}})
        await stream.receive()
        await stream.subscribe("1", FOLLOW)

        code, reason = await stream.closed()

    assert (code, reason) == (4403, "The token has expired")
    await nothing_stays(shared_api)


async def test_a_ping_is_answered_with_its_payload_before_and_after_the_beginning(shared_api: Api) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "pong"})
        await stream.send({"type": "ping"})
        await stream.send(INIT)
        await stream.send({"type": "ping", "payload": {"a": [1, "ü", None]}})
        await stream.send({"type": "pong", "payload": {}})
        answers = [await stream.receive() for _ in range(3)]

    assert [answer["type"] for answer in answers] == ["pong", "connection_ack", "pong"]
    assert answers[2]["payload"] == {"a": [1, "ü", None]}


async def test_queries_and_mutations_answer_once_and_complete(shared_api: Api) -> None:
    text = 'mutation { createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "ws"}) { interaction { reason } } }'
    async with shared_api.as_agent.socket() as stream:
        await stream.subscribe("q", "query Q($n: Int) { interactions(first: $n) { pageInfo { hasNextPage } } }", n=1)
        query = [await stream.receive() for _ in range(2)]
        await stream.subscribe("m", text)
        mutation = [await stream.receive() for _ in range(2)]

    assert [message["type"] for message in query + mutation] == ["next", "complete"] * 2
    assert mutation[0]["payload"]["data"]["createInteraction"] == {"interaction": {"reason": "ws"}}


async def test_an_id_is_free_again_when_its_operation_is_complete(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        for _ in range(3):
            await stream.subscribe("1", "{ __typename }")

            assert [(await stream.receive())["type"] for _ in range(2)] == ["next", "complete"]


@pytest.mark.parametrize(
    "query",
    ["{", "{ unknown }", "subscription { interactionEvents { unknown } }", "subscription($x: Int!) { interactionEvents { kind } }", ""],
)
async def test_a_document_that_is_no_good_is_one_error_and_its_neighbours_live(shared_api: Api, query: str) -> None:
    async with shared_api.as_agent.socket() as stream:
        await stream.subscribe("good", FOLLOW)
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await stream.subscribe("bad", query)
        refused = await stream.receive()
        await shared_api.as_agent.create()
        heard = await stream.receive()
        await stream.subscribe("bad", "{ __typename }")

        assert (await stream.receive())["id"] == "bad"

    assert (refused["id"], refused["type"]) == ("bad", "error")
    assert {error["extensions"]["code"] for error in refused["payload"]} == {"BAD_USER_INPUT"}
    assert (heard["id"], heard["type"]) == ("good", "next")


async def test_several_streams_on_one_socket_each_hear_everything(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        for id in ("a", "b", "c"):
            await stream.subscribe(id, FOLLOW)
        await stream.frames(3)
        interaction = await shared_api.as_agent.create()
        await shared_api.as_agent.done("addNote", id=interaction["id"], text="x")

        heard = [await stream.receive() for _ in range(6)]

    by_id = {id: [one["payload"]["data"]["interactionEvents"]["event"]["type"] for one in heard if one["id"] == id] for id in "abc"}
    assert by_id == {id: ["CREATED", "NOTE_ADDED"] for id in "abc"}


async def test_what_a_client_completes_is_silent_and_leaves_nothing(shared_api: Api) -> None:
    await nothing_stays(shared_api)
    async with shared_api.as_agent.socket() as stream:
        await stream.subscribe("1", FOLLOW)
        await stream.frame()
        assert shared_api.hub.journal.feed.listeners == 1
        await stream.send({"type": "complete", "id": "1"})
        await stream.send({"type": "complete", "id": "1"})
        await stream.send({"type": "complete", "id": "unknown"})
        await nothing_stays(shared_api)
        await shared_api.as_agent.create()
        await stream.send({"type": "ping"})

        assert (await stream.receive())["type"] == "pong"


async def test_a_client_that_completes_before_it_was_answered_is_left_alone(shared_api: Api) -> None:
    async with shared_api.as_agent.socket() as stream:
        for number in range(20):
            await stream.subscribe(str(number), FOLLOW)
            await stream.send({"type": "complete", "id": str(number)})
        await nothing_stays(shared_api)
        await stream.send({"type": "ping"})
        async with asyncio.timeout(5):
            while (await stream.receive())["type"] != "pong":
                pass


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_a_client_that_goes_leaves_no_listener_and_no_operation(shared_api: Api, way: str) -> None:
    await nothing_stays(shared_api)
    for _ in range(5):
        async with shared_api.as_agent.socket() as stream:
            for number in range(3):
                await stream.subscribe(str(number), FOLLOW)
            await stream.frames(3)
            if way == "abort":
                stream.socket.transport.abort()

    await nothing_stays(shared_api)
    interaction = await shared_api.as_agent.create()
    assert interaction["status"] == "OPEN"


async def test_an_operation_that_loses_its_cancellation_ends_all_the_same(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until Python 3.12 `asyncio.wait_for`, under the driver, may swallow a cancellation that comes together with its result."""
    begun = asyncio.Event()

    async def deaf(*_: object) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            begun.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    monkeypatch.setattr(shared_api.hub.executor, "stream", deaf)
    async with shared_api.as_agent.socket() as stream:
        await stream.subscribe("1", FOLLOW)
        await begun.wait()

    await nothing_stays(shared_api)


async def test_a_client_that_does_not_read_is_given_up(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "SEND_WAIT", 0.2)
    await nothing_stays(shared_api)
    interaction = await shared_api.as_agent.create()
    text = "subscription($id: ID!) { interactionProgress(interactionId: $id) { event { message } } }"
    async with shared_api.as_agent.socket() as stream:
        for number in range(sockets.OPERATIONS):  # each hears the same, so that what is not read soon fills every buffer between
            await stream.subscribe(str(number), text, id=interaction["id"])
        await stream.frames(sockets.OPERATIONS)
        stream.socket.transport.pause_reading()

        async with asyncio.timeout(30):
            while shared_api.hub.journal.feed.listeners:
                await shared_api.as_agent.done("addNote", id=interaction["id"], text="x" * 8_000)

    await nothing_stays(shared_api)


async def test_a_hub_that_stops_closes_its_sockets_with_1012(shared_api: Api) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with serving(shared_api.hub) as address:
            stream = await stack.enter_async_context(connected(address))
            await stream.send(INIT | {"payload": {"token": shared_api.as_agent.token}})
            await stream.receive()
            await stream.subscribe("1", FOLLOW)
            await stream.receive()

        assert (await stream.closed())[0] == 1012
    await nothing_stays(shared_api)


# ---------------------------------------------------------------- who is let in, and how all are sent away


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://{address}.evil.example", "null", "http://localhost:1", "http://[", "//{address}"]
)
async def test_a_page_of_another_origin_opens_no_socket(shared_api: Api, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(shared_api.address, origin=origin.format(address=shared_api.address)):
            pass

    assert refused.value.response.status_code == 403


async def test_pages_of_its_own_origin_and_of_listed_ones_do(mongo_uri: str, tmp_path: Path) -> None:
    async with sharing(mongo_uri, tmp_path, origins="https://app.example, https://desk.example") as api:
        for origin in (f"http://{api.address}", "https://app.example", "https://desk.example"):
            async with connected(api.address, origin=origin) as stream:
                await stream.send(INIT)
                assert (await stream.receive())["type"] == "connection_ack"


async def test_before_the_beginning_messages_are_small(shared_api: Api) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": "x" * (8 * 1024)}})

        assert (await stream.closed())[0] == 1009


async def test_above_a_rate_newcomers_are_told_when_to_come_again(mongo_uri: str, tmp_path: Path) -> None:
    async with sharing(mongo_uri, tmp_path, sockets_per_second=1) as api, api.as_agent.socket(), api.as_agent.socket():
        async with connected(api.address) as stream:
            code, reason = await stream.closed()
        events = await api.client.get("/graphql", params={"query": FOLLOW}, headers={"accept": "text/event-stream"})

    assert code == 1013
    assert re.fullmatch(r"Too many come at once; come again in \d s", reason)
    assert (events.status_code, events.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert int(events.headers["retry-after"]) >= 1


async def test_a_hub_that_ends_sends_its_sockets_away_and_finishes_what_they_began(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation is in the queue when the hub is told to end; its answer comes before the goodbye."""
    running, bound = server(hub), listening("127.0.0.1", 0)
    task = asyncio.create_task(running.serve(sockets=[bound]))
    async with played(hub, f"127.0.0.1:{bound.getsockname()[1]}") as api:
        interaction = await api.as_agent.create()
        text = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { interaction { id } errors { code } } }"
        async with api.as_agent.socket() as acting, api.as_agent.stream(FOLLOW) as following:
            await following.frames(1)
            submit = hub.journal.committer.submit

            async def leaving(*given: Any, **more: Any) -> Any:
                running.leave()
                return await submit(*given, **more)

            monkeypatch.setattr(hub.journal.committer, "submit", leaving)
            await acting.subscribe("1", text, input={"id": interaction["id"], "message": "the last"})
            answer = await acting.receive()
            closes = [await acting.closed(), await following.closed()]
    await task
    bound.close()

    assert answer["payload"]["data"]["reportProgress"]["errors"] == []
    assert [code for code, _ in closes] == [1012, 1012]


async def test_a_hub_that_is_draining_is_not_ready_and_lets_nobody_in(hub: Hub, address: str) -> None:
    async with played(hub, address) as api:
        application = app(hub)
        application.state.lines.is_draining = True
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            ready = await client.get("/readyz")
            events = await client.get("/graphql", params={"query": FOLLOW}, headers={"accept": "text/event-stream"})
        assert (await api.client.get("/readyz")).status_code == 200

    assert (ready.status_code, ready.json()["process"]) == (503, {"state": "ends", "reason": "0 sockets and streams are sent away."})
    assert (events.status_code, events.headers["retry-after"]) == (503, "1")
