"""The judge of answers finds what is wrong with them, and nothing where nothing is."""

from typing import Any, Final

import pytest
from graphql import build_schema, parse

from tests.shapes import violations

SCHEMA: Final = build_schema("""
  interface Node { id: ID! }
  type Call implements Node { id: ID! kind: Kind minutes: [Int!] }
  type Other implements Node { id: ID! }
  enum Kind { SHORT LONG }
  type Query { node: Node call: Call! }
""")
ASKED: Final = parse("{ node { __typename id ... on Call { kind minutes } } call { k: kind kind } }")
CALL: Final = {"__typename": "Call", "id": "1", "kind": "SHORT", "minutes": [1, 2]}
GOOD: Final[dict[str, Any]] = {"node": CALL, "call": {"k": None, "kind": "LONG"}}
ERROR: Final = {"message": "No.", "path": ["node"], "extensions": {"code": "NOT_FOUND"}}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": GOOD},
        {"data": GOOD | {"node": {"__typename": "Other", "id": "2"}}},
        {"data": GOOD | {"node": None}, "errors": [ERROR]},
        {"data": None, "errors": [ERROR]},
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(answer: dict[str, Any]) -> None:
    assert violations(SCHEMA, ASKED, answer) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "neither data nor an error"),
        ({"data": GOOD, "more": 1}, "the answer has more"),
        ({"data": GOOD | {"call": None}}, "call is null and never may be"),
        ({"data": GOOD | {"node": CALL | {"kind": "BRIEF"}}}, "node.kind is 'BRIEF', and no Kind"),
        ({"data": GOOD | {"node": CALL | {"minutes": [1, None]}}}, "node.minutes.1 is null"),
        ({"data": GOOD | {"node": CALL | {"minutes": [2**31]}}}, "node.minutes.0 is 2147483648, and no Int"),
        ({"data": GOOD | {"node": CALL | {"minutes": 1}}}, "node.minutes is no list"),
        ({"data": GOOD | {"node": {"__typename": "Other", "id": "2", "kind": "SHORT"}}}, "were asked for"),
        ({"data": GOOD | {"node": {"__typename": "Query"}}}, "node is no Node"),
        ({"data": GOOD | {"call": {"kind": "LONG", "k": None}}}, "were asked for"),
        ({"data": GOOD, "errors": [ERROR]}, "which is not null"),
        ({"data": None, "errors": [ERROR | {"extensions": {"code": "NO"}}]}, "has the code"),
    ],
)
def test_what_is_not_as_promised_is_found(answer: dict[str, Any], said: str) -> None:
    assert any(said in found for found in violations(SCHEMA, ASKED, answer)), violations(SCHEMA, ASKED, answer)
