"""Streams obey the rights of now: what is taken back at a position stops everything above it, by order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.commands import clients as commands
from hub.domain.terms import Role
from tests import clients
from tests.api import Api, Caller, Stream, connected
from tests.conftest import submit
from tests.proofs import write_down

EACH = 15  # reports of each client that makes a load
EVENTS = """subscription($after: Cursor) { interactionEvents(after: $after) {
  kind cursor interactionId event { type message interaction { revision } } } }"""


async def reported(api: Api, id: str, *messages: str) -> None:
    for message in messages:
        await api.as_agent.done("reportProgress", id=id, message=message)


async def heard_until_closed(stream: Stream) -> tuple[list[Any], int, str]:
    """The messages of events that came before the hub closed the socket, with its code and reason."""
    messages: list[Any] = []
    with contextlib.suppress(Exception):
        async with asyncio.timeout(10):
            while True:
                frame = await stream.frame()
                messages.append(frame["event"] and frame["event"]["message"])
    code, reason = await stream.closed()
    return messages, code, reason


async def partner_of(api: Api) -> tuple[Caller, str]:
    """A partner by its client, and an interaction of its own."""
    partner = await clients.caller(api, await clients.added(api))
    return partner, (await api.as_partner.create(customerId=api.customer))["id"]


async def test_a_token_that_is_taken_back_hears_nothing_that_came_after(shared_api: Api) -> None:
    api = shared_api
    partner, interaction = await partner_of(api)
    narrow, token = await clients.holder(partner, scopes=["event:subscribe", "interaction:read"])

    async with narrow.stream(EVENTS) as stream:
        assert await stream.heard(1) == ["CAUGHT_UP"]
        await reported(api, interaction, "before")
        assert (await stream.frame())["event"]["message"] == "before"
        await clients.revoked(partner, token)
        await reported(api, interaction, "after")
        messages, code, reason = await heard_until_closed(stream)

    assert (messages, code, reason) == ([], 4403, "The token is not valid")


async def test_an_idle_stream_ends_with_its_client(shared_api: Api) -> None:
    client = await clients.added(shared_api)
    partner = await clients.caller(shared_api, client)
    child, _ = await clients.holder(partner, scopes=["event:subscribe"])

    async with partner.stream(EVENTS) as stream, child.stream(EVENTS) as other:
        assert [await stream.heard(1), await other.heard(1)] == [["CAUGHT_UP"], ["CAUGHT_UP"]]
        await submit(shared_api.hub, commands.Disable(id=client.id))

        assert [(await one.closed())[0] for one in (stream, other)] == [4403, 4403]


async def test_what_somebody_else_loses_leaves_a_stream_alone(shared_api: Api) -> None:
    partner, interaction = await partner_of(shared_api)
    _, token = await clients.holder(partner, scopes=["event:subscribe"])

    async with partner.stream(EVENTS) as stream:
        await stream.heard(1)
        await clients.revoked(partner, token)
        await reported(shared_api, interaction, "on it goes")

        assert (await stream.frame())["event"]["message"] == "on it goes"


async def test_an_involvement_that_is_removed_hears_that_and_nothing_after(shared_api: Api) -> None:
    api = shared_api
    partner, interaction = await partner_of(api)

    async with partner.stream(EVENTS) as stream:
        await stream.heard(1)
        await api.as_agent.done("removeParty", id=interaction, partyId=api.partner, role="PARTNER")
        await reported(api, interaction, "not for them")
        other = (await api.as_partner.create(customerId=api.customer))["id"]
        frames = await stream.frames(2)

    assert [(frame["kind"], frame["interactionId"]) for frame in frames] == [("LEFT", interaction), ("EVENT", other)]


async def test_a_filtered_token_hears_nothing_of_what_is_left_outside_of_its_filter(shared_api: Api) -> None:
    api = shared_api
    partner, _ = await partner_of(api)
    narrow, _ = await clients.holder(partner, scopes=["event:subscribe"], filter={"vertical": ["BILLING"]})
    start = await api.as_agent.cursor()
    outside, within = [(await api.as_partner.create(customerId=api.customer, vertical=name))["id"] for name in ("ASSURANCE", "BILLING")]

    async with narrow.stream(EVENTS) as live:
        await live.heard(1)
        for id in (outside, within):
            await api.as_agent.done("removeParty", id=id, partyId=api.partner, role="PARTNER")
        told = [await live.frame()]
    async with narrow.stream(EVENTS, after=start) as replayed:
        told += await replayed.frames(1)

    assert [(frame["kind"], frame["interactionId"]) for frame in told] == [("LEFT", within)] * 2


async def test_a_cursor_from_above_gives_a_token_nothing_that_was_taken_back_below_it(shared_api: Api) -> None:
    partner, interaction = await partner_of(shared_api)
    narrow, token = await clients.holder(partner, scopes=["event:subscribe"])
    await clients.revoked(partner, token)
    await reported(shared_api, interaction, "after")

    async with connected(narrow.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": narrow.token}})

        assert (await stream.closed())[0] == 4403


# ---------------------------------------------------------------- renewal


def token_of(api: Api, seconds: float, scopes: list[str] | None = None, role: Role = Role.CUSTOMER) -> str:
    return api.issuer.mint([role], party=api.customer, scopes=scopes, ttl=timedelta(seconds=seconds))


@contextlib.asynccontextmanager
async def following(api: Api, token: str) -> AsyncIterator[Stream]:
    async with Caller(api.client, api.address, token).stream(EVENTS) as stream:
        assert await stream.heard(1) == ["CAUGHT_UP"]
        yield stream


async def test_a_ping_with_a_fresh_token_carries_a_stream_past_the_end_of_the_first(shared_api: Api) -> None:
    begun = time.monotonic()
    async with following(shared_api, token_of(shared_api, 2)) as stream:
        fresh = token_of(shared_api, 600)
        await stream.send({"type": "ping", "payload": {"Authorization": f"Bearer {fresh}"}})
        pong = await stream.receive()
        await asyncio.sleep(max(0.0, begun + 2.5 - time.monotonic()))  # the first one's life
        await shared_api.as_customer.create(reason="still there")

        assert pong == {"type": "pong", "payload": {"renewed": True}}
        assert (await stream.frame())["event"]["type"] == "CREATED"


async def test_a_narrower_token_narrows_what_is_told_from_then_on(shared_api: Api) -> None:
    async with following(shared_api, token_of(shared_api, 600)) as stream:
        await stream.send({"type": "ping", "payload": {"token": token_of(shared_api, 600, ["event:subscribe"])}})
        await stream.receive()
        await shared_api.as_customer.create()
        message = await stream.receive()

    assert message["payload"]["data"]["interactionEvents"]["event"]["interaction"] is None
    assert message["payload"]["extensions"]["redactions"][0]["requiresScopes"] == [["interaction:read"]]


async def test_a_token_without_the_scope_to_follow_ends_the_stream_with_a_refusal(shared_api: Api) -> None:
    async with following(shared_api, token_of(shared_api, 600)) as stream:
        await stream.send({"type": "ping", "payload": {"token": token_of(shared_api, 600, ["interaction:read"])}})
        answers = {message["type"]: message for message in [await stream.receive(), await stream.receive()]}
        message = answers["error"]

    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")


@pytest.mark.parametrize("case", ["wider", "another's", "none", "expired"])
async def test_a_token_that_does_not_renew_ends_the_socket(shared_api: Api, case: str) -> None:
    given = {
        "wider": shared_api.issuer.mint([Role.CUSTOMER, Role.AGENT], party=shared_api.customer),
        "another's": shared_api.issuer.mint([Role.CUSTOMER], party=shared_api.other_customer),
        "none": "x.y.z",
        "expired": token_of(shared_api, 600)[:-4] + "AAAA",
    }[case]

    async with following(shared_api, token_of(shared_api, 600)) as stream:
        await stream.send({"type": "ping", "payload": {"token": given}})

        assert (await stream.closed())[0] == 4403


# ---------------------------------------------------------------- many


@pytest.mark.prove
async def test_of_200_sockets_20_are_shut_out_under_load_and_hear_nothing_above_it(api: Api) -> None:
    """Writes docs/proofs/access.md."""
    partner, interaction = await partner_of(api)
    holders = [await clients.holder(partner, scopes=["event:subscribe", "interaction:read"]) for _ in range(200)]
    told: dict[str, list[str]] = {token: [] for _, token in holders}
    codes: dict[str, int] = {}
    ready = asyncio.Barrier(201)

    async def listen(holder: Caller, token: str) -> None:
        async with holder.stream(EVENTS) as stream:
            await stream.heard(1)
            await ready.wait()
            with contextlib.suppress(Exception):
                while True:
                    told[token].append((await stream.frame())["cursor"])
            codes[token] = (await stream.closed())[0]

    async def load(number: int) -> None:
        for step in range(EACH):
            await reported(api, interaction, f"{number} {step}")

    listeners = [asyncio.create_task(listen(*one)) for one in holders]
    await ready.wait()
    loading = [asyncio.create_task(load(number)) for number in range(8)]
    shut_out = [token for _, token in holders[::10]]
    await asyncio.sleep(0.5)
    await asyncio.gather(*(clients.revoked(partner, token) for token in shut_out))
    await asyncio.gather(*loading)
    positions = {entry["subject"]["id"]: entry["_id"] async for entry in api.hub.mongo["journal"].find({"type": "REVOKED"})}
    async with asyncio.timeout(60):
        while len(codes) < len(shut_out) or any(len(told[one]) < 8 * EACH for _, one in holders if one not in shut_out):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for task in listeners:
        task.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)

    read = api.hub.journal.cursors.read
    above = sum(1 for token in shut_out for cursor in told[token] if read(cursor).position > positions[token])
    below = sum(len(told[token]) for token in shut_out)
    others = {token: [read(cursor).position for cursor in told[token]] for _, token in holders if token not in shut_out}
    missed = sum(8 * EACH - len(set(heard)) for heard in others.values())
    disordered = sum(heard != sorted(set(heard)) for heard in others.values())
    write_down(
        "access",
        "What a token that is taken back still hears",
        f"200 sockets follow one interaction while 8 clients report progress on it, {8 * EACH} times in all; meanwhile 20 of their\n"
        "tokens are revoked. Each revocation has a position in the journal; what lies above it is not theirs any more.",
        [
            "| sockets | shut out | closed with 4403 | events they heard, all below | events above the revocation | missed by the others |",
            "|--:|--:|--:|--:|--:|--:|",
            f"| 200 | {len(shut_out)} | {sum(code == 4403 for code in codes.values())} | {below:,} | {above} | {missed} |",
        ],
    )
    assert set(codes) == set(shut_out)
    assert (set(codes.values()), above, missed, disordered) == ({4403}, 0, 0, 0)
