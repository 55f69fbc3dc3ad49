"""What an operation selects, walked once with the schema beside it: the stored fields it needs, and on what its answer depends.

A projection is one a type, a union over the whole operation, so that all loads of that type can travel together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

from hub.graph.fields import Declared, declared_of

Parent = GraphQLObjectType | GraphQLInterfaceType
Needs = Mapping[str, frozenset[str]]  # of each type, the stored fields that its selected fields read


class Selections:
    """The selections of one valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}

    def needs(self, operation: OperationDefinitionNode) -> Needs:
        """What this operation reads of each type. Each fragment is opened once, however often it is spread."""
        needs: defaultdict[str, set[str]] = defaultdict(set)
        for type, declared in self._declared(operation):
            needs[type].update(declared.needs)
        return {type: frozenset(wanted) for type, wanted in needs.items()}

    def is_shareable(self, operation: OperationDefinitionNode) -> bool:
        """Whether all with the same rights are told the same: no selected field depends on who looks, nor on what is its own."""
        return not any(
            declared.depends_on == "viewer" or declared.mask or (declared.gate and declared.gate.own)
            for _, declared in self._declared(operation)
        )

    def conditions(self, operation: OperationDefinitionNode) -> frozenset[str]:
        """The variables on which an answer can depend, beyond those that only the fields at its root are given."""
        named = _Variables()
        for node in (*_beyond_arguments(operation), *self._fragments.values()):
            visit(node, named)
        return frozenset(named.names)

    def _declared(self, operation: OperationDefinitionNode) -> Iterator[tuple[str, Declared]]:
        """How the selected fields were declared, each on every type that it may be selected on. Each fragment is opened once."""
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
                    yield from self._read(parent, selection.name.value)
                    if (inside := self._inside(parent, selection)) is not None and selection.selection_set:
                        waiting.append((inside, selection.selection_set))

    def _read(self, parent: Parent | None, name: str) -> Iterator[tuple[str, Declared]]:
        types = self._schema.get_possible_types(parent) if isinstance(parent, GraphQLInterfaceType) else [parent]
        for type in types:
            if type is not None and (declared := declared_of(type, name)) is not None:
                yield type.name, declared

    def _inside(self, parent: Parent | None, selection: FieldNode) -> Parent | None:
        field = parent.fields.get(selection.name.value) if parent is not None else None
        return None if field is None else _parent(get_named_type(field.type))

    def _root(self, operation: OperationType) -> Parent | None:
        return self._schema.get_root_type(operation)

    def _of_fragment(self, name: str) -> Parent | None:
        return _parent(self._schema.get_type(self._fragments[name].type_condition.name.value))

    def _conditioned(self, parent: Parent | None, fragment: InlineFragmentNode) -> Parent | None:
        return _parent(self._schema.get_type(fragment.type_condition.name.value)) if fragment.type_condition else parent


class _Variables(Visitor):
    """The names of the variables that are used in what is visited."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _beyond_arguments(operation: OperationDefinitionNode) -> Iterator[Node]:
    yield from operation.directives or ()
    for selection in operation.selection_set.selections:
        if isinstance(selection, FieldNode):
            yield from selection.directives or ()
            if selection.selection_set:
                yield selection.selection_set
        else:
            yield selection


def _parent(type: object) -> Parent | None:
    return type if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) else None
