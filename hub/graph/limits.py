"""What a document may ask for, judged before it runs.

Each page that stands inside another multiplies its rows: three of a hundred are a million."""

from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

PAGED: Final = frozenset({"interactions", "events", "timeline"})  # fields that give pages; a test holds it to the schema
PAGES_DEEP: Final = 2  # pages inside each other: a list and the history of each of its rows


def limits_passed(document: DocumentNode) -> list[GraphQLError]:
    """What a valid document asks for too much of: pages nested too deeply. Each of its fragments is looked at once."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    known: dict[str, int] = {}

    def deepest(chosen: SelectionSetNode | None) -> int:
        found = 0
        for selection in chosen.selections if chosen else ():
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in known:
                    known[name] = deepest(fragments[name].selection_set)
                found = max(found, known[name])
            elif isinstance(selection, FieldNode):
                found = max(found, deepest(selection.selection_set) + (selection.name.value in PAGED))
            elif isinstance(selection, InlineFragmentNode):
                found = max(found, deepest(selection.selection_set))
        return found

    pages = max((deepest(one.selection_set) for one in document.definitions if isinstance(one, OperationDefinitionNode)), default=0)
    if pages <= PAGES_DEEP:
        return []
    return [GraphQLError(f"Pages are nested {pages} deep, and at most {PAGES_DEEP} may be: ask for the rest by itself.")]
