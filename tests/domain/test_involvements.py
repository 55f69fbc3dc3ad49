"""Who takes part, and so sees it: one party in one role at a time."""

from typing import Final

import pytest

from hub.domain import involvements
from hub.domain.ids import PARTY_ROLE, PartyId, PartyRoleId
from hub.domain.interactions import PARTIES
from hub.domain.parts import Involvement
from hub.domain.terms import Audience, EventType, InvolvementRole, Status
from hub.errors import BadInput, Conflict, NotFound
from tests.domain.cases import HOUR, START, opened, standing

ADA: Final = PartyId("par_" + "a" * 32)
ALAN: Final = PartyId("par_" + "b" * 32)
LATER: Final = START + HOUR


def involved(party: PartyId = ADA, role: InvolvementRole = InvolvementRole.USER, held: str | None = None) -> Involvement:
    return Involvement(party, role, START, PartyRoleId(PARTY_ROLE + held * 32) if held else None)


@pytest.mark.parametrize("status", Status)
def test_a_party_is_added_in_any_state_and_sees_it_from_then_on(status: Status) -> None:
    was = standing(status, parties=[involved(ALAN)])

    now, event = involvements.add(was, involved(ADA), at=LATER)

    assert now.visible_to == (ALAN, ADA)
    assert event is not None
    assert (event.type, event.audience, event.at) == (EventType.PARTY_ADDED, Audience.PUBLIC, LATER)
    (change,) = event.changes
    assert (change.field, change.was, change.now) == ("parties", None, {"partyId": ADA, "role": "USER"})
    assert (now.seq, now.status) == (was.seq + 1, status)


def test_who_takes_part_in_this_role_already_is_not_added_again() -> None:
    was = opened(parties=[involved(held="1")])

    assert involvements.add(was, Involvement(ADA, InvolvementRole.USER, LATER, involved(held="1").party_role), at=LATER) == (was, None)


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("1", "2"), ("1", None)])
def test_one_role_here_is_held_under_one_party_role(before: str | None, after: str | None) -> None:
    with pytest.raises(Conflict, match="another party role"):
        involvements.add(opened(parties=[involved(held=before)]), involved(held=after), at=LATER)


def test_a_party_takes_part_in_several_roles() -> None:
    now, event = involvements.add(opened(parties=[involved()]), involved(role=InvolvementRole.GUARDIAN), at=LATER)

    assert event is not None
    assert now.involvements_of(ADA) == {InvolvementRole.USER, InvolvementRole.GUARDIAN}
    assert now.visible_to == (ADA,)


def test_there_is_a_last_party() -> None:
    parties = [involved(PartyId(f"par_{number:032x}")) for number in range(PARTIES - 1)]

    full, _ = involvements.add(opened(parties=parties), involved(ADA), at=START)

    assert len(full.parties) == PARTIES == 50
    assert involvements.add(full, involved(ADA), at=START) == (full, None)
    with pytest.raises(BadInput, match="at most 50 parties") as refused:
        involvements.add(full, involved(ALAN), at=START)
    assert refused.value.path == ("input", "involvement")


@pytest.mark.parametrize("status", Status)
def test_who_is_removed_from_its_only_role_is_out_of_sight(status: Status) -> None:
    was = standing(status, parties=[involved(ALAN), involved(ADA)])

    now, event = involvements.remove(was, ADA, InvolvementRole.USER, at=LATER)

    assert now.visible_to == (ALAN,)
    assert (event.type, event.audience) == (EventType.PARTY_REMOVED, Audience.PUBLIC)
    (change,) = event.changes
    assert (change.field, change.was, change.now) == ("parties", {"partyId": ADA, "role": "USER"}, None)


def test_who_has_another_role_stays_in_sight() -> None:
    was = opened(parties=[involved(), involved(role=InvolvementRole.GUARDIAN)])

    now, _ = involvements.remove(was, ADA, InvolvementRole.USER, at=LATER)

    assert now.visible_to == (ADA,)
    assert now.involvements_of(ADA) == {InvolvementRole.GUARDIAN}


@pytest.mark.parametrize(("party", "role"), [(ALAN, InvolvementRole.USER), (ADA, InvolvementRole.CUSTOMER)])
def test_who_does_not_take_part_in_this_role_cannot_be_removed_from_it(party: PartyId, role: InvolvementRole) -> None:
    with pytest.raises(NotFound) as refused:
        involvements.remove(opened(parties=[involved()]), party, role, at=LATER)

    assert refused.value.path == ("input", "partyId")
