"""Anything by its id: `node` and `nodes`, as caching clients ask."""

from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api

UNKNOWN: Final = "0" * 32
NODE: Final = """query($id: ID!) { node(id: $id) { __typename id ... on Interaction { status } ... on Party { name }
  ... on PartyRole { called: name standing: status party { name } } ... on InteractionEvent { type interaction { id } } } }"""
NODES: Final = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } viewer { roles } }"


async def things(api: Api) -> dict[str, str]:
    """An interaction of the customer's, its first event, the customer and its role, by the name of their type."""
    interaction = await api.as_agent.create(customerId=api.customer)
    event = (await api.as_agent.timeline(interaction["id"]))[0]
    text = 'mutation($id: ID!) { grantPartyRole(input: {partyId: $id, name: "customer"}) { partyRole { id } errors { message } } }'
    role = (await api.as_role(Role.SUPERVISOR).ask(text, id=api.customer)).data["grantPartyRole"]["partyRole"]
    return {"Interaction": interaction["id"], "InteractionEvent": event["id"], "Party": str(api.customer), "PartyRole": role["id"]}


async def test_each_kind_of_thing_is_found_by_its_id(api: Api) -> None:
    known = await things(api)

    found = {name: (await api.as_agent.ask(NODE, id=id)).data["node"] for name, id in known.items()}

    assert {name: (node["__typename"], node["id"]) for name, node in found.items()} == {name: (name, id) for name, id in known.items()}
    assert found["Interaction"]["status"] == "OPEN"
    assert found["Party"]["name"] == "Ada Hopper"
    assert (found["PartyRole"]["standing"], found["PartyRole"]["party"]) == ("ACTIVE", {"name": "Ada Hopper"})
    assert (found["InteractionEvent"]["type"], found["InteractionEvent"]["interaction"]) == ("CREATED", {"id": known["Interaction"]})


async def test_many_are_found_in_their_places_and_what_is_unknown_is_null(api: Api) -> None:
    known = await things(api)
    wrong = ["int_" + UNKNOWN, "par_x", "rol_", "evt_abc", "itm_" + UNKNOWN, "", "nonsense", "x" * 5_000]
    ids = [wrong[0], *known.values(), *wrong, known["Party"]]

    found = (await api.as_agent.ask(NODES, ids=ids)).data["nodes"]

    assert [node and node["id"] for node in found] == [None, *known.values(), *[None] * len(wrong), known["Party"]]
    assert (await api.as_agent.ask(NODES, ids=[])).data["nodes"] == []


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.VISITOR, Role.PARTNER, Role.ANALYST, Role.ADMIN])
async def test_what_is_out_of_sight_or_out_of_rights_looks_like_what_is_unknown(api: Api, role: Role) -> None:
    known = await things(api)
    stranger = api.as_role(role, api.other_customer)
    unknown = [f"{id[:4]}{UNKNOWN}" for id in known.values()]

    foreign, none = [await stranger.ask(NODES, ids=ids) for ids in (list(known.values()), unknown)]

    seen = foreign.data["nodes"]
    if role is Role.ADMIN:  # grants roles, and sees which there are
        assert seen.pop() == {"__typename": "PartyRole", "id": known["PartyRole"]}
        assert none.data["nodes"].pop() is None
    assert seen == none.data["nodes"]
    assert set(map(str, seen)) == {"None"}
    if role not in {Role.ANALYST, Role.ADMIN}:
        for id in known.values():
            assert (await stranger.ask(NODE, id=id)).body == {"data": {"node": None}}


async def test_a_customer_finds_its_own_and_nothing_that_is_internal(api: Api) -> None:
    known = await things(api)
    await api.as_agent.done("addNote", id=known["Interaction"], text="between us", visibility="INTERNAL")
    internal = (await api.as_agent.timeline(known["Interaction"]))[-1]["id"]

    found = (await api.as_customer.ask(NODES, ids=[*known.values(), internal])).data["nodes"]

    assert [node and node["id"] for node in found] == [*known.values(), None]


async def test_the_scopes_of_a_thing_are_those_of_its_own_root(api: Api) -> None:
    known = await things(api)
    reader = api.as_role(Role.AGENT, api.agent, ["interaction:read"])

    found = (await reader.ask(NODES, ids=list(known.values()))).data["nodes"]

    assert [node and node["__typename"] for node in found] == ["Interaction", "InteractionEvent", None, None]


async def test_an_entry_that_is_no_event_has_no_id_that_leads_to_it(api: Api) -> None:
    """A party's entries lie in the same journal; their positions could be guessed by nobody, and are looked at all the same."""
    await things(api)
    cursors = api.hub.journal.cursors

    ids = [cursors.event_id(position) for position in range(1, api.hub.journal.feed.position + 2)]
    found: list[Any] = (await api.as_agent.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", ids=ids)).data["nodes"]

    assert found.count(None) == len(ids) - 1  # all but CREATED
