"""What an operation selects, walked once with the schema beside it: the stored fields it needs, and what it may cost.

A projection is one a type, a union over the whole operation, so that all loads of that type can travel together."""

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
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    visit,
)

from hub.errors import ErrorCode
from hub.graph.fields import Declared, declared_of
from hub.store.paging import LARGEST, PAGE

PAGES_DEEP: Final = 2  # pages inside each other: a list and the history of each of its rows
WEIGHED: Final = 2_000  # selections of one document that are weighed; an app's have some dozens
DEAREST: Final = 50_000  # values of one answer: about a second of one processor
SOME: Final = 10  # of a list inside a document, when its length is not known: most have fewer
HEAVY: Final[Mapping[str, int]] = {  # what costs more than a value
    "redactions": 5,
    "Interaction.allowedActs": 15,
    "Attachment.downloadUrl": 10,  # is sealed
    "Interaction.description": 10,  # texts of up to 8,000 characters
    "Interaction.question": 10,
    "Interaction.resolution": 10,
    "InteractionItem.resolution": 10,
    "InteractionEvent.message": 10,
    "Note.text": 10,
    "Progress.message": 10,
    "Satisfaction.comment": 10,
}
WIDE: Final = frozenset({"Interaction.relationships", "Party.roles"})  # short lists, but of documents that lead on to others

Parent = GraphQLObjectType | GraphQLInterfaceType
Chosen = tuple[tuple[Parent | None, SelectionSetNode], ...]  # selections on one object, each with the type it is on
Weight = tuple[int, int]  # how deep pages lie, and how many values there may be
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
        self._weighed: dict[frozenset[tuple[str, int]], Weight] = {}

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

    def too_much(self) -> list[GraphQLError]:
        """What a document asks for too much of: pages inside each other, or more values than one answer should have."""
        weights = [self._weight(((self._root(one.operation), one.selection_set),)) for one in self._operations]
        pages, cost = (max(found) for found in zip(*weights, strict=True)) if weights else (0, 0)
        if pages > PAGES_DEEP:
            told = f"Pages are nested {pages} deep, and at most {PAGES_DEEP} may be: ask for the rest by itself."
            return [GraphQLError(told, extensions={"code": ErrorCode.COST_EXCEEDED})]
        if cost > DEAREST:
            told = f"The answer could have more than {DEAREST} values, which is what is given at once: ask for fewer rows or fields."
            return [GraphQLError(told, extensions={"code": ErrorCode.COST_EXCEEDED})]
        return []

    def _weight(self, chosen: Chosen) -> Weight:
        """How deep pages lie in selections on one object, and how many values they may give. Fields that answer under one name
        are one field, as when they are executed; what was weighed once is not weighed again."""
        key = frozenset((parent.name if parent else "", id(selections)) for parent, selections in chosen)
        if key not in self._weighed:
            if len(self._weighed) >= WEIGHED:
                return 0, DEAREST + 1
            self._weighed[key] = 0, 0
            deepest, cost = 0, 0
            for parent, name, nodes in self._merged(chosen):
                inside = _parent(get_named_type(parent.fields[name].type))
                pages, values = self._weight(tuple((inside, node.selection_set) for node in nodes if node.selection_set))
                is_one_more = is_page(parent, name)
                deepest = max(deepest, pages + is_one_more)
                cost += _heaviness(parent, name) + max(_rows(parent, node) for node in nodes) * values
            self._weighed[key] = deepest, cost
        return self._weighed[key]

    def _merged(self, chosen: Chosen) -> Iterator[tuple[Parent, str, list[FieldNode]]]:
        """The fields of selections on one object, by the name they answer under and the type they are selected on."""
        fields: defaultdict[tuple[str, str], list[FieldNode]] = defaultdict(list)
        parents: dict[str, Parent] = {}
        waiting, opened = list(chosen), set[str]()
        while waiting:
            parent, selections = waiting.pop()
            for selection in selections.selections:
                if isinstance(selection, FragmentSpreadNode) and (name := selection.name.value) not in opened:
                    opened.add(name)
                    waiting.append((self._of_fragment(name), self._fragments[name].selection_set))
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append((self._conditioned(parent, selection), selection.selection_set))
                elif isinstance(selection, FieldNode) and parent is not None and selection.name.value in parent.fields:
                    parents[parent.name] = parent
                    fields[parent.name, selection.alias.value if selection.alias else selection.name.value].append(selection)
        yield from ((parents[on], nodes[0].name.value, nodes) for (on, _), nodes in fields.items())

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


def _heaviness(parent: Parent, name: str) -> int:
    return HEAVY.get(f"{parent.name}.{name}", HEAVY.get(name, 1))


def _rows(parent: Parent, selection: FieldNode) -> int:
    """How many things a field gives, as far as the document says: a page as many as asked for, a list some."""
    field = parent.fields[selection.name.value]
    if is_page(parent, selection.name.value) or "first" in field.args or (selection.name.value == "nodes" and "ids" in field.args):
        given = {argument.name.value: argument.value for argument in selection.arguments or ()}
        asked = given.get("first") or given.get("last")
        if asked is None and "ids" not in given:
            return PAGE if is_page(parent, selection.name.value) else SOME
        if isinstance(ids := given.get("ids"), ListValueNode):
            return len(ids.values)
        return int(asked.value) if isinstance(asked, IntValueNode) else LARGEST
    is_counted = parent.name.endswith(("Connection", "Page"))  # by the page itself
    is_list = is_list_type(get_nullable_type(field.type))
    return SOME if is_list and not is_counted and selection.name.value != "redactions" else 1


def _parent(type: object) -> Parent | None:
    return type if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) else None
