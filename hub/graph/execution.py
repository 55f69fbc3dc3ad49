"""Running an operation, for every transport alike: a text, its variables and a viewer in, an answer out.

Documents are parsed and validated once a text and kept. Extensions of the schema library are not used: any async
`resolve` among them would make every field a coroutine.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from inspect import isawaitable
from typing import Any, Final, cast

import graphql
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    create_source_event_stream,
    execute_root_selection_set,
    get_operation_ast,
    validate,
)

from hub.access.viewers import Viewer
from hub.errors import HubError, Unauthenticated, Unavailable
from hub.graph.budgets import Budgets
from hub.graph.context import Context
from hub.graph.costs import Costs
from hub.graph.faults import formatted_all, remembered
from hub.graph.introspecting import Introspection
from hub.graph.limits import parsed
from hub.graph.selections import Needs, Selections
from hub.graph.signals import CURRENT, NAME
from hub.graph.streams import Answer, Rendering, Renderings, Shared, Stream, Words, answered
from hub.graph.trails import is_sensitive
from hub.journal.subscriber import Subscriber
from hub.store.mongo import bounded

KEPT: Final = 1 << 20  # characters of documents kept parsed, which take up to 100 times that: an app has some hundreds of 2 KiB
REFUSED: Final = 512  # documents of which it is remembered why they are no good, by their hash
ERRORS: Final = 20  # validation errors told of one document
INTROSPECTION: Final = frozenset({"__schema", "__type"})
BESIDE: Final = INTROSPECTION | {"__typename"}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks to run."""

    text: str
    variables: Mapping[str, Any] | None = None
    name: str | None = None


class NotRun(HubError):
    """The operation was not run at all: the document, its variables or the choice of operation are at fault."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Reading:
    """What an operation reads, as far as its text says: of each type the stored fields, and the fields at its root."""

    needs: Needs
    roots: frozenset[str]
    told: str  # as the audit names it: `Desk: cursor, interactions`
    is_sensitive: bool
    is_shareable: bool  # all with the same rights are told the same
    conditions: frozenset[str]  # the variables on which what they are told can depend


class Known:
    """A valid document, and what each of its operations reads."""

    def __init__(self, text: str, document: DocumentNode, schema: GraphQLSchema) -> None:
        self.text = text
        self.document = document
        self._selections = Selections(schema, document)
        self._costs = Costs(schema, document)
        self._readings: dict[str | None, Reading] = {}

    def reading(self, operation: OperationDefinitionNode) -> Reading:
        """What an operation reads; walked once."""
        name = operation.name.value if operation.name else None
        if name not in self._readings:
            needs = self._selections.needs(operation)
            roots = frozenset(_root_fields(self.document, operation.selection_set))
            told = ", ".join(sorted(roots)) if name is None else f"{name[:NAME]}: {', '.join(sorted(roots))}"
            self._readings[name] = Reading(
                needs,
                roots,
                told,
                is_sensitive(needs),
                self._selections.is_shareable(operation),
                self._selections.conditions(operation),
            )
        return self._readings[name]

    def cost(self, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> int:
        """What an operation costs with these variables. Raises NotRun where that is more than one may."""
        try:
            return self._costs.of(operation, variables or {})
        except GraphQLError as error:
            raise NotRun(formatted_all([error])) from None


class Executor:
    """One schema, and the documents it has seen. With `renders_once`, what is told to many is rendered once."""

    def __init__(self, schema: GraphQLSchema, text: str, budgets: Budgets, *, deadline: float, renders_once: bool = True) -> None:
        """`text`: the schema's, as it is printed. `deadline`: the seconds that a query or a mutation may take."""
        self._schema = schema
        self._introspection = Introspection(text)
        self.budgets = budgets
        self._deadline = deadline
        self._renders_once = renders_once
        self._renderings = Renderings()
        self._documents: OrderedDict[str, Known] = OrderedDict()
        self._refused: OrderedDict[tuple[bytes, bool], list[dict[str, Any]]] = OrderedDict()
        self._kept = 0

    def kind(self, operation: Operation, viewer: Viewer) -> OperationType:
        """Query, mutation or subscription; NotRun where the document is no good, or does not have this operation."""
        return self._chosen(operation, viewer)[1].operation

    async def run(self, operation: Operation, context: Context) -> Answer:
        """The answer to a query or mutation. Raises NotRun; Unauthenticated where nobody asks for the schema; RateLimited and
        CostExceeded; Unavailable, also where it takes too long."""
        known, chosen = self._chosen(operation, context.viewer)
        reading = known.reading(chosen)
        asks_for_schema = not reading.roots.isdisjoint(INTROSPECTION)
        if asks_for_schema:
            _check_introspection(context.viewer, reading.roots)
        cost = known.cost(chosen, operation.variables)
        if (signal := CURRENT.get()) is not None:
            signal.spend(cost)
        prepared = self._prepared(known.document, operation, context, reading)
        with self.budgets.running(context.viewer):
            left = self.budgets.charge(context.viewer, cost)
            try:
                async with asyncio.timeout(self._deadline):
                    if asks_for_schema:
                        answer = await self._introspection.answer(known.document, operation.name, operation.variables or {}, context.viewer)
                    else:
                        answer = await self._executed(prepared, context, reading)
            except TimeoutError:
                raise Unavailable(f"This took longer than {self._deadline:g} seconds; ask for less.") from None
        answer.setdefault("extensions", {})["cost"] = {"requested": cost, "available": left}
        return answer

    async def _executed(self, prepared: graphql.Executor[Any], context: Context, reading: Reading) -> Answer:
        if not context.viewer.is_anonymous and "cursor" in reading.roots:
            await context.read_head()  # before anything else of this operation: read, then subscribe from there
        with bounded(self._deadline):
            outcome = execute_root_selection_set(prepared)
            answer = answered(await outcome if isawaitable(outcome) else outcome, context)
        await context.trail.leave()
        return answer

    async def stream(self, operation: Operation, context: Context) -> Stream:
        """The answers of a subscription, for as long as they are read. Raises NotRun, also when its root is refused; RateLimited
        and CostExceeded; Unavailable."""
        known, chosen = self._chosen(operation, context.viewer)
        reading = known.reading(chosen)
        cost = known.cost(chosen, operation.variables)
        if (signal := CURRENT.get()) is not None:
            signal.spend(cost)
        prepared = self._prepared(known.document, operation, context, reading)
        self.budgets.charge(context.viewer, cost)
        if self._renders_once and reading.is_shareable and not reading.is_sensitive:
            context.rendering = self._shared(known, operation, prepared, context)
        found = create_source_event_stream(prepared)
        source = await found if isawaitable(found) else found
        if isinstance(source, ExecutionResult):
            raise NotRun(formatted_all(source.errors or []))
        return Stream(prepared, cast(Subscriber, source), context)

    def _shared(self, known: Known, operation: Operation, prepared: graphql.Executor[Any], context: Context) -> Shared:
        chosen = known.reading(prepared.operation).conditions
        variables = {name: value for name, value in prepared.variable_values.coerced.items() if name in chosen}

        def words(viewer: Viewer) -> Words:
            return Words.of(known.text, operation.name, variables, viewer)

        def make() -> Rendering:
            alone = context.alone()
            return Rendering(self._built(known.document, operation, alone), alone)

        return Shared(self._renderings, words, make, context)

    def _prepared(self, document: DocumentNode, operation: Operation, context: Context, reading: Reading) -> graphql.Executor[Any]:
        """The operation ready to run. Raises NotRun, and Unavailable where nothing can be recorded."""
        context.needs = reading.needs
        context.trail.follow(reading.told, is_sensitive=reading.is_sensitive)
        return self._built(document, operation, context)

    def _built(self, document: DocumentNode, operation: Operation, context: Context) -> graphql.Executor[Any]:
        """With its variables coerced. Raises NotRun."""
        prepared = graphql.Executor.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=dict(operation.variables or {}),
            operation_name=operation.name,
        )
        if isinstance(prepared, list):
            raise NotRun(formatted_all(prepared))
        return prepared

    def _chosen(self, operation: Operation, viewer: Viewer) -> tuple[Known, OperationDefinitionNode]:
        known = self._document(operation.text, not viewer.is_anonymous)
        chosen = get_operation_ast(known.document, operation.name)
        if chosen is None:
            raise NotRun(formatted_all([GraphQLError(_not_chosen(operation.name))]))
        if (signal := CURRENT.get()) is not None:
            signal.choose(chosen)
        return known, chosen

    def _document(self, text: str, is_told_names: bool) -> Known:
        if (known := self._documents.get(text)) is not None:
            self._documents.move_to_end(text)
            return known
        asked = sha256(text.encode(errors="surrogatepass")).digest(), is_told_names
        if (errors := self._refused.get(asked)) is not None:
            raise NotRun(remembered(errors))
        examined = self._examined(text, is_told_names)
        if isinstance(examined, list):
            self._refused[asked] = examined
            if len(self._refused) > REFUSED:
                self._refused.popitem(last=False)
            raise NotRun(examined)
        self._documents[text] = known = Known(text, examined, self._schema)
        self._kept += len(text)
        while self._kept > KEPT:
            self._kept -= len(self._documents.popitem(last=False)[0])
        return known

    def _examined(self, text: str, is_told_names: bool) -> DocumentNode | list[dict[str, Any]]:
        """The document, or why it is no good; names that it does not name are only for those who may ask for all of them."""
        try:
            document = parsed(text)
        except GraphQLError as error:
            return formatted_all([error])
        return formatted_all(validate(self._schema, document, max_errors=ERRORS, hide_suggestions=not is_told_names)) or document


def _check_introspection(viewer: Viewer, roots: frozenset[str]) -> None:
    """Raises Unauthenticated where nobody asks for the schema, and NotRun where it is asked for among other things."""
    if viewer.is_anonymous:
        raise Unauthenticated
    if not roots <= BESIDE:
        raise NotRun(formatted_all([GraphQLError("Ask for the schema in an operation of its own.")]))


def _root_fields(document: DocumentNode, root: SelectionSetNode) -> Iterator[str]:
    """The names of the fields at the root; each fragment is opened once, however often it is spread."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    waiting = [root]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and (fragment := fragments.pop(selection.name.value, None)):
                waiting.append(fragment.selection_set)


def _not_chosen(name: str | None) -> str:
    if name is not None:
        return f"The document has no operation named {name[:64]!r}."
    return "The document has no operation, or several: then `operationName` says which."
