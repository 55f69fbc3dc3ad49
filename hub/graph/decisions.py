"""Whether the schema and the tables of who may what say the same; the schema is not built where they do not."""

from collections.abc import Iterator
from typing import Final

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema

from hub.access.gates import ARGUMENTS, FIELDS, MASKED, OPEN
from hub.access.mandates import ROOTS
from hub.graph.fields import RequiresRole, RequiresScopes, declared_of
from hub.graph.roots import directives

FILTERS: Final = "Filter"  # how inputs are called that say what is looked for: one may not ask by what one may not read


def disagreements(schema: GraphQLSchema) -> list[str]:
    """A sentence for each place that has no decision, or is declared with another one, and for each decision without its place."""
    places, opened = set(_places(schema)), {f"{name}.{field}" for name, fields in OPEN.items() for field in fields}
    tables = (ROOTS.keys(), FIELDS.keys(), MASKED.keys(), ARGUMENTS.keys(), opened)
    decided = {name: sum(name in table for table in tables) for name in _decidable(schema)}
    return [
        *(f"{name} needs one decision about who may, in hub.access, and has {count}." for name, count in decided.items() if count != 1),
        *(f"{name} is declared with another right than its entry in hub.access." for name in _misdeclared(schema)),
        *(f"{name} has a decision in hub.access and is not in the schema." for name in sorted(set().union(*tables) - places)),
    ]


def _places(schema: GraphQLSchema) -> Iterator[str]:
    """What there can be a decision about: fields of types and of inputs, and arguments."""
    for kind in _kinds(schema):
        for name in kind.fields:
            yield f"{kind.name}.{name}"
        if isinstance(kind, GraphQLObjectType):
            yield from (f"{kind.name}.{name}.{argument}" for name, field in kind.fields.items() for argument in field.args)


def _decidable(schema: GraphQLSchema) -> Iterator[str]:
    """What there must be a decision about: what is read, and what it is looked for by."""
    for kind in _kinds(schema):
        if isinstance(kind, GraphQLObjectType) or kind.name.endswith(FILTERS):
            yield from (f"{kind.name}.{name}" for name in kind.fields)


def _misdeclared(schema: GraphQLSchema) -> Iterator[str]:
    for kind in _kinds(schema):
        if isinstance(kind, GraphQLObjectType):
            yield from (f"{kind.name}.{name}" for name in kind.fields if not _is_as_decided(kind, name))


def _is_as_decided(kind: GraphQLObjectType, name: str) -> bool:
    place = f"{kind.name}.{name}"
    if place in ROOTS:
        declares = kind.fields[name].extensions["strawberry-definition"].directives
        return [one for one in declares if isinstance(one, RequiresRole | RequiresScopes)] == directives(ROOTS[place])
    declared = declared_of(kind, name)
    return declared is not None and (declared.gate, declared.mask) == (FIELDS.get(place), MASKED.get(place))


def _kinds(schema: GraphQLSchema) -> Iterator[GraphQLObjectType | GraphQLInputObjectType]:
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType) and not name.startswith("__"):
            yield kind
