from collections.abc import Callable

import pytest

from hub.access.gates import ARGUMENTS, FIELDS, Gate, change_gate, check_argument
from hub.access.viewers import SCOPES, STAFF, Viewer
from hub.domain.terms import Role
from hub.errors import Forbidden

MakeViewer = Callable[..., Viewer]

IDENTIFIER = "Query.party.externalIdentifier"


def test_a_gate_opens_by_a_role_on_what_is_its_own_by_an_own_role(viewer: MakeViewer) -> None:
    gate = Gate((Role.AGENT,), (Role.CUSTOMER,))

    assert [gate.opens(viewer(Role.AGENT), own=own) for own in (True, False)] == [True, True]
    assert [gate.opens(viewer(Role.CUSTOMER), own=own) for own in (True, False)] == [True, False]
    assert [gate.opens(viewer(Role.PARTNER), own=own) for own in (True, False)] == [False, False]


def test_a_gate_without_roles_asks_for_scopes_alone_all_of_one_group(viewer: MakeViewer) -> None:
    gate = Gate(scopes=(("party:read", "party:write"), ("import:run",)))

    assert not gate.opens(viewer(Role.AGENT, scopes=["party:read"]), own=True)
    assert gate.opens(viewer(Role.ANALYST, scopes=["party:read", "party:write"]), own=False)
    assert gate.opens(viewer(scopes=["import:run"]), own=False)
    assert Gate().opens(viewer(scopes=[]), own=False)


def test_a_change_is_behind_the_gate_of_the_field_that_it_names() -> None:
    assert change_gate("assignee") == FIELDS["Interaction.assignee"]
    assert change_gate("status") is None


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("role", Role)
def test_an_argument_may_be_given_by_whom_its_gate_is_open_to(viewer: MakeViewer, name: str, role: Role) -> None:
    gate, asking = ARGUMENTS[name], viewer(role, scopes=SCOPES)

    if role in {*gate.roles, *gate.own}:
        check_argument(asking, name, "it")
    else:
        with pytest.raises(Forbidden):
            check_argument(asking, name, "it")


@pytest.mark.parametrize(
    ("role", "scopes", "sentence"),
    [
        (Role.CUSTOMER, [], "Asking needs the scope party:read."),
        (Role.VISITOR, ["party:read"], "Asking needs one of the roles CUSTOMER, AGENT,"),
        (Role.VISITOR, [], "or PRIVACY_OFFICER and the scope party:read."),
    ],
)
def test_a_refused_argument_names_what_is_missing(viewer: MakeViewer, role: Role, scopes: list[str], sentence: str) -> None:
    with pytest.raises(Forbidden, match=sentence) as refusal:
        check_argument(viewer(role, scopes=scopes), IDENTIFIER, "Asking")

    assert refusal.value.requires_scopes == (None if scopes else (("party:read",),))
    named = (Role.CUSTOMER, *STAFF, Role.PARTNER, Role.SYSTEM, Role.PRIVACY_OFFICER)
    assert refusal.value.requires_roles == (None if role is Role.CUSTOMER else named)
