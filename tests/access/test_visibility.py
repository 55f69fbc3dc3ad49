from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.viewers import NOBODY, STAFF, Viewer
from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.domain.terms import Audience, Role
from hub.domain.token_filters import OPEN, TokenFilter

MakeViewer = Callable[..., Viewer]

ANNA, BERT = PartyId("par_" + "a" * 32), PartyId("par_" + "b" * 32)

PARTIES = st.sampled_from([ANNA, BERT])
FACTS: dict[str, st.SearchStrategy[str]] = {
    "vertical": st.sampled_from(["BILLING", "ASSURANCE"]),
    "kind": st.sampled_from(["QUERY", "ORDER"]),
    "topic": st.sampled_from(["bill", "line"]),
    "direction": st.sampled_from(["INBOUND", "OUTBOUND"]),
}
CHANNELS = st.sampled_from(["PHONE", "CHAT"])
FILTERS = st.fixed_dictionaries(
    {}, optional={name: st.lists(words, max_size=2) for name, words in {**FACTS, "channel": CHANNELS}.items()}
).map(TokenFilter.of)
SIGHTS = st.builds(
    lambda roles, party, narrowed: Visibility.of(
        replace(NOBODY, issuer="test", subject="s", party=party, roles=roles, narrowed=narrowed),
    ),
    st.frozensets(st.sampled_from(list(Role)), max_size=3),
    st.none() | PARTIES,
    st.just(OPEN) | FILTERS,
)
DOCUMENTS = st.fixed_dictionaries(
    {"_id": PARTIES},
    optional={
        "visibleTo": st.none() | PARTIES | st.lists(st.none() | PARTIES, max_size=3),
        "audience": st.none() | st.sampled_from(list(map(str, Audience))),
        "channels": st.lists(CHANNELS.map(lambda type: {"type": type}), max_size=2),
        "facts": st.fixed_dictionaries({}, optional={**FACTS, "channels": st.lists(CHANNELS, max_size=2)}),
        "was": st.fixed_dictionaries({}, optional=FACTS),
        "left": st.lists(PARTIES, max_size=1),
        **FACTS,
    },
)


def matches(document: Mapping[str, object], filter: Mapping[str, object]) -> bool:
    """What MongoDB says of a filter made of fields with a value or `$in`: null is also absence, an array any of its members."""

    def at(value: Any, path: list[str]) -> Any:
        if isinstance(value, list) and path:
            return [at(one, path) for one in value]
        return at(value.get(path[0]), path[1:]) if path and isinstance(value, dict) else None if path else value

    def has(field: str, wanted: object) -> bool:
        value = at(document, field.split("."))
        return wanted == value or (isinstance(value, list) and wanted in value)

    def asks(field: str, wanted: Any) -> bool:
        if field == "$or":
            return any(matches(document, one) for one in wanted)
        if isinstance(wanted, dict) and "$exists" in wanted:
            return field in document
        return any(has(field, one) for one in wanted["$in"]) if isinstance(wanted, dict) else has(field, wanted)

    return all(asks(field, wanted) for field, wanted in filter.items())


@given(SIGHTS, DOCUMENTS)
def test_a_filter_finds_what_is_seen_and_nothing_else(sight: Visibility, document: dict[str, Any]) -> None:
    assert matches(document, sight.filter()) == sight.sees(document)
    assert matches(document, sight.entries()) == sight.sees_entry(document)
    assert matches(document, sight.parties()) == sight.sees_party(document)


@given(SIGHTS, DOCUMENTS)
def test_what_takes_something_out_of_sight_is_found_too(sight: Visibility, document: dict[str, Any]) -> None:
    entry = {"facts": {}} | document

    if sight.loses(entry):
        assert matches(entry, sight.leavings())
        assert not sight.sees_entry(entry) or sight.takes_part in entry["left"]


@given(SIGHTS, FILTERS, DOCUMENTS)
def test_a_filter_over_another_shows_no_more(sight: Visibility, other: TokenFilter, document: dict[str, Any]) -> None:
    further = replace(sight, narrowed=sight.narrowed.over(other))

    assert further.narrowed.is_within(sight.narrowed)
    assert further.narrowed.is_within(other)
    assert not further.sees(document) or (sight.sees(document) and replace(sight, narrowed=other).sees(document))


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


# ---------------------------------------------------------------- filters of tokens

NARROW = TokenFilter.of({"vertical": ["BILLING"], "channel": ["CHAT"]})
WITHIN = {"vertical": "BILLING", "kind": "QUERY", "topic": None, "direction": "INBOUND"}
ROW: dict[str, Any] = {"visibleTo": [ANNA], "channels": [{"type": "PHONE"}, {"type": "CHAT"}], **WITHIN}
TOLD: dict[str, Any] = {"visibleTo": [ANNA], "audience": "PUBLIC", "facts": {"channels": ["PHONE", "CHAT"], **WITHIN}}
LEAVES: dict[str, Any] = TOLD | {"facts": TOLD["facts"] | {"vertical": "ASSURANCE"}, "was": {"vertical": "BILLING"}}


def narrow(viewer: MakeViewer, role: Role = Role.PARTNER) -> Visibility:
    return Visibility.of(replace(viewer(role, party=ANNA), narrowed=NARROW))


@pytest.mark.parametrize(
    ("changes", "sees"),
    [
        ({}, True),
        ({"vertical": "ASSURANCE"}, False),
        ({"vertical": None}, False),
        ({"channels": [{"type": "PHONE"}]}, False),
        ({"channels": []}, False),
        ({"visibleTo": [BERT]}, False),
    ],
)
def test_a_row_is_in_sight_within_the_filter_and_where_one_takes_part(viewer: MakeViewer, changes: dict[str, Any], sees: bool) -> None:
    assert narrow(viewer).sees(ROW | changes) == sees
    assert matches(ROW | changes, narrow(viewer).filter()) == sees


@pytest.mark.parametrize(
    ("changes", "sees"),
    [
        ({}, True),
        ({"facts": TOLD["facts"] | {"vertical": "ASSURANCE"}}, False),
        ({"facts": {}}, False),
        ({"audience": "INTERNAL"}, False),
        ({"visibleTo": [BERT]}, False),
    ],
)
def test_an_entry_is_in_sight_by_its_own_facts(viewer: MakeViewer, changes: dict[str, Any], sees: bool) -> None:
    assert narrow(viewer).sees_entry(TOLD | changes) == sees
    assert matches(TOLD | changes, narrow(viewer).entries()) == sees


@pytest.mark.parametrize(
    ("entry", "loses"),
    [
        (LEAVES, True),
        (LEAVES | {"audience": "INTERNAL"}, False),
        (LEAVES | {"visibleTo": [BERT]}, False),
        (LEAVES | {"was": {}}, False),
        (LEAVES | {"was": {"kind": "ORDER"}}, False),
        (TOLD | {"was": {"vertical": "ASSURANCE"}}, False),  # it comes in
        (TOLD | {"left": [ANNA]}, True),
        (TOLD | {"left": [BERT]}, False),
        (TOLD | {"facts": TOLD["facts"] | {"vertical": "ASSURANCE"}, "left": [ANNA]}, False),  # the filter never left it
        (TOLD | {"was": {"vertical": "ASSURANCE"}, "left": [ANNA]}, False),
        (LEAVES | {"visibleTo": [BERT], "left": [ANNA]}, True),
    ],
)
def test_what_leaves_the_filter_or_its_party_is_lost(viewer: MakeViewer, entry: dict[str, Any], loses: bool) -> None:
    sight = narrow(viewer)

    assert sight.loses(entry) == loses
    assert matches(entry, sight.leavings()) or not loses
    assert not sight.loses(TOLD)


def test_who_sees_everything_loses_nothing_but_by_a_filter(viewer: MakeViewer) -> None:
    whole, narrowed = Visibility.of(viewer(Role.SYSTEM, party=ANNA)), narrow(viewer, Role.SYSTEM)

    assert (whole.sees_all, narrowed.sees_all, narrow(viewer).sees_all) == (True, False, False)
    assert not Visibility.of(viewer(Role.PARTNER, party=ANNA)).sees_all
    assert [whole.loses(LEAVES), whole.loses(TOLD | {"left": [ANNA]})] == [False, False]
    assert [narrowed.loses(LEAVES), narrowed.loses(LEAVES | {"visibleTo": [BERT]})] == [True, True]
    assert whole.leavings() == {"_id": {"$in": []}}
    assert narrowed.leavings() == {"$or": [{"audience": {"$in": ["PUBLIC"]}, "was": {"$exists": True}}]}
    assert Visibility.of(viewer(Role.CUSTOMER, party=ANNA)).leavings() == {"$or": [{"left": ANNA}]}
    assert Visibility.of(viewer(Role.CUSTOMER, party=None)).leavings() == {"_id": {"$in": []}}


def test_what_is_looked_at_is_projected(viewer: MakeViewer) -> None:
    assert Visibility.of(viewer(Role.PARTNER)).needs == ("visibleTo",)
    assert set(narrow(viewer).needs) == set(ROW)


# ---------------------------------------------------------------- roles and tokens


@pytest.mark.parametrize("role", Role)
def test_the_keepers_of_roles_see_all_of_them_and_others_their_own(viewer: MakeViewer, role: Role) -> None:
    sight, keeps = Visibility.of(viewer(role, party=ANNA)), role in {*STAFF, Role.SYSTEM, Role.PRIVACY_OFFICER, Role.ADMIN}

    assert [sight.sees_party_role({"party": party}) for party in (ANNA, BERT)] == [True, keeps]
    assert sight.party_roles() == ({} if keeps else {"party": ANNA})


@pytest.mark.parametrize("role", Role)
def test_an_admin_sees_all_tokens_and_others_those_of_their_party(viewer: MakeViewer, role: Role) -> None:
    sight, all_ = Visibility.of(viewer(role, party=ANNA)), role is Role.ADMIN
    alone = Visibility.of(viewer(role, party=None))

    assert [sight.sees_token(token) for token in ({"party": ANNA}, {"party": BERT}, {})] == [True, all_, all_]
    assert sight.tokens() == ({} if all_ else {"party": ANNA})
    assert [alone.sees_token(token) for token in ({"party": ANNA}, {})] == [all_, all_]
    assert alone.tokens() == ({} if all_ else {"_id": {"$in": []}})
