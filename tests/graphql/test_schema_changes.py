"""What breaks clients is told from what does not, gates included; what is meant to break is accepted, with a reason."""

from typing import Final

import pytest

from hub.errors import BadInput
from hub.graph.schema_changes import acceptances, changes

PLAIN: Final = """
directive @requiresRole(roles: [Role!]!, own: [Role!]) on FIELD_DEFINITION
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
directive @slow on FIELD_DEFINITION
enum Role { AGENT CUSTOMER }
type Query { plain: Int %s }
"""
ROLES: Final = "@requiresRole(roles: [AGENT])"
OWN: Final = "@requiresRole(roles: [AGENT], own: [CUSTOMER])"
BOTH: Final = "@requiresRole(roles: [AGENT, CUSTOMER])"
READ: Final = '@requiresScopes(scopes: [["read"]])'
EITHER: Final = '@requiresScopes(scopes: [["read"], ["all"]])'
TWO: Final = '@requiresScopes(scopes: [["read", "more"]])'
NONE: Final = "@requiresScopes(scopes: [])"
OTHERS: Final = "VISITOR, CUSTOMER, SUPERVISOR, BACK_OFFICE, PARTNER, ANALYST, SYSTEM, PRIVACY_OFFICER and ADMIN"


def told(old: str, new: str) -> list[str]:
    return [str(change) for change in changes(PLAIN % old, PLAIN % new)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (ROLES, ROLES, []),
        (BOTH, ROLES, ["BREAKING  Query.plain is closed to CUSTOMER."]),
        (OWN, ROLES, ["BREAKING  Query.plain is closed to CUSTOMER."]),
        (BOTH, OWN, ["BREAKING  Query.plain is open only on what is their own to CUSTOMER."]),
        (OWN, BOTH, ["SAFE      Query.plain opens to CUSTOMER."]),
        (ROLES, OWN, ["SAFE      Query.plain opens on what is their own to CUSTOMER."]),
        ("", ROLES, [f"BREAKING  Query.plain is closed to {OTHERS}."]),
        (ROLES, "", [f"SAFE      Query.plain opens to {OTHERS}."]),
        ("", READ, ["BREAKING  Query.plain is closed to tokens with no scope."]),
        ("", NONE, []),
        (READ, "", ["SAFE      Query.plain opens to tokens with no scope."]),
        (READ, TWO, ["BREAKING  Query.plain is closed to tokens with read."]),
        (TWO, READ, ["SAFE      Query.plain opens to tokens with read."]),
        (EITHER, READ, ["BREAKING  Query.plain is closed to tokens with all."]),
        (READ, EITHER, ["SAFE      Query.plain opens to tokens with all."]),
        ("", "@slow", ["DANGEROUS Query.plain had the directives nothing and has @slow."]),
        ("", '@deprecated(reason: "Since 2027-01-01.")', ["SAFE      Query.plain is deprecated: Since 2027-01-01."]),
    ],
)
def test_a_gate_that_lets_in_fewer_breaks_and_one_that_lets_in_more_does_not(old: str, new: str, said: list[str]) -> None:
    assert told(old, new) == said


def test_what_goes_breaks_what_comes_does_not_and_a_new_value_is_dangerous() -> None:
    old = "enum Word { ONE } type Query { a(of: Int): Int b: Word c: Int }"
    new = 'enum Word { ONE TWO } type Query { "Said." a(of: Int, by: Int!): Int b: Word! d(by: Int): Int }'

    found = [str(change) for change in changes(old, new)]

    assert [line.split()[0] for line in found] == ["BREAKING", "BREAKING", "DANGEROUS", "SAFE", "SAFE"]
    for word, line in zip(("Query.a(by:)", "Query.c", "TWO", "Query.b", "Query.d"), found, strict=True):
        assert word in line


def test_a_break_is_accepted_by_its_sentence_and_only_with_a_reason() -> None:
    meant = acceptances("# Nobody asked for it: use `plain`.\nQuery.plain is closed to CUSTOMER.\n")

    assert [change.weight for change in changes(PLAIN % BOTH, PLAIN % ROLES, meant)] == ["ACCEPTED"]
    with pytest.raises(BadInput, match="Say above it, after #, why"):
        acceptances("# A reason of something else.\n\nQuery.plain is closed to CUSTOMER.\n")
    with pytest.raises(BadInput, match="does not break anything"):
        changes(PLAIN % ROLES, PLAIN % ROLES, meant)


def test_a_text_that_is_no_schema_is_told() -> None:
    with pytest.raises(BadInput, match="not the text of a schema"):
        changes("type Query {", "type Query { a: Int }")
