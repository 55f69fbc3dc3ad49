"""Python's gql beside a running hub: over HTTP with the hub's own schema to check by, and over a WebSocket."""

from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError

from tests.stock.conftest import Agent

OPEN = "mutation Open($input: CreateInteractionInput!) { createInteraction(input: $input) { cursor interaction { id } errors { code } } }"
NOTE = "mutation Note($input: AddNoteInput!) { addNote(input: $input) { interaction { notes { text } } errors { code } } }"
FOLLOW = """
  subscription Follow($id: ID!, $after: Cursor) {
    interactionProgress(interactionId: $id, after: $after) { kind cursor event { type note { text } } }
  }
"""


async def events(session: Any, count: int, **variables: Any) -> list[Any]:
    """The next events, whatever else is told in between."""
    heard: list[Any] = []
    async for answer in session.subscribe(GraphQLRequest(FOLLOW, variable_values=variables)):
        heard += [answer["interactionProgress"]] if answer["interactionProgress"]["event"] else []
        if len(heard) == count:
            break
    return heard


async def test_gql_asks_acts_and_follows_and_comes_back_where_it_was(agent: Agent) -> None:
    over_http = HTTPXAsyncTransport(f"http://{agent.address}/graphql", headers={"authorization": f"Bearer {agent.token}"})
    async with Client(transport=over_http, fetch_schema_from_transport=True) as session:
        begin = GraphQLRequest(OPEN, variable_values={"input": {"direction": "INBOUND", "channel": "PHONE"}})
        opened = (await session.execute(begin))["createInteraction"]
        id = opened["interaction"]["id"]
        for text in ("first", "second"):
            noted = await session.execute(GraphQLRequest(NOTE, variable_values={"input": {"id": id, "text": text}}))
            assert noted["addNote"]["errors"] == []

    def over_a_socket() -> WebsocketsTransport:
        address = f"ws://{agent.address}/graphql"
        return WebsocketsTransport(address, subprotocols=["graphql-transport-ws"], init_payload={"token": agent.token})

    async with Client(transport=over_a_socket()) as session:
        [first] = await events(session, 1, id=id, after=opened["cursor"])
    async with Client(transport=over_a_socket()) as session:
        [second] = await events(session, 1, id=id, after=first["cursor"])

    assert [frame["event"]["note"]["text"] for frame in (first, second)] == ["first", "second"]


async def test_gql_finds_what_is_wrong_itself_and_raises_what_the_hub_finds(agent: Agent) -> None:
    over_http = HTTPXAsyncTransport(f"http://{agent.address}/graphql", headers={"authorization": f"Bearer {agent.token}"})
    async with Client(transport=over_http, fetch_schema_from_transport=True) as session:
        with pytest.raises(GraphQLError, match="Cannot query field 'nothing'"):
            await session.execute(gql("{ nothing }"))
        with pytest.raises(TransportQueryError) as told:
            await session.execute(gql("{ interactions(first: 1000) { totalCount } }"))

    assert told.value.errors
    assert told.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"
