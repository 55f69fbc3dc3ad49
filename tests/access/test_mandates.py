from collections.abc import Callable

import pytest

from hub.access.mandates import ACTS, CUSTOMER_MOVES, ROOTS, SCOPES_OF, Act, Mandate, allows, may_move, ordered, require
from hub.access.viewers import NOBODY, PARTY_BOUND, SCOPES, STAFF, Viewer
from hub.domain.lifecycle import MOVES
from hub.domain.terms import Role, Status
from hub.errors import Forbidden, Unauthenticated

MakeViewer = Callable[..., Viewer]

EVERY_MANDATE = [*ACTS.values(), *ROOTS.values()]

# The table of the design, written out: who may, and who may on what is its own.
WHO: dict[Act, tuple[str, str]] = {
    Act.OPEN: ("AGENT SUPERVISOR BACK_OFFICE PARTNER SYSTEM", "VISITOR CUSTOMER"),
    Act.TRANSITION: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "CUSTOMER PARTNER"),
    Act.CLOSE: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "PARTNER"),
    Act.REPORT_PROGRESS: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "PARTNER"),
    Act.ADD_NOTE: ("AGENT SUPERVISOR BACK_OFFICE", "VISITOR CUSTOMER PARTNER"),
    Act.ADD_INTERNAL_NOTE: ("AGENT SUPERVISOR BACK_OFFICE", ""),
    Act.ADD_ATTACHMENT: ("AGENT SUPERVISOR BACK_OFFICE", "CUSTOMER"),
    Act.ADD_INTERNAL_ATTACHMENT: ("AGENT SUPERVISOR BACK_OFFICE", ""),
    Act.UPDATE: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "PARTNER"),
    Act.ADD_ITEM: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "PARTNER"),
    Act.ADD_PARTY: ("AGENT SUPERVISOR BACK_OFFICE", ""),
    Act.ADD_CHANNEL: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", "PARTNER"),
    Act.ASSIGN: ("AGENT SUPERVISOR", ""),
    Act.ESCALATE: ("AGENT SUPERVISOR BACK_OFFICE", ""),
    Act.LINK: ("AGENT SUPERVISOR BACK_OFFICE", ""),
    Act.RATE: ("AGENT SUPERVISOR BACK_OFFICE", "CUSTOMER"),
    Act.CLAIM: ("CUSTOMER", ""),
    Act.UPSERT_PARTY: ("AGENT SUPERVISOR BACK_OFFICE SYSTEM", ""),
    Act.GRANT_PARTY_ROLE: ("SUPERVISOR ADMIN", ""),
    Act.ISSUE_TOKEN: ("PARTNER", ""),
    Act.REVOKE_TOKEN: ("ADMIN", "PARTNER"),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", Act)
def test_each_role_may_do_what_the_design_says_and_no_more(viewer: MakeViewer, act: Act, role: Role) -> None:
    anyway, own = (words.split() for words in WHO[act])
    one = viewer(role, scopes=SCOPES)

    assert allows(one, ACTS[act]) == (role in anyway)
    assert allows(one, ACTS[act], own=True) == (role in anyway or role in own)


SUBSCRIPTIONS = [name for name in ROOTS if name.startswith("Subscription.")]


@pytest.mark.parametrize("root", ["Query.node", "Query.interaction", "Query.interactions", "Query.party", "Query.events", *SUBSCRIPTIONS])
def test_analysts_and_admins_never_read_rows(viewer: MakeViewer, root: str) -> None:
    readers = {role for role in Role if allows(viewer(role, scopes=SCOPES), ROOTS[root], own=True)}

    assert readers == set(Role) - {Role.ANALYST, Role.ADMIN}


@pytest.mark.parametrize("mandate", EVERY_MANDATE)
def test_nobody_may_do_nothing_and_is_asked_for_a_token(mandate: Mandate) -> None:
    assert not allows(NOBODY, mandate, own=True)

    with pytest.raises(Unauthenticated):
        require(NOBODY, mandate, "it", own=True)


@pytest.mark.parametrize("root", ["Query.viewer", "Query.cursor", "Query.topics", "Query.nodes"])
def test_any_valid_token_opens_what_tells_of_nobody_else(viewer: MakeViewer, root: str) -> None:
    require(viewer(party=None), ROOTS[root], root)


@pytest.mark.parametrize("role", sorted(PARTY_BOUND))
@pytest.mark.parametrize("mandate", [mandate for mandate in EVERY_MANDATE if mandate.scopes])
def test_a_role_that_acts_for_a_party_opens_nothing_without_one(viewer: MakeViewer, mandate: Mandate, role: Role) -> None:
    assert not allows(viewer(role, party=None), mandate, own=True)


@pytest.mark.parametrize("mandate", [mandate for mandate in EVERY_MANDATE if mandate.scopes])
def test_a_scope_narrows_every_role(viewer: MakeViewer, mandate: Mandate) -> None:
    wanted = {scope for group in mandate.scopes for scope in group}

    assert allows(viewer(*Role, scopes=wanted), mandate, own=True)
    assert not allows(viewer(*Role, scopes=set(SCOPES) - wanted), mandate)


def test_what_is_missing_is_named_in_the_order_of_the_contract(viewer: MakeViewer) -> None:
    with pytest.raises(Forbidden) as refusal:
        require(viewer(Role.ANALYST, scopes=SCOPES), ACTS[Act.OPEN], "createInteraction", own=True)

    assert refusal.value.requires_roles == ("VISITOR", "CUSTOMER", "AGENT", "SUPERVISOR", "BACK_OFFICE", "PARTNER", "SYSTEM")
    assert refusal.value.requires_scopes is None


def test_a_missing_scope_is_named_without_the_roles(viewer: MakeViewer) -> None:
    with pytest.raises(Forbidden) as refusal:
        require(viewer(Role.AGENT, scopes=["interaction:read"]), ACTS[Act.CLOSE], "closeInteraction")

    assert refusal.value.requires_roles is None
    assert refusal.value.requires_scopes == (("interaction:write",),)
    assert refusal.value.message == "closeInteraction needs the scope interaction:write."


def test_a_customer_is_not_told_that_customers_may_when_it_is_not_its_own(viewer: MakeViewer) -> None:
    with pytest.raises(Forbidden) as refusal:
        require(viewer(Role.CUSTOMER), ACTS[Act.ADD_NOTE], "addNote", own=False)

    assert refusal.value.requires_roles == STAFF


def test_all_scopes_of_one_group_are_needed(viewer: MakeViewer) -> None:
    either = Mandate(frozenset({Role.AGENT}), frozenset(), (("party:read", "party:write"), ("import:run",)))

    assert not allows(viewer(Role.AGENT, scopes=["party:read"]), either)
    assert allows(viewer(Role.AGENT, scopes=["party:read", "party:write"]), either)
    assert allows(viewer(Role.AGENT, scopes=["import:run"]), either)


def test_a_customer_cancels_confirms_and_reopens_but_makes_no_other_move(viewer: MakeViewer) -> None:
    customer = viewer(Role.CUSTOMER)
    moves = {(was, to) for was in Status for to in Status if may_move(customer, was, to)}

    assert moves == CUSTOMER_MOVES
    assert {to for was, to in moves} == {Status.CANCELLED, Status.COMPLETED, Status.IN_PROGRESS}


def test_every_move_of_a_customer_is_one_of_the_life_cycle() -> None:
    assert {(was, to) for was, to in CUSTOMER_MOVES if to not in MOVES[was]} == set()


@pytest.mark.parametrize("role", Role)
def test_who_works_on_it_makes_any_move_and_who_watches_none(viewer: MakeViewer, role: Role) -> None:
    moves = {may_move(viewer(role), was, to) for was in Status for to in Status}

    if role is Role.CUSTOMER:
        assert moves == {True, False}
    else:
        assert moves == {role in {*STAFF, Role.SYSTEM, Role.PARTNER}}


def test_a_role_has_the_scopes_that_it_can_use() -> None:
    assert SCOPES_OF[Role.CUSTOMER] == {"interaction:read", "interaction:write", "party:read", "event:subscribe"}
    assert SCOPES_OF[Role.AGENT] == SCOPES_OF[Role.CUSTOMER] | {"party:write"}
    assert SCOPES_OF[Role.PRIVACY_OFFICER] == {"interaction:read", "party:read", "event:subscribe"}
    assert SCOPES_OF[Role.ADMIN] == {"party:read", "party:write", "token:issue"}  # of party roles alone, and to take tokens back
    assert SCOPES_OF[Role.PARTNER] == SCOPES_OF[Role.CUSTOMER] | {"token:issue"}


def test_roles_are_listed_in_the_order_of_the_contract() -> None:
    assert ordered({Role.SYSTEM, Role.VISITOR, Role.AGENT}) == (Role.VISITOR, Role.AGENT, Role.SYSTEM)
