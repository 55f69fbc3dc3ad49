"""Searches through the public door: filters, orders and pages both ways, and what is refused of them."""

from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Answer, Api, Caller

SEARCH: Final = """query($filter: InteractionFilter, $orderBy: InteractionOrder, $first: Int, $after: String, $last: Int, $before: String) {
  interactions(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { id reason } totalCount totalCountIsExact pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
PARTIES: Final = """query($text: String, $contact: String, $kind: PartyKind, $first: Int, $after: String, $last: Int, $before: String) {
  parties(text: $text, contact: $contact, kind: $kind, first: $first, after: $after, last: $last, before: $before) {
    nodes { name } totalCount totalCountIsExact pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def search(caller: Caller, **asked: Any) -> Any:
    return (await caller.ask(SEARCH, **asked)).data["interactions"]


async def found(caller: Caller, **filter: Any) -> list[str]:
    return [node["reason"] for node in (await search(caller, filter=filter, orderBy={"field": "CREATED_AT", "direction": "ASC"}))["nodes"]]


async def test_each_filter_finds_what_it_says(api: Api) -> None:
    agent, bill = api.as_agent, {"type": "bill", "entityId": "77"}
    supervisor = api.as_role(Role.SUPERVISOR)
    one = await agent.create(reason="one", topic="fault", kind="COMPLAINT", vertical="ASSURANCE", priority="HIGH", customerId=api.customer)
    two = await agent.create(reason="two red", channel="CHAT", items=[{"type": "bill", "entity": bill}], customerId=api.other_customer)
    over = {"endedAt": "2026-03-01T10:00:00Z", "startedAt": "2026-03-01T09:00:00Z", "resolution": "Done."}
    await agent.create(reason="three", direction="OUTBOUND", externalIdentifier={"owner": "crm", "value": "3"}, **over)
    await agent.done("addNote", id=one["id"], text="The red light blinks.")
    await agent.done("addNote", id=two["id"], text="blinks too, between us", visibility="INTERNAL")
    await supervisor.done("assignInteraction", id=one["id"], assigneeId=api.agent)
    await agent.done("escalateInteraction", id=two["id"], reason="It has been long.")

    assert await found(agent) == ["one", "two red", "three"]
    assert await found(agent, ids=[one["id"], "int_unknown"]) == ["one"]
    assert await found(agent, status=["OPEN"]) == ["one", "two red"]
    assert await found(agent, status=[]) == []
    assert await found(agent, direction="OUTBOUND") == ["three"]
    assert await found(agent, kind=["COMPLAINT", "ORDER"]) == ["one"]
    assert await found(agent, topic=["fault"]) == ["one"]
    assert await found(agent, vertical=["ASSURANCE"], priority=["HIGH", "URGENT"]) == ["one"]
    assert await found(agent, channel=["CHAT"]) == ["two red"]
    assert await found(agent, partyId=api.customer) == ["one"]
    assert await found(agent, assigneeId=api.agent) == ["one"]
    assert await found(agent, unassigned=True) == ["two red", "three"]
    assert await found(agent, unassigned=False) == ["one"]
    assert await found(agent, escalated=True) == ["two red"]
    assert await found(agent, overdue=True) == []
    assert await found(agent, overdue=False) == ["one", "two red", "three"]
    assert await found(agent, entity=bill) == ["two red"]
    assert await found(agent, externalIdentifier={"owner": "crm", "value": "3"}) == ["three"]
    assert await found(agent, endedAt={"from": "2026-03-01T10:00:00Z"}) == ["three"]
    assert await found(agent, endedAt={"to": "2026-03-01T10:00:00Z"}) == []
    assert await found(agent, text="RED") == ["one", "two red"]
    assert await found(agent, text="red blinks") == ["one"]
    assert await found(agent, text="between") == []


async def test_a_filter_never_widens_what_is_in_sight(api: Api) -> None:
    await api.as_customer.create(reason="mine", channel="WEB_SELF_SERVICE")
    theirs = await api.as_other_customer.create(reason="theirs", channel="WEB_SELF_SERVICE")

    for filter in ({"ids": [theirs["id"]]}, {"partyId": api.other_customer}, {"text": "theirs"}, {"status": ["OPEN"], "text": "theirs"}):
        assert await found(api.as_customer, **filter) == []
        assert (await search(api.as_customer, filter=filter))["totalCount"] == 0
    assert await found(api.as_customer) == ["mine"]


@pytest.mark.parametrize(
    ("filter", "name", "roles"),
    [
        ({"assigneeId": "par_" + "0" * 32}, "assigneeId", {"AGENT", "SUPERVISOR", "BACK_OFFICE", "SYSTEM"}),
        ({"unassigned": False}, "unassigned", {"AGENT", "SUPERVISOR", "BACK_OFFICE", "SYSTEM"}),
        ({"escalated": True}, "escalated", {"AGENT", "SUPERVISOR", "BACK_OFFICE"}),
    ],
)
async def test_to_ask_by_what_one_may_not_read_is_refused_by_its_name(shared_api: Api, filter: Any, name: str, roles: set[str]) -> None:
    text = "query($filter: InteractionFilter) { interactions(filter: $filter) { totalCount } viewer { roles } }"
    nested = "query($filter: InteractionFilter) { viewer { party { interactions(filter: $filter) { totalCount } } } }"
    for caller in (shared_api.as_customer, shared_api.as_partner):
        answer, inside = await caller.ask(text, filter=filter), await caller.ask(nested, filter=filter)

        for one in (answer, inside):
            (error,) = one.body["errors"]
            assert (error["extensions"]["code"], set(error["extensions"]["requiresRoles"])) == ("FORBIDDEN", roles)
            assert name in error["message"]
        assert answer.body["data"]["interactions"] is None
        assert answer.body["data"]["viewer"] is not None


async def test_events_by_an_assignee_are_for_those_who_may_see_it(shared_api: Api) -> None:
    text = "query($id: ID!) { events(filter: {assigneeId: $id}) { cursor } }"

    assert (await shared_api.as_customer.ask(text, id=shared_api.agent)).codes == ["FORBIDDEN"]
    assert (await shared_api.as_agent.ask(text, id=shared_api.agent)).data["events"]["cursor"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"first": 2, "last": 2}, "not both"),
        ({"first": 0}, "first lies between 1 and 100"),
        ({"last": -1}, "last lies between 1 and 100"),
        ({"last": 101}, "last lies between 1 and 100"),
        ({"filter": {"assigneeId": "par_x", "unassigned": True}}, "contradict"),
        ({"filter": {"createdAt": {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}}}, "holds no moment"),
        ({"filter": {"ids": ["int_x"] * 501}}, "at most 500"),
        ({"filter": {"topic": ["x"] * 501}}, "at most 500"),
        ({"filter": {"text": "  "}}, "no word"),
        ({"filter": {"text": "w " * 120}}, "at most 10 words"),
        ({"filter": {"externalIdentifier": {"owner": "", "value": "x"}}}, "empty"),
        ({"filter": {"entity": {"type": "x", "entityId": "y" * 501}}}, "at most 500"),
    ],
)
async def test_what_cannot_be_searched_for_says_why(shared_api: Api, asked: dict[str, Any], sentence: str) -> None:
    answer = await shared_api.as_agent.ask(SEARCH, **asked)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert sentence in answer.body["errors"][0]["message"]
    assert answer.body["data"] == {"interactions": None}


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": {"status": ["SOMEHOW"]}},
        {"filter": {"kind": ["complaint"]}},
        {"filter": {"createdAt": {"from": "yesterday"}}},
        {"filter": {"ids": [{"$gt": ""}]}},
        {"filter": {"$where": "sleep(1000)"}},
        {"orderBy": {"field": "REASON"}},
        {"orderBy": {"field": "PRIORITY", "direction": "SIDEWAYS"}},
        {"first": "ten"},
    ],
)
async def test_values_that_the_schema_does_not_know_are_told_before_anything_runs(shared_api: Api, asked: dict[str, Any]) -> None:
    answer = await shared_api.as_agent.ask(SEARCH, **asked)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "data" not in answer.body


async def test_ten_thousand_ids_are_refused_and_not_looked_up(shared_api: Api) -> None:
    many = [f"int_{number:032x}" for number in range(10_000)]

    by_filter = await shared_api.as_agent.ask(SEARCH, filter={"ids": many})
    by_nodes = await shared_api.as_agent.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=many)
    hundred_and_one = await shared_api.as_agent.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=many[:101])

    assert [by_filter.status, by_nodes.status] == [413, 413]
    assert by_filter.codes == by_nodes.codes == hundred_and_one.codes == ["BAD_USER_INPUT"]
    assert "at most 100" in hundred_and_one.body["errors"][0]["message"]


async def test_cursors_of_other_lists_orders_and_hubs_and_forged_ones_are_refused(api: Api) -> None:
    for number in range(3):
        await api.as_agent.create(reason=str(number), customerId=api.customer)
    page = (await search(api.as_agent, first=1))["pageInfo"]
    by_update = (await search(api.as_customer, first=1, orderBy={"field": "UPDATED_AT"}))["pageInfo"]
    people = (await api.as_agent.ask(PARTIES, first=1)).data["parties"]["pageInfo"]
    event = (await api.as_agent.ask("{ events { cursor } }")).data["events"]["cursor"]
    good = str(page["endCursor"])
    forged = [good[:-1] + ("A" if good[-1] != "A" else "B"), good + "=", good[1:], "x", "", "int_1"]

    for cursor in (people["endCursor"], by_update["endCursor"], event, *forged):
        for direction in ("after", "before"):
            assert (await api.as_agent.ask(SEARCH, **{direction: cursor})).codes == ["CURSOR_INVALID"], cursor
    for cursor in (good, event, *forged):
        assert (await api.as_agent.ask(PARTIES, after=cursor)).codes == ["CURSOR_INVALID"]
    staff_order = (await search(api.as_agent, first=1, orderBy={"field": "UPDATED_AT"}))["pageInfo"]["endCursor"]
    assert (await api.as_customer.ask(SEARCH, after=staff_order, orderBy={"field": "UPDATED_AT"})).codes == ["CURSOR_INVALID"]


async def test_pages_run_both_ways_in_every_order(api: Api) -> None:
    for number, priority in enumerate(("LOW", "URGENT", "NORMAL", "URGENT", "HIGH")):
        await api.as_agent.create(reason=str(number), priority=priority)
    for field in ("CREATED_AT", "UPDATED_AT", "PRIORITY", "NEXT_UPDATE_DUE_AT"):
        for direction in ("ASC", "DESC"):
            asked: dict[str, Any] = {"orderBy": {"field": field, "direction": direction}}
            first = await search(api.as_agent, first=2, **asked)
            second = await search(api.as_agent, first=10, after=first["pageInfo"]["endCursor"], **asked)
            last = await search(api.as_agent, last=2, **asked)
            earlier = await search(api.as_agent, last=10, before=last["pageInfo"]["startCursor"], **asked)

            everything = first["nodes"] + second["nodes"]
            assert len(everything) == 5
            assert earlier["nodes"] + last["nodes"] == everything
            assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
            assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)
            assert (earlier["pageInfo"]["hasNextPage"], earlier["pageInfo"]["hasPreviousPage"]) == (True, False)
    by_priority = await search(api.as_agent, orderBy={"field": "PRIORITY"})
    assert [node["reason"] for node in by_priority["nodes"]] == ["3", "1", "4", "2", "0"]


async def test_what_hides_internal_work_hides_it_in_the_order_of_updates_too(api: Api) -> None:
    one, two = [await api.as_agent.create(reason=reason, customerId=api.customer) for reason in ("one", "two")]
    order = {"field": "UPDATED_AT"}
    before = await search(api.as_customer, orderBy=order)
    since = (await api.as_agent.interaction(two["id"]))["updatedAt"]

    await api.as_agent.done("addNote", id=one["id"], text="between us", visibility="INTERNAL")

    async def newer(caller: Caller) -> list[str]:
        return await found(caller, updatedAt={"from": since})

    assert await search(api.as_customer, orderBy=order) == before
    assert [node["reason"] for node in (await search(api.as_agent, orderBy=order))["nodes"]] == ["one", "two"]
    assert (await newer(api.as_agent), await newer(api.as_customer)) == (["one", "two"], ["two"])


async def test_parties_are_searched_by_staff_alone(api: Api) -> None:
    await api.as_agent.upsert(name="Ada Byron", contactMedia=[{"kind": "PHONE", "address": "+44 7700 900999"}])

    async def names(**asked: Any) -> list[str]:
        return [node["name"] for node in (await api.as_agent.ask(PARTIES, **asked)).data["parties"]["nodes"]]

    assert await names(text="ada") == ["Ada Byron", "Ada Hopper"]
    assert await names(text="ada hopper") == ["Ada Hopper"]
    assert await names(contact="00447700900999") == ["Ada Byron"]
    assert await names(contact="ADA@example.com") == ["Ada Hopper"]
    assert await names(kind="ORGANIZATION") == ["Northlight Stores"]
    first = (await api.as_agent.ask(PARTIES, first=2)).data["parties"]
    rest = (await api.as_agent.ask(PARTIES, first=10, after=first["pageInfo"]["endCursor"])).data["parties"]
    back = (await api.as_agent.ask(PARTIES, last=10, before=rest["pageInfo"]["startCursor"])).data["parties"]
    assert (first["totalCount"], first["totalCountIsExact"], len(rest["nodes"])) == (5, True, 3)
    assert back["nodes"] == first["nodes"]
    for caller in (api.as_customer, api.as_partner, api.as_role(Role.SYSTEM)):
        assert (await caller.ask(PARTIES)).codes == ["FORBIDDEN"]
    for wrong in ({"first": 1, "last": 1}, {"text": ""}, {"contact": " "}, {"contact": "x" * 501}):
        assert (await api.as_agent.ask(PARTIES, **wrong)).codes == ["BAD_USER_INPUT"]


async def test_a_partys_interactions_are_those_in_sight_in_which_it_takes_part(api: Api) -> None:
    shared = await api.as_agent.create(
        reason="both", customerId=api.customer, parties=[{"role": "PARTNER", "partyId": api.partner}], topic="fault"
    )
    await api.as_agent.create(reason="the partner's own", parties=[{"role": "PARTNER", "partyId": api.partner}])
    text = """query($id: ID!, $filter: InteractionFilter) { interaction(id: $id) { parties { role party { interactions(filter: $filter)
      { totalCount nodes { reason } pageInfo { endCursor } } } } } }"""

    def of_partner(answer: Answer) -> Any:
        involved = answer.data["interaction"]["parties"]
        return next(one["party"]["interactions"] for one in involved if one["role"] == "PARTNER")

    seen = of_partner(await api.as_agent.ask(text, id=shared["id"]))
    by_customer = of_partner(await api.as_customer.ask(text, id=shared["id"]))
    filtered = of_partner(await api.as_agent.ask(text, id=shared["id"], filter={"topic": ["fault"]}))

    assert [node["reason"] for node in seen["nodes"]] == ["the partner's own", "both"]
    assert ([node["reason"] for node in by_customer["nodes"]], by_customer["totalCount"]) == (["both"], 1)
    assert filtered["totalCount"] == 1
    without = api.as_role(Role.AGENT, api.agent, ["party:read"])
    answer = await without.ask("query($id: ID!) { party(id: $id) { interactions { totalCount } redactions { field } } }", id=api.customer)
    assert answer.data["party"] == {"interactions": None, "redactions": [{"field": "interactions"}]}


async def test_one_answer_reads_a_bounded_number_of_pages(api: Api) -> None:
    for number in range(50):
        await api.as_agent.create(reason=str(number))
    each = "timeline(first: 1) { cursor }"
    text = f"{{ interactions(first: 50) {{ nodes {{ a: {each} b: {each} c: {each} }} }} }}"

    answer = await api.as_agent.ask(text)
    lighter = await api.as_agent.ask("{ interactions(first: 50) { nodes { timeline(first: 1) { cursor } } } }")

    assert set(answer.codes) == {"COST_EXCEEDED"}
    assert "at most 101 pages" in answer.body["errors"][0]["message"]
    assert len(lighter.data["interactions"]["nodes"]) == 50
