"""The schema as the viewer meets it: asked for what there is, the hub tells each what its roles and scopes can ever open.

A slice of the schema is made once for each set of rights, and so is an answer: tools ask the same over and over.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson
from graphql import DocumentNode, GraphQLSchema, build_ast_schema, execute_sync, parse, print_ast

from hub.access.viewers import Viewer
from hub.graph.faults import formatted_all
from hub.graph.slices import sliced

SCHEMAS: Final = 32  # slices that are kept; there are as many as sets of rights, which are few
ANSWERS: Final = 64  # of some 100 KB each

K = TypeVar("K")
V = TypeVar("V")
Rights = tuple[frozenset[str], frozenset[str]]


class Introspection:
    """What is told of a schema, by rights."""

    def __init__(self, text: str) -> None:
        """`text`: the whole schema's."""
        self._text = text
        self._schemas: OrderedDict[Rights, GraphQLSchema] = OrderedDict()
        self._answers: OrderedDict[tuple[Rights, str, str | None, bytes], dict[str, Any]] = OrderedDict()
        self._making = asyncio.Lock()

    async def answer(self, document: DocumentNode, name: str | None, variables: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
        """The answer to an operation that asks for nothing but the schema."""
        rights = (frozenset(map(str, viewer.roles)), viewer.scopes)
        asked = (rights, print_ast(document), name, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS))
        if asked not in self._answers:
            schema = await self._schema(rights, viewer)
            _keep(self._answers, asked, await asyncio.to_thread(_answered, schema, document, name, variables), ANSWERS)
        return dict(self._answers[asked])

    async def _schema(self, rights: Rights, viewer: Viewer) -> GraphQLSchema:
        async with self._making:  # a tenth of a second of a processor: nobody else's
            if rights not in self._schemas:
                _keep(self._schemas, rights, await asyncio.to_thread(_slice, self._text, viewer), SCHEMAS)
            return self._schemas[rights]


def _slice(text: str, viewer: Viewer) -> GraphQLSchema:
    return build_ast_schema(parse(sliced(text, viewer)))


def _answered(schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
    result = execute_sync(schema, document, variable_values=dict(variables), operation_name=name)
    return {"data": result.data} | ({"errors": formatted_all(result.errors)} if result.errors else {})


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
