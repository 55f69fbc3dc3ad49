"""The seam: it behaves the same on PyMongo Async and on Motor: on both, unless HUB_MONGO_DRIVER names one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, timeout
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from hub.errors import Unavailable
from hub.store.mongo import Driver, Mongo, Update, connected, unit_of_work
from hub.web.hub import Hub
from tests.api import Api

CLIENTS: Final[dict[str, Any]] = {"pymongo": AsyncMongoClient, "motor": AsyncIOMotorClient}
MANY: Final = 1_500  # more than a driver reads at once
NOWHERE: Final = "mongodb://127.0.0.1:1"


NAMED: Final = os.environ.get("HUB_MONGO_DRIVER")


@pytest.fixture(params=[NAMED] if NAMED else CLIENTS)  # `make check` names the one, then the other
def driver(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
async def seam(driver: Driver, mongo_uri: str) -> AsyncIterator[Mongo]:
    """A connection by one of the drivers, and an empty collection `things`."""
    async with connected(mongo_uri, "seam", driver) as mongo:
        await mongo["things"].drop()
        await mongo.database.create_collection("things")
        yield mongo


async def test_the_tests_run_on_the_driver_that_the_environment_names(hub: Hub, mongo: Mongo, shared_api: Api) -> None:
    named = CLIENTS[NAMED or "pymongo"]

    assert [type(one.client) for one in (mongo, hub.mongo, shared_api.hub.mongo)] == [named] * 3


async def test_each_driver_is_itself(seam: Mongo, driver: Driver) -> None:
    assert type(seam.client) is CLIENTS[driver]
    assert await seam.check() >= "6"
    assert await seam.answers()


async def test_what_a_transaction_wrote_is_there_once_it_is_committed_and_not_before(seam: Mongo) -> None:
    session = await seam.session()
    await seam.begin(session)
    await seam.insert("things", [{"_id": number, "is": "new"} for number in range(3)], session)
    matched = [
        await seam.update("things", [Update({"_id": 1}, {"$set": {"is": "changed"}})], session),
        await seam.update("things", [Update({"_id": number}, {"$set": {"is": "changed"}}) for number in (2, 3)], session),
    ]
    before = await seam.page("things", {})
    await session.commit_transaction()
    await session.end_session()

    assert matched == [1, 1]
    assert before == []
    assert {one["_id"]: one["is"] for one in await seam.page("things", {})} == {0: "new", 1: "changed", 2: "changed"}


async def test_what_is_aborted_never_was_and_the_session_goes_on(seam: Mongo) -> None:
    session = await seam.session()
    await seam.begin(session)
    await seam.insert("things", [{"_id": "aborted"}], session)
    assert session.in_transaction
    await session.abort_transaction()

    await seam.begin(session)
    await seam.insert("things", [{"_id": "committed"}], session)
    await session.commit_transaction()
    await session.end_session()

    assert [one["_id"] for one in await seam.page("things", {})] == ["committed"]


async def test_two_transactions_on_one_document_are_a_conflict_that_may_be_tried_again(seam: Mongo) -> None:
    await seam["things"].insert_one({"_id": 1})
    first, second = await seam.session(), await seam.session()
    await seam.begin(first)
    await seam.begin(second)
    await seam.update("things", [Update({"_id": 1}, {"$set": {"by": 1}})], first)

    with pytest.raises(OperationFailure) as conflict:
        await seam.update("things", [Update({"_id": 1}, {"$set": {"by": 2}})], second)

    assert conflict.value.has_error_label("TransientTransactionError")
    await second.abort_transaction()
    await first.commit_transaction()
    await first.end_session()
    await second.end_session()


async def test_more_than_a_driver_reads_at_once_comes_whole_and_in_order(seam: Mongo) -> None:
    await seam["things"].insert_many([{"_id": number, "odd": bool(number % 2)} for number in range(MANY)])
    grouped: list[dict[str, Any]] = [{"$group": {"_id": "$odd", "count": {"$sum": 1}}}, {"$sort": {"_id": 1}}]

    assert [one["_id"] for one in await seam.page("things", {}, sort=[("_id", -1)])] == list(reversed(range(MANY)))
    assert [one["_id"] for one in await seam.page("things", {}, sort=[("_id", 1)], limit=7)] == list(range(7))
    assert await seam.by_ids("things", [3, 1, MANY], {"odd": 0}) == {1: {"_id": 1}, 3: {"_id": 3}}
    assert [one["_id"] for one in await seam.aggregate("things", [{"$sort": {"_id": -1}}])] == list(reversed(range(MANY)))
    assert await seam.aggregate("things", grouped) == [{"_id": False, "count": MANY / 2}, {"_id": True, "count": MANY / 2}]
    assert await seam.aggregate("things", [{"$match": {"_id": -1}}], maxTimeMS=1_000) == []
    assert await seam["things"].distinct("odd") == [False, True]
    assert await seam["things"].count_documents({}, limit=10) == 10


async def test_a_pipeline_that_makes_no_sense_is_our_fault_and_not_the_databases(seam: Mongo) -> None:
    with pytest.raises(OperationFailure, match="nonsense"), unit_of_work():
        await seam.aggregate("things", [{"$nonsense": 1}])


@pytest.mark.parametrize("batch", [1, 1_000], ids=["in many batches", "in one"])
async def test_a_unit_of_work_ends_in_time_wherever_it_spends_it(seam: Mongo, batch: int) -> None:
    slow = {"$match": {"$expr": {"$function": {"body": "function() { sleep(100); return true }", "args": [], "lang": "js"}}}}
    await seam["things"].insert_many([{"_id": number} for number in range(60)])
    begun = time.monotonic()

    with pytest.raises(Unavailable), unit_of_work(0.5):
        await seam.aggregate("things", [slow], batchSize=batch)

    assert time.monotonic() - begun < 3


async def test_many_who_wait_for_a_database_that_is_away_do_not_hold_up_who_asks_whether_it_is_there(driver: Driver) -> None:
    async with connected(NOWHERE, "seam", driver) as mongo:
        with timeout(2.5):
            waiting = [asyncio.create_task(mongo.page("things", {})) for _ in range(200)]  # more than Motor has threads
        await asyncio.sleep(0)
        begun = time.monotonic()

        assert not await mongo.answers(0.2)

        assert time.monotonic() - begun < 1.5
        assert {type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)} == {ServerSelectionTimeoutError}
        assert time.monotonic() - begun < 4


async def test_a_connection_is_closed_at_once_though_the_database_is_away(driver: Driver, machine: Any) -> None:
    async with connected(machine.uri, "seam", driver) as mongo:
        session = await mongo.session()
        assert await mongo["things"].find_one({}, session=session) is None
        await session.end_session()
        machine.goes_away()
        begun, ticks = time.monotonic(), 0
        closing = asyncio.create_task(mongo.close())
        while not closing.done():
            await asyncio.sleep(0.01)
            ticks += 1

    assert time.monotonic() - begun < 3
    assert ticks > (time.monotonic() - begun) * 10  # and nobody else waited for it
    with pytest.raises(Unavailable), unit_of_work():
        await mongo.page("things", {})
