"""What may be passed on: whatever is asked for, in whatever order and as often as one likes, no token opens more than the first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import issuing
from hub.access.mandates import ACTS, ROOTS, allows
from hub.access.viewers import NOBODY, SCOPES, Viewer
from hub.access.visibility import Visibility
from hub.domain.ids import TOKEN, PartyId
from hub.domain.issued_tokens import Rights
from hub.domain.terms import Role
from hub.domain.token_filters import OPEN, TokenFilter
from hub.errors import BadInput, Forbidden, Refused, Unauthenticated

MakeViewer = Callable[..., Viewer]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANNA = PartyId("par_" + "a" * 32)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "vertical": st.lists(st.sampled_from(["BILLING", "ASSURANCE"]), max_size=2),
        "topic": st.lists(st.sampled_from(["bill", "line"]), max_size=2),
        "channel": st.lists(st.sampled_from(["PHONE", "CHAT"]), max_size=2),
    },
).map(TokenFilter.of)
ASKED = st.fixed_dictionaries(
    {
        "roles": st.frozensets(st.sampled_from([Role.PARTNER, Role.SYSTEM, Role.VISITOR, Role.AGENT]), max_size=2),
        "scopes": st.frozensets(st.sampled_from(SCOPES), max_size=4),
        "filter": FILTERS,
        "seconds": st.sampled_from([0, 1, 900, 86_400, 86_401]),
        "now": st.integers(0, 7_200).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    }
)
ROW = {
    "visibleTo": [ANNA],
    "vertical": "BILLING",
    "topic": "bill",
    "channels": [{"type": "CHAT"}],
    "kind": "QUERY",
    "direction": "INBOUND",
}


def holder(rights: Rights) -> Viewer:
    """Who bears a token with these rights."""
    return replace(
        NOBODY,
        issuer="hub",
        subject="s",
        party=ANNA,
        roles=rights.roles,
        scopes=rights.scopes,
        narrowed=rights.narrowed,
        backed=rights.backed,
        expires_at=rights.expires_at,
    )


@given(st.lists(ASKED, max_size=4), FILTERS, st.booleans())
def test_no_sequence_of_issuing_ever_widens_rights(asked: list[dict[str, Any]], filter: TokenFilter, is_backed: bool) -> None:
    first = Rights(
        roles=frozenset({Role.PARTNER, Role.SYSTEM}),
        scopes=frozenset({"interaction:read", "interaction:write", "token:issue"}),
        narrowed=filter,
        backed=((Role.PARTNER, "partner"),) if is_backed else (),
        expires_at=NOW + timedelta(hours=1),
    )
    held = first
    for wanted in asked:
        try:
            held = issuing.narrowed(issuing.rights(holder(held)), **wanted)
        except Refused:
            continue
    before, after = holder(first), holder(held)

    assert held.is_within(first)
    assert set(after.backed) >= {(role, name) for role, name in before.backed if role in after.roles}
    assert held.expires_at <= first.expires_at
    for mandate in (*ACTS.values(), *ROOTS.values()):
        assert allows(before, mandate, own=True) or not allows(after, mandate, own=True)
    assert Visibility.of(before).sees(ROW) or not Visibility.of(after).sees(ROW)


def own(viewer: MakeViewer, *roles: Role, **given: Any) -> Rights:
    return issuing.rights(replace(viewer(*roles), expires_at=NOW + timedelta(hours=1), **given))


def asked(rights: Rights, **given: Any) -> Rights:
    wanted: dict[str, Any] = {"roles": [Role.PARTNER], "scopes": ["interaction:read"], "filter": OPEN, "seconds": 900, "now": NOW} | given
    return issuing.narrowed(rights, **wanted)


def test_less_of_everything_can_be_passed_on(viewer: MakeViewer) -> None:
    filter = TokenFilter.of({"vertical": ["BILLING"]})

    rights = asked(own(viewer, Role.PARTNER), filter=filter)

    assert rights == Rights(
        roles=frozenset({Role.PARTNER}),
        scopes=frozenset({"interaction:read"}),
        narrowed=filter,
        expires_at=NOW + timedelta(minutes=15),
    )


def test_it_ends_with_the_token_that_it_was_asked_for_with(viewer: MakeViewer) -> None:
    assert asked(own(viewer, Role.PARTNER), seconds=86_400).expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("seconds", [1, 86_400])
def test_the_shortest_and_the_longest_life_can_be_asked_for(viewer: MakeViewer, seconds: int) -> None:
    rights = own(viewer, Role.PARTNER, backed=((Role.PARTNER, "supplier"), (Role.CUSTOMER, "customer")))

    passed_on = asked(replace(rights, expires_at=NOW + timedelta(days=2)), seconds=seconds)

    assert passed_on.expires_at == NOW + timedelta(seconds=seconds)
    assert passed_on.backed == ((Role.PARTNER, "supplier"),), "and stays backed"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.PARTNER}))
def test_a_role_that_one_lacks_is_refused_by_its_name(viewer: MakeViewer, role: Role) -> None:
    with pytest.raises(Forbidden) as refusal:
        asked(own(viewer, Role.PARTNER), roles=[Role.PARTNER, role])

    assert refusal.value.requires_roles == (role,)


@pytest.mark.parametrize("role", sorted(set(Role) - issuing.ISSUABLE))
def test_what_an_issuer_of_the_company_gives_is_not_passed_on(viewer: MakeViewer, role: Role) -> None:
    """Not by who holds it either: an ADMIN cannot even mint itself an ADMIN's token, let alone one of staff."""
    with pytest.raises(Forbidden):
        asked(own(viewer, role, Role.PARTNER), roles=[role])


def test_a_scope_that_one_lacks_is_refused_by_its_name(viewer: MakeViewer) -> None:
    with pytest.raises(Forbidden) as refusal:
        asked(own(viewer, Role.PARTNER), scopes=["interaction:read", "party:write", "export:run"])

    assert refusal.value.requires_scopes == (("export:run", "party:write"),)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"roles": []}, "roles"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"seconds": 0}, "expiresInSeconds"),
        ({"seconds": 86_401}, "expiresInSeconds"),
    ],
)
def test_what_nobody_could_have_is_said_where_it_stands(viewer: MakeViewer, given: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        asked(own(viewer, Role.PARTNER), **given)

    assert refusal.value.path == ("input", field)


def test_nobody_passes_anything_on() -> None:
    with pytest.raises(Unauthenticated):
        issuing.rights(NOBODY)


def test_a_token_is_not_passed_on_for_ever(viewer: MakeViewer) -> None:
    def resting_on(number: int) -> Viewer:
        return replace(viewer(Role.PARTNER), rests_on=frozenset({"cli_" + "0" * 32, *(f"{TOKEN}{one:032x}" for one in range(number))}))

    assert len(issuing.via(resting_on(5))) == 5
    with pytest.raises(BadInput):
        issuing.via(resting_on(6))
