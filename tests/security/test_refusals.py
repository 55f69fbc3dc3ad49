"""Whoever is refused hears what would do: no refusal in the code leaves it out."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Each place that raises Forbidden, and what it raises."""
    for path in sorted(path for package in ("hub", "resolvers", "subscriptions") for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Raise) or node.exc is None:
                continue
            raised = node.exc
            named = raised.func if isinstance(raised, ast.Call) else raised
            if isinstance(named, ast.Name) and named.id == "Forbidden":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", raised


FOUND: Final = dict(refusals())


@pytest.mark.parametrize("place", FOUND)
def test_a_refusal_says_which_roles_or_scopes_would_do(place: str) -> None:
    raised = FOUND[place]

    assert isinstance(raised, ast.Call)
    assert {"roles", "scopes"} & {keyword.arg for keyword in raised.keywords}


def test_they_are_found() -> None:
    assert {place.split(":", 1)[0] for place in FOUND} >= {"hub/access/mandates.py", "hub/access/gates.py", "hub/commands/handling.py"}
