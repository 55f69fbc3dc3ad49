"""What a document may look like, asked before it is validated: validating costs the square of what it repeats.

One pass over the parsed text, without the schema. Fields that answer under one name on one object are compared with each
other by validation; how many comparisons that makes is counted here, each set of selections once, whichever fragments lead
to it. The parser has bounded the rest: tokens, comments among them, and how deep a text nests.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from hub.errors import ErrorCode

TEXT: Final = 64 * 1024  # characters of a document; the largest that an app sends has some 10,000
TOKENS: Final = 2_000  # of one document: an introspection query has about 500
DEPTH: Final = 20  # fields inside each other: a page in a page has about 10, an introspection query 15
ALIASES: Final = 200
ROOTS: Final = 50  # fields at the root of one operation: each may be a query of its own to the database
DIRECTIVES: Final = 100
VARIABLES: Final = 200
COMPARISONS: Final = 2_000  # of fields that answer under one name: 8 us each (measured)
LOOKED_AT: Final = 20_000  # selections, each as often as it is merged with others


def parsed(text: str) -> DocumentNode:
    """The document, if its size and shape are such that it may be validated; raises GraphQLError."""
    if len(text) > TEXT:
        raise _too_much("characters", len(text), TEXT)
    document = parse(text, max_tokens=TOKENS, no_location=False)
    _Shape(document).check()
    return document


def _too_much(what: str, found: int, limit: int) -> GraphQLError:
    return GraphQLError(f"The document has {found} {what}, and at most {limit} are read.", extensions={"code": ErrorCode.COST_EXCEEDED})


class _Shape:
    """The shape of one document."""

    def __init__(self, document: DocumentNode) -> None:
        self._definitions = document.definitions
        self._operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
        self._fragments = {one.name.value: one.selection_set for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        self._depths: dict[frozenset[int], int] = {}
        self._compared = 0
        self._looked_at = 0

    def check(self) -> None:
        """Raises GraphQLError for the first thing there is too much of."""
        counted = Counter[str]()
        for node in _nodes(self._definitions):
            counted["directives"] += len(getattr(node, "directives", None) or ())
            counted["aliases"] += isinstance(node, FieldNode) and node.alias is not None
            counted["variables"] += len(getattr(node, "variable_definitions", None) or ())
        for what, limit in (("directives", DIRECTIVES), ("aliases", ALIASES), ("variables", VARIABLES)):
            if counted[what] > limit:
                raise _too_much(what, counted[what], limit)
        for operation in self._operations:
            if (roots := sum(map(len, self._merged([operation.selection_set]).values()))) > ROOTS:
                raise _too_much("fields at its root", roots, ROOTS)
        for selections in (*(one.selection_set for one in self._operations), *self._fragments.values()):
            if (depth := self._depth([selections])) > DEPTH:
                raise _too_much("levels of fields", depth, DEPTH)

    def _depth(self, chosen: list[SelectionSetNode]) -> int:
        """How deep selections on one object go, counting on the way what is compared; what was seen once is not seen again."""
        key = frozenset(map(id, chosen))
        if key not in self._depths:
            self._depths[key] = 0  # until it is known: a fragment that spreads itself is for validation to refuse
            deepest = 0
            for fields in self._merged(chosen).values():
                self._compared += len(fields) * (len(fields) - 1) // 2
                if self._compared > COMPARISONS:
                    raise GraphQLError(
                        "The document selects the same fields again and again; select each once.",
                        extensions={"code": ErrorCode.COST_EXCEEDED},
                    )
                deepest = max(deepest, 1 + self._depth([field.selection_set for field in fields if field.selection_set]))
            self._depths[key] = deepest
        return self._depths[key]

    def _merged(self, chosen: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields of selections on one object, by the name they answer under; each fragment is opened once."""
        merged: dict[str, list[FieldNode]] = {}
        waiting, opened = list(chosen), set[str]()
        while waiting:
            for selection in waiting.pop().selections:
                self._looked_at += 1
                if isinstance(selection, FieldNode):
                    merged.setdefault((selection.alias or selection.name).value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and (name := selection.name.value) in self._fragments.keys() - opened:
                    opened.add(name)
                    waiting.append(self._fragments[name])
        if self._looked_at > LOOKED_AT:
            raise GraphQLError("The document's fragments are too entangled; simplify them.", extensions={"code": ErrorCode.COST_EXCEEDED})
        return merged


def _nodes(definitions: tuple[Node, ...]) -> Iterator[Node]:
    """Definitions and all selections in them."""
    waiting: list[Node] = list(definitions)
    while waiting:
        node = waiting.pop()
        yield node
        if (inside := getattr(node, "selection_set", None)) is not None:
            waiting.extend(inside.selections)
