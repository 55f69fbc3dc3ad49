"""What another system says interactions are to each other, and calls them: links and identifiers of ours, once both ends are there."""

import json
from typing import Any

import pytest

from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import RelationshipType
from hub.errors import Unavailable
from hub.exchange import linking
from hub.exchange.importing import Summary
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import read_after
from hub.journal.opening import Journal
from tests.exchange.conftest import Submit
from tests.exchange.test_importing import Told, importing, ndjson, told

__all__ = ["told"]

Document = dict[str, Any]


def related(document: Document, id: str, *others: tuple[str, str]) -> Document:
    links = [{"id": other, "href": f"https://crm.example/{other}", "relationshipType": word} for word, other in others]
    return document | {"id": id, "interactionRelationship": links}


async def links(journal: Journal) -> set[tuple[str, str, str]]:
    """Who is what to whom, by the ids of the other system."""
    found = [one async for one in journal.mongo["interactions"].find({})]
    names = {one["_id"]: one["externalIdentifiers"][0]["value"] for one in found}
    return {(names[one["_id"]], link["type"], names[link["interaction"]]) for one in found for link in one.get("relationships", ())}


@pytest.mark.parametrize("order", [1, -1], ids=["later in the file", "earlier in the file"])
async def test_a_relationship_is_a_link_whichever_end_comes_first(
    journal: Journal, submit: Submit, told: Told, document: Document, order: int
) -> None:
    documents = [related(document, "a", ("parentInteraction", "b"), ("followUp", "c")), document | {"id": "b"}, document | {"id": "c"}]

    summary = await importing(ndjson(documents[::order]), submit, told)

    assert summary == Summary(made=3, linked=2)
    assert told == []
    assert await links(journal) == {("a", "PARENT", "b"), ("b", "CHILD", "a"), ("a", "FOLLOW_UP", "c")}


async def test_one_that_was_imported_before_is_linked_and_a_link_is_made_once(
    journal: Journal, submit: Submit, told: Told, document: Document
) -> None:
    second = ndjson([related(document, "b", ("child", "a"))])
    await importing(ndjson([document | {"id": "a"}]), submit, told)

    summaries = [await importing(second, submit, told) for _ in range(2)]

    assert summaries == [Summary(made=1, linked=1), Summary(already_there=1)]
    assert await links(journal) == {("a", "PARENT", "b"), ("b", "CHILD", "a")}


async def test_a_link_is_historical_and_no_update(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    await importing(ndjson([related(document, "a", ("parent", "b")), document | {"id": "b"}]), submit, told)

    entries = [entry for entry in await read_after(journal.mongo, 0) if entry["type"] == "LINKED"]
    updated = {one["updatedAt"] async for one in journal.mongo["interactions"].find({})}
    assert [entry.get("historical") for entry in entries] == [True, True]
    assert {entry["at"] for entry in entries} == updated
    assert [moment.year for moment in updated] == [2024]


async def test_one_to_what_is_not_there_is_told_and_made_when_it_is(
    journal: Journal, submit: Submit, told: Told, document: Document
) -> None:
    source = ndjson([related(document, "a", ("causedBy", "b"))])

    summary = await importing(source, submit, told)
    assert (summary, told) == (
        Summary(made=1, repairs=1),
        ["line 1: interactionRelationship[0]: is to an interaction that is not there; kept in extra."],
    )
    stored = await journal.mongo["interactions"].find_one({})
    assert stored is not None
    assert json.loads(stored["extra"])["interactionRelationship"][0]["id"] == "b"

    await importing(ndjson([document | {"id": "b"}]), submit, told)
    assert await importing(source, submit, told) == Summary(already_there=1, linked=1)


@pytest.mark.parametrize(
    ("link", "why"),
    [(("grandparent", "b"), "not known"), (("parent", "a"), "its own"), ((None, "b"), "is missing"), (("parent", None), "is missing")],
)
async def test_one_that_says_nothing_is_kept_and_told(
    submit: Submit, told: Told, document: Document, link: tuple[str, str], why: str
) -> None:
    summary = await importing(ndjson([related(document, "a", link), document | {"id": "b"}]), submit, told)

    assert summary == Summary(made=2, repairs=1)
    assert why in told[0]


async def test_links_that_would_run_in_a_circle_are_told(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    summary = await importing(ndjson([related(document, "a", ("parent", "b")), related(document, "b", ("parent", "a"))]), submit, told)

    assert (summary.made, summary.linked, summary.repairs) == (2, 1, 1)
    assert "circle" in told[0]
    assert len(await links(journal)) == 2


async def test_no_more_wait_than_are_held(
    monkeypatch: pytest.MonkeyPatch, submit: Submit, told: Told, document: Document, journal: Journal
) -> None:
    monkeypatch.setattr(linking, "WAITING", 2)
    documents = [related(document, f"n{number}", ("duplicateOf", "last")) for number in range(1_500)]

    summary = await importing(ndjson([*documents, document | {"id": "last"}]), submit, told)

    assert (summary.made, summary.linked, summary.repairs) == (1_501, 502, 998)
    assert told.places[0] == "line 3"


async def test_a_database_that_is_away_leaves_links_for_the_next_time(submit: Submit, told: Told, document: Document) -> None:
    source = ndjson([related(document, "a", ("parent", "b")), document | {"id": "b"}])

    async def makes_no_links(command: Command) -> Committed:
        if type(command).__name__ == "ImportRelationship":
            raise Unavailable("The database does not answer.", retry_after_ms=1)
        return await submit(command)

    stopped = await importing(source, makes_no_links, told)

    assert (stopped.made, stopped.exit_code(strict=False)) == (2, 1)
    assert "not every relationship" in str(stopped)
    assert await importing(source, submit, told) == Summary(already_there=2, linked=1)


# ---------------------------------------------------------------- external identifiers


def named(document: Document, id: str, *identifiers: Document) -> Document:
    return document | {"id": id, "externalIdentifier": list(identifiers)}


TICKET = {"owner": "desk", "externalIdentifierType": "ticket", "id": "T-1", "@type": "ExternalIdentifier"}


async def identifiers(journal: Journal) -> dict[str, list[tuple[str, str | None, str]]]:
    return {
        one["externalIdentifiers"][0]["value"]: [(i["owner"], i.get("type"), i["value"]) for i in one["externalIdentifiers"][1:]]
        async for one in journal.mongo["interactions"].find({})
    }


async def test_what_other_systems_call_it_is_taken_over(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    await importing(ndjson([named(document, "a", TICKET, TICKET, {"id": "7"}, {"owner": "x"})]), submit, told)

    assert await identifiers(journal) == {"a": [("desk", "ticket", "T-1"), ("TMF683", None, "7")]}
    assert [line.split(": ")[1] for line in told] == ["externalIdentifier[2].owner", "externalIdentifier[3].id"]


async def test_an_identifier_belongs_to_the_first_that_has_it(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    summary = await importing(ndjson([named(document, "a", TICKET), named(document, "b", TICKET)]), submit, told)

    assert summary == Summary(made=2, repairs=1)
    assert await identifiers(journal) == {"a": [("desk", "ticket", "T-1")], "b": []}
    assert told == ['line 2: externalIdentifier: "T-1" names another interaction; kept in extra.']


async def test_no_record_can_take_the_place_of_another(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    thief = named(document, "a", {"owner": "TMF683", "externalIdentifierType": "PartyInteraction", "id": "b"})

    summary = await importing(ndjson([thief, document | {"id": "b"}]), submit, told)

    assert summary == Summary(made=2, repairs=1)
    assert await identifiers(journal) == {"a": [], "b": []}


def test_what_is_waited_for_is_known_by_its_value() -> None:
    one = linking.Waiting("line 1", "x", "int_1", RelationshipType.PARENT, ExternalIdentifier("crm", "1"))

    assert linking.Links(lambda _: pytest.fail("nothing is asked"), [one]).waiting == (one,)
