"""Two customers and two partners whose work is interleaved: whatever one of them runs, not one byte of the other's appears."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from hub.domain.ids import PartyId, uuid7
from hub.domain.terms import Role
from tests.api import Api, Caller
from tests.security.documents import whole
from tests.security.rights import OPERATIONS


@dataclass(frozen=True)
class Side:
    """One customer and its partner, every text of theirs beginning with a word that nobody else uses."""

    word: str
    customer: Caller
    partner: Caller
    interactions: tuple[str, ...]

    @property
    def secrets(self) -> set[str]:
        return {self.word, str(self.customer.party), *self.interactions}


async def told(agent: Caller, word: str, api: Api) -> Side:
    """One side's parties and interactions, with its word in every text that can hold one."""

    def ref(name: str) -> dict[str, str]:
        return {"owner": f"{word} owner", "type": f"{word} type", "value": f"{word} {name}"}

    async def party(name: str) -> PartyId:
        media = [{"kind": "EMAIL", "address": f"{word}-{name}@example.com"}]
        payload = await agent.upsert(name=f"{word} {name}", preferredLanguage=f"{word}-l", contactMedia=media, externalIdentifier=ref(name))
        return PartyId(payload["party"]["id"])

    customer, partner = await party("customer"), await party("partner")
    made = []
    for number in range(2):
        item = {
            "type": f"{word} type",
            "reason": f"{word} reason",
            "entity": {"type": f"{word} t", "entityId": f"{word} e", "name": f"{word} n"},
        }
        interaction = await agent.create(
            id="int_" + uuid7(datetime.now(UTC)),
            customerId=customer,
            parties=[{"role": "PARTNER", "partyId": partner}],
            items=[item],
            externalIdentifier=ref(f"case {number}"),
            **{name: f"{word} {name}" for name in ("topic", "reason", "description", "channelName")},
        )
        made.append(interaction["id"])
        await agent.done("addChannel", id=interaction["id"], channel="CHAT", name=f"{word} chat")
        await agent.done("addItem", id=interaction["id"], item=item)
    text = "mutation($input: GrantPartyRoleInput!) { grantPartyRole(input: $input) { errors { code } } }"
    supervisor = api.as_role(Role.SUPERVISOR)
    for holder in (customer, partner):
        assert (await supervisor.ask(text, input={"partyId": holder, "name": f"{word} role"})).data["grantPartyRole"]["errors"] == []
    return Side(word, api.as_role(Role.CUSTOMER, customer), api.as_role(Role.PARTNER, partner), tuple(made))


async def worked_on(agent: Caller, side: Side) -> None:
    word = side.word
    for id in side.interactions:
        await agent.done("reportProgress", id=id, message=f"{word} progress", stage=f"{word} stage", percent=10)
        await agent.done("addNote", id=id, text=f"{word} note")
        await agent.done("addNote", id=id, text=f"{word} internal", visibility="INTERNAL")
        await side.customer.done("addNote", id=id, text=f"{word} own note")
        await agent.done("transitionInteraction", id=id, to="PENDING", question=f"{word} question", reason=f"{word} why")
    await agent.done("closeInteraction", id=side.interactions[0], resolution=f"{word} resolution", resolveOpenItems=True)


@pytest.fixture(scope="module")
async def sides(shared_api: Api) -> tuple[Side, Side]:
    agent = shared_api.as_agent
    one, other = await told(agent, "canaria", shared_api), await told(agent, "zeisig", shared_api)
    await asyncio.gather(worked_on(agent, one), worked_on(agent, other))
    return one, other


@contextlib.asynccontextmanager
async def overheard(caller: Caller) -> AsyncIterator[list[str]]:
    """Everything that a stream from the journal's beginning sends while the block lasts."""
    heard: list[str] = []

    async def listen() -> None:
        text = whole("FeedFrame", "subscription($after: Cursor) { interactionEvents(after: $after) { %s } }")
        async with caller.stream(text, after=None) as stream:
            while True:
                heard.append(json.dumps(await stream.receive()))

    task = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(10):
            while not heard:  # noqa: ASYNC110 - the socket is heard elsewhere
                await asyncio.sleep(0.01)
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answers(caller: Caller, side: Side) -> AsyncIterator[tuple[str, str]]:
    """What every operation of the schema answers this caller about a side: its interactions, its parties, its identifiers."""
    query = {
        "viewer": whole("Viewer", "{ viewer { %s } }"),
        "interactions": whole("InteractionConnection", "{ interactions(first: 8) { %s } }"),
        "events": whole("EventPage", "{ events(first: 20) { %s } }"),
        "parties": whole("PartyConnection", "{ parties(first: 8) { %s } }"),
        "party roles": whole("PartyRoleConnection", "{ partyRoles(first: 8) { %s } }"),
        "search": whole("InteractionConnection", '{ interactions(filter: {text: "note"}, last: 8) { %s } }'),
        "topics": "{ topics }",
    }
    for name, text in query.items():
        yield name, json.dumps((await caller.ask(text)).body)
    for party in (side.customer.party, side.partner.party):
        yield "party", json.dumps((await caller.ask(whole("Party", "query($id: ID) { party(id: $id) { %s } }"), id=party)).body)
    text = whole(
        "Interaction", "query($a: ID!, $b: ID!, $c: ID!, $d: ID!) { nodes(ids: [$a, $b, $c, $d]) { id ... on Interaction { %s } } }"
    )
    ids = dict(zip("abcd", (*side.interactions, side.customer.party, side.partner.party), strict=True))
    yield "nodes", json.dumps((await caller.ask(text, **ids)).body)
    for id in side.interactions:
        yield (
            "interaction",
            json.dumps((await caller.ask(whole("Interaction", "query($id: ID!) { interaction(id: $id) { %s } }"), id=id)).body),
        )
        text = whole("EventPage", "query($id: ID!) { events(filter: {interactionIds: [$id]}, first: 20) { %s } }")
        yield "events of one", json.dumps((await caller.ask(text, id=id)).body)
        for root, operation in OPERATIONS.items():
            if root.startswith("Mutation.") and "$id" in operation:
                yield root, json.dumps((await caller.ask(whole("InteractionPayload", operation), id=id)).body)
        async with caller.stream(
            "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind interactionId } }", id=id
        ) as stream:
            yield "interactionProgress", json.dumps(await stream.receive())
    input = {"direction": "INBOUND", "channel": "WEB_SELF_SERVICE", "id": side.interactions[0]}
    text = whole("InteractionPayload", "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { %s } }")
    yield "createInteraction", json.dumps((await caller.ask(text, input=input)).body)
    yield "createInteraction", json.dumps((await caller.ask(text, input=input | {"customerId": side.customer.party})).body)
    ref = {"owner": f"{side.word} owner", "type": f"{side.word} type", "value": f"{side.word} customer"}
    text = whole("Party", "query($ref: ExternalIdentifierInput) { party(externalIdentifier: $ref) { %s } }")
    yield "party by identifier", json.dumps((await caller.ask(text, ref=ref)).body)


@pytest.mark.parametrize("who", ["customer", "partner"])
@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.prove)])
async def test_not_one_byte_of_the_others_appears(sides: tuple[Side, Side], who: str, turn: int) -> None:
    mine, theirs = sides[turn], sides[1 - turn]
    caller: Caller = getattr(mine, who)

    seen = [answer async for answer in answers(caller, mine)]
    tried = [answer async for answer in answers(caller, theirs)]

    for name, text in seen:
        if name in {"viewer", "interactions", "events", "interaction", "events of one", "party roles", "search", "nodes"}:
            assert mine.word in text, f"the canary sings where it may: {name}"
    for name, text in [*seen, *tried]:
        assert not [secret for secret in theirs.secrets if secret in text], name
        assert f"{mine.word} internal" not in text, name
        assert f"{mine.word} why" not in text, name
    if who == "partner":
        assert not any(f"{mine.word} customer" in text or f"{mine.word}-customer@" in text for _, text in seen)


async def test_nothing_of_the_others_comes_by_a_stream(shared_api: Api, sides: tuple[Side, Side]) -> None:
    one, other = sides
    async with overheard(one.customer) as heard, overheard(other.partner) as elsewhere:
        for side in sides:
            await shared_api.as_agent.done("addNote", id=side.interactions[1], text=f"{side.word} live")
            await shared_api.as_agent.done("addNote", id=side.interactions[1], text=f"{side.word} live internal", visibility="INTERNAL")
        async with asyncio.timeout(10):
            while not all("live" in "".join(texts) for texts in (heard, elsewhere)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    for texts, side, foreign in ((heard, one, other), (elsewhere, other, one)):
        assert f"{side.word} live" in "".join(texts)
        assert not [secret for secret in foreign.secrets if secret in "".join(texts)]
        assert "internal" not in "".join(texts).replace("internalNotes", "").replace("internalAttachments", "")
