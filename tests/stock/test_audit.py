"""GraphQL over HTTP, as the audit of npm's graphql-http demands it (graphql.github.io/graphql-over-http)."""

import json
from typing import Any

from tests.stock.conftest import Agent, Run


async def audited(run: Run, agent: Agent) -> list[dict[str, Any]]:
    demands = [json.loads(line) for line in (await run("audit.mjs", *agent)).splitlines()]
    assert len(demands) == 61
    return demands


async def test_every_demand_of_the_audit_is_met(run: Run, agent: Agent) -> None:
    assert [demand for demand in await audited(run, agent) if demand["status"] != "ok"] == []
