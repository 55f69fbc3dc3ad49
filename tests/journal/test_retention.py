"""The floor: how far back events are replayed, and what a cursor is told that lies below."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from bson import Int64

from hub.domain.terms import Role
from hub.journal import head
from hub.journal.opening import Journal
from hub.journal.retention import Retention
from hub.store.mongo import Mongo
from tests.api import Api
from tests.journal.acts import opened, owned, report

TODAY = datetime(2026, 5, 14, 12, tzinfo=UTC)
KEPT = timedelta(days=30)


def retention(mongo: Mongo, at: datetime = TODAY) -> Retention:
    return Retention(mongo, KEPT, lambda: at)


async def aged(journal: Journal, ages: Sequence[int]) -> None:
    """A journal whose entries were recorded so many days before TODAY."""
    interaction = await opened(journal)
    for _ in ages[1:]:
        await report(journal, interaction)
    for position, days in enumerate(ages, 1):
        recorded = {"$set": {"recordedAt": TODAY - timedelta(days=days)}}
        await journal.mongo["journal"].update_one({"_id": Int64(position)}, recorded)


@pytest.mark.parametrize(
    ("ages", "floor"),
    [
        ([], -1),
        ([0], -1),
        ([29, 5, 0], -1),
        ([31, 5, 0], 1),
        ([90, 60, 31, 29, 0], 3),
        ([90, 80, 70, 60, 50, 40, 31], 6),  # all is old: the cursor of now is kept
        ([31], 0),
    ],
)
async def test_the_floor_is_the_last_entry_that_is_older_than_events_are_kept(
    journal: Journal, mongo: Mongo, ages: list[int], floor: int
) -> None:
    if ages:
        await aged(journal, ages)

    assert await retention(mongo).raise_floor() == floor
    assert (await head.read(mongo)).floor == floor


async def test_it_rises_with_time_and_never_falls(journal: Journal, mongo: Mongo) -> None:
    await aged(journal, [40, 20, 10, 0])

    floors = [await retention(mongo, TODAY + timedelta(days=days)).raise_floor() for days in (0, 15, 21, 0, 365)]

    assert floors == [1, 2, 3, 3, 3]
    assert (await head.read(mongo)).floor == 3


async def test_many_processes_raise_it_at_once_and_writers_are_not_disturbed(journal: Journal, mongo: Mongo) -> None:
    await aged(journal, [40, 35, 31, 0])
    interaction = await opened(journal)

    floors, _ = await asyncio.gather(
        asyncio.gather(*(retention(mongo, TODAY - timedelta(days=3 * (number % 2))).raise_floor() for number in range(8))),
        asyncio.gather(*(report(journal, interaction) for _ in range(20))),
    )

    assert set(floors) <= {2, 3}
    now = await head.read(mongo)
    assert (now.floor, now.position) == (3, 25)


async def test_its_task_raises_it_at_the_start(journal: Journal, mongo: Mongo) -> None:
    await aged(journal, [40, 0])
    seen = list[int]()

    async with owned(asyncio.create_task(retention(mongo).run())):
        async with asyncio.timeout(30):
            while (await head.read(mongo)).floor != 1:
                seen.append(1)


async def test_a_cursor_below_the_floor_is_reset_by_stream_and_page_and_the_timeline_shows_all(api: Api) -> None:
    customer, journal = api.as_customer, api.hub.journal
    id = (await customer.create())["id"]
    first = journal.feed.position
    for message in ("old", "young"):
        await api.as_agent.done("reportProgress", id=id, message=message)
    await journal.mongo["journal"].update_many({"_id": {"$lte": first + 1}}, {"$set": {"recordedAt": TODAY - timedelta(days=31)}})
    assert await retention(journal.mongo).raise_floor() == first + 1
    too_old, kept = journal.cursors.cursor(first + 1), journal.cursors.cursor(first + 2)
    page = "query($after: Cursor) { events(after: $after) { reset nodes { message } } }"
    stream = "subscription($after: Cursor) { interactionEvents(after: $after) { kind } }"

    pages = [(await customer.ask(page, after=after)).data["events"] for after in (too_old, kept, None)]
    kinds = []
    for after in (too_old, kept):
        async with customer.stream(stream, after=after) as frames:
            kinds.append((await frames.receive())["payload"]["data"]["interactionEvents"]["kind"])

    assert [one["reset"] for one in pages] == [True, False, False]
    assert [event["message"] for event in pages[2]["nodes"]] == ["young"]  # the oldest kept
    assert kinds == ["RESET", "CAUGHT_UP"]
    assert [event["message"] for event in await api.as_role(Role.CUSTOMER, api.customer).timeline(id)][1:] == ["old", "young"]
