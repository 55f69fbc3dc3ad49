"""The hub as its clients see it: GraphQL over HTTP and WebSocket, as each role."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from hub.access.tokens import LocalIssuer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.web.hub import Hub, local_issuer

INTERACTION = """
  id revision status kind priority direction reason description resolution question statusReason startedAt endedAt createdAt updatedAt
  allowedTransitions customer { id name } parties { role party { id name } } channels { type name }
  items { id type resolution resolvedAt } notes { id text visibility authorRole } internalNotes { text }
  progress { percent stage message nextUpdateDueAt overdue } redactions { field requiresRoles }
"""
PARTY = "id revision kind name preferredLanguage contactMedia { kind address preferred } externalIdentifiers { owner type value }"
PARTY_ROLE = "id name status statusReason validFrom validTo party { id name }"
FRAMES = """subscription($after: Cursor, $filter: EventFilter) { interactionEvents(after: $after, filter: $filter) {
  kind cursor reason interactionId event { id type sequence message } } }"""
EVENT = """
  id cursor sequence type at recordedAt actor { id name } actorRole channel message revision status progress { percent stage message }
  note { id text visibility author { id name } authorRole }
  item { id type reason resolution resolvedAt vertical entity { type entityId href name } }
  changes { field from to } interactionId interaction { id revision }
  redactions { field }
"""
ERRORS = """
  errors { code message path currentRevision conflictingId allowedTransitions requiresRoles requiresScopes requiredAcr retryAfterMs }
"""


def input_of(mutation: str) -> str:
    """The type of a mutation's input."""
    named = "linkInteractions" if mutation == "unlinkInteractions" else mutation  # what is taken back is said as it was said
    return named[0].upper() + named[1:] + "Input"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: dict[str, Any]
    request_id: str = ""
    cost: Any = None

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]


@dataclass(frozen=True)
class Caller:
    """One viewer's way in."""

    client: httpx.AsyncClient
    address: str
    token: str | None
    party: PartyId | None = None

    async def ask(self, query: str, /, **variables: Any) -> Answer:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        content = json.dumps({"query": query, "variables": variables})  # escapes what is no Unicode, so that it can be sent
        response = await self.client.post("/graphql", content=content, headers=headers)
        body, request_id = response.json(), response.headers["x-request-id"]
        for error in body.get("errors", ()):  # each bears it, and in nothing else do two equal answers differ
            assert error["extensions"].pop("requestId") == request_id
        extensions = body.pop("extensions", {})
        cost = extensions.pop("cost", None)
        if extensions:
            body["extensions"] = extensions
        return Answer(response.status_code, body, request_id, cost)

    async def act(self, mutation: str, /, **input: Any) -> Any:
        """The payload of a mutation on an interaction."""
        return await self.payload(mutation, f"interaction {{ {INTERACTION} }} cursor replayed {ERRORS}", **input)

    async def payload(self, mutation: str, fields: str, /, **input: Any) -> Any:
        """Some fields of the payload of a mutation."""
        text = f"mutation($input: {input_of(mutation)}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
        return (await self.ask(text, input=input)).data[mutation]

    async def refused(self, mutation: str, /, **input: Any) -> dict[str, Any]:
        """The one error of a mutation that is refused."""
        payload = await self.act(mutation, **input)
        assert payload["interaction"] is None
        assert len(payload["errors"]) == 1
        return dict(payload["errors"][0])

    async def create(self, **input: Any) -> Any:
        """A new interaction."""
        payload = await self.act("createInteraction", **({"direction": "INBOUND", "channel": "PHONE"} | input))
        assert payload["errors"] == []
        return payload["interaction"]

    async def done(self, mutation: str, /, **input: Any) -> Any:
        """The interaction after a mutation that is not refused."""
        payload = await self.act(mutation, **input)
        assert payload["errors"] == []
        return payload["interaction"]

    async def upsert(self, **input: Any) -> Any:
        """The payload of upsertParty."""
        text = f"mutation($input: UpsertPartyInput!) {{ upsertParty(input: $input) {{ party {{ {PARTY} }} cursor replayed {ERRORS} }} }}"
        return (await self.ask(text, input={"kind": "INDIVIDUAL"} | input)).data["upsertParty"]

    async def timeline(self, id: str) -> list[Any]:
        """The first hundred events of an interaction."""
        text = f"query($id: ID!) {{ interaction(id: $id) {{ timeline(first: 100) {{ nodes {{ {EVENT} }} }} }} }}"
        nodes: list[Any] = (await self.ask(text, id=id)).data["interaction"]["timeline"]["nodes"]
        return nodes

    async def interaction(self, id: str) -> Any:
        return (await self.ask(f"query($id: ID!) {{ interaction(id: $id) {{ {INTERACTION} }} }}", id=id)).data["interaction"]

    async def read(self, id: str, fields: str) -> Any:
        """Some fields of an interaction; None where it is out of sight."""
        return (await self.ask(f"query($id: ID!) {{ interaction(id: $id) {{ {fields} }} }}", id=id)).data["interaction"]

    async def role(self, mutation: str, /, **input: Any) -> Any:
        """The payload of a mutation on a party role."""
        return await self.payload(mutation, f"partyRole {{ {PARTY_ROLE} }} cursor replayed {ERRORS}", **input)

    async def cursor(self) -> str:
        return str((await self.ask("{ cursor }")).data["cursor"])

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator["Stream"]:
        """A socket that the hub has acknowledged."""
        async with connected(self.address) as stream:
            await stream.send({"type": "connection_init", "payload": {"token": self.token} if self.token else {}})
            assert (await stream.receive())["type"] == "connection_ack"
            yield stream

    @contextlib.asynccontextmanager
    async def stream(self, query: str, /, **variables: Any) -> AsyncIterator["Stream"]:
        """A subscription on a socket of its own."""
        async with self.socket() as stream:
            await stream.subscribe("1", query, **variables)
            yield stream


@contextlib.asynccontextmanager
async def connected(address: str, *protocols: str, **headers: str) -> AsyncIterator["Stream"]:
    """A socket before its first message."""
    spoken = [Subprotocol(protocol) for protocol in protocols or ("graphql-transport-ws",)]
    async with connect(f"ws://{address}/graphql", subprotocols=spoken, additional_headers=headers, close_timeout=1) as socket:
        yield Stream(socket)


@dataclass(frozen=True)
class Stream:
    """One socket."""

    socket: ClientConnection

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def subscribe(self, id: str, query: str, /, **variables: Any) -> None:
        await self.send({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def closed(self) -> tuple[int, str]:
        """The code and the reason with which the hub closes, whatever comes before."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(10):
                while True:
                    await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        return message

    async def frame(self) -> Any:
        """The next frame of the subscription."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return next(iter(message["payload"]["data"].values()))

    async def heard(self, count: int) -> list[str]:
        """What the next frames say: the type of the event, or the kind of the frame."""
        return [frame["event"]["type"] if frame["event"] else frame["kind"] for frame in await self.frames(count)]

    async def frames(self, count: int) -> list[Any]:
        return [await self.frame() for _ in range(count)]


@dataclass(frozen=True)
class Api:
    """A hub with a cast: two customers, an agent, a partner."""

    hub: Hub
    client: httpx.AsyncClient
    address: str
    issuer: LocalIssuer
    customer: PartyId
    other_customer: PartyId
    agent: PartyId
    partner: PartyId

    @classmethod
    async def opened(cls, hub: Hub, client: httpx.AsyncClient, address: str) -> "Api":
        issuer = local_issuer(hub.settings)
        staff = Caller(client, address, issuer.mint([Role.AGENT]))

        async def party(name: str, kind: str = "INDIVIDUAL") -> PartyId:
            media = [{"kind": "EMAIL", "address": f"{name.split(maxsplit=1)[0].lower()}@example.com", "preferred": True}]
            text = f"mutation($input: UpsertPartyInput!) {{ upsertParty(input: $input) {{ party {{ id }} {ERRORS} }} }}"
            payload = (await staff.ask(text, input={"kind": kind, "name": name, "contactMedia": media})).data["upsertParty"]
            return PartyId(payload["party"]["id"])

        cast = [("Ada Hopper",), ("Grace Lovelace",), ("Alan Church",), ("Northlight Stores", "ORGANIZATION")]
        customer, other_customer, agent, partner = [await party(*one) for one in cast]
        return cls(hub, client, address, issuer, customer, other_customer, agent, partner)

    def usually(self, role: Role, scopes: list[str] | None = None) -> Caller:
        """A caller in this role, with the party of the cast that usually has it."""
        cast = {Role.CUSTOMER: self.customer, Role.VISITOR: self.customer, Role.PARTNER: self.partner, Role.AGENT: self.agent}
        return self.as_role(role, cast.get(role), scopes)

    def as_role(self, role: Role, party: PartyId | None = None, scopes: list[str] | None = None, acr: str | None = None) -> Caller:
        return Caller(self.client, self.address, self.issuer.mint([role], party=party, scopes=scopes, acr=acr), party)

    @property
    def anonymous(self) -> Caller:
        return Caller(self.client, self.address, None)

    @property
    def as_agent(self) -> Caller:
        return self.as_role(Role.AGENT, self.agent)

    @property
    def as_customer(self) -> Caller:
        return self.as_role(Role.CUSTOMER, self.customer)

    @property
    def as_other_customer(self) -> Caller:
        return self.as_role(Role.CUSTOMER, self.other_customer)

    @property
    def as_partner(self) -> Caller:
        return self.as_role(Role.PARTNER, self.partner)
