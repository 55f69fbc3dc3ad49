"""A hub that believes issuers, through its public doors: who its tokens make one, and what is answered when nobody can say."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from hub.access import issuers
from hub.access.issuers import TokenVerifier
from hub.access.standing import Standings
from hub.access.trust import configured
from hub.access.withdrawn import Withdrawn
from hub.settings import Settings
from hub.store.mongo import Mongo
from hub.web.hub import Hub, now, opened
from tests.access.issuing import AUDIENCE, Oidc, Pair, claims, providing
from tests.api import Caller, connected
from tests.conftest import serving

STAFF, CUSTOMERS, NEW = Pair.made("staff", "RS256"), Pair.made("customers", "ES256"), Pair.made("new", "RS256")
VIEWER = "{ viewer { roles party { id } } }"
NUMBER = {"owner": "crm", "type": "customer-number", "value": "4711"}


@dataclass(frozen=True)
class Believing:
    """A hub, the issuers that it believes, and a client of it."""

    hub: Hub
    staff: Oidc
    customers: Oidc
    client: httpx.AsyncClient
    address: str

    def agent(self, pair: Pair = STAFF) -> Caller:
        return Caller(self.client, self.address, self.token(self.staff, pair, realm={"roles": ["care-agent", "care-lead"]}))

    def customer(self, number: str = "4711") -> Caller:
        return Caller(self.client, self.address, self.token(self.customers, CUSTOMERS, roles=["customer"], number=number))

    def token(self, oidc: Oidc, pair: Pair, **changes: Any) -> str:
        scopes = "interaction:read interaction:write party:read party:write event:subscribe"
        return oidc.token(pair, at=now(), scope=scopes, **changes)


def settings_of(staff: Oidc, customers: Oidc) -> str:
    usual = {"audience": AUDIENCE}
    return json.dumps(
        [
            usual
            | {
                "issuer": staff.url,
                "algorithms": ["RS256"],
                "claims": {"roles": "realm.roles"},
                "roles": {"care-agent": "AGENT", "care-lead": "SUPERVISOR"},
            },
            usual
            | {
                "issuer": customers.url,
                "algorithms": ["ES256"],
                "claims": {"party": "number"},
                "parties": {"owner": NUMBER["owner"], "type": NUMBER["type"]},
                "roles": {"customer": "CUSTOMER"},
                "backed": {"CUSTOMER": "customer"},
            },
        ]
    )


@pytest.fixture
async def believing(tmp_path: Path, mongo_uri: str, mongo: Mongo) -> AsyncIterator[Believing]:
    async with providing(STAFF) as staff, providing(CUSTOMERS) as customers:
        settings = Settings.load(data_dir=tmp_path / "hub", port=0, issuers=settings_of(staff, customers))
        async with opened(settings, mongo_uri, role="test") as hub, served(hub) as (client, address):
            yield Believing(hub, staff, customers, client, address)


@contextlib.asynccontextmanager
async def served(hub: Hub) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    async with serving(hub) as address, httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as client:
        yield client, address


@contextlib.asynccontextmanager
async def hasty(believing: Believing) -> AsyncIterator[Believing]:
    """The same hub, which fetches keys all the time."""
    hub = believing.hub
    trusts = configured(settings_of(believing.staff, believing.customers))
    async with issuers.opened(trusts, fresh=0.01) as believed:
        tokens = TokenVerifier(believed, Standings(hub.parties, hub.party_roles), Withdrawn(), clock=now)
        async with served(replace(hub, tokens=tokens)) as (client, address):
            yield replace(believing, client=client, address=address)


async def fetched_anew(oidc: Oidc) -> None:
    """Waits until what the issuer publishes now is known."""
    asked = oidc.asked
    async with asyncio.timeout(10):
        while oidc.asked < asked + 2:  # noqa: ASYNC110 - the second began after the first was over
            await asyncio.sleep(0.005)


async def granted(agent: Caller, party: str) -> str:
    text = 'mutation($party: ID!) { grantPartyRole(input: {partyId: $party, name: "Customer"}) { partyRole { id } errors { code } } }'
    return str((await agent.ask(text, party=party)).data["grantPartyRole"]["partyRole"]["id"])


async def viewer(caller: Caller) -> Any:
    return (await caller.ask(VIEWER)).data["viewer"]


async def test_a_token_of_each_issuer_opens_what_its_roles_are_worth(believing: Believing) -> None:
    agent, customer = believing.agent(), believing.customer()
    party = (await agent.upsert(name="Ada Hopper", externalIdentifier=NUMBER))["party"]["id"]
    await granted(agent, party)

    mine = await agent.create(customerId=party, reason="no light")
    foreign = await agent.create(reason="somebody else's")

    assert await viewer(agent) == {"roles": ["AGENT", "SUPERVISOR"], "party": None}
    assert await viewer(customer) == {"roles": ["CUSTOMER"], "party": {"id": party}}
    assert (await customer.interaction(mine["id"]))["reason"] == "no light"
    assert await customer.interaction(foreign["id"]) is None


async def test_a_customers_issuer_makes_no_agent_and_the_local_key_nobody(believing: Believing) -> None:
    forger = Caller(
        believing.client,
        believing.address,
        believing.token(believing.customers, CUSTOMERS, roles=["AGENT", "care-agent"], realm={"roles": ["care-agent"]}),
    )
    other = Caller(believing.client, believing.address, CUSTOMERS.sign(claims(believing.staff.url, at=now())))

    assert (await viewer(forger))["roles"] == []
    assert (await other.ask(VIEWER)).codes == ["UNAUTHENTICATED"]


async def test_a_customer_whom_the_hub_does_not_know_sees_nothing(believing: Believing) -> None:
    agent, stranger = believing.agent(), believing.customer("4712")
    opened_ = await agent.create(reason="somebody else's")

    assert await viewer(stranger) == {"roles": [], "party": None}
    assert (await stranger.ask("query($id: ID!) { interaction(id: $id) { id } }", id=opened_["id"])).codes == ["FORBIDDEN"]


async def test_a_party_role_that_has_ended_no_longer_backs_the_claim_seconds_later(believing: Believing) -> None:
    agent, customer = believing.agent(), believing.customer()
    party = (await agent.upsert(name="Ada Hopper", externalIdentifier=NUMBER))["party"]["id"]
    role = await granted(agent, party)
    assert (await viewer(customer))["roles"] == ["CUSTOMER"]

    async with customer.socket() as stream:
        await agent.ask("mutation($id: ID!) { endPartyRole(input: {id: $id}) { errors { code } } }", id=role)
        async with asyncio.timeout(20):
            while (await viewer(customer))["roles"]:  # noqa: ASYNC110 - the five seconds of the cache
                await asyncio.sleep(0.1)

        await stream.subscribe("1", VIEWER)  # a socket that was opened before
        assert (await stream.frame())["roles"] == []


async def test_a_stream_obeys_the_party_role_behind_it_by_order(believing: Believing) -> None:
    agent, customer = believing.agent(), believing.customer()
    party = (await agent.upsert(name="Ada Hopper", externalIdentifier=NUMBER))["party"]["id"]
    role, interaction = await granted(agent, party), (await agent.create(customerId=party))["id"]

    async with customer.stream("subscription { interactionEvents { kind event { message } } }") as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await granted(agent, (await agent.upsert(name="Somebody else"))["party"]["id"])
        await agent.done("addNote", id=interaction, text="before")
        assert (await stream.frame())["event"] == {"message": "before"}
        await agent.ask("mutation($id: ID!) { endPartyRole(input: {id: $id}) { errors { code } } }", id=role)
        await agent.done("addNote", id=interaction, text="after")
        message = await stream.receive()

    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")


async def test_a_key_that_was_taken_back_ends_requests_and_sockets(believing: Believing) -> None:
    async with hasty(believing) as hub:
        agent = hub.agent()
        assert (await viewer(agent))["roles"] == ["AGENT", "SUPERVISOR"]
        async with agent.socket() as stream:
            hub.staff.pairs[:] = [NEW]
            await fetched_anew(hub.staff)
            await fetched_anew(hub.staff)

            assert (await agent.ask(VIEWER)).codes == ["UNAUTHENTICATED"]
            await stream.subscribe("1", VIEWER)
            assert await stream.closed() == (4403, "The token is not valid")
        assert (await viewer(hub.agent(NEW)))["roles"] == ["AGENT", "SUPERVISOR"]


async def test_while_an_issuer_is_down_its_known_keys_open_doors_and_unknown_ones_are_asked_to_wait(believing: Believing) -> None:
    async with hasty(believing) as hub:
        assert (await viewer(hub.agent()))["roles"] == ["AGENT", "SUPERVISOR"]
        hub.staff.answer = lambda: Response(status_code=503)
        await fetched_anew(hub.staff)
        unknown = hub.agent(NEW)

        response = await hub.client.post("/graphql", json={"query": VIEWER}, headers={"authorization": f"Bearer {unknown.token}"})
        (error,) = response.json()["errors"]
        async with connected(hub.address) as stream:
            await stream.send({"type": "connection_init", "payload": {"token": unknown.token}})
            closed = await stream.closed()

        assert (response.status_code, error["extensions"]["code"]) == (503, "UNAVAILABLE")
        assert 1 <= int(response.headers["retry-after"]) <= 10
        assert 1000 <= error["extensions"]["retryAfterMs"] <= 10_000
        assert closed == (1013, "The token cannot be verified now; come again")
        assert (await viewer(hub.agent()))["roles"] == ["AGENT", "SUPERVISOR"]
