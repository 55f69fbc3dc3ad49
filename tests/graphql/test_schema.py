"""The schema: what is printed is what is committed, and what we use of Strawberry's insides is still there."""

from pathlib import Path

import strawberry
from graphql import GraphQLSchema, build_schema

from hub.graph.fields import Declared
from hub.schema import executable, schema, sdl

COMMITTED = Path(__file__).parents[2] / "schema.graphql"


def test_the_committed_schema_is_the_one_of_the_code() -> None:
    assert COMMITTED.read_text() == sdl()


def test_the_schema_is_one_that_any_tool_can_read() -> None:
    assert {"Query", "Mutation", "Subscription"} <= build_schema(sdl()).type_map.keys()


def test_strawberry_still_keeps_its_schema_and_its_definitions_where_we_look() -> None:
    def type_name(info: strawberry.Info) -> str:
        return str(info._raw_info.parent_type.name)

    @strawberry.type
    class Query:
        asked: str = strawberry.field(resolver=type_name, metadata={"kept": True})

    made = strawberry.Schema(Query)

    assert isinstance(made._schema, GraphQLSchema)
    assert made._schema.query_type is not None
    assert made._schema.query_type.fields["asked"].extensions["strawberry-definition"].metadata == {"kept": True}
    assert made.execute_sync("{ asked }").data == {"asked": "Query"}


def test_every_field_of_a_view_keeps_what_it_was_declared_with() -> None:
    assert executable() is schema()._schema
    for name in ("Interaction", "Party", "PartyRole", "InteractionEvent", "Note", "Progress", "Involvement", "InteractionConnection"):
        for field in executable().type_map[name].fields.values():  # type: ignore[attr-defined]
            definition = field.extensions["strawberry-definition"]
            assert isinstance(definition.metadata.get("declared"), Declared), (name, definition.python_name)
