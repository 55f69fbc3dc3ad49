"""What an operation selects, walked once with the schema beside it: the stored fields it needs, and how deep its pages lie.

Both are unions over the whole operation: a projection is one a type, so that all loads of that type can travel together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)

from hub.graph.fields import declared_of

PAGES_DEEP: Final = 2  # pages inside each other: a list and the history of each of its rows
WIDE: Final = frozenset({"Interaction.relationships", "Party.roles"})  # short lists, but of documents that lead on to others

Parent = GraphQLObjectType | GraphQLInterfaceType
Needs = Mapping[str, frozenset[str]]  # of each type, the stored fields that its selected fields read


def is_page(parent: Parent, name: str) -> bool:
    """Whether a field gives many documents, so that one inside another multiplies."""
    of = get_named_type(parent.fields[name].type)
    return of.name.endswith(("Connection", "Page")) or f"{parent.name}.{name}" in WIDE


class Selections:
    """The selections of one valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        self._operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
        self._deepest: dict[str, int] = {}

    def needs(self, operation: OperationDefinitionNode) -> Needs:
        """What this operation reads of each type. Each fragment is opened once, however often it is spread."""
        needs: defaultdict[str, set[str]] = defaultdict(set)
        opened: set[str] = set()
        waiting = [(self._root(operation.operation), operation.selection_set)]
        while waiting:
            parent, chosen = waiting.pop()
            for selection in chosen.selections:
                if isinstance(selection, FragmentSpreadNode):
                    if (name := selection.name.value) not in opened:
                        opened.add(name)
                        waiting.append((self._of_fragment(name), self._fragments[name].selection_set))
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append((self._conditioned(parent, selection), selection.selection_set))
                elif isinstance(selection, FieldNode):
                    for type, wanted in self._read(parent, selection):
                        needs[type].update(wanted)
                    if (inside := self._inside(parent, selection)) is not None and selection.selection_set:
                        waiting.append((inside, selection.selection_set))
        return {type: frozenset(wanted) for type, wanted in needs.items()}

    def too_deep(self) -> list[GraphQLError]:
        """What a document asks for too much of: three pages of a hundred inside each other are a million rows."""
        pages = max((self._pages(self._root(one.operation), one.selection_set) for one in self._operations), default=0)
        if pages <= PAGES_DEEP:
            return []
        return [GraphQLError(f"Pages are nested {pages} deep, and at most {PAGES_DEEP} may be: ask for the rest by itself.")]

    def _pages(self, parent: Parent | None, chosen: SelectionSetNode | None) -> int:
        found = 0
        for selection in chosen.selections if chosen else ():
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in self._deepest:
                    self._deepest[name] = self._pages(self._of_fragment(name), self._fragments[name].selection_set)
                found = max(found, self._deepest[name])
            elif isinstance(selection, InlineFragmentNode):
                found = max(found, self._pages(self._conditioned(parent, selection), selection.selection_set))
            elif isinstance(selection, FieldNode) and parent is not None and selection.name.value in parent.fields:
                inside = self._pages(self._inside(parent, selection), selection.selection_set)
                found = max(found, inside + is_page(parent, selection.name.value))
        return found

    def _read(self, parent: Parent | None, selection: FieldNode) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What a field reads, of each type that it may be selected on."""
        name = selection.name.value
        types = self._schema.get_possible_types(parent) if isinstance(parent, GraphQLInterfaceType) else [parent]
        for type in types:
            if type is not None and (declared := declared_of(type, name)) is not None:
                yield type.name, declared.needs

    def _inside(self, parent: Parent | None, selection: FieldNode) -> Parent | None:
        field = parent.fields.get(selection.name.value) if parent is not None else None
        return None if field is None else _parent(get_named_type(field.type))

    def _root(self, operation: OperationType) -> Parent | None:
        return self._schema.get_root_type(operation)

    def _of_fragment(self, name: str) -> Parent | None:
        return _parent(self._schema.get_type(self._fragments[name].type_condition.name.value))

    def _conditioned(self, parent: Parent | None, fragment: InlineFragmentNode) -> Parent | None:
        return _parent(self._schema.get_type(fragment.type_condition.name.value)) if fragment.type_condition else parent


def _parent(type: object) -> Parent | None:
    return type if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) else None
