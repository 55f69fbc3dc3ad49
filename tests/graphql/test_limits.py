"""The shape of a document is looked at before it is validated: up to each limit it passes, and one more is refused."""

from collections.abc import Callable

import pytest
from graphql import GraphQLError, get_introspection_query

from hub.graph.limits import ALIASES, COMPARISONS, DEPTH, DIRECTIVES, ROOTS, TEXT, VARIABLES, parsed
from tests.security.hostile import each, within


def shared(number: int) -> str:
    """So many comparisons, at least: fields of one name, within one object of many."""
    fields = next(count for count in range(2, 100) if count * (count - 1) // 2 * 5 > number)
    return "{ " + " ".join(f"x{one}: viewer {{ {'id ' * fields} }}" for one in range(5)) + " }"


LIMITS: dict[str, tuple[Callable[[int], str], int]] = {
    "characters": ("{ cursor }".ljust, TEXT),
    "levels of fields": (lambda number: f"{{ {within(number - 1, 'a')} }}", DEPTH),
    "aliases": (lambda number: f"{{ viewer {{ {each(number, 'a#: id')} }} }}", ALIASES),
    "aliases in fragments": (lambda number: f"{{ viewer {{ ...F }} }} fragment F on Viewer {{ {each(number, 'a#: id')} }}", ALIASES),
    "fields at its root": (lambda number: f"{{ {each(number, 'a#: cursor')} }}", ROOTS),
    "directives": (lambda number: "{ cursor " + "@a " * number + "}", DIRECTIVES),
    "directives of an operation": (lambda number: "query " + "@a " * number + "{ cursor }", DIRECTIVES),
    "variables": (lambda number: f"query({each(number, '$v#: Int')}) {{ cursor }}", VARIABLES),
}


@pytest.mark.parametrize("what", LIMITS)
def test_up_to_the_limit_it_passes_and_one_more_is_told(what: str) -> None:
    made, limit = LIMITS[what]
    parsed(made(limit))

    with pytest.raises(GraphQLError) as refused:
        parsed(made(limit + 1))

    assert refused.value.message.startswith(
        f"The document has {limit + 1} {what.split(' in ', maxsplit=1)[0].split(' of an', maxsplit=1)[0]}"
    )
    assert refused.value.extensions == {"code": "COST_EXCEEDED"}


def test_fields_of_one_name_are_counted_by_their_comparisons() -> None:
    parsed(shared(COMPARISONS // 2))

    with pytest.raises(GraphQLError, match="same fields again and again"):
        parsed(shared(COMPARISONS))


def test_fragments_that_lead_to_the_same_over_and_over_are_not_followed_forever() -> None:
    """Each of many objects merges the same many selections, in which there is next to nothing."""
    nested = "... { " * 150 + "id" + " }" * 150
    text = f"{{ viewer {{ {each(140, 'a#: party { ...A }')} }} }} fragment A on Party {{ {nested} }}"

    with pytest.raises(GraphQLError, match="too entangled"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        get_introspection_query(),
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...Unknown }",
        "fragment A on Query { cursor }",
        "query A { cursor } query B { cursor }",
        "type Query { a: Int }",
    ],
)
def test_what_validation_is_to_judge_passes(text: str) -> None:
    assert parsed(text).definitions
