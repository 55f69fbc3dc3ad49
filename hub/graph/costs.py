"""What an operation costs: about how many values its answer may have, known before anything is read.

The schema prints what is counted, in the words of IBM's GraphQL Cost Directives: `@cost` where a field weighs more than one
value, `@listSize` where it gives many. Pages inside each other multiply.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import strawberry
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
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from strawberry.schema_directive import Location

from hub.errors import ErrorCode
from hub.store.paging import LARGEST, PAGE

PAGES_DEEP: Final = 2  # pages inside each other: a list and the history of each of its rows
WEIGHED: Final = 2_000  # selections of one document that are weighed; an app's have some dozens
DEAREST: Final = 50_000  # values of one answer: about a second of one processor
SOME: Final = 10  # of a list inside a document, when its length is not known: most have fewer
KEPT: Final = 64  # costs of one operation that are kept, by the sizes of its pages
A_PAGE: Final = 10  # a question to the database
AN_ACT: Final = 50  # a commit
WEIGHTS: Final[Mapping[str, int]] = {  # what costs more than a value
    "redactions": 5,
    "totalCount": 50,  # counted up to 10,000
    "totalCountIsExact": 50,
    "Attachment.downloadUrl": 10,  # is sealed
    "Interaction.allowedActs": 15,
    "Interaction.description": 10,  # texts of up to 8,000 characters
    "Interaction.question": 10,
    "Interaction.resolution": 10,
    "InteractionItem.resolution": 10,
    "InteractionEvent.message": 10,
    "Note.text": 10,
    "Progress.message": 10,
    "Satisfaction.comment": 10,
}
INTROSPECTION: Final[Mapping[str, int]] = {"__schema": 500, "__type": 100}
WIDE: Final = frozenset({"Interaction.relationships", "Party.roles"})  # short lists, but of documents that lead on to others
ROWS: Final = ("edges", "nodes")  # of a connection

Parent = GraphQLObjectType | GraphQLInterfaceType
Chosen = tuple[tuple[Parent | None, SelectionSetNode], ...]  # selections on one object, each with the type it is on
Weight = tuple[int, int]  # how deep pages lie, and how many values there may be
Variables = Mapping[str, Any]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="How many values of an answer this field counts for; others count for one.",
)
class Cost:
    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="For how many things this field counts: as many as one of the slicing arguments says, else the assumed size. "
    "On a connection they are its sized fields.",
)
class ListSize:
    assumed_size: int
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET
    require_one_slicing_argument: bool | None = strawberry.UNSET


def weight_of(parent: Parent, name: str) -> int:
    """For how many values a field counts."""
    if parent.name == "Mutation":
        return AN_ACT
    usual = A_PAGE if is_page(parent, name) else 1
    return WEIGHTS.get(f"{parent.name}.{name}", WEIGHTS.get(name, usual))


def size_of(parent: Parent, name: str) -> ListSize | None:
    """How many things a field gives; None for one."""
    field = parent.fields[name]
    slicing = [argument for argument in ("first", "last") if argument in field.args]
    if _is_connection(get_named_type(field.type).name):
        rows = [row for row in ROWS if row in getattr(get_named_type(field.type), "fields", ())]
        return ListSize(assumed_size=PAGE, slicing_arguments=slicing, sized_fields=rows, require_one_slicing_argument=False)
    if "ids" in field.args:
        return ListSize(assumed_size=LARGEST, slicing_arguments=["ids"])
    if slicing:
        return ListSize(assumed_size=SOME, slicing_arguments=slicing, require_one_slicing_argument=False)
    is_list = is_list_type(get_nullable_type(field.type))
    return ListSize(assumed_size=SOME) if is_list and name != "redactions" and not _is_connection(parent.name) else None


def is_page(parent: Parent, name: str) -> bool:
    """Whether a field gives many documents, so that one inside another multiplies."""
    return _is_connection(get_named_type(parent.fields[name].type).name) or f"{parent.name}.{name}" in WIDE


def _is_connection(type: str) -> bool:
    return type.endswith(("Connection", "Page"))


def declare(schema: GraphQLSchema) -> None:
    """Have the schema print what its fields cost."""
    for type in schema.type_map.values():
        if not isinstance(type, GraphQLObjectType | GraphQLInterfaceType) or type.name.startswith("__"):
            continue
        for name, field in type.fields.items():
            directives = field.extensions["strawberry-definition"].directives
            found: list[Any] = [Cost(weight=str(weight))] if (weight := weight_of(type, name)) != 1 else []
            if (size := size_of(type, name)) is not None:
                found.append(size)
            directives[:] = [*(one for one in directives if not isinstance(one, Cost | ListSize)), *found]


class Costs:
    """What the operations of one valid document cost."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        self._known: dict[tuple[str | None, tuple[int, ...]], int] = {}
        self._sized: dict[str | None, dict[str, None]] = {}  # the variables that say how long a page is, by operation

    def of(self, operation: OperationDefinitionNode, given: Variables) -> int:
        """How many values the answer may have with these variables. Raises GraphQLError where that is more than one answer has."""
        name = operation.name.value if operation.name else None
        variables = _with_defaults(operation, given)
        sizes = tuple(map(_told, map(variables.get, self._sized.get(name, ()))))
        if name not in self._sized or (name, sizes) not in self._known:
            weighing = _Weighing(self._schema, self._fragments, variables)
            pages, cost = weighing.weight(((self._schema.get_root_type(operation.operation), operation.selection_set),))
            if pages > PAGES_DEEP:
                told = f"Pages are nested {pages} deep, and at most {PAGES_DEEP} may be: ask for the rest by itself."
                raise GraphQLError(told, extensions={"code": ErrorCode.COST_EXCEEDED})
            self._sized[name] = weighing.sized
            sizes = tuple(map(_told, map(variables.get, weighing.sized)))
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[name, sizes] = cost
        if (cost := self._known[name, sizes]) > DEAREST:
            told = f"The answer could have more than {DEAREST} values, which is what is given at once: ask for fewer rows or fields."
            raise GraphQLError(told, extensions={"code": ErrorCode.COST_EXCEEDED})
        return cost


class _Weighing:
    """One walk over an operation."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Variables) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._weighed: dict[tuple[frozenset[tuple[str, int]], int], Weight] = {}
        self.sized: dict[str, None] = {}

    def weight(self, chosen: Chosen, rows: int = 1) -> Weight:
        """How deep pages lie in selections on one object, and how many values they may give; `rows`: how many there are of its
        sized fields, if it is a connection. Fields that answer under one name are one field, as when they are executed; what
        was weighed once is not weighed again."""
        key = frozenset((parent.name if parent else "", id(selections)) for parent, selections in chosen), rows
        if key not in self._weighed:
            if len(self._weighed) >= WEIGHED:
                return 0, DEAREST + 1
            self._weighed[key] = 0, 0
            deepest, cost = 0, 0
            for parent, name, nodes in self._merged(chosen):
                if name in INTROSPECTION:
                    cost += INTROSPECTION[name]
                    continue
                inside = _parent(get_named_type(parent.fields[name].type))
                size = size_of(parent, name)
                many = 1 if size is None else max(self._length(size, node) for node in nodes)
                is_counted = size is not None and bool(size.sized_fields)
                pages, values = self.weight(
                    tuple((inside, node.selection_set) for node in nodes if node.selection_set), many if is_counted else 1
                )
                deepest = max(deepest, pages + is_page(parent, name))
                times = (1 if is_counted else many) * (rows if _is_connection(parent.name) and name in ROWS else 1)
                cost += weight_of(parent, name) + times * values
            self._weighed[key] = deepest, cost
        return self._weighed[key]

    def _length(self, size: ListSize, node: FieldNode) -> int:
        """As many as one of the slicing arguments says, else the assumed size."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for slicing in size.slicing_arguments or ():
            value = self._value(given.get(slicing))
            if value is not None:
                return value
        return size.assumed_size

    def _value(self, node: ValueNode | None) -> int | None:
        if node is None or isinstance(node, NullValueNode):
            return None
        if isinstance(node, VariableNode):
            self.sized[node.name.value] = None
            value = self._variables.get(node.name.value)
            return None if value is None else _told(value)
        if isinstance(node, ListValueNode):
            return len(node.values)
        return min(max(int(node.value), 0), LARGEST) if isinstance(node, IntValueNode) else LARGEST

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
                    fragment = self._fragments[name]
                    waiting.append((_parent(self._schema.get_type(fragment.type_condition.name.value)), fragment.selection_set))
                elif isinstance(selection, InlineFragmentNode):
                    on = selection.type_condition
                    waiting.append((_parent(self._schema.get_type(on.name.value)) if on else parent, selection.selection_set))
                elif isinstance(selection, FieldNode) and parent is not None and selection.name.value in (*parent.fields, *INTROSPECTION):
                    parents[parent.name] = parent
                    fields[parent.name, (selection.alias or selection.name).value].append(selection)
        yield from ((parents[on], nodes[0].name.value, nodes) for (on, _), nodes in fields.items())


def _with_defaults(operation: OperationDefinitionNode, given: Variables) -> Variables:
    defaults = {
        one.variable.name.value: int(one.default_value.value)
        for one in operation.variable_definitions or ()
        if isinstance(one.default_value, IntValueNode)
    }
    return {**defaults, **given} if defaults else given


def _told(value: Any) -> int:
    """What a variable says of how many, -1 for nothing: itself or its length; the most where it is neither, which nobody will run."""
    if value is None:
        return -1
    if isinstance(value, int):
        return min(max(value, 0), LARGEST)
    return min(len(value), LARGEST) if isinstance(value, list) else LARGEST


def _parent(type: object) -> Parent | None:
    return type if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) else None
