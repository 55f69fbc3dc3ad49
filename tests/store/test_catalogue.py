"""The collections: made once, kept up to date, refusing what no version would write."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Int64
from pymongo.errors import WriteError

from hub.store import catalogue
from hub.store.catalogue import COLLECTIONS
from hub.store.mongo import Mongo

NOW = datetime.now(UTC)
INTERACTION = {
    "_id": "int_1", "seq": 1, "publicSeq": 1, "status": "OPEN", "kind": "QUERY", "direction": "INBOUND", "priority": 1, "parties": [],
    "visibleTo": [], "channels": [], "startedAt": NOW, "createdAt": NOW, "updatedAt": NOW, "publicUpdatedAt": NOW,
}  # fmt: skip
PARTY = {"_id": "par_1", "seq": 1, "kind": "INDIVIDUAL", "name": "Ada", "createdAt": NOW, "updatedAt": NOW}
ENTRY = {
    "_id": Int64(1), "subject": {"kind": "interaction", "id": "int_1"}, "seq": 1, "audience": "PUBLIC", "visibleTo": [], "type": "CREATED",
    "at": NOW, "recordedAt": NOW, "actorRole": "AGENT",
}  # fmt: skip
GOOD = {"interactions": INTERACTION, "parties": PARTY, "journal": ENTRY}


async def state(mongo: Mongo) -> Any:
    collections = {found["name"]: found["options"] async for found in await mongo.database.list_collections()}
    indexes = {name: await mongo[name].index_information() for name in COLLECTIONS}
    return collections, indexes


async def test_applied_again_it_changes_nothing(mongo: Mongo) -> None:
    before = await state(mongo)

    await catalogue.apply(mongo)

    assert await state(mongo) == before


async def test_a_validator_of_another_version_is_brought_up_to_date(mongo: Mongo) -> None:
    before, _ = await state(mongo)
    await mongo.database.command("collMod", "journal", validator={})

    await catalogue.apply(mongo)

    after, _ = await state(mongo)
    assert {name: options["validator"] for name, options in after.items()} == {
        name: options["validator"] for name, options in before.items()
    }


async def test_the_lifetime_of_idempotency_keys_can_be_changed(mongo: Mongo) -> None:
    await catalogue.apply(mongo, idempotency_days=7)
    assert (await mongo["idempotency"].index_information())["at_1"]["expireAfterSeconds"] == 7 * 86_400

    await catalogue.apply(mongo)

    assert (await mongo["idempotency"].index_information())["at_1"]["expireAfterSeconds"] == 30 * 86_400


@pytest.mark.parametrize("collection", GOOD)
async def test_what_a_version_to_come_adds_is_accepted(mongo: Mongo, collection: str) -> None:
    await mongo[collection].insert_one({**GOOD[collection], "later": {"anything": True}})


@pytest.mark.parametrize(
    ("collection", "spoiled"),
    [
        ("interactions", {"status": "SOMEHOW"}),
        ("interactions", {"createdAt": "2026-05-14"}),
        ("interactions", {"visibleTo": "par_1"}),
        ("interactions", {"priority": 1.5}),
        ("parties", {"name": None}),
        ("parties", {"kind": "GHOST"}),
        ("journal", {"_id": 1.5}),
        ("journal", {"audience": "EVERYBODY"}),
        ("journal", {"subject": {"kind": "interaction"}}),
        ("journal", {"actorRole": "GOD"}),
    ],
)
async def test_what_no_version_writes_is_refused(mongo: Mongo, collection: str, spoiled: dict[str, Any]) -> None:
    with pytest.raises(WriteError, match="failed validation"):
        await mongo[collection].insert_one(GOOD[collection] | spoiled)


@pytest.mark.parametrize(("collection", "missing"), [(name, field) for name, good in GOOD.items() for field in good if field != "_id"])
async def test_what_every_version_needs_must_be_there(mongo: Mongo, collection: str, missing: str) -> None:
    with pytest.raises(WriteError, match="failed validation"):
        await mongo[collection].insert_one({name: value for name, value in GOOD[collection].items() if name != missing})
