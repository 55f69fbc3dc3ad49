"""Searching: what a filter and an order give is what a plain Python filter gives, page by page, in both directions."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from hub.access.visibility import Visibility
from hub.domain.lifecycle import PROMISED
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import EntityRef
from hub.domain.terms import ChannelType, Direction, InteractionKind, Priority, Role, Status, Vertical
from hub.errors import BadInput, TooBroad
from hub.settings import Settings
from hub.store import catalogue
from hub.store import mongo as seam
from hub.store.interactions import Interactions, order
from hub.store.mongo import Mongo, connected
from hub.store.paging import Key, Order, Rows, Window
from hub.store.parties import Parties, PartyFilter
from hub.store.searching import ANY, InteractionFilter, Span, words_of
from tests.journal.acts import viewer
from tests.store.test_catalogue import INTERACTION, PARTY

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
PARTIES: Final = ("par_a", "par_b", "par_c", "par_d")
DESKS: Final = ("par_team", "par_jonas")
TOPICS: Final = ("fibre-fault", "billing", "move")
VOCABULARY: Final = ("router", "Rechnung", "señal", "blue", "light", "slow")
ORDERS: Final = ("CREATED_AT", "UPDATED_AT", "PRIORITY", "NEXT_UPDATE_DUE_AT")
SIGHTS: Final = {
    "staff": Visibility.of(viewer(Role.AGENT)),
    "a system": Visibility.of(viewer(Role.SYSTEM)),
    "a customer": Visibility.of(viewer(Role.CUSTOMER, "par_a")),
    "nobody": Visibility.of(viewer(Role.ANALYST)),
}

Document = Mapping[str, Any]
Holds = Callable[[Document], bool]


def moment(chance: random.Random, spread: int = 40) -> datetime:
    """One of few, so that many rows have the same."""
    return NOW + timedelta(hours=chance.randrange(-spread, spread))


def sentence(chance: random.Random) -> str:
    return " ".join(chance.sample(VOCABULARY, chance.randrange(1, 4)))


def made(number: int, chance: random.Random) -> dict[str, Any]:
    """An interaction as it might lie in the database."""
    status = chance.choice(list(Status))
    takes_part = chance.sample(PARTIES, chance.randrange(4))
    row: dict[str, Any] = INTERACTION | {
        "_id": f"int_{number:04}",
        "status": status.value,
        "kind": chance.choice(list(InteractionKind)).value,
        "direction": chance.choice(list(Direction)).value,
        "priority": chance.randrange(4),
        "visibleTo": takes_part,
        "channels": [{"type": one.value, "since": NOW} for one in chance.sample(list(ChannelType), chance.randrange(1, 3))],
        "createdAt": moment(chance),
        "updatedAt": moment(chance),
        "publicUpdatedAt": moment(chance),
    }
    optional = {
        "topic": chance.choice(TOPICS),
        "vertical": chance.choice(list(Vertical)).value,
        "endedAt": moment(chance),
        "assignee": chance.choice(DESKS),
        "escalationLevel": chance.randrange(1, 3),
        "reason": sentence(chance),
        "description": sentence(chance),
        "notes": [{"text": sentence(chance)}],
        "internalNotes": [{"text": "hidden words"}],
        "items": [{"entity": {"type": chance.choice(["order", "bill"]), "entityId": str(chance.randrange(3)), "name": "n"}}],
        "externalIdentifiers": [{"owner": "crm", "type": chance.choice([None, "case"]), "value": str(number)}],
    }
    row |= {name: value for name, value in optional.items() if chance.random() < 0.5}
    if status in PROMISED and chance.random() < 0.7:
        row["nextUpdateDueAt"] = moment(chance)
    return row


@dataclass(frozen=True)
class Shelf:
    """Rows, and the store that reads them."""

    mongo: Mongo
    rows: list[dict[str, Any]]

    @property
    def reading(self) -> Interactions:
        return Interactions(self.mongo)


@pytest.fixture(scope="module")
async def shelf(mongo_uri: str) -> AsyncIterator[Shelf]:
    chance = random.Random(20)
    rows = [made(number, chance) for number in range(400)]
    async with connected(mongo_uri, f"searching-{uuid4().hex[:8]}", Settings.load().mongo_driver) as mongo:
        await catalogue.apply(mongo)
        await mongo["interactions"].insert_many(rows)
        yield Shelf(mongo, rows)
        await mongo.client.drop_database(mongo.database.name)


def span_holds(span: Span, value: datetime | None) -> bool:
    return value is not None and (span.begin is None or span.begin <= value) and (span.end is None or value < span.end)


def text_of(row: Document) -> str:
    return " ".join([row.get("reason", ""), row.get("description", ""), *(note["text"] for note in row.get("notes", ()))])


def entity_holds(wanted: EntityRef, row: Document) -> bool:
    asked = {"type": wanted.type, "entityId": wanted.entity_id} | ({"name": wanted.name} if wanted.name else {})
    return any(asked.items() <= item["entity"].items() for item in row.get("items", ()))


def questions(chance: random.Random, sight: Visibility) -> dict[str, tuple[Any, Holds]]:
    """For each field of the filter a value, and, written in another way, what it asks of a row."""
    span = Span(*chance.choice([(moment(chance), None), (None, moment(chance)), (NOW - timedelta(hours=9), NOW + timedelta(hours=9))]))
    some = chance.sample(range(420), 60)
    ids, status = {f"int_{n:04}" for n in some}, {one.value for one in chance.sample(list(Status), 3)}
    kind, vertical = {one.value for one in chance.sample(list(InteractionKind), 2)}, {one.value for one in chance.sample(list(Vertical), 2)}
    priority, channel = chance.sample(list(Priority), 2), {one.value for one in chance.sample(list(ChannelType), 4)}
    direction, yes = chance.choice(list(Direction)).value, chance.random() < 0.5
    party, desk, topic = chance.choice(PARTIES), chance.choice(DESKS), {chance.choice(TOPICS)}
    entity = EntityRef(chance.choice(["order", "bill"]), str(chance.randrange(3)), name=chance.choice([None, "n", "other"]))
    identifier = ExternalIdentifier("crm", str(chance.randrange(400)), chance.choice([None, "case"]))
    words = tuple(chance.sample(VOCABULARY, chance.randrange(1, 3)))
    return {
        "ids": (ids, lambda row: row["_id"] in ids),
        "status": (status, lambda row: row["status"] in status),
        "direction": (direction, lambda row: row["direction"] == direction),
        "kind": (kind, lambda row: row["kind"] in kind),
        "topic": (topic, lambda row: row.get("topic") in topic),
        "vertical": (vertical, lambda row: row.get("vertical") in vertical),
        "priority": (priority, lambda row: row["priority"] in [one.rank for one in priority]),
        "channel": (channel, lambda row: any(one["type"] in channel for one in row["channels"])),
        "party_id": (party, lambda row: party in row["visibleTo"]),
        "takes_part": ((party,), lambda row: party in row["visibleTo"]),
        "assignee_id": (desk, lambda row: row.get("assignee") == desk),
        "unassigned": (yes, lambda row: ("assignee" not in row) == yes),
        "escalated": (yes, lambda row: (row.get("escalationLevel", 0) > 0) == yes),
        "overdue": (yes, lambda row: (row.get("nextUpdateDueAt", NOW) < NOW) == yes),
        "entity": (entity, lambda row: entity_holds(entity, row)),
        "external_identifier": (
            identifier,
            lambda row: {"owner": "crm", "type": identifier.type, "value": identifier.value} in row.get("externalIdentifiers", ()),
        ),
        "created_at": (span, lambda row: span_holds(span, row["createdAt"])),
        "updated_at": (span, lambda row: span_holds(span, row["updatedAt" if sight.internal else "publicUpdatedAt"])),
        "ended_at": (span, lambda row: span_holds(span, row.get("endedAt"))),
        "words": (words, lambda row: all(word.lower() in text_of(row).lower() for word in words)),
    }


def in_order(rows: list[dict[str, Any]], by: Order) -> list[str]:
    """The ids in this order, those without a value last."""
    path = by.path or "_id"
    there = sorted((row for row in rows if row.get(path) is not None), key=lambda row: (row[path], row["_id"]), reverse=by.is_descending)
    missing = sorted((row for row in rows if row.get(path) is None), key=lambda row: row["_id"], reverse=by.is_descending)
    return [row["_id"] for row in [*there, *missing]]


def key_of(by: Order, row: dict[str, Any]) -> Key:
    return Key(row.get(by.path) if by.path else None, row["_id"])


async def walked(shelf: Shelf, sight: Visibility, asked: InteractionFilter, by: Order, *, size: int, backwards: bool) -> list[str]:
    """All the pages of a search, from one end to the other."""
    pages: list[list[str]] = []
    edge: Key | None = None
    while True:
        window = Window(size, backwards, before=edge) if backwards else Window(size, after=edge)
        page: Rows = await shelf.reading.page(sight, asked, (by, window), now=NOW)
        assert (page.has_next, page.has_previous)[not backwards] == (edge is not None)
        pages.insert(0, [row["_id"] for row in page.rows]) if backwards else pages.append([row["_id"] for row in page.rows])
        if not (page.has_previous if backwards else page.has_next):
            return [id for ids in pages for id in ids]
        assert len(page.rows) == size
        edge = key_of(by, page.rows[0 if backwards else -1])


FIELDS: Final = tuple(questions(random.Random(0), SIGHTS["staff"]))


@pytest.mark.parametrize("who", SIGHTS)
@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(10, 30))])
async def test_a_search_gives_what_a_plain_filter_gives_page_by_page_forwards_and_backwards(shelf: Shelf, who: str, seed: int) -> None:
    chance, sight = random.Random(seed), SIGHTS[who]
    asked = questions(chance, sight)
    names = [FIELDS[seed % len(FIELDS)], *chance.sample(FIELDS, seed % 3)]
    sought = InteractionFilter(**{name: asked[name][0] for name in names})
    expected = [row for row in shelf.rows if sight.sees(row) and all(asked[name][1](row) for name in names)]

    for by in (order(sight, name, is_descending=down) for name in ORDERS for down in (True, False)):
        size = chance.randrange(5, 40)
        forwards = await walked(shelf, sight, sought, by, size=size, backwards=False)
        backwards = await walked(shelf, sight, sought, by, size=size, backwards=True)

        assert forwards == in_order(expected, by), (names, by)
        assert backwards == forwards
    assert await shelf.reading.count(sight, sought, now=NOW) == len(expected)


@pytest.mark.parametrize("by", ORDERS)
@pytest.mark.parametrize("is_descending", [True, False])
async def test_a_window_between_two_cursors_is_read_from_either_end(shelf: Shelf, by: str, is_descending: bool) -> None:
    sight, wanted = SIGHTS["staff"], order(SIGHTS["staff"], by, is_descending=is_descending)
    rows = {row["_id"]: row for row in shelf.rows}
    everything = in_order(shelf.rows, wanted)

    for first, last in ((3, 12), (90, 399), (150, 300), (398, 399)):
        after, before = (key_of(wanted, rows[everything[place]]) for place in (first, last))
        head = await shelf.reading.page(sight, ANY, (wanted, Window(5, False, after, before)), now=NOW)
        tail = await shelf.reading.page(sight, ANY, (wanted, Window(5, True, after, before)), now=NOW)

        between = everything[first + 1 : last]
        assert [row["_id"] for row in head.rows] == between[:5]
        assert [row["_id"] for row in tail.rows] == between[-5:]
        assert (head.has_next, tail.has_previous) == (len(between) > 5, len(between) > 5)


def test_every_filter_of_the_store_is_searched_by() -> None:
    assert set(FIELDS) == set(InteractionFilter.__dataclass_fields__)


async def test_words_are_whole_whatever_their_case_and_never_those_of_internal_notes(shelf: Shelf) -> None:
    async def found(*words: str) -> int:
        return await shelf.reading.count(SIGHTS["staff"], InteractionFilter(words=words), now=NOW)

    assert await found("ROUTER") == await found("router") > 0
    assert await found("SEÑAL") == await found("señal") > 0
    assert await found("router", "router") == await found("router")
    assert await found("rout") == 0
    assert await found("hidden") == 0


@pytest.mark.parametrize("text", ["", "   ", "!?-", '"', "word " * 50, "a b c d e f g h i j k"])
def test_a_search_for_no_word_or_for_too_many_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        words_of(text, "filter", "text")


def test_what_mongodb_would_take_for_an_operator_is_only_what_stands_between_words() -> None:
    assert words_of('-router "blue light" router', "text") == ("router", "blue", "light")


async def test_a_search_that_takes_too_long_says_what_would_narrow_it(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seam, "SEARCH", 0.3)

    async with shelf.mongo.search("narrow it"):
        await shelf.mongo.page("interactions", {}, limit=1)
    with pytest.raises(TooBroad, match="narrow it"):
        async with shelf.mongo.search("narrow it"):
            await shelf.mongo.page("interactions", {"$where": "sleep(100) || true"})


# ---------------------------------------------------------------- parties


def person(number: int, name: str, **more: Any) -> dict[str, Any]:
    return PARTY | {"_id": f"par_{number:04}", "name": name} | more


async def test_parties_are_found_by_words_of_their_names_by_an_address_and_by_kind(mongo: Mongo) -> None:
    await mongo["parties"].insert_many(
        [
            person(1, "Ada Hopper", addresses=["ada@example.com", "447700900123"]),
            person(2, "Ada Lovelace"),
            person(3, "Hopper & Sons", kind="ORGANIZATION", addresses=["447700900124"]),
        ]
    )

    async def found(who: str = "staff", **asked: Any) -> list[str]:
        rows = await Parties(mongo).page(SIGHTS[who], PartyFilter(**asked), Window())
        assert await Parties(mongo).count(SIGHTS[who], PartyFilter(**asked)) == len(rows.rows)
        return [row["name"] for row in rows.rows]

    assert await found() == ["Hopper & Sons", "Ada Lovelace", "Ada Hopper"]
    assert await found(words=("ada",)) == ["Ada Lovelace", "Ada Hopper"]
    assert await found(words=("hopper", "ADA")) == ["Ada Hopper"]
    assert await found(contact=" Ada@Example.com ") == ["Ada Hopper"]
    assert await found(contact="+44 (7700) 900-123") == ["Ada Hopper"]
    assert await found(contact="0044 7700 900124") == ["Hopper & Sons"]
    assert await found(kind="ORGANIZATION", words=("hopper",)) == ["Hopper & Sons"]
    assert await found(contact="900123") == []
    assert await found("nobody") == []
