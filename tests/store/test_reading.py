"""Reading: within sight, page by page, by an index."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.access.keys import Keyring
from hub.access.visibility import Visibility
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import Role
from hub.errors import BadInput, CursorInvalid
from hub.journal.filters import EVERYTHING, EventFilter
from hub.journal.log import read_after
from hub.journal.replay import frames_after
from hub.store import paging
from hub.store.documents import identifier_document
from hub.store.interactions import Interactions, order
from hub.store.mongo import Mongo
from hub.store.paging import Key, Order, PageCursors, Window
from hub.store.searching import ANY
from tests.journal.acts import SECRET, journal_on, opened, report, viewer
from tests.store.test_catalogue import INTERACTION

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PARTIES = ["par_a", "par_b", "par_c"]
NEWEST = order(Visibility.of(viewer(Role.AGENT)), "CREATED_AT", is_descending=True)
UPDATED = order(Visibility.of(viewer(Role.AGENT)), "UPDATED_AT", is_descending=True)
VIEWERS = [viewer(role, party) for role in Role for party in (None, "par_a", "par_b")]


def row(id: str, *, at: int = 0, visible_to: Any = ()) -> dict[str, Any]:
    moment = EPOCH + timedelta(milliseconds=at)
    return {**INTERACTION, "_id": id, "createdAt": moment, "updatedAt": moment, "visibleTo": list(visible_to)}


@pytest.mark.parametrize("seed", range(5))
async def test_the_two_faces_of_visibility_agree(mongo: Mongo, seed: int) -> None:
    chance = random.Random(seed)
    rows = [row(f"int_{number}", visible_to=chance.sample(PARTIES, chance.randrange(4))) for number in range(60)]
    entries = [
        {"_id": n, "audience": chance.choice(["PUBLIC", "INTERNAL", "SYSTEM"]), "visibleTo": one["visibleTo"]} for n, one in enumerate(rows)
    ]
    people = [{"_id": party} for party in PARTIES]
    await mongo["interactions"].insert_many(rows)
    scratch = mongo.database["scratch"]
    await scratch.insert_many(entries + people)

    for one in VIEWERS:
        visibility = Visibility.of(one)
        assert {found["_id"] for found in await mongo.page("interactions", visibility.filter())} == {
            r["_id"] for r in rows if visibility.sees(r)
        }
        seen = {found["_id"] for found in await mongo.page("scratch", {"$and": [visibility.entries(), {"audience": {"$exists": True}}]})}
        assert seen == {entry["_id"] for entry in entries if visibility.sees_entry(entry)}
        seen = {found["_id"] for found in await mongo.page("scratch", {"$and": [visibility.parties(), {"audience": {"$exists": False}}]})}
        assert seen == {party["_id"] for party in people if visibility.sees_party(party)}
    await scratch.drop()


async def test_what_is_unknown_and_what_is_out_of_sight_look_the_same(mongo: Mongo) -> None:
    await mongo["interactions"].insert_many([row("int_own", visible_to=["par_a"]), row("int_other", visible_to=["par_b"])])
    reading = Interactions(mongo)

    found = await reading.find_many(Visibility.of(viewer(Role.CUSTOMER, "par_a")), ["int_other", "int_own", "int_none", "int_own"])

    assert [one and one["_id"] for one in found] == [None, "int_own", None, "int_own"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "visibility", [Visibility.of(viewer(Role.AGENT)), Visibility.of(viewer(Role.CUSTOMER, "par_a"))], ids=["all", "own"]
)
async def test_a_walk_by_pages_meets_every_row_once_while_others_are_added(mongo: Mongo, visibility: Visibility, seed: int) -> None:
    chance = random.Random(seed)
    rows = [row(f"int_{n:03}", at=chance.randrange(12), visible_to=chance.sample(PARTIES, 2)) for n in range(90)]
    chance.shuffle(rows)
    await mongo["interactions"].insert_many(rows)
    reading, cursors, after, walked = Interactions(mongo), PageCursors(Keyring(SECRET)), None, list[dict[str, Any]]()

    for number in range(100):
        page = await reading.page(visibility, ANY, (NEWEST, Window(chance.randrange(1, 9), after=after)), now=EPOCH)
        walked += page.rows
        assert page.has_previous is (number > 0)
        if not page.has_next:
            break
        after = cursors.open("test", NEWEST, cursors.seal("test", NEWEST, page.rows[-1]))
        await mongo["interactions"].insert_one(row(f"int_new{number}", at=chance.randrange(12), visible_to=["par_a"]))

    met = [one["_id"] for one in walked]
    assert len(met) == len(set(met))
    assert set(met) >= {one["_id"] for one in rows if visibility.sees(one)}
    order = [(one["createdAt"], one["_id"]) for one in walked]
    assert order == sorted(order, reverse=True)


def test_a_page_has_between_1_and_100_rows() -> None:
    assert [paging.size(None), paging.size(1), paging.size(100)] == [20, 1, 100]
    for wrong in (0, -1, 101):
        with pytest.raises(BadInput):
            paging.size(wrong)


@pytest.mark.parametrize(
    ("of", "order"), [("others", NEWEST), ("some", UPDATED), ("some", replace(UPDATED, path="publicUpdatedAt")), ("some", Order("NEWEST"))]
)
def test_a_cursor_of_another_list_or_order_is_refused(of: str, order: Order) -> None:
    cursors = PageCursors(Keyring(SECRET))
    cursor = cursors.seal("some", NEWEST, row("int_1"))

    assert cursors.open("some", NEWEST, cursor) == Key(EPOCH, "int_1")
    with pytest.raises(CursorInvalid):
        cursors.open(of, order, cursor)


async def test_a_total_is_exact_as_far_as_is_promised_and_no_further(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNTED", 5)
    reading, everything = Interactions(mongo), Visibility.of(viewer(Role.AGENT))

    counted = []
    for number in range(8):
        counted.append(await reading.count(everything, ANY, now=EPOCH))
        await mongo["interactions"].insert_one(row(f"int_{number}"))

    assert counted == [0, 1, 2, 3, 4, 5, 6, 6]


# ---------------------------------------------------------------- by an index


class Plans:
    """Watches what is asked of the database, and how it would answer."""

    def __init__(self, mongo: Mongo, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], Any, int]] = []
        real = Mongo.page

        async def page(mongo: Mongo, collection: str, query: Mapping[str, Any], **given: Any) -> list[dict[str, Any]]:
            self.asked.append((collection, query, given.get("sort"), given.get("limit", 0)))
            return await real(mongo, collection, query, **given)

        patch.setattr(Mongo, "page", page)
        self._mongo = mongo

    async def stages(self) -> list[list[str]]:
        """The stages of each plan: what reads and what sorts."""
        plans = []
        for collection, query, sort, limit in self.asked:
            find = {"find": collection, "filter": dict(query), "limit": limit} | ({"sort": dict(sort)} if sort else {})
            explained = await self._mongo.database.command("explain", find, verbosity="queryPlanner")
            plans.append(_stages(explained["queryPlanner"]["winningPlan"]))
        return plans


def _stages(plan: Any) -> list[str]:
    if isinstance(plan, list):
        return [stage for one in plan for stage in _stages(one)]
    if not isinstance(plan, dict):
        return []
    own = [plan["stage"]] if "stage" in plan else []
    return own + [stage for value in plan.values() for stage in _stages(value)]


WHO = {"an agent": viewer(Role.AGENT), "a customer": viewer(Role.CUSTOMER, "par_a"), "nobody": viewer(Role.ANALYST)}


@pytest.fixture
async def plans(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> Plans:
    """Over a database with something in it: planners guess with nothing."""
    await mongo["interactions"].insert_many([row(f"int_{n:03}", at=n, visible_to=[PARTIES[n % 3]]) for n in range(300)])
    async with journal_on(mongo) as journal:
        for _ in range(10):
            interaction = await opened(journal)
            await asyncio.gather(*(report(journal, interaction) for _ in range(20)))
    return Plans(mongo, monkeypatch)


@pytest.mark.parametrize("who", WHO)
async def test_no_read_looks_at_every_document(mongo: Mongo, plans: Plans, who: str) -> None:
    visibility = Visibility.of(WHO[who])
    for after in (None, Key(EPOCH + timedelta(milliseconds=150), "int_150")):
        await Interactions(mongo).page(visibility, ANY, (NEWEST, Window(20, after=after)), now=EPOCH)
    await Interactions(mongo).find(visibility, "int_001")
    for asked in (EVERYTHING, EventFilter(interaction_ids=frozenset({"int_001"})), EventFilter(status=frozenset({"OPEN"}))):
        await frames_after(mongo, visibility, asked, 50, up_to=150)
    await read_after(mongo, 0, only={"subject.id": "int_001", "audience": visibility.entries()["audience"]})

    for (collection, query, _, _), stages in zip(plans.asked, await plans.stages(), strict=True):
        assert "COLLSCAN" not in stages, (collection, query)
        assert "SORT" not in stages or "{'_id': {'$in': []}}" in str(query), (collection, query)  # nothing is soon sorted


async def test_what_a_batch_loads_is_found_by_an_index(mongo: Mongo, plans: Plans) -> None:
    names = [identifier_document(ExternalIdentifier("crm", str(number))) for number in range(50)]
    for collection in ("interactions", "parties"):
        await mongo.page(collection, {"$or": [{"externalIdentifiers": {"$elemMatch": name}} for name in names]})

    for stages in await plans.stages():
        assert "IXSCAN" in stages
        assert "COLLSCAN" not in stages
