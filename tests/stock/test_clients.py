"""Clients that teams really use, each as its users write it, beside a running hub: what its script asserts, holds."""

import pytest

from hub.graph import manifests
from hub.schema import executable
from hub.store.trusted import TrustedDocuments
from hub.web.hub import now
from tests.api import Api
from tests.stock.conftest import Agent, Run


@pytest.mark.parametrize("script", ["apollo.mjs", "urql.mjs", "ws.mjs", "sse.mjs"])
async def test_a_client_asks_acts_follows_and_is_told_what_is_wrong(script: str, run: Run, agent: Agent) -> None:
    await run(script, *agent)


async def test_apollos_persisted_queries_send_a_text_once_and_a_trusted_one_never(run: Run, agent: Agent, shared_api: Api) -> None:
    manifest = '{"who-1": "query Who { viewer { roles } }"}'
    await TrustedDocuments(shared_api.hub.mongo).load(manifests.read(manifest, executable()), now())

    await run("persisted.mjs", *agent)


async def test_relay_compiles_the_schema_pages_a_connection_and_fetches_anew_by_node(run: Run, agent: Agent) -> None:
    await run("../node_modules/relay-compiler/cli.js", "relay.config.json", inside="relay")
    await run("run.js", *agent, inside="relay")


async def test_graphql_codegen_makes_types_that_a_strict_app_compiles_with(run: Run) -> None:
    await run("../node_modules/@graphql-codegen/cli/esm/bin.js", "--config", "codegen.json", inside="codegen")
    await run("../node_modules/typescript/bin/tsc", "--project", ".", inside="codegen")
