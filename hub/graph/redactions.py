"""The `redactions` of an object: which of the fields that were selected on it are closed to this viewer."""

from collections.abc import Iterator, Mapping
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    get_directive_values,
)
from graphql.pyutils import Path
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective, is_abstract_type

from hub.graph.context import Context, Document, Info
from hub.graph.enums import Role
from hub.graph.fields import Declared, declared_of, redaction, stored


@strawberry.type(description="A field that was asked for and is null because this viewer may not read it; and who may.")
class Redaction:
    field: str = stored("field")
    requires_roles: list[Role] = stored("requiresRoles")
    requires_scopes: list[list[str]] = stored("requiresScopes")


def redacted() -> Any:
    """The `redactions` field of a type."""

    def read(root: strawberry.Parent[Any], info: Info) -> Any:
        return list(_redactions(root, info))

    return strawberry.field(
        resolver=read,
        graphql_type=list[Redaction],
        description="The selected fields that were held back from this viewer.",
        metadata={"declared": Declared((), None, "role")},
    )


def _redactions(document: Document, info: Info) -> Iterator[Mapping[str, Any]]:
    raw = info._raw_info
    for name in sorted(_selected_beside(raw)):
        declared = declared_of(raw.parent_type, name)
        if declared and (gate := declared.holds_back(document, info.context.viewer)):
            yield redaction(name, gate)


def _selected_beside(info: GraphQLResolveInfo[Context]) -> frozenset[str]:
    """The names of the fields selected on the object whose field `info` is about; walked once for all rows of a list."""
    path = tuple(_steps(info.path.prev))
    place = (*path, ("", info.parent_type.name))
    known = info.context.selected
    if place not in known:
        selected: list[SelectionSetNode] = [info.operation.selection_set]
        for key, type_name in path:
            parent = info.schema.get_type(type_name)
            on = parent if isinstance(parent, GraphQLObjectType) else None
            selected = [
                node.selection_set for node in _fields(info, selected, on) if _response_key(node) == key and node.selection_set is not None
            ]
        known[place] = frozenset(node.name.value for node in _fields(info, selected, info.parent_type))
    return known[place]


def _steps(path: Path | None) -> Iterator[tuple[str, str]]:
    """The response keys that lead here, each with the type it was selected on."""
    if path is not None:
        yield from _steps(path.prev)
        if isinstance(path.key, str):
            yield path.key, path.typename or ""


def _response_key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _fields(info: GraphQLResolveInfo[Context], sets: list[SelectionSetNode], parent: GraphQLObjectType | None) -> Iterator[FieldNode]:
    """The fields of selection sets where their conditions hold (for `parent`, if it is known); each fragment is opened once."""
    waiting, opened = list(sets), set[str]()
    while waiting:
        for selection in waiting.pop().selections:
            if not _included(info, selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition.name.value if selection.type_condition else None
                if _applies(info, condition, parent):
                    waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and (name := selection.name.value) not in opened:
                opened.add(name)
                fragment = info.fragments[name]
                if _applies(info, fragment.type_condition.name.value, parent):
                    waiting.append(fragment.selection_set)


def _included(info: GraphQLResolveInfo[Context], selection: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, selection, info.variable_values)
    include = get_directive_values(GraphQLIncludeDirective, selection, info.variable_values)
    return not (skip and skip["if"]) and not (include and not include["if"])


def _applies(info: GraphQLResolveInfo[Context], condition: str | None, parent: GraphQLObjectType | None) -> bool:
    if condition is None or parent is None or condition == parent.name:
        return True
    named = info.schema.get_type(condition)
    return named is not None and is_abstract_type(named) and info.schema.is_sub_type(named, parent)
