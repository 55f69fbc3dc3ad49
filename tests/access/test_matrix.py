import re

from hub.access.gates import ARGUMENTS, FIELDS, MASKED
from hub.access.mandates import ROOTS, Act
from hub.access.matrix import markdown
from hub.domain.terms import Role

ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown().splitlines()]


def row(name: str) -> dict[str, str]:
    """The line of the table that a name is in, by the headings."""
    (found,) = [cells for cells in ROWS if f"`{name}`" in cells[0]]
    return dict(zip(ROWS[0][1:], found[1:], strict=True))


def who(name: str, cell: str) -> set[str]:
    return {heading for heading, found in row(name).items() if found == cell}


def test_everything_that_is_decided_stands_in_the_table_once() -> None:
    shown = [name for cells in ROWS for name in re.findall(r"`([^`]+)`", cells[0])]

    roots = {place.partition(".")[2] for place in ROOTS}
    others = {Act.ADD_INTERNAL_NOTE, Act.ADD_INTERNAL_ATTACHMENT}  # which have no root of their own
    assert sorted(shown) == sorted({*roots, *others, *FIELDS, *MASKED, *(f"{place}:" for place in ARGUMENTS)})


def test_a_line_says_of_each_role_what_it_may_and_of_the_scopes_which_will_do() -> None:
    assert who("rateInteraction", "✓") == {"AGENT", "SUPERVISOR", "BACK_OFFICE"}
    assert who("rateInteraction", "own") == {"CUSTOMER"}
    assert who("rateInteraction", "-") == set(Role) - {"AGENT", "SUPERVISOR", "BACK_OFFICE", "CUSTOMER"}
    assert row("rateInteraction")["scopes"] == "interaction:write"
    assert row("node")["scopes"] == "interaction:read or party:read"


def test_a_gate_without_roles_is_open_to_all_and_a_mask_is_told_as_such() -> None:
    assert who("Party.interactions", "✓") == set(Role)
    assert who("Party.name", "masked") == {"VISITOR", "CUSTOMER", "PARTNER", "ANALYST", "ADMIN"}


def test_what_has_the_same_right_shares_a_line() -> None:
    assert len({tuple(cells[1:]) for cells in ROWS}) == len(ROWS)
