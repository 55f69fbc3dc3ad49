"""Histories: of one interaction and of one party, by type, and page by page from either end."""

from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api, Caller

HISTORY: Final = """($id: ID!, $types: [EventType!], $first: Int, $after: Cursor, $last: Int, $before: Cursor) { thing(id: $id) {
  timeline(types: $types, first: $first, after: $after, last: $last, before: $before) {
    nodes { type sequence interactionId message item { type reason resolution entity { type entityId name } } } cursor edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


async def history(caller: Caller, thing: str, id: str, **asked: Any) -> Any:
    return (await caller.ask("query" + HISTORY.replace("thing", thing), id=id, **asked)).data[thing]["timeline"]


async def worked_on(api: Api) -> str:
    """An interaction with eleven events, of which one is internal."""
    id = str((await api.as_agent.create(customerId=api.customer))["id"])
    for number in range(8):
        await api.as_agent.done("reportProgress", id=id, message=f"step {number}")
    await api.as_agent.done("addNote", id=id, text="between us", visibility="INTERNAL")
    entity = {"type": "bill", "entityId": "7", "name": "May"}
    await api.as_agent.done("addItem", id=id, item={"type": "bill", "reason": "too high", "entity": entity})
    return id


async def test_a_history_is_read_page_by_page_from_either_end(api: Api) -> None:
    id = await worked_on(api)
    whole = (await history(api.as_agent, "interaction", id, first=100))["nodes"]

    first = await history(api.as_agent, "interaction", id, first=4)
    rest = await history(api.as_agent, "interaction", id, first=100, after=first["pageInfo"]["endCursor"])
    last = await history(api.as_agent, "interaction", id, last=4)
    earlier = await history(api.as_agent, "interaction", id, last=100, before=last["pageInfo"]["startCursor"])
    middle = await history(
        api.as_agent, "interaction", id, last=2, after=first["pageInfo"]["endCursor"], before=last["pageInfo"]["startCursor"]
    )

    assert [event["sequence"] for event in whole] == list(range(1, 12))
    assert first["nodes"] + rest["nodes"] == earlier["nodes"] + last["nodes"] == whole
    assert [event["sequence"] for event in middle["nodes"]] == [6, 7]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (True, False, True)
    assert (last["pageInfo"]["hasPreviousPage"], earlier["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (earlier["pageInfo"]["hasNextPage"], middle["pageInfo"]["hasPreviousPage"]) == (True, True)


async def test_a_history_can_be_asked_for_by_type(api: Api) -> None:
    id = await worked_on(api)

    created = await history(api.as_customer, "interaction", id, types=["CREATED", "ITEM_ADDED"])
    internal = await history(api.as_customer, "interaction", id, types=["NOTE_ADDED", "ASSIGNED"])
    last = await history(api.as_customer, "interaction", id, types=["PROGRESS_REPORTED"], last=1)
    none = await history(api.as_customer, "interaction", id, types=[])

    assert [event["type"] for event in created["nodes"]] == ["CREATED", "ITEM_ADDED"]
    assert internal["nodes"] == none["nodes"] == []
    assert [event["message"] for event in last["nodes"]] == ["step 7"]
    assert created["nodes"][1]["item"] == {
        "type": "bill",
        "reason": "too high",
        "resolution": None,
        "entity": {"type": "bill", "entityId": "7", "name": "May"},
    }


async def test_from_the_end_of_a_history_a_stream_goes_on(api: Api) -> None:
    id = await worked_on(api)
    end = (await history(api.as_customer, "interaction", id, last=1))["cursor"]
    text = "subscription($id: ID!, $after: Cursor) { interactionProgress(interactionId: $id, after: $after) { kind event { message } } }"

    await api.as_agent.done("reportProgress", id=id, message="missed")
    async with api.as_customer.stream(text, id=id, after=end) as stream:
        frames = await stream.frames(2)

    assert [frame["kind"] for frame in frames] == ["EVENT", "CAUGHT_UP"]
    assert frames[0]["event"] == {"message": "missed"}


async def test_a_partys_history_is_of_all_in_which_it_takes_part_as_far_as_one_sees(api: Api) -> None:
    one, two = await api.as_customer.create(), await api.as_agent.create(customerId=api.customer)
    await api.as_other_customer.create()
    await api.as_agent.done("addNote", id=two["id"], text="between us", visibility="INTERNAL")

    by_staff = await history(api.as_agent, "party", api.customer)
    by_itself = await history(api.as_customer, "party", api.customer)
    notes = await history(api.as_agent, "party", api.customer, types=["NOTE_ADDED"], last=1)

    assert [(event["interactionId"], event["type"]) for event in by_staff["nodes"]] == [
        (one["id"], "CREATED"),
        (two["id"], "CREATED"),
        (two["id"], "NOTE_ADDED"),
    ]
    assert [event["interactionId"] for event in by_itself["nodes"]] == [one["id"], two["id"]]
    assert [event["type"] for event in notes["nodes"]] == ["NOTE_ADDED"]
    assert len(by_staff["edges"]) == 3


async def test_whoever_was_removed_finds_nothing_of_it_in_its_own_history(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer)
    await api.as_agent.done("removeParty", id=interaction["id"], partyId=api.customer, role="CUSTOMER")

    seen = await history(api.as_customer, "party", api.customer)

    assert (seen["nodes"], seen["edges"]) == ([], [])
    assert (await api.as_customer.ask("query($id: ID!) { interaction(id: $id) { id } }", id=interaction["id"])).data["interaction"] is None


@pytest.mark.parametrize("thing", ["interaction", "party"])
async def test_what_cannot_be_asked_of_a_history_says_why(api: Api, thing: str) -> None:
    id = str(api.customer) if thing == "party" else (await api.as_agent.create(customerId=api.customer))["id"]
    page = (await api.as_agent.ask("{ interactions { pageInfo { endCursor } } parties { pageInfo { endCursor } } }")).data
    foreign = page["parties"]["pageInfo"]["endCursor"]
    text = "query" + HISTORY.replace("thing", thing)

    both = await api.as_agent.ask(text, id=id, first=1, last=1)
    many = await api.as_agent.ask(text, id=id, last=101)
    forged = [await api.as_agent.ask(text, id=id, **{name: cursor}) for name in ("after", "before") for cursor in (foreign, "x", "")]

    assert both.codes == many.codes == ["BAD_USER_INPUT"]
    assert [answer.codes for answer in forged] == [["CURSOR_INVALID"]] * 6
    assert both.body["data"] == {thing: {"timeline": None}}


async def test_a_client_that_may_only_read_parties_reads_no_history(api: Api) -> None:
    reader = api.as_role(Role.AGENT, api.agent, ["party:read"])

    answer = await reader.ask("query($id: ID!) { party(id: $id) { timeline { cursor } redactions { field } } }", id=api.customer)

    assert answer.data["party"] == {"timeline": None, "redactions": [{"field": "timeline"}]}
