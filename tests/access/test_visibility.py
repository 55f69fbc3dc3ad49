from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.viewers import NOBODY, STAFF, Viewer
from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.domain.terms import Audience, Role

MakeViewer = Callable[..., Viewer]

ANNA, BERT = PartyId("par_" + "a" * 32), PartyId("par_" + "b" * 32)

PARTIES = st.sampled_from([ANNA, BERT])
SIGHTS = st.builds(
    lambda roles, party: Visibility.of(
        Viewer(issuer="test", subject="s", client=None, token_id=None, party=party, roles=roles, scopes=frozenset(), expires_at=None)
    ),
    st.frozensets(st.sampled_from(list(Role)), max_size=3),
    st.none() | PARTIES,
)
DOCUMENTS = st.fixed_dictionaries(
    {"_id": PARTIES},
    optional={
        "visibleTo": st.none() | PARTIES | st.lists(st.none() | PARTIES, max_size=3),
        "audience": st.none() | st.sampled_from(list(map(str, Audience))),
    },
)


def matches(document: Mapping[str, object], filter: Mapping[str, object]) -> bool:
    """What MongoDB says of a filter made of fields with a value or `$in`: null is also absence, an array any of its members."""

    def has(field: str, wanted: object) -> bool:
        value = document.get(field)
        return wanted == value or (isinstance(value, list) and wanted in value)

    return all(
        any(has(field, one) for one in wanted["$in"]) if isinstance(wanted, dict) else has(field, wanted)
        for field, wanted in filter.items()
    )


@given(SIGHTS, DOCUMENTS)
def test_a_filter_finds_what_is_seen_and_nothing_else(sight: Visibility, document: dict[str, object]) -> None:
    assert matches(document, sight.filter()) == sight.sees(document)
    assert matches(document, sight.entries()) == sight.sees_entry(document)
    assert matches(document, sight.parties()) == sight.sees_party(document)


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_all_rows_or_those_it_takes_part_in_or_none(viewer: MakeViewer, role: Role) -> None:
    sight = Visibility.of(viewer(role, party=ANNA))
    sees_all = role in {*STAFF, Role.SYSTEM, Role.PRIVACY_OFFICER}

    assert sight.sees({"visibleTo": [BERT]}) == sees_all
    assert sight.sees({"visibleTo": [BERT, ANNA]}) == (sees_all or role in {Role.VISITOR, Role.CUSTOMER, Role.PARTNER})


@pytest.mark.parametrize("role", Role)
def test_internal_entries_are_for_staff_and_system_entries_for_no_one(viewer: MakeViewer, role: Role) -> None:
    sight = Visibility.of(viewer(role, party=ANNA))
    seen = {audience for audience in Audience if sight.sees_entry({"visibleTo": [ANNA], "audience": audience.value})}

    if role in STAFF:
        assert seen == {Audience.PUBLIC, Audience.INTERNAL}
    else:
        assert seen <= {Audience.PUBLIC}


def test_an_entry_of_somebody_else_is_out_of_sight_though_it_is_public(viewer: MakeViewer) -> None:
    sight = Visibility.of(viewer(Role.CUSTOMER, party=ANNA))

    assert sight.sees_entry({"visibleTo": [ANNA], "audience": "PUBLIC"})
    assert not sight.sees_entry({"visibleTo": [BERT], "audience": "PUBLIC"})


@pytest.mark.parametrize("role", Role)
def test_all_but_staff_system_and_privacy_see_only_themselves_among_the_parties(viewer: MakeViewer, role: Role) -> None:
    sight = Visibility.of(viewer(role, party=ANNA))

    assert sight.sees_party({"_id": ANNA})
    assert sight.sees_party({"_id": BERT}) == (role in {*STAFF, Role.SYSTEM, Role.PRIVACY_OFFICER})


def test_of_several_roles_the_widest_counts(viewer: MakeViewer) -> None:
    assert Visibility.of(viewer(Role.CUSTOMER, Role.AGENT)).filter() == {}
    assert Visibility.of(viewer(Role.ANALYST, Role.CUSTOMER, party=ANNA)).filter() == {"visibleTo": ANNA}


def test_nobody_sees_nothing_and_the_database_need_not_look() -> None:
    sight = Visibility.of(NOBODY)

    assert sight.filter() == sight.parties() == {"_id": {"$in": []}}
    assert sight.entries()["_id"] == {"$in": []}


def test_a_filter_in_hand_can_be_widened_without_harm_to_the_next(viewer: MakeViewer) -> None:
    sight = Visibility.of(viewer(Role.CUSTOMER, party=None))

    sight.filter().clear()

    assert sight.filter() == {"_id": {"$in": []}}
