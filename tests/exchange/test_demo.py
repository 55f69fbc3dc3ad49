"""The demo data: there once, however often it is made, and worth looking at."""

from hub.domain.lifecycle import OPEN
from hub.domain.terms import Status
from hub.exchange.demo import demo
from hub.journal.opening import Journal
from tests.exchange.conftest import Submit, clock


async def test_the_demo_is_made_once(journal: Journal, submit: Submit) -> None:
    first = await demo(submit, now=clock())
    entries = await journal.mongo["journal"].count_documents({})

    second = await demo(submit, now=clock())

    assert second == first
    assert await journal.mongo["journal"].count_documents({}) == entries == len(first.interactions) + 4


async def test_the_customer_sees_work_in_many_states_and_can_be_reached(journal: Journal, submit: Submit) -> None:
    made = await demo(submit, now=clock())

    seen = await journal.mongo.page("interactions", {"visibleTo": made.customer})
    customer = await journal.mongo["parties"].find_one({"_id": made.customer})
    assert customer is not None
    assert {one["status"] for one in seen} == {Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.HELD, Status.COMPLETED}
    assert len({channel["type"] for one in seen for channel in one["channels"]}) >= 5
    assert len({one["kind"] for one in seen}) == 5
    assert {medium["kind"] for medium in customer["contactMedia"]} == {"EMAIL", "SMS"}


async def test_every_open_one_waits_for_the_customer_or_carries_a_promise_that_lies_ahead(journal: Journal, submit: Submit) -> None:
    await demo(submit, now=clock())

    waiting = await journal.mongo.page("interactions", {"status": {"$in": sorted(OPEN - {Status.PENDING})}})
    assert [one["_id"] for one in waiting if one["nextUpdateDueAt"] <= clock()] == []


async def test_the_ongoing_one_has_progress_and_the_partner(journal: Journal, submit: Submit) -> None:
    made = await demo(submit, now=clock())

    ongoing = await journal.mongo["interactions"].find_one({"_id": made.ongoing})
    assert ongoing is not None
    assert (ongoing["status"], ongoing["progress"]["percent"]) == ("IN_PROGRESS", 60)
    assert {made.customer, made.agent, made.partner} == set(ongoing["visibleTo"])
