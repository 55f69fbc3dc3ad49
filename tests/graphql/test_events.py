"""The journal as clients pull it: one interaction's timeline, and the feed in pages."""

from typing import Any

import pytest

from tests.api import EVENT, Api, Caller

EVENTS = f"""query($after: Cursor, $filter: EventFilter, $first: Int) {{ events(after: $after, filter: $filter, first: $first) {{
  nodes {{ {EVENT} }} cursor hasMore reset }} }}"""
TIMELINE = """query($id: ID!, $first: Int, $after: Cursor) { interaction(id: $id) { timeline(first: $first, after: $after) {
  nodes { sequence } edges { cursor node { sequence } } cursor pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


async def pages(caller: Caller, first: int, **asked: Any) -> list[Any]:
    """Every event from the oldest on, page by page."""
    seen: list[Any] = []
    page = (await caller.ask(EVENTS, first=first, **asked)).data["events"]
    while True:
        seen += page["nodes"]
        if not page["hasMore"]:
            return seen
        page = (await caller.ask(EVENTS, first=first, after=page["cursor"], **asked)).data["events"]


async def test_one_act_is_one_event(api: Api) -> None:
    id = (await api.as_agent.create(customerId=api.customer, items=[{"type": "bill"}]))["id"]
    acts: list[tuple[str, dict[str, Any]]] = [
        ("transitionInteraction", {"to": "IN_PROGRESS"}),
        ("reportProgress", {"message": "Half way", "percent": 50}),
        ("addNote", {"text": "for all"}),
        ("addNote", {"text": "for us", "visibility": "INTERNAL"}),
        ("transitionInteraction", {"to": "HELD", "reason": "a part"}),
        ("closeInteraction", {"resolution": "Done", "resolveOpenItems": True}),
        ("transitionInteraction", {"to": "IN_PROGRESS"}),
    ]
    for act, input in acts:
        await api.as_agent.done(act, id=id, **input)

    events = await api.as_agent.timeline(id)

    assert [event["type"] for event in events] == [
        "CREATED",
        "STATUS_CHANGED",
        "PROGRESS_REPORTED",
        "NOTE_ADDED",
        "NOTE_ADDED",
        "STATUS_CHANGED",
        "CLOSED",
        "REOPENED",
    ]
    assert [event["sequence"] for event in events] == list(range(1, 9))
    assert [event["status"] for event in events] == ["OPEN"] + ["IN_PROGRESS"] * 4 + ["HELD", "COMPLETED", "IN_PROGRESS"]
    assert {event["interaction"]["revision"] for event in events} == {8}
    assert len({event["id"] for event in events}) == len({event["cursor"] for event in events}) == 8


async def test_a_refused_act_leaves_no_event(api: Api) -> None:
    id = (await api.as_agent.create(customerId=api.customer))["id"]

    await api.as_agent.refused("reportProgress", id=id, message="x", percent=101)
    await api.as_agent.refused("transitionInteraction", id=id, to="COMPLETED")
    await api.as_customer.refused("closeInteraction", id=id, resolution="x")

    assert [event["type"] for event in await api.as_agent.timeline(id)] == ["CREATED"]


async def test_a_timeline_pages_forward_without_a_hole(api: Api) -> None:
    id = (await api.as_agent.create(customerId=api.customer))["id"]
    for number in range(4):
        await api.as_agent.done("addNote", id=id, text=str(number), visibility=["INTERNAL", "PUBLIC"][number % 2])

    async def page(caller: Caller, first: int, after: str | None = None) -> Any:
        return (await caller.ask(TIMELINE, id=id, first=first, after=after)).data["interaction"]["timeline"]

    first = await page(api.as_agent, 3)
    second = await page(api.as_agent, 3, first["pageInfo"]["endCursor"])
    beyond = await page(api.as_agent, 3, second["cursor"])
    customers = await page(api.as_customer, 3)

    assert [event["sequence"] for event in first["nodes"] + second["nodes"]] == [1, 2, 3, 4, 5]
    assert [edge["node"] for edge in first["edges"]] == first["nodes"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert first["cursor"] == first["edges"][-1]["cursor"]
    assert (beyond["nodes"], beyond["cursor"]) == ([], second["cursor"])
    assert [event["sequence"] for event in customers["nodes"]] == [1, 2, 3]


async def test_the_feed_in_pages_is_the_whole_feed_in_order(api: Api) -> None:
    mine = (await api.as_customer.create())["id"]
    theirs = (await api.as_other_customer.create())["id"]
    for number in range(5):
        await api.as_agent.done("addNote", id=[mine, theirs][number % 2], text=f"note {number}")
        await api.as_agent.done("addNote", id=mine, text=f"internal {number}", visibility="INTERNAL")

    staff = {first: await pages(api.as_agent, first) for first in (1, 3, 100)}
    customer = {first: await pages(api.as_customer, first) for first in (1, 2, 100)}

    assert [len(seen) for seen in staff.values()] == [12] * 3
    assert staff[1] == staff[3] == staff[100]
    assert [(event["interactionId"], event["sequence"]) for event in customer[1]] == [(mine, number) for number in range(1, 5)]
    assert customer[1] == customer[2] == customer[100]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"types": ["NOTE_ADDED"]}, ["NOTE_ADDED"] * 2),
        ({"types": ["NOTE_ADDED", "CLOSED"], "status": ["COMPLETED"]}, ["CLOSED"]),
        ({"kind": ["COMPLAINT"]}, ["CREATED", "NOTE_ADDED"]),
        ({"topic": ["mobile.coverage"]}, ["CREATED", "NOTE_ADDED", "CLOSED"]),
        ({"vertical": ["BILLING"], "priority": ["URGENT"]}, ["CREATED", "NOTE_ADDED"]),
        ({"channel": ["STORE"]}, ["CREATED", "NOTE_ADDED"]),
        ({"types": []}, []),
        ({"interactionIds": []}, []),
        ({"interactionIds": ["int_" + "0" * 32, "nonsense"]}, []),
        ({"partyId": "nobody"}, []),
        ({}, ["CREATED", "CREATED", "NOTE_ADDED", "NOTE_ADDED", "CLOSED"]),
    ],
)
async def test_what_is_asked_must_all_hold_and_a_list_asks_for_one_of(api: Api, asked: dict[str, Any], expected: list[str]) -> None:
    one = await api.as_agent.create(topic="mobile.coverage", kind="QUERY")
    two = await api.as_agent.create(kind="COMPLAINT", vertical="BILLING", priority="URGENT", channel="STORE")
    for interaction in (one, two):
        await api.as_agent.done("addNote", id=interaction["id"], text="x")
    await api.as_agent.done("closeInteraction", id=one["id"], resolution="Done")

    seen = await pages(api.as_agent, 2, filter=asked)

    assert [event["type"] for event in seen] == expected


async def test_a_rare_event_is_found_without_reading_the_feed_again_and_again(api: Api) -> None:
    rare = (await api.as_agent.create(kind="FEEDBACK"))["id"]
    common = (await api.as_agent.create())["id"]
    for number in range(30):
        await api.as_agent.done("addNote", id=common, text=str(number))

    page = (await api.as_agent.ask(EVENTS, first=2, filter={"kind": ["FEEDBACK"]})).data["events"]

    assert [event["interactionId"] for event in page["nodes"]] == [rare]
    assert not page["hasMore"]


async def test_an_events_id_serves_as_a_cursor(api: Api) -> None:
    id = (await api.as_customer.create())["id"]
    await api.as_agent.done("addNote", id=id, text="x")
    first = (await api.as_customer.timeline(id))[0]

    page = (await api.as_customer.ask(EVENTS, after=first["id"])).data["events"]

    assert [event["sequence"] for event in page["nodes"]] == [2]


async def test_changes_tell_staff_what_a_move_changed(api: Api) -> None:
    id = (await api.as_agent.create(customerId=api.customer))["id"]
    await api.as_agent.done("transitionInteraction", id=id, to="HELD", reason="A part is missing")

    staff = (await api.as_agent.timeline(id))[-1]
    customer = (await api.as_customer.timeline(id))[-1]

    assert sorted((change["field"], change["from"], change["to"]) for change in staff["changes"]) == [
        ("status", "OPEN", "HELD"),
        ("statusReason", None, "A part is missing"),
    ]
    assert customer["changes"] is None
    assert customer["redactions"] == [{"field": "changes"}]
