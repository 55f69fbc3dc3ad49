"""Coming back: whatever cursor a client kept, by whatever door, it gets everything above it once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.domain.terms import Role
from hub.journal.cursors import PLACE
from tests.api import Api, Caller, Stream, connected

EVENTS = """subscription($after: Cursor, $filter: EventFilter) { interactionEvents(after: $after, filter: $filter) {
  kind cursor event { id sequence message cursor } } }"""


@contextlib.asynccontextmanager
async def returning(caller: Caller, *cursors: str) -> AsyncIterator[Stream]:
    """A socket of a client that had these cursors when its last one broke."""
    async with connected(caller.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": caller.token, "cursors": list(cursors)}})
        assert (await stream.receive())["type"] == "connection_ack"
        yield stream


async def reported(api: Api, id: str, *messages: str) -> list[str]:
    """Progress; gives the cursor of each."""
    return [(await api.as_agent.act("reportProgress", id=id, message=message))["cursor"] for message in messages]


def heard(frames: list[Any]) -> list[str]:
    return [frame["event"]["message"] if frame["event"] else frame["kind"] for frame in frames]


async def test_the_acknowledgement_says_how_long_the_token_lives_and_where_the_journal_stands(shared_api: Api) -> None:
    interaction = await shared_api.as_customer.create()
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": shared_api.as_customer.token}})
        acknowledged = await stream.receive()
        await reported(shared_api, interaction["id"], "after it")
        await stream.subscribe("1", EVENTS, after=acknowledged["payload"]["cursor"])

        assert heard(await stream.frames(2)) == ["after it", "CAUGHT_UP"]
    assert 3_500_000 < acknowledged["payload"]["expiresInMs"] <= 3_600_000


async def test_without_a_token_the_acknowledgement_knows_no_end(shared_api: Api) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "connection_init"})

        assert (await stream.receive())["payload"]["expiresInMs"] is None


async def test_a_stock_client_that_asks_in_its_old_words_is_told_nothing_twice(shared_api: Api) -> None:
    interaction = await shared_api.as_customer.create()
    before = await shared_api.as_customer.cursor()
    first, second, _ = await reported(shared_api, interaction["id"], "one", "two", "three")

    async with returning(shared_api.as_customer, second) as stream:
        await stream.subscribe("1", EVENTS, after=before)
        await stream.subscribe("2", EVENTS)
        told = [await stream.receive() for _ in range(4)]
    async with returning(shared_api.as_customer, second, first) as stream:
        await stream.subscribe("1", EVENTS, after=before)
        oldest = heard(await stream.frames(3))

    for id in ("1", "2"):
        assert heard([next(iter(one["payload"]["data"].values())) for one in told if one["id"] == id]) == ["three", "CAUGHT_UP"]
    assert oldest == ["two", "three", "CAUGHT_UP"]


async def test_a_later_cursor_of_the_subscription_itself_counts(shared_api: Api) -> None:
    interaction = await shared_api.as_customer.create()
    first, second, _ = await reported(shared_api, interaction["id"], "one", "two", "three")

    async with returning(shared_api.as_customer, first) as stream:
        await stream.subscribe("1", EVENTS, after=second)

        assert heard(await stream.frames(2)) == ["three", "CAUGHT_UP"]


async def test_a_cursor_of_another_journal_is_older_than_all_of_this(shared_api: Api) -> None:
    """Of two streams on a socket one has heard that it is to read anew, and one has not: then both hear it."""
    ours = shared_api.hub.journal.cursors
    now = await shared_api.as_customer.cursor()
    other = ours._seal.seal(PLACE.pack(ours._epoch ^ 1, 1 << 40))

    async with returning(shared_api.as_customer, now, other) as stream:
        await stream.subscribe("1", EVENTS)

        assert heard(await stream.frames(1)) == ["RESET"]


@pytest.mark.parametrize("cursors", ["x", {}, [1], ["nonsense"], ["evt_x"], [None]])
async def test_cursors_that_the_hub_did_not_make_are_refused(shared_api: Api, cursors: object) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": shared_api.as_agent.token, "cursors": cursors}})

        code, reason = await stream.closed()

    assert code == 4400
    assert "cursor" in reason.lower()


@pytest.mark.parametrize("cursors", [None, []])
async def test_no_cursors_are_as_if_none_were_named(shared_api: Api, cursors: object) -> None:
    async with connected(shared_api.address) as stream:
        await stream.send({"type": "connection_init", "payload": {"token": shared_api.as_agent.token, "cursors": cursors}})
        assert (await stream.receive())["type"] == "connection_ack"
        await stream.subscribe("1", EVENTS)

        assert heard(await stream.frames(1)) == ["CAUGHT_UP"]


async def test_cursors_from_every_door_are_one_kind(shared_api: Api) -> None:
    """From a frame, an event, a payload, `Query.cursor`, a page of the timeline, an event's id and a page of `events`."""
    customer = shared_api.as_customer
    id = (await customer.create())["id"]
    async with customer.stream(EVENTS) as stream:
        await stream.frames(1)
        (payload,) = await reported(shared_api, id, "one")
        frame = await stream.frame()
    asked = f'{{ cursor interaction(id: "{id}") {{ timeline {{ cursor edges {{ cursor }} }} }} }}'
    found = (await customer.ask(asked)).data
    pulled = f'{{ events(after: "{frame["event"]["id"]}") {{ cursor }} }}'
    cursors = [
        *(frame["cursor"], frame["event"]["cursor"], frame["event"]["id"], payload, found["cursor"]),
        *(found["interaction"]["timeline"]["cursor"], found["interaction"]["timeline"]["edges"][-1]["cursor"]),
        (await customer.ask(pulled)).data["events"]["cursor"],
    ]
    await reported(shared_api, id, "two")

    for cursor in cursors:
        async with customer.stream(EVENTS, after=cursor) as stream:
            assert heard(await stream.frames(2)) == ["two", "CAUGHT_UP"], cursor


async def test_equal_replays_are_read_once(shared_api: Api) -> None:
    """Of fifty that come back at once, none reads the journal for what all of them missed a moment ago."""
    id = (await shared_api.as_customer.create())["id"]
    cursor, *_ = await reported(shared_api, id, "one", "two", "three")
    supervisor = shared_api.as_role(Role.SUPERVISOR)

    async def back() -> list[str]:
        async with supervisor.stream(EVENTS, after=cursor, filter={"interactionIds": [id]}) as stream:
            return heard(await stream.frames(3))

    async with asyncio.timeout(30):
        assert await asyncio.gather(*(back() for _ in range(50))) == [["two", "three", "CAUGHT_UP"]] * 50
