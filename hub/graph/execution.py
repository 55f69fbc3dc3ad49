"""Running an operation, for every transport alike: a text, its variables and a viewer in, an answer out.

Documents are parsed and validated once a text and kept. Extensions of the schema library are not used: any async
`resolve` among them would make every field a coroutine.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

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
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)

from hub.errors import HubError
from hub.graph.context import Context
from hub.graph.faults import formatted_all

KEPT: Final = 1_000  # documents kept parsed; an app has some hundreds
TOKENS: Final = 5_000  # of one document: an introspection query has about 500
ERRORS: Final = 20  # validation errors told of one document

Answer = dict[str, Any]  # as the transports send it: data, errors, extensions


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


class Executor:
    """One schema, and the documents it has seen."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()

    def kind(self, operation: Operation) -> OperationType:
        """Query, mutation or subscription; NotRun where the document is no good, or does not have this operation."""
        return self._chosen(operation)[1].operation

    async def run(self, operation: Operation, context: Context) -> Answer:
        """The answer to a query or mutation. Raises NotRun."""
        document, chosen = self._chosen(operation)
        if not context.viewer.is_anonymous and "cursor" in _root_fields(document, chosen.selection_set):
            await context.read_head()  # before anything else of this operation: read, then subscribe from there
        outcome = execute(
            self._schema,
            document,
            context_value=context,
            variable_values=dict(operation.variables or {}),
            operation_name=operation.name,
        )
        result = await outcome if isawaitable(outcome) else outcome
        if not isinstance(result, ExecutionResult):
            raise TypeError("incremental delivery is not on")
        return _answer(result, context)

    async def stream(self, operation: Operation, context: Context) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, for as long as they are read. Raises NotRun, also when its root is refused."""
        document, _ = self._chosen(operation)
        outcome = subscribe(
            self._schema,
            document,
            context_value=context,
            variable_values=dict(operation.variables or {}),
            operation_name=operation.name,
        )
        results = await outcome if isawaitable(outcome) else outcome
        if isinstance(results, ExecutionResult):
            raise NotRun(formatted_all(results.errors or []))
        return self._answers(results, context)

    async def _answers(self, results: Any, context: Context) -> AsyncGenerator[Answer, None]:
        try:
            async for result in results:
                yield _answer(result, context)
        finally:
            await results.aclose()

    def _chosen(self, operation: Operation) -> tuple[DocumentNode, OperationDefinitionNode]:
        document = self._document(operation.text)
        chosen = get_operation_ast(document, operation.name)
        if chosen is None:
            raise NotRun(
                formatted_all(
                    [GraphQLError(f"There is no operation {operation.name!r}." if operation.name else "Say which: operationName.")]
                )
            )
        return document, chosen

    def _document(self, text: str) -> DocumentNode:
        if (known := self._documents.get(text)) is not None:
            self._documents.move_to_end(text)
            return known
        try:
            document = parse(text, max_tokens=TOKENS)
        except GraphQLError as error:
            raise NotRun(formatted_all([error])) from None
        except RecursionError:
            raise NotRun(formatted_all([GraphQLError("The document is nested too deeply.")])) from None
        try:
            errors = validate(self._schema, document, max_errors=ERRORS)
        except RecursionError:
            errors = [GraphQLError("The document is nested too deeply.")]
        if errors:
            raise NotRun(formatted_all(errors))
        self._documents[text] = document
        if len(self._documents) > KEPT:
            self._documents.popitem(last=False)
        return document


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


def _answer(result: ExecutionResult, context: Context) -> Answer:
    answer: Answer = {"data": result.data}
    if result.errors:
        answer["errors"] = formatted_all(result.errors)
    if context.withheld:
        answer["extensions"] = {"redactions": [{"type": of, **held} for (of, _), held in sorted(context.withheld.items())]}
    return answer
