"""The audit's documents: bounded, found by whom they are about, and gone when they are too old."""

from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson import ObjectId

from hub.domain.terms import Role
from hub.store import audit, catalogue
from hub.store.audit import CHUNK, Did, Record, Seen, chunks
from hub.store.mongo import Mongo
from tests.journal.acts import viewer

AT = datetime(2026, 5, 14, 9, 26, 53, tzinfo=UTC)
MEGABYTE = 1 << 20


def record(*seen: Seen, at: datetime = AT, did: Did = Did.READ) -> Record:
    return Record(at, viewer(Role.AGENT), "Desk: interactions", did, list(seen))


def id(kind: str, number: int) -> str:
    return f"{kind}_{number:032x}"


def row(number: int, parties: int = 2) -> Seen:
    """An interaction, with parties of its own."""
    return id("int", number), [id("par", 100 * number + each) for each in range(parties)]


async def found(mongo: Mongo, party: str, since: datetime | None = None) -> list[dict[str, Any]]:
    return [told async for told in audit.about(mongo, party, since)]


def test_a_record_says_everything_once_and_a_chunk_everybody_once() -> None:
    (chunk,) = chunks([record(row(1), row(1), ("", [id("par", 100)])), record(row(1), row(2), at=AT + timedelta(seconds=1))])

    first, second = chunk["records"]
    assert first["interactions"] == [id("int", 1)]
    assert first["parties"] == [id("par", 100), id("par", 101)]
    assert second["parties"] == [id("par", 100), id("par", 101), id("par", 200), id("par", 201)]
    assert chunk["parties"] == second["parties"]
    assert (chunk["from"], chunk["to"]) == (AT, AT + timedelta(seconds=1))


@pytest.mark.parametrize(
    "records",
    [
        [record(*(row(number, 50) for number in range(2_000)))],
        [record(row(number)) for number in range(5_000)],
        [record(*(row(number) for number in range(CHUNK // 3))), record(row(1)), record(*(row(number) for number in range(5_000)))],
    ],
    ids=["one large", "many small", "both"],
)
def test_chunks_stay_under_a_megabyte_and_hold_everything_in_order(records: list[Record]) -> None:
    made = list(chunks(records))

    assert max(len(bson.encode(chunk)) for chunk in made) < MEGABYTE
    told = [interaction for chunk in made for one in chunk["records"] for interaction in one["interactions"]]
    assert told == [interaction for one in records for interaction, _ in one.seen]
    for chunk in made:
        assert set(chunk["parties"]) == {party for one in chunk["records"] for party in one["parties"]}
    assert {party for chunk in made for party in chunk["parties"]} == {party for one in records for _, seen in one.seen for party in seen}


async def test_a_chunk_that_is_written_twice_is_there_once(mongo: Mongo) -> None:
    (chunk,) = chunks([record(row(1))])

    await audit.insert(mongo, chunk)
    await audit.insert(mongo, chunk)

    assert len(await found(mongo, id("par", 100))) == 1


async def test_records_are_found_by_party_and_from_a_moment_on_oldest_first(mongo: Mongo) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    moments = [now - timedelta(days=2), now - timedelta(days=1), now]
    for moment in moments:
        (chunk,) = chunks([record(row(1), at=moment), record(row(2), at=moment)])
        await audit.insert(mongo, chunk | {"_id": ObjectId.from_datetime(moment)})

    everything = await found(mongo, id("par", 200))
    recent = await found(mongo, id("par", 200), moments[1])
    plan = await mongo["audit"].find({"parties": id("par", 200)}).sort("_id", 1).explain()

    assert [one["at"] for one in everything] == moments
    assert all(one["interactions"] == [id("int", 2)] for one in everything)
    assert [one["at"] for one in recent] == moments[1:]
    assert "parties_1__id_1" in str(plan["queryPlanner"]["winningPlan"])
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])


async def test_records_go_when_they_are_old_enough_and_how_old_can_be_changed(mongo: Mongo) -> None:
    assert (await mongo["audit"].index_information())["to_1"]["expireAfterSeconds"] == 365 * 86_400

    await catalogue.apply(mongo, audit_days=7)
    assert (await mongo["audit"].index_information())["to_1"]["expireAfterSeconds"] == 7 * 86_400

    await catalogue.apply(mongo)
    assert (await mongo["audit"].index_information())["to_1"]["expireAfterSeconds"] == 365 * 86_400
