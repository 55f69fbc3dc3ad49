"""Who may what is said once: the schema is the table of rights, and is not built where they disagree."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from hub.access.gates import FIELDS, OPEN, Gate
from hub.access.mandates import ROOTS as MANDATES
from hub.access.viewers import STAFF
from hub.domain.terms import Role
from hub.graph import decisions
from hub.graph.decisions import disagreements
from hub.schema import executable
from tests.security.rights import OPERATIONS, ROOTS, fields, gated, right

DECLARED: Final = "is declared with another right than its entry in hub.access."
GONE: Final = "has a decision in hub.access and is not in the schema."


def none_of(count: int) -> str:
    return f"needs one decision about who may, in hub.access, and has {count}."


def test_the_schema_and_the_tables_say_the_same() -> None:
    assert disagreements(executable()) == []


Decided = Callable[[str, Mapping[str, Any]], list[str]]


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> Decided:
    """What is found where one of the tables is another one."""

    def found(table: str, entries: Mapping[str, Any]) -> list[str]:
        monkeypatch.setattr(decisions, table, entries)
        return disagreements(executable())

    return found


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ("FIELDS", "Interaction.statusReason"),
        ("MASKED", "Party.name"),
        ("ROOTS", "Query.interactions"),
        ("ROOTS", "Mutation.addNote"),
        ("ARGUMENTS", "InteractionFilter.assigneeId"),
    ],
)
def test_what_has_no_decision_is_found(decided: Decided, table: str, place: str) -> None:
    entries = {name: entry for name, entry in getattr(decisions, table).items() if name != place}

    assert f"{place} {none_of(0)}" in decided(table, entries)


@pytest.mark.parametrize("place", ["Interaction.status", "EventFilter.types", "UserError.code"])
def test_what_is_no_longer_open_on_purpose_is_found(decided: Decided, place: str) -> None:
    type_name, _, field = place.partition(".")

    assert decided("OPEN", {**OPEN, type_name: OPEN[type_name] - {field}}) == [f"{place} {none_of(0)}"]


@pytest.mark.parametrize(
    ("table", "place", "sentence"),
    [
        ("FIELDS", "Interaction.statusReason", DECLARED),  # in the table it is looser than on the field
        ("FIELDS", "Party.timeline", DECLARED),
        ("FIELDS", "Interaction.status", none_of(2)),
        ("FIELDS", "Interaction.gone", GONE),
        ("MASKED", "Party.name", DECLARED),
        ("ARGUMENTS", "Query.party.gone", GONE),
        ("ROOTS", "Query.parties", DECLARED),
        ("ROOTS", "Query.gone", GONE),
    ],
)
def test_what_is_decided_otherwise_or_for_nothing_is_found(decided: Decided, table: str, place: str, sentence: str) -> None:
    other = MANDATES["Query.party"] if table == "ROOTS" else Gate((*STAFF, Role.CUSTOMER))

    assert f"{place} {sentence}" in decided(table, getattr(decisions, table) | {place: other})


@pytest.mark.parametrize("place", FIELDS)
def test_a_field_prints_its_gate(place: str) -> None:
    gate, printed = FIELDS[place], right(*place.split("."))

    assert (printed.roles, printed.own) == (frozenset(gate.roles) or None, frozenset(gate.own))
    assert printed.scopes == (gate.scopes or None)


def test_no_other_field_prints_one() -> None:
    types = {type_name for type_name, _ in fields()} - {*ROOTS}

    assert {f"{type_name}.{field}" for type_name in types for field in gated(type_name)} == FIELDS.keys()


@pytest.mark.parametrize(("type_name", "field"), list(fields(*ROOTS)), ids=lambda word: word)
def test_a_root_prints_the_roles_and_the_scopes_of_its_mandate(type_name: str, field: str) -> None:
    printed, mandate = right(type_name, field), MANDATES[f"{type_name}.{field}"]

    assert (printed.roles, printed.own, printed.scopes) == (mandate.roles, mandate.own, mandate.scopes)


def test_every_root_is_asked_for_by_the_tests() -> None:
    assert OPERATIONS.keys() == MANDATES.keys()
