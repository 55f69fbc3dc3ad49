"""What the schema says of each of its parts to those who build on it: shapes, units, and who gets it.

What a declaration says itself stays. All else is said here: by place, else by how the type's name ends, else by the
part's own name, so that `first` and `idempotencyKey` are explained once. A test fails where nothing is said."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import GraphQLNamedType, GraphQLSchema, is_enum_type, is_input_object_type, is_interface_type, is_object_type
from graphql.type import is_introspection_type, is_specified_directive, is_specified_scalar_type

from hub.graph.descriptions.enums import ENUMS
from hub.graph.descriptions.inputs import ARGUMENTS, DIRECTIVES, INPUTS
from hub.graph.descriptions.shared import ARGUMENTS as SHARED_ARGUMENTS
from hub.graph.descriptions.shared import ENDINGS, FIELDS
from hub.graph.descriptions.types import TYPES

Part = Any  # a type, field, argument, value or directive of graphql-core: whatever has a `description`
OF_TYPES: Final = {**TYPES, **INPUTS, **ENUMS}
BY_PLACE: Final[Mapping[str, str]] = {
    **{f"{name}.{part}" if part else name: said for name, parts in OF_TYPES.items() for part, said in parts.items()},
    **ARGUMENTS,
    **{f"@{place}": said for place, said in DIRECTIVES.items()},
}


def describe(schema: GraphQLSchema) -> None:
    """Give each part that says nothing of itself what is said of it here."""
    for place, part in places(schema):
        if not part.description:
            part.description = said(place)


def said(place: str) -> str | None:
    """What is said of a place that says nothing of itself."""
    if place in BY_PLACE:
        return BY_PLACE[place]
    names = place.split(".")
    if len(names) == 3:
        return SHARED_ARGUMENTS.get(names[-1])
    ending = next((parts for ending, parts in ENDINGS.items() if names[0].endswith(ending)), {})
    part = names[1] if len(names) == 2 else ""
    return ending.get(part) or FIELDS.get(part)


def places(schema: GraphQLSchema) -> Iterator[tuple[str, Part]]:
    """Every part of a schema that is its own: `Type`, `Type.field`, `Type.field.argument`, `Enum.VALUE`, `@directive.argument`."""
    for name, kind in schema.type_map.items():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield name, kind
            yield from _inside(kind)
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive
            yield from ((f"@{directive.name}.{name}", argument) for name, argument in directive.args.items())


def _inside(kind: GraphQLNamedType) -> Iterator[tuple[str, Part]]:
    if is_enum_type(kind):
        yield from ((f"{kind.name}.{name}", value) for name, value in kind.values.items())
    elif is_input_object_type(kind):
        yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())
    elif is_object_type(kind) or is_interface_type(kind):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field
            yield from ((f"{kind.name}.{name}.{argument}", part) for argument, part in field.args.items())
