"""Documents made of the schema: they ask for everything, as deep as the hub lets them. And values for any argument."""

from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_operation_ast,
    is_leaf_type,
)

from hub.graph.costs import PAGES_DEEP, Costs, is_page
from hub.graph.limits import parsed
from hub.schema import executable
from tests.security.rights import SCHEMA

DEPTH: Final = 6  # of the selections that are made of the schema: an interaction's events' interaction's parties


def selection(kind: GraphQLObjectType, depth: int, pages: int) -> str:
    """Every field that needs no argument, as deep as it goes, with as many pages inside each other as may be."""
    chosen = ["__typename"]
    for name, field in kind.fields.items():
        of = get_named_type(field.type)
        if any(isinstance(argument.type, GraphQLNonNull) and argument.default_value is None for argument in field.args.values()):
            continue
        if is_leaf_type(of):
            chosen.append(name)
        elif (depth or name == "redactions") and isinstance(of, GraphQLObjectType) and (pages or not is_page(kind, name)):
            chosen.append(f"{name} {{ {selection(of, depth - 1, pages - is_page(kind, name))} }}")
    return " ".join(chosen)


def whole(name: str, document: str = "{ %s }", deepest: int = DEPTH) -> str:
    """A document that selects all fields of a type in its place, as deep as the hub lets it, or as `deepest`."""
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    for depth in range(deepest, 0, -1):
        text = document % selection(kind, depth, PAGES_DEEP - name.endswith(("Connection", "Page")))
        if is_taken(text):
            return text
    raise AssertionError(f"{name} has more fields than a document may ask for")


def is_taken(text: str) -> bool:
    """Whether the hub would run a document, as far as its size goes."""
    try:
        document = parsed(text)
        operation = get_operation_ast(document)
        assert operation is not None
        Costs(executable(), document).of(operation, {})
    except GraphQLError:
        return False
    return True


def literal(kind: GraphQLInputType) -> str:
    """Some value of an input type: of an object what it needs, or its first field where it needs nothing."""
    match kind:
        case GraphQLNonNull():
            return literal(kind.of_type)
        case GraphQLList():
            return f"[{literal(kind.of_type)}]"
        case GraphQLEnumType():
            return str(next(iter(kind.values)))
        case GraphQLInputObjectType():
            needed = [name for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)] or list(kind.fields)[:1]
            return f"{{{', '.join(f'{name}: {literal(kind.fields[name].type)}' for name in needed)}}}"
        case _:
            return {"Boolean": "true", "Int": "1", "DateTime": '"2026-01-01T00:00:00Z"'}.get(kind.name, '"x"')
