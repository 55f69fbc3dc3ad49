"""Narrowing: no more is looked at than what is asked for needs, and words are found alike on either way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.access.visibility import Visibility
from hub.domain.parts import EntityRef
from hub.domain.terms import Role
from hub.store import interactions
from hub.store.interactions import Interactions, order
from hub.store.mongo import Mongo
from hub.store.paging import Window
from hub.store.searching import ANY, InteractionFilter, Span, words_of
from tests.journal.acts import viewer
from tests.store.test_reading import EPOCH, NEWEST, row

STAFF = Visibility.of(viewer(Role.AGENT))
OWN = Visibility.of(viewer(Role.CUSTOMER, "par_a"))

TEXTS: tuple[Mapping[str, Any], ...] = (
    {"reason": "Café closed, crème sour"},
    {"reason": "A CAFE", "description": "of re\u0301sume\u0301s"},
    {"description": "the fibre.router, again"},
    {"reason": "fibres", "notes": [{"text": "Router x2"}, {"text": "ÉCOLE naïve"}]},
    {"notes": [{"text": "Ωμέγα и Ёлка"}], "internalNotes": [{"text": "cafe"}]},
    {"reason": "100% (sure)?", "description": "foo_bar"},
)
WORDS = [
    "cafe",
    "CAFÉ",
    "Creme",
    "resumes",
    "fibre",
    "router",
    "ecole",
    "naive",
    "Елка",
    "ωμεγα",
    "x2",
    "100",
    "sure",
    "foo",
    "foo_bar",
    "caf",
]


@pytest.fixture
async def texts(mongo: Mongo) -> Mongo:
    """Some of a customer's interactions, each with other words."""
    await mongo["interactions"].insert_many([row(f"int_{n}", at=n, visible_to=["par_a"]) | dict(text) for n, text in enumerate(TEXTS)])
    return mongo


async def found(mongo: Mongo, visibility: Visibility, sought: InteractionFilter) -> Sequence[str]:
    page = await Interactions(mongo).page(visibility, sought, (NEWEST, Window(50)), now=EPOCH)
    assert await Interactions(mongo).count(visibility, sought, now=EPOCH) == len(page.rows)
    return [one["_id"] for one in page.rows]


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_is_found_alike_in_the_few_of_a_customer_and_in_all_there_are(texts: Mongo, word: str) -> None:
    sought = replace(ANY, words=words_of(word, "text"))

    assert await found(texts, OWN, sought) == await found(texts, STAFF, sought)


async def test_each_word_must_be_there_in_whatever_field(texts: Mongo) -> None:
    for text, ids in (("ecole fibres", ["int_3"]), ("cafe sour", ["int_0"]), ("cafe router", [])):
        assert await found(texts, OWN, replace(ANY, words=words_of(text, "text"))) == ids


async def test_who_has_more_than_a_few_is_searched_by_the_index_of_words(texts: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await questions(texts, monkeypatch, replace(ANY, party_id="par_a", words=("cafe",)))
    assert "$text" not in str(asked)

    monkeypatch.setattr(interactions, "FEW", len(TEXTS) - 1)

    asked = await questions(texts, monkeypatch, replace(ANY, party_id="par_a", words=("cafe",)))
    assert "$text" in str(asked)


@pytest.mark.parametrize(
    ("sought", "examined"),
    [
        (replace(ANY, entity=EntityRef("Order", "o-7")), 1),
        (replace(ANY, assignee_id="par_z", status=("OPEN", "HELD")), 5),
        (replace(ANY, party_id="par_b", words=("cafe",)), 2),
        (replace(ANY, created_at=Span(EPOCH, EPOCH + timedelta(milliseconds=3)), words=("cafe",)), 3),
    ],
    ids=["entity", "what is still on a desk", "words of a party", "words of a short span"],
)
async def test_no_more_is_looked_at_than_is_found(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch, sought: InteractionFilter, examined: int
) -> None:
    await mongo["interactions"].insert_many(
        [
            row(f"int_{n:03}", at=n, visible_to=["par_b" if n > 297 else "par_a"])
            | {"reason": "a cafe", "items": [{"entity": {"type": "Order", "entityId": f"o-{n}"}}]}
            | ({"assignee": "par_z"} if n % 2 else {})
            | {"status": "OPEN" if n < 10 or n % 2 == 0 else "COMPLETED"}
            for n in range(300)
        ]
    )

    (asked,) = await questions(mongo, monkeypatch, sought)

    find = {"find": "interactions", "filter": dict(asked), "sort": {"createdAt": -1, "_id": -1}, "limit": 51}
    explained = await mongo.database.command("explain", find, verbosity="executionStats")
    assert explained["executionStats"]["totalDocsExamined"] == examined


@pytest.mark.parametrize("status", [("OPEN",), ("HELD", "OPEN"), ("HELD", "IN_PROGRESS", "PENDING")])
@pytest.mark.parametrize("by", ["PRIORITY", "NEXT_UPDATE_DUE_AT"])
async def test_some_of_the_open_ones_are_ordered_by_an_index(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch, status: Sequence[str], by: str
) -> None:
    due = {"nextUpdateDueAt": EPOCH}
    await mongo["interactions"].insert_many([row(f"int_{n:03}") | due | {"priority": n % 4, "status": status[-1]} for n in range(300)])

    asked = (await questions(mongo, monkeypatch, replace(ANY, status=status), by))[0]

    path = order(STAFF, by, is_descending=True).path or ""
    find = {"find": "interactions", "filter": dict(asked), "sort": {path: -1, "_id": -1}, "limit": 51}
    explained = await mongo.database.command("explain", find, verbosity="executionStats")
    assert explained["executionStats"]["totalDocsExamined"] <= 51


async def questions(
    mongo: Mongo, patch: pytest.MonkeyPatch, sought: InteractionFilter, by: str = "CREATED_AT"
) -> Sequence[Mapping[str, Any]]:
    """What the database is asked for a page."""
    asked: list[Mapping[str, Any]] = []
    real = Mongo.page

    async def page(mongo: Mongo, collection: str, query: Mapping[str, Any], **given: Any) -> list[dict[str, Any]]:
        asked.append(query)
        return await real(mongo, collection, query, **given)

    with patch.context() as patched:
        patched.setattr(Mongo, "page", page)
        await Interactions(mongo).page(STAFF, sought, (order(STAFF, by, is_descending=True), Window(50)), now=EPOCH)
    return asked
