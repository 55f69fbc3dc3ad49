"""The schema explains itself: nothing in it stands without a word that helps, and what goes says since when."""

import re
from typing import Final

import pytest
from graphql import GraphQLSchema, build_schema

from hub.graph.descriptions import BY_PLACE, places
from hub.schema import sdl

SHORTEST: Final = 10  # characters
DATED: Final = re.compile(r"\b20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")


@pytest.fixture(scope="module")
def printed() -> GraphQLSchema:
    """The schema as clients read it: from its text."""
    return build_schema(sdl())


def unexplained(schema: GraphQLSchema) -> list[str]:
    return [place for place, part in places(schema) if len(part.description or "") < SHORTEST]


def undated(schema: GraphQLSchema) -> list[str]:
    found = ((place, getattr(part, "deprecation_reason", None)) for place, part in places(schema))
    return [place for place, reason in found if reason is not None and not DATED.search(reason)]


def test_every_type_field_argument_value_and_directive_is_explained(printed: GraphQLSchema) -> None:
    assert unexplained(printed) == []


def test_every_deprecation_says_since_when_or_until_when(printed: GraphQLSchema) -> None:
    assert undated(printed) == []


def test_every_explanation_is_of_something_that_is_there_and_says_nothing_of_itself(printed: GraphQLSchema) -> None:
    found = {place: part.description for place, part in places(printed)}
    # a description in the text is cut at line ends and nowhere else
    assert {place: said for place, said in BY_PLACE.items() if found.get(place) != said} == {}


def test_what_is_not_explained_or_not_dated_is_found() -> None:
    schema = build_schema("""
      type Query {
        "Said well enough." said: Int
        short(
          "Short." of: Int
        ): Int
        "It goes one day." gone: Int @deprecated(reason: "Use said.")
        "It goes, and when." going: Int @deprecated(reason: "Use said. Goes on 2027-06-30.")
      }
      enum Word { ONE }
      directive @marked(by: Int) on FIELD
    """)

    assert unexplained(schema) == ["Query", "Query.short", "Query.short.of", "Word", "Word.ONE", "@marked", "@marked.by"]
    assert undated(schema) == ["Query.gone"]
