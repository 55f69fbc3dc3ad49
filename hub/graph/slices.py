"""The schema as one role meets it: what it could never open is not there, nor what then leads nowhere.

Fields that open on what is one's own stay, and masked ones too. Enums stay whole: their words appear in answers to everyone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from graphql import (
    SKIP,
    DirectiveDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    parse,
    visit,
)
from graphql.language import Visitor, VisitorAction

from hub.access.gates import ARGUMENTS, FIELDS
from hub.access.mandates import KINDS, ROOTS, SCOPES_OF, allows
from hub.access.viewers import SCOPES, Viewer
from hub.domain.ids import PARTY, PartyId
from hub.domain.terms import Role
from hub.errors import BadInput, listed

SOMEONE: Final = PartyId(f"{PARTY}{'0' * 32}")
OPERATIONS: Final = ("Query", "Mutation", "Subscription")
BETWEEN: Final = " \n,"  # what stands between fields, between arguments and between types

Types = Mapping[str, TypeDefinitionNode]


def someone(role: str, scopes: Collection[str] = ()) -> Viewer:
    """A party in this role, with these scopes; without any, with all that the role can use. Raises BadInput for other words."""
    if role.upper() not in Role.__members__:
        raise BadInput(f"There is no role {role}; there are {listed(list(Role), 'and')}.", "role")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise BadInput(f"There is no scope {listed(unknown)}; there are {listed(SCOPES, 'and')}.", "scope")
    named = Role(role.upper())
    held = frozenset(scopes) or SCOPES_OF[named]
    return Viewer("", named, None, None, SOMEONE, roles=frozenset({named}), scopes=held, expires_at=None)


def sliced(text: str, viewer: Viewer) -> str:
    """The text of a schema without what can never open for this viewer; all else stands as it stood."""
    definitions = parse(text).definitions
    types = {one.name.value: one for one in definitions if isinstance(one, TypeDefinitionNode)}
    closed = {name: list(_closed(one, viewer)) for name, one in types.items()}
    directives = [one for one in definitions if isinstance(one, DirectiveDefinitionNode)]
    reached = _reached(types, directives, closed, viewer)
    lost = [one for name, one in types.items() if name not in reached]
    return _without(text, [*lost, *(node for name in reached for node in closed[name])])


def opens(place: str, viewer: Viewer) -> bool:
    """Whether a root, a field or an argument is ever there for this viewer: at least on what is its own."""
    if place in ROOTS:
        return allows(viewer, ROOTS[place], own=True)
    gate = FIELDS.get(place) or ARGUMENTS.get(place)
    return gate is None or gate.opens(viewer, own=True)


def _closed(definition: TypeDefinitionNode, viewer: Viewer) -> Iterator[Node]:
    """The fields of a type that never open, and the arguments of the others."""
    for field in _fields(definition):
        place = f"{definition.name.value}.{field.name.value}"
        if not opens(place, viewer):
            yield field
        else:
            yield from (one for one in getattr(field, "arguments", None) or () if not opens(f"{place}.{one.name.value}", viewer))


def _fields(definition: TypeDefinitionNode) -> Sequence[FieldDefinitionNode | InputValueDefinitionNode]:
    return definition.fields or () if isinstance(definition, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode) else ()


def _reached(types: Types, directives: Collection[Node], closed: Mapping[str, Collection[Node]], viewer: Viewer) -> set[str]:
    """The names of the types that what is open of the roots leads to; those that the directives speak of, too."""
    named = _Named({id(node) for nodes in closed.values() for node in nodes})
    reached: set[str] = set()
    waiting = [name for one in directives for name in named.in_(one)]
    waiting += [name for name in OPERATIONS if name in types and len(closed[name]) < len(_fields(types[name]))]
    while waiting:
        name = waiting.pop()
        if name not in types or name in reached:
            continue
        reached.add(name)
        waiting += named.in_(types[name])
        if isinstance(types[name], InterfaceTypeDefinitionNode):  # it leads to what this viewer may read by its id
            waiting += [kind for kind, root in KINDS.items() if opens(root, viewer)]
    return reached


class _Named(Visitor):
    """The names of the types that a definition leads to, by what of it is not closed."""

    def __init__(self, closed: Collection[int]) -> None:
        super().__init__()
        self._closed = closed
        self._names: list[str] = []

    def in_(self, definition: Node) -> list[str]:
        self._names = []
        visit(definition, self)
        return self._names

    def enter(self, node: Node, *_: Any) -> VisitorAction:
        if id(node) in self._closed:
            return SKIP
        if isinstance(node, NamedTypeNode):
            self._names.append(node.name.value)
        return None


def _without(text: str, nodes: Collection[Node]) -> str:
    """A text without some of its nodes, and without what stood between them and the nodes before; the last are cut first."""
    for start, end in sorted(((node.loc.start, node.loc.end) for node in nodes if node.loc), reverse=True):
        before, after = text[:start].rstrip(BETWEEN), text[end:]
        if not before.endswith(("{", "(")):
            text = before + after
        elif after.lstrip(BETWEEN).startswith(")"):
            text = before[:-1] + after.lstrip(BETWEEN)[1:]
        else:
            text = text[:start] + after.lstrip(BETWEEN)
    return text
