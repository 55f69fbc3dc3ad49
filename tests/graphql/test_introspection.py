"""Asked for its schema, the hub tells each viewer what that viewer's roles and scopes can ever open, and nobody anything."""

import pytest
from graphql import GraphQLSchema, build_client_schema, build_schema, get_introspection_query

from hub.domain.terms import Role
from hub.graph.introspecting import ANSWERS, SCHEMAS
from hub.graph.slices import sliced
from hub.schema import sdl
from tests.api import Api, Caller

ASKED = get_introspection_query(input_value_deprecation=True, directive_is_repeatable=True)


def fields(schema: GraphQLSchema) -> set[str]:
    kinds = {name: getattr(kind, "fields", getattr(kind, "values", ())) for name, kind in schema.type_map.items()}
    return {f"{kind}.{name}" for kind, names in kinds.items() if not kind.startswith("__") for name in names}


async def seen(caller: Caller) -> set[str]:
    return fields(build_client_schema((await caller.ask(ASKED)).data))


@pytest.mark.parametrize("role", Role)
async def test_each_role_is_told_its_slice(shared_api: Api, role: Role) -> None:
    caller = shared_api.usually(role)
    viewer = await shared_api.hub.viewer(caller.token)

    assert await seen(caller) == fields(build_schema(sliced(sdl(), viewer)))


async def test_roles_and_scopes_make_a_difference(shared_api: Api) -> None:
    agent, customer = await seen(shared_api.as_agent), await seen(shared_api.as_customer)
    reader = await seen(shared_api.usually(Role.AGENT, ["interaction:read"]))

    assert agent > reader
    assert {"Interaction.internalNotes", "Mutation.assignInteraction"} <= agent - customer
    assert "Mutation.assignInteraction" not in reader


async def test_one_type_is_asked_for_in_the_same_way(shared_api: Api) -> None:
    text = '{ __typename __type(name: "AssignInteractionInput") { name } }'

    assert (await shared_api.as_agent.ask(text)).data == {"__typename": "Query", "__type": {"name": "AssignInteractionInput"}}
    assert (await shared_api.as_customer.ask(text)).data == {"__typename": "Query", "__type": None}


@pytest.mark.parametrize(
    "text", ["{ cursor __schema { types { name } } }", '{ ...A } fragment A on Query { x: __type(name: "X") { name } cursor }']
)
async def test_the_schema_is_asked_for_by_itself(shared_api: Api, text: str) -> None:
    answer = await shared_api.as_agent.ask(text)

    assert (answer.codes, "data" in answer.body) == (["BAD_USER_INPUT"], False)


@pytest.mark.parametrize(
    "text", [ASKED, '{ a: __type(name: "Query") { name } }', "{ ... { ...A } } fragment A on Query { __schema { types { name } } }"]
)
async def test_nobody_is_told_nothing(shared_api: Api, text: str) -> None:
    assert (await shared_api.anonymous.ask(text)).codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    "text",
    [
        "{ viewr { id } }",
        "{ interactions(frist: 1) { totalCount } }",
        "mutation { createInteractio { cursor } }",
        "{ ... on Quer { cursor } }",
    ],
)
async def test_names_are_suggested_to_those_who_may_ask_for_all_of_them(shared_api: Api, text: str) -> None:
    """Whoever asked first."""
    for _ in range(2):
        assert "Did you mean" not in (await shared_api.anonymous.ask(text)).body["errors"][0]["message"]
        assert "Did you mean" in (await shared_api.as_agent.ask(text)).body["errors"][0]["message"]


async def test_variables_and_wrong_ones_count_as_ever(shared_api: Api) -> None:
    text = "query($name: String!) { __type(name: $name) { name } }"

    assert (await shared_api.as_agent.ask(text, name="Query")).data == {"__type": {"name": "Query"}}
    assert (await shared_api.as_agent.ask(text, name="Party")).data == {"__type": {"name": "Party"}}
    assert (await shared_api.as_agent.ask(text)).codes == ["BAD_USER_INPUT"]


async def test_what_is_kept_of_it_is_bounded(shared_api: Api) -> None:
    for number in range(ANSWERS + 5):
        await shared_api.as_agent.ask(f'{{ __type(name: "T{number}") {{ name }} }}')
    kept = shared_api.hub.executor._introspection

    assert len(kept._answers) == ANSWERS
    assert len(kept._schemas) <= SCHEMAS
