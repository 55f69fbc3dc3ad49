"""What is read: the viewer, one interaction or party, pages, fragments."""

import pytest

from hub.domain.terms import Role
from tests.api import Api

UNKNOWN = "int_" + "0" * 32
PAGE = """query($first: Int, $after: String) { interactions(first: $first, after: $after) {
  nodes { id } edges { cursor node { id } } totalCount totalCountIsExact cursor
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def test_a_viewer_sees_itself_as_its_token_says(api: Api) -> None:
    text = "{ viewer { id party { id name } roles scopes expiresAt } }"

    seen = (await api.as_role(Role.CUSTOMER, api.customer, ["interaction:read", "party:read"]).ask(text)).data["viewer"]
    again = (await api.as_customer.ask(text)).data["viewer"]

    assert seen["party"] == {"id": api.customer, "name": "Ada Hopper"}
    assert (seen["roles"], seen["scopes"]) == (["CUSTOMER"], ["interaction:read", "party:read"])
    assert seen["expiresAt"].endswith("Z")
    assert seen["id"] == again["id"]


async def test_a_viewer_needs_no_party(api: Api) -> None:
    seen = (await api.as_role(Role.ADMIN).ask("{ viewer { party { id } roles } }")).data["viewer"]

    assert seen == {"party": None, "roles": ["ADMIN"]}


@pytest.mark.parametrize("id", [UNKNOWN, "int_nonsense", "", "par_" + "0" * 32, "x" * 5_000, '{"$gt": ""}'])
async def test_an_unknown_interaction_is_null_without_an_error(api: Api, id: str) -> None:
    answer = await api.as_agent.ask("query($id: ID!) { interaction(id: $id) { id } }", id=id)

    assert answer.body == {"data": {"interaction": None}}


async def test_pages_run_from_the_newest_to_the_oldest_and_each_row_comes_once(api: Api) -> None:
    made = [(await api.as_agent.create(reason=str(number)))["id"] for number in range(7)]

    first = (await api.as_agent.ask(PAGE, first=3)).data["interactions"]
    second = (await api.as_agent.ask(PAGE, first=3, after=first["pageInfo"]["endCursor"])).data["interactions"]
    third = (await api.as_agent.ask(PAGE, first=3, after=second["pageInfo"]["endCursor"])).data["interactions"]
    beyond = (await api.as_agent.ask(PAGE, after=third["pageInfo"]["endCursor"])).data["interactions"]

    assert [row["id"] for page in (first, second, third) for row in page["nodes"]] == made[::-1]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, third)] == [True, True, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (first, second, third)] == [False, True, True]
    assert {page["totalCount"] for page in (first, second, third, beyond)} == {7}
    assert first["totalCountIsExact"]
    assert [edge["node"] for edge in first["edges"]] == first["nodes"]
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]
    assert beyond["nodes"] == []
    assert beyond["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None}


async def test_a_page_that_is_read_while_others_are_opened_stays_what_it_was(api: Api) -> None:
    made = [(await api.as_agent.create())["id"] for _ in range(4)]
    first = (await api.as_agent.ask(PAGE, first=2)).data["interactions"]

    await api.as_agent.create()
    second = (await api.as_agent.ask(PAGE, first=2, after=first["pageInfo"]["endCursor"])).data["interactions"]

    assert [row["id"] for row in first["nodes"] + second["nodes"]] == made[::-1]


async def test_totals_and_pages_count_only_what_is_in_sight(api: Api) -> None:
    mine = await api.as_customer.create()
    for _ in range(3):
        await api.as_other_customer.create()

    page = (await api.as_customer.ask(PAGE, first=1)).data["interactions"]

    assert page["nodes"] == [{"id": mine["id"]}]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (1, False)


async def test_what_is_read_beside_a_cursor_is_at_least_as_new_as_it(api: Api) -> None:
    interaction = await api.as_customer.create()
    text = "query($id: ID!) { interaction(id: $id) { revision } cursor }"
    seen = (await api.as_customer.ask(text, id=interaction["id"])).data

    await api.as_agent.done("addNote", id=interaction["id"], text="after the cursor")
    missed = (
        await api.as_customer.ask("query($after: Cursor) { events(after: $after) { nodes { sequence } } }", after=seen["cursor"])
    ).data

    assert seen["interaction"]["revision"] == 1
    assert missed["events"]["nodes"] == [{"sequence": 2}]


async def test_a_pages_cursor_leads_to_what_happened_after_it(api: Api) -> None:
    interaction = await api.as_customer.create()
    page = (await api.as_customer.ask(PAGE)).data["interactions"]

    await api.as_agent.done("addNote", id=interaction["id"], text="news")
    missed = (await api.as_customer.ask("query($after: Cursor) { events(after: $after) { nodes { type } } }", after=page["cursor"])).data

    assert missed["events"]["nodes"] == [{"type": "NOTE_ADDED"}]


async def test_a_party_is_found_by_its_id_and_by_an_external_identifier(api: Api) -> None:
    identifier = {"owner": "crm", "type": "account", "value": "4711"}
    made = (await api.as_agent.upsert(name="Jean Bartik", externalIdentifier=identifier))["party"]
    text = "query($id: ID, $ref: ExternalIdentifierInput) { party(id: $id, externalIdentifier: $ref) { id name } }"

    found = [(await api.as_agent.ask(text, **by)).data["party"] for by in ({"id": made["id"]}, {"ref": identifier})]
    others = [{"owner": "crm", "value": "4711"}, identifier | {"type": "invoice"}, identifier | {"value": "4712"}]
    unknown = [(await api.as_agent.ask(text, ref=other)).data["party"] for other in others]

    assert found == [{"id": made["id"], "name": "Jean Bartik"}] * 2
    assert unknown == [None] * 3


async def test_a_party_is_asked_for_in_one_way_at_a_time(api: Api) -> None:
    both = await api.as_agent.ask('query($id: ID) { party(id: $id, externalIdentifier: {owner: "a", value: "b"}) { id } }', id=api.customer)
    neither = await api.as_agent.ask("{ party { id } }")

    for answer in (both, neither):
        assert answer.codes == ["BAD_USER_INPUT"]
        assert "exactly one" in answer.body["errors"][0]["message"]


async def test_fragments_aliases_and_conditions_choose_what_is_read_and_what_is_reported_as_redacted(api: Api) -> None:
    interaction = await api.as_customer.create(reason="No signal")
    text = """query($id: ID!, $yes: Boolean!, $no: Boolean!) {
      mine: interaction(id: $id) { ...Row why: reason redactions { field }
        ... on Interaction @include(if: $no) { statusReason } internalNotes @skip(if: $yes) { id } }
      again: interaction(id: $id) { ...Hidden hidden: redactions { field requiresRoles requiresScopes } } }
    fragment Row on Node { id __typename }
    fragment Hidden on Interaction { notes: internalNotes { id } ...Deeper }
    fragment Deeper on Interaction { statusReason @include(if: $yes) }"""

    answer = await api.as_customer.ask(text, id=interaction["id"], yes=True, no=False)

    assert answer.data["mine"] == {"id": interaction["id"], "__typename": "Interaction", "why": "No signal", "redactions": []}
    again = answer.data["again"]
    assert again["notes"] is None
    assert again["hidden"] == [
        {"field": "internalNotes", "requiresRoles": ["AGENT", "SUPERVISOR", "BACK_OFFICE"], "requiresScopes": []},
        {"field": "statusReason", "requiresRoles": ["AGENT", "SUPERVISOR", "BACK_OFFICE", "SYSTEM"], "requiresScopes": []},
    ]
    assert {(held["type"], held["field"]) for held in answer.body["extensions"]["redactions"]} == {
        ("Interaction", "internalNotes"),
        ("Interaction", "statusReason"),
    }


async def test_what_is_reported_as_redacted_was_selected_on_that_very_object(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer, parties=[{"role": "PARTNER", "partyId": api.partner}])
    event = (await api.as_partner.timeline(interaction["id"]))[0]["id"]
    text = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on Interaction { x: customer { contactMedia { address } } }
      ... on InteractionEvent { x: actor { id redactions { field } } interaction { customer { redactions { field } } } } } }"""
    both = (
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Interaction { x: customer { redactions { field } contactMedia { address } } } } }"
    )

    _, of_event = (await api.as_partner.ask(text, ids=[interaction["id"], event])).data["nodes"]
    (selected,) = (await api.as_partner.ask(both, ids=[interaction["id"]])).data["nodes"]

    assert of_event == {"x": {"id": api.agent, "redactions": []}, "interaction": {"customer": {"redactions": []}}}
    assert selected == {"x": {"redactions": [{"field": "contactMedia"}], "contactMedia": None}}


async def test_notes_before_one_that_is_not_there_are_refused(api: Api) -> None:
    interaction = await api.as_customer.create()

    answer = await api.as_customer.ask('query($id: ID!) { interaction(id: $id) { notes(before: "not_x") { id } } }', id=interaction["id"])

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_what_hides_internal_work_hides_it_in_every_count_and_time(api: Api) -> None:
    text = "query($id: ID!) { interaction(id: $id) { revision updatedAt timeline { nodes { sequence revision type } } } }"
    interaction = await api.as_customer.create()
    before = (await api.as_customer.ask(text, id=interaction["id"])).body

    await api.as_agent.done("addNote", id=interaction["id"], text="between us", visibility="INTERNAL")
    after = (await api.as_customer.ask(text, id=interaction["id"])).body
    told = (await api.as_agent.ask(text, id=interaction["id"])).data["interaction"]

    assert after == before
    assert told["revision"] == 2
    assert told["updatedAt"] > before["data"]["interaction"]["updatedAt"]
    assert [event["sequence"] for event in told["timeline"]["nodes"]] == [1, 2]


async def test_public_notes_come_in_order_and_in_pages_from_the_end(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer)
    for number in range(5):
        await api.as_agent.done("addNote", id=interaction["id"], text=f"note {number}")
    text = "query($id: ID!, $first: Int, $before: String) { interaction(id: $id) { notes(first: $first, before: $before) { id text } } }"

    async def notes(first: int, before: str | None = None) -> list[dict[str, str]]:
        found: list[dict[str, str]] = (await api.as_customer.ask(text, id=interaction["id"], first=first, before=before)).data[
            "interaction"
        ]["notes"]
        return found

    last = await notes(2)
    earlier = await notes(2, last[0]["id"])
    earliest = await notes(2, earlier[0]["id"])

    assert [note["text"] for page in (earliest, earlier, last) for note in page] == [f"note {number}" for number in range(5)]


async def test_of_two_root_fields_one_that_is_refused_leaves_the_other_alive(api: Api) -> None:
    interaction = await api.as_customer.create()
    reader = api.as_role(Role.CUSTOMER, api.customer, ["interaction:read"])

    answer = await reader.ask(
        "query($id: ID!, $p: ID!) { interaction(id: $id) { id } party(id: $p) { id } }", id=interaction["id"], p=api.customer
    )

    assert answer.status == 200
    assert answer.body["data"] == {"interaction": {"id": interaction["id"]}, "party": None}
    assert answer.codes == ["FORBIDDEN"]
    assert answer.body["errors"][0]["path"] == ["party"]
    assert answer.body["errors"][0]["extensions"]["requiresScopes"] == [["party:read"]]


async def test_internal_notes_that_an_earlier_version_kept_among_the_others_stay_internal(api: Api) -> None:
    interaction = await api.as_customer.create()
    await api.as_agent.done("addNote", id=interaction["id"], text="between us", visibility="INTERNAL")
    stored = api.hub.mongo["interactions"]
    await stored.update_one({"_id": interaction["id"]}, {"$rename": {"internalNotes": "notes"}})

    by_customer = await api.as_customer.interaction(interaction["id"])
    by_agent = await api.as_agent.done("addNote", id=interaction["id"], text="for all")
    found = await api.as_customer.ask('{ interactions(filter: {text: "between"}) { totalCount } }')

    assert (by_customer["notes"], found.data["interactions"]["totalCount"]) == ([], 0)
    assert ([note["text"] for note in by_agent["notes"]], by_agent["internalNotes"]) == (["for all"], [{"text": "between us"}])
    kept = await stored.find_one({"_id": interaction["id"]})
    assert kept is not None
    assert [[note["text"] for note in kept[field]] for field in ("notes", "internalNotes")] == [["for all"], ["between us"]]
