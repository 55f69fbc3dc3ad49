"""What Prometheus is told: numbers of the whole hub, with labels of short lists, about nobody."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

import httpx

from hub.web import private
from hub.web.app import listening, server
from hub.web.hub import Hub
from tests.api import Api, connected
from tests.conftest import PLAIN
from tests.test_readme import free_port

FOLLOW = "subscription Follow { interactionEvents { kind } }"


async def numbers(api: Api) -> dict[str, float]:
    """Every number by its name and labels."""
    response = await api.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", response.text, re.MULTILINE)}


def grown(before: Mapping[str, float], after: Mapping[str, float], *prefixes: str) -> dict[str, float]:
    """What has changed of the numbers that begin so."""
    return {
        name: value - before.get(name, 0) for name, value in after.items() if name.startswith(prefixes) and value != before.get(name, 0)
    }


async def test_operations_are_counted_by_type_and_errors_by_code(shared_api: Api) -> None:
    before = await numbers(shared_api)

    await shared_api.as_agent.ask("query Named { viewer { roles } }")
    await shared_api.as_agent.ask("{ nonsense }")
    await shared_api.anonymous.ask("{ cursor }")
    await shared_api.as_agent.refused("addNote", id="int_0", text="x")
    async with shared_api.as_agent.stream(FOLLOW) as stream:
        await stream.frame()
        after = await numbers(shared_api)

    assert grown(before, after, "hub_operations_total") == {
        'hub_operations_total{trusted="-",type="query"}': 2,
        'hub_operations_total{trusted="-",type="-"}': 1,
        'hub_operations_total{trusted="-",type="mutation"}': 1,
        'hub_operations_total{trusted="-",type="subscription"}': 1,
    }
    assert grown(before, after, "hub_errors_total") == {
        'hub_errors_total{code="BAD_USER_INPUT"}': 1,
        'hub_errors_total{code="UNAUTHENTICATED"}': 1,
        'hub_errors_total{code="NOT_FOUND"}': 1,
    }
    assert grown(before, after, "hub_operation_seconds_count") == {
        'hub_operation_seconds_count{type="query"}': 2,
        'hub_operation_seconds_count{type="mutation"}': 1,
    }
    assert grown(before, after, "hub_lines_open", "hub_subscribers") == {"hub_lines_open": 1, "hub_subscribers": 1}


async def test_interactions_are_counted_by_the_state_that_they_come_into(shared_api: Api) -> None:
    before = await numbers(shared_api)

    made = await shared_api.as_agent.create(direction="OUTBOUND", channel="EMAIL", vertical="BILLING", reason="Zora's line")
    await shared_api.as_agent.done("addNote", id=made["id"], text="no state")
    await shared_api.as_agent.done("transitionInteraction", id=made["id"], to="IN_PROGRESS")
    await shared_api.as_agent.done("closeInteraction", id=made["id"], resolution="done")
    after = await numbers(shared_api)

    labels = 'channel="EMAIL",direction="OUTBOUND",status="{}",vertical="BILLING"'
    assert grown(before, after, "hub_interactions_total") == {
        f"hub_interactions_total{{{labels.format(status)}}}": 1 for status in ("OPEN", "IN_PROGRESS", "COMPLETED")
    }
    assert grown(before, after, "hub_journal_entries_total", "hub_commit_commands_count", "hub_commit_seconds_count") == {
        "hub_journal_entries_total": 4,
        "hub_commit_commands_count": 4,
        "hub_commit_seconds_count": 4,
    }
    assert after["hub_journal_head"] == after["hub_feed_position"] == shared_api.hub.journal.feed.position
    assert 0 <= after["hub_feed_lag_seconds"] < 5
    assert not [word for word in ("Zora", made["id"], shared_api.customer) if word in str(after)]


async def test_who_is_turned_away_is_counted_by_the_reason(shared_api: Api) -> None:
    before = await numbers(shared_api)

    async with connected(shared_api.address, "graphql-ws") as other:
        await other.closed()
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "subscribe"})
        await stream.closed()
    after = await numbers(shared_api)

    assert grown(before, after, "hub_refused") == {'hub_refused_connections_total{door="socket",why="protocol"}': 1}
    assert grown(before, after, "hub_sockets_closed") == {'hub_sockets_closed_total{code="4401"}': 1}


async def test_one_process_too_has_a_port_for_operators_alone(hub: Hub) -> None:
    settings = hub.settings.model_copy(update={"metrics_port": free_port()})
    with private.bound(settings) as apart, listening("127.0.0.1", 0) as bound:
        running = server(replace(hub, settings=settings))
        async with private.served(running, apart), httpx.AsyncClient(verify=PLAIN) as client:
            task = asyncio.create_task(running.serve(sockets=[bound]))
            inside = await client.get(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=30)
            outside = await client.get(f"http://127.0.0.1:{bound.getsockname()[1]}/metrics", timeout=30)
            running.should_exit = True
            await task

    assert (inside.status_code, outside.status_code) == (200, 404)
    assert "hub_processes 1.0" in inside.text


async def test_there_are_as_many_series_after_a_hundred_names_as_before(shared_api: Api) -> None:
    await shared_api.as_agent.ask("query First { viewer { roles } }")
    before = await numbers(shared_api)

    for number in range(100):
        await shared_api.as_agent.ask(f"query Name{number} {{ viewer {{ roles }} }}")

    assert (await numbers(shared_api)).keys() == before.keys()
