"""The matrix of rights as the README shows it: every root, act, gated field and argument, and what each role may of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from hub.access.gates import ARGUMENTS, FIELDS, MASKED, Gate
from hub.access.mandates import ACTS, ROOTS, Mandate
from hub.domain.terms import Role

YES: Final = "✓"
OWN: Final = "own"
MASK: Final = "masked"
NO: Final = "-"


@dataclass(frozen=True, slots=True)
class Right:
    """What each role may, role by role, and the groups of scopes of which one is needed."""

    roles: tuple[str, ...]
    scopes: tuple[tuple[str, ...], ...]


def _right(gate: Gate | Mandate, otherwise: str = NO) -> Right:
    def what(role: Role) -> str:
        return YES if not gate.roles or role in gate.roles else OWN if role in gate.own else otherwise

    return Right(tuple(map(what, Role)), gate.scopes)


def _rights() -> Iterator[tuple[str, Right]]:
    """Each thing there is a decision about, in the order of the tables."""
    for place, mandate in ROOTS.items():
        yield place.partition(".")[2], _right(mandate)
    for act, mandate in ACTS.items():
        if not any(mandate is known for known in ROOTS.values()):  # an act that has no root of its own
            yield act, _right(mandate)
    for place, gate in FIELDS.items():
        yield place, _right(gate)
    for place, gate in MASKED.items():
        yield place, _right(gate, MASK)
    for place, gate in ARGUMENTS.items():
        yield f"{place}:", _right(gate)


def markdown() -> str:
    """The matrix as a table; what has the same right shares a line. A name that ends in a colon is an argument."""
    lines: dict[Right, list[str]] = {}
    for name, right in _rights():
        lines.setdefault(right, []).append(name)
    rows = [_row(["", *Role, "scopes"]), _row(["---", *[":-:" for _ in Role], "---"])]
    for right, names in lines.items():
        scopes = " or ".join(" with ".join(group) for group in right.scopes)
        rows.append(_row([", ".join(f"`{name}`" for name in names), *right.roles, scopes]))
    return "\n".join(rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
