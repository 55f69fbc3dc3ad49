"""A visitor's interaction becomes a customer's: who may be replaced, until when, and what is left of it."""

from datetime import timedelta
from typing import Final

import pytest

from hub.domain.claiming import VALID, claim, claimable_from, is_in_time
from hub.domain.ids import PARTY_ROLE, PartyId, PartyRoleId
from hub.domain.parts import Involvement
from hub.domain.terms import Audience, EventType, InvolvementRole, Status
from tests.domain.cases import HOUR, MINUTE, START, opened, standing

VISITOR: Final = PartyId("par_" + "a" * 32)
CUSTOMER: Final = PartyId("par_" + "b" * 32)
ALAN: Final = PartyId("par_" + "c" * 32)
LATER: Final = START + HOUR
TICK: Final = timedelta(milliseconds=1)


def involved(party: PartyId, role: InvolvementRole = InvolvementRole.CUSTOMER) -> Involvement:
    return Involvement(party, role, START)


@pytest.mark.parametrize("status", Status)
def test_the_customer_takes_the_visitors_place_in_any_state(status: Status) -> None:
    was = standing(status, parties=[involved(VISITOR), involved(ALAN, InvolvementRole.PARTNER)], visitor=VISITOR)

    now, event = claim(was, VISITOR, CUSTOMER, at=LATER)

    assert now.parties == (Involvement(CUSTOMER, InvolvementRole.CUSTOMER, LATER), involved(ALAN, InvolvementRole.PARTNER))
    assert (now.visible_to, now.visitor, now.status) == ((CUSTOMER, ALAN), None, status)
    assert (event.type, event.audience, event.at, now.seq) == (EventType.CLAIMED, Audience.PUBLIC, LATER, was.seq + 1)
    (change,) = event.changes
    assert (change.was, change.now) == ({"partyId": VISITOR, "role": "CUSTOMER"}, {"partyId": CUSTOMER, "role": "CUSTOMER"})


def test_every_involvement_of_the_visitor_goes_and_what_the_customer_had_is_had_once_and_kept() -> None:
    held = Involvement(CUSTOMER, InvolvementRole.USER, START, PartyRoleId(PARTY_ROLE + "1" * 32))
    was = opened(parties=[involved(VISITOR), involved(VISITOR, InvolvementRole.USER), held], visitor=VISITOR)

    now, event = claim(was, VISITOR, CUSTOMER, at=LATER)

    assert now.parties == (Involvement(CUSTOMER, InvolvementRole.CUSTOMER, LATER), held)
    assert [change.was for change in event.changes] == [{"partyId": VISITOR, "role": role} for role in ("CUSTOMER", "USER")]


def test_whoever_logs_in_as_the_very_party_that_it_visited_as_stays_and_it_is_claimed() -> None:
    now, event = claim(opened(parties=[involved(VISITOR)], visitor=VISITOR), VISITOR, VISITOR, at=LATER)

    assert (now.visible_to, now.visitor, event.changes) == ((VISITOR,), None, ())


def test_only_the_visitor_who_opened_it_can_be_replaced_and_only_once() -> None:
    visited = opened(parties=[involved(VISITOR)], visitor=VISITOR)

    assert claimable_from(visited, LATER) == VISITOR
    assert claimable_from(claim(visited, VISITOR, CUSTOMER, at=LATER)[0], LATER) is None
    assert claimable_from(opened(parties=[involved(CUSTOMER)]), LATER) is None
    assert claimable_from(opened(parties=[involved(CUSTOMER)], visitor=VISITOR), LATER) is None  # it was removed since


def test_a_code_counts_for_24_hours_and_not_a_moment_more() -> None:
    visited = opened(parties=[involved(VISITOR)], visitor=VISITOR)

    assert VALID == 24 * 60 * MINUTE
    assert claimable_from(visited, START + VALID) == VISITOR
    assert claimable_from(visited, START + VALID + TICK) is None
    assert not is_in_time(START, START + VALID + TICK)
