from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.access.viewers import ACTING, NOBODY, SCOPES, STAFF, Viewer
from hub.domain.terms import Role
from hub.errors import Forbidden

MakeViewer = Callable[..., Viewer]


def test_nobody_is_anonymous_and_may_not_act() -> None:
    assert NOBODY.is_anonymous
    assert not NOBODY.is_staff

    with pytest.raises(Forbidden):
        _ = NOBODY.acting_role


def test_a_viewer_with_a_token_but_without_roles_is_not_anonymous(viewer: MakeViewer) -> None:
    assert not viewer().is_anonymous


@pytest.mark.parametrize("role", Role)
def test_only_staff_counts_internal_events(viewer: MakeViewer, role: Role) -> None:
    assert viewer(role).counts_internal == (role in STAFF)


@pytest.mark.parametrize("role", Role)
def test_a_single_role_is_the_acting_one(viewer: MakeViewer, role: Role) -> None:
    assert viewer(role).acting_role is role


def test_every_role_has_its_place_among_the_acting_ones() -> None:
    assert sorted(ACTING) == sorted(Role)


def test_of_several_roles_the_one_that_decides_acts(viewer: MakeViewer) -> None:
    assert viewer(Role.CUSTOMER, Role.AGENT, Role.SUPERVISOR).acting_role is Role.SUPERVISOR
    assert viewer(Role.CUSTOMER, Role.AGENT).acting_role is Role.AGENT


def test_an_id_is_stable_over_tokens_and_differs_by_issuer_subject_and_client(viewer: MakeViewer) -> None:
    one = viewer(Role.CUSTOMER)

    assert one.id == replace(one, token_id="another", scopes=frozenset(SCOPES)).id
    assert len({one.id, replace(one, issuer="x").id, replace(one, subject="x").id, replace(one, client="x").id, NOBODY.id}) == 5


def test_an_id_tells_neither_subject_nor_where_it_ends(viewer: MakeViewer) -> None:
    one = viewer(Role.CUSTOMER)

    assert one.subject not in one.id
    assert replace(one, issuer="a", subject="bc").id != replace(one, issuer="ab", subject="c").id
