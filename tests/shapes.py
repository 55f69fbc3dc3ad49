"""Whether an answer has the shape that its operation and the schema promise: every name, every null, every value."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from hub.errors import ErrorCode

PYTHON: Mapping[str, tuple[type, ...]] = {"Int": (int,), "Float": (int, float), "Boolean": (bool,), "JSON": (object,)}  # all else: a text
INTS = range(-(2**31), 2**31)

Path = tuple[str | int, ...]


def violations(schema: GraphQLSchema, document: DocumentNode, answer: Mapping[str, Any]) -> list[str]:
    """A sentence for each place at which the answer to this one operation is not what it should be.

    Where a type is abstract, the operation has to select `__typename`."""
    [operation] = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    root = schema.get_root_type(operation.operation)
    assert root is not None
    found = [f"the answer has {name}" for name in answer.keys() - {"data", "errors", "extensions"}]
    if answer.get("data") is not None:
        found += _object(schema, root, [operation.selection_set], answer["data"], ())
    elif not answer.get("errors"):
        found.append("there is neither data nor an error")
    return found + [sentence for error in answer.get("errors", ()) for sentence in _error(error, answer.get("data"))]


def _error(error: Any, data: Any) -> Iterator[str]:
    if not isinstance(error.get("message"), str):
        yield "an error says nothing"
    if error.get("extensions", {}).get("code") not in ErrorCode.__members__:
        yield f"an error has the code {error.get('extensions')}"
    for step in error.get("path", ()) if data is not None else ():
        if data is None:
            return
        data = data[step]
    if error.get("path") and data is not None:
        yield f"an error is told of {error['path']}, which is not null"


def _object(schema: GraphQLSchema, kind: GraphQLObjectType, chosen: list[SelectionSetNode], value: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{_at(path)} is no object but {value!r}"
        return
    wanted = _fields(schema, kind, chosen)
    if list(value) != list(wanted):
        yield f"{_at(path)} has {list(value)}, and {list(wanted)} were asked for"
    for name, nodes in wanted.items():
        if name in value:
            yield from _field(schema, kind, nodes, value[name], (*path, name))


def _field(schema: GraphQLSchema, kind: GraphQLObjectType, nodes: list[FieldNode], value: Any, path: Path) -> Iterator[str]:
    if nodes[0].name.value == "__typename":
        if value != kind.name:
            yield f"{_at(path)} is {value!r} on a {kind.name}"
        return
    inside = [node.selection_set for node in nodes if node.selection_set]
    yield from _value(schema, kind.fields[nodes[0].name.value].type, inside, value, path)


def _value(schema: GraphQLSchema, of: GraphQLOutputType, inside: list[SelectionSetNode], value: Any, path: Path) -> Iterator[str]:
    if is_non_null_type(of) and value is None:
        yield f"{_at(path)} is null and never may be"
    elif is_non_null_type(of):
        yield from _value(schema, of.of_type, inside, value, path)
    elif value is None:
        return
    elif is_list_type(of):
        yield from _list(schema, of.of_type, inside, value, path)
    elif is_leaf_type(of):
        if not _is_one(of, value):
            yield f"{_at(path)} is {value!r}, and no {of}"
    elif (kind := _kind(schema, of, value)) is None:
        yield f"{_at(path)} is no {of}: {value!r}"
    else:
        yield from _object(schema, kind, inside, value, path)


def _list(schema: GraphQLSchema, of: GraphQLOutputType, inside: list[SelectionSetNode], value: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{_at(path)} is no list"
        return
    for index, one in enumerate(value):
        yield from _value(schema, of, inside, one, (*path, index))


def _kind(schema: GraphQLSchema, of: Any, value: Any) -> GraphQLObjectType | None:
    """The type of an object; None where it is none of those that `of` stands for."""
    if not is_abstract_type(of):
        return of if isinstance(of, GraphQLObjectType) else None
    kind = schema.get_type(value.get("__typename", "")) if isinstance(value, dict) else None
    return kind if isinstance(kind, GraphQLObjectType) and schema.is_sub_type(of, kind) else None


def _is_one(of: Any, value: Any) -> bool:
    if is_enum_type(of):
        return value in of.values
    assert isinstance(of, GraphQLScalarType)
    if isinstance(value, bool) and of.name != "JSON":
        return of.name == "Boolean"
    return isinstance(value, PYTHON.get(of.name, (str,))) and (of.name != "Int" or value in INTS)


def _fields(schema: GraphQLSchema, kind: GraphQLObjectType, chosen: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
    """What is asked of an object of this type, by the name it answers under, in order (GraphQL, "Field Collection")."""
    found: dict[str, list[FieldNode]] = {}
    for selection in (one for selections in chosen for one in selections.selections):
        if isinstance(selection, FieldNode):
            found.setdefault(selection.alias.value if selection.alias else selection.name.value, []).append(selection)
        elif isinstance(selection, InlineFragmentNode):
            on = schema.get_type(selection.type_condition.name.value) if selection.type_condition else kind
            if on is kind or (is_abstract_type(on) and schema.is_sub_type(on, kind)):
                for name, nodes in _fields(schema, kind, [selection.selection_set]).items():
                    found.setdefault(name, []).extend(nodes)
        else:
            assert not isinstance(selection, FragmentSpreadNode), "fragments are inline here"
    return found


def _at(path: Path) -> str:
    return ".".join(map(str, path)) or "data"
