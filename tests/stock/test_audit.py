"""GraphQL over HTTP, as the audit of npm's graphql-http demands it (graphql.github.io/graphql-over-http)."""

import json
from typing import Any

import pytest

from tests.stock.conftest import Agent, Run


async def audited(run: Run, agent: Agent) -> list[dict[str, Any]]:
    demands = [json.loads(line) for line in (await run("audit.mjs", *agent)).splitlines()]
    assert len(demands) == 61
    return demands


async def test_every_demand_of_the_audit_that_is_no_mere_may_is_met(run: Run, agent: Agent) -> None:
    assert [demand for demand in await audited(run, agent) if demand["status"] != "ok" and not demand["name"].startswith("MAY")] == []


@pytest.mark.xfail(reason="a query is not answered to GET but as an event stream: 5A70, D6D5, 6A70 (all MAY)")
async def test_every_demand_of_the_audit_is_met(run: Run, agent: Agent) -> None:
    assert [demand for demand in await audited(run, agent) if demand["status"] != "ok"] == []
