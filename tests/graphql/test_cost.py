"""What one operation may cost: weighed before it runs, so that a short text cannot ask for a long second of everybody's time."""

import asyncio
from typing import Any, Final

import pytest

from hub.graph.costs import DEAREST, PAGES_DEEP
from tests.api import Api


def aliases(number: int, field: str) -> str:
    return " ".join(f"a{each}: {field}" for each in range(number))


def within(path: str, *fields: str) -> str:
    """Fields selected at the end of a path such as "interactions > nodes"."""
    text = " ".join(fields)
    for step in reversed(path.split(" > ")):
        text = f"{step} {{ {text} }}"
    return text


ROWS: Final = "query > interactions(first: 100) > nodes"
SPREAD: Final = "customer { ...B }"
DEAR: Final = {
    "joins of joins": within(ROWS, aliases(20, SPREAD)) + within(" fragment B on Party", aliases(20, "roles { id }")),
    "texts over and over": within(ROWS, aliases(60, "description")),
    "notes of every row": within(ROWS, "notes(first: 100) { text }"),
    "what is costly to say": within(ROWS, aliases(20, "allowedActs { act allowed }")),
    "by a variable": within("query($first: Int) > interactions(first: $first) > nodes", aliases(60, "notes { text }")),
    "of many ids": within("query($ids: [ID!]!) > nodes(ids: $ids) > ... on Interaction", aliases(60, "description")),
    "through fragments": within(ROWS, aliases(8, SPREAD)) + within(" fragment B on Party", aliases(90, "name")),
    "in a stream": within(
        "subscription > interactionEvents > event",
        aliases(6, within("interaction > parties > party > timeline > nodes", aliases(30, "message"))),
    ),
    "in a payload": within(
        'mutation > addNote(input: {id: "int_x", text: "x"}) > interaction > parties > party > interactions(first: 100) > nodes',
        aliases(60, "id"),
    ),
}


@pytest.mark.parametrize("name", DEAR)
async def test_what_is_too_dear_is_refused_before_it_runs(shared_api: Api, name: str) -> None:
    async with shared_api.as_agent.stream(DEAR[name]) as stream:
        (refused,) = (await stream.receive())["payload"]

    assert refused["extensions"]["code"] == "COST_EXCEEDED"
    assert str(DEAREST) in refused["message"]


@pytest.mark.parametrize(
    "text",
    [
        """{ interactions(first: 50) { totalCount pageInfo { endCursor } nodes { id revision status topic reason priority createdAt
           customer { id name } assignee { id name } parties { role since party { id kind name } } channels { type } items { id type }
           progress { percent message nextUpdateDueAt overdue } allowedTransitions redactions { field } } } }""",
        """{ interactions(first: 30) { nodes { id description allowedActs { act allowed } notes { id text author { name } }
           timeline(last: 5) { nodes { id type at message actorRole } } } } }""",
        "{ events(first: 100) { nodes { id type message progress { percent } note { text } interaction { id customer { name } } } } }",
        "{ parties(first: 50) { nodes { id name contactMedia { kind address } roles { name } interactions(first: 5) { totalCount } } } }",
    ],
)
async def test_what_pages_of_people_ask_for_is_not(shared_api: Api, text: str) -> None:
    answer = await shared_api.as_agent.ask(text)

    assert answer.codes == []


async def test_fields_that_answer_under_one_name_cost_once(shared_api: Api) -> None:
    doubled = " ".join(f"fragment F{n} on Interaction {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
    last = "fragment F30 on Interaction { id status }"

    answer = await shared_api.as_agent.ask(f"{{ interactions {{ nodes {{ ...F0 }} }} }} {doubled} {last}")

    assert answer.codes == []


async def test_a_document_that_cannot_be_weighed_is_too_dear(shared_api: Api) -> None:
    """Each level selects another mix of what lies below: the number of mixes doubles with every level."""
    levels = []
    for level in range(14):
        below = f"x: interaction {{ ...A{level + 1} }} y: interaction {{ ...B{level + 1} }}"
        mixed = f"x: interaction {{ ...B{level + 1} }} y: interaction {{ ...A{level + 1} ...B{level + 1} }}"
        for name, selected in (("A", below), ("B", mixed)):
            levels.append(f"fragment {name}{level} on Interaction {{ relationships {{ {selected} }} }}")
    ends = "fragment A14 on Interaction { id } fragment B14 on Interaction { status }"

    answer = await shared_api.as_agent.ask(f"{{ interactions {{ nodes {{ ...A0 ...B0 }} }} }} {' '.join(levels)} {ends}")

    assert answer.codes in (["COST_EXCEEDED"], ["BAD_USER_INPUT"])
    assert "more than" in answer.body["errors"][0]["message"] or f"at most {PAGES_DEEP}" in answer.body["errors"][0]["message"]


async def test_events_count_as_pages_and_what_a_filter_leaves_out_is_not_looked_through_row_by_row(api: Api) -> None:
    for number in range(3):
        await api.as_agent.create(reason=str(number), topic="here" if number else "there")
    many = within("query", aliases(102, "events(first: 1) { cursor }"))

    found = (await api.as_agent.ask('{ events(filter: {topic: ["there"]}) { nodes { type interaction { reason } } hasMore } }')).data[
        "events"
    ]
    refused = await api.as_agent.ask(many)

    assert found == {"nodes": [{"type": "CREATED", "interaction": {"reason": "0"}}], "hasMore": False}
    assert refused.codes == ["COST_EXCEEDED"]


async def test_a_page_of_events_goes_on_where_the_last_one_ended(api: Api) -> None:
    made = [(await api.as_agent.create(topic="even" if number % 2 == 0 else "odd"))["id"] for number in range(7)]
    asked = 'events(after: $after, filter: {topic: ["even"]}, first: 2)'
    text = f"query($after: Cursor) {{ {asked} {{ nodes {{ interactionId }} cursor hasMore }} }}"
    met: list[str] = []
    page: Any = {"cursor": None, "hasMore": True}

    async with asyncio.timeout(30):
        while page["hasMore"]:
            page = (await api.as_agent.ask(text, after=page["cursor"])).data["events"]
            met += [event["interactionId"] for event in page["nodes"]]

    assert met == made[::2]
