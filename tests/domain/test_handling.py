"""In whose hands an interaction is, and how far it is escalated: nobody outside hears of it."""

from typing import Final

import pytest

from hub.domain import handling
from hub.domain.ids import PartyId
from hub.domain.terms import Audience, EventType, Status
from hub.errors import BadInput, IllegalTransition
from tests.domain.cases import HOUR, START, opened, standing

ALAN: Final = PartyId("par_" + "b" * 32)
GRACE: Final = PartyId("par_" + "c" * 32)
LATER: Final = START + HOUR
ENDED: Final = [Status.COMPLETED, Status.CANCELLED]


@pytest.mark.parametrize("status", [status for status in Status if status not in ENDED])
def test_it_goes_from_hand_to_hand_and_back_to_nobodys(status: Status) -> None:
    steps = [(None, ALAN), (ALAN, GRACE), (GRACE, None)]
    now = standing(status)

    for before, after in steps:
        was = now
        now, event = handling.assign(was, after, at=LATER)

        assert now.assignee == after
        assert event is not None
        assert (event.type, event.audience, event.message) == (EventType.ASSIGNED, Audience.INTERNAL, None)
        (change,) = event.changes
        assert (change.field, change.was, change.now) == ("assignee", before, after)
        assert (now.seq, now.public_seq) == (was.seq + 1, was.public_seq)
        assert now.public_updated_at == was.public_updated_at


@pytest.mark.parametrize("status", Status)
def test_whoever_has_it_is_not_given_it_again(status: Status) -> None:
    nobodys = standing(status)

    assert handling.assign(nobodys, None, at=LATER) == (nobodys, None)


def test_what_is_over_stays_in_the_hands_it_was_in() -> None:
    taken, _ = handling.assign(opened(), ALAN, at=START)
    over, _ = taken.close("Done.", at=START)

    assert handling.assign(over, ALAN, at=LATER) == (over, None)
    for other in (GRACE, None):
        with pytest.raises(IllegalTransition, match="is not assigned"):
            handling.assign(over, other, at=LATER)


@pytest.mark.parametrize("status", [Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.HELD])
def test_it_is_lifted_one_level_at_a_time_for_a_reason(status: Status) -> None:
    was = standing(status)

    once, event = handling.escalate(was, " Angry. ", at=LATER)
    twice, again = handling.escalate(once, "Angry.", at=LATER)

    assert (once.escalation_level, twice.escalation_level) == (1, 2)
    assert (event.type, event.audience, event.message) == (EventType.ESCALATED, Audience.INTERNAL, "Angry.")
    assert [(change.field, change.was, change.now) for change in (*event.changes, *again.changes)] == [
        ("escalationLevel", 0, 1),
        ("escalationLevel", 1, 2),
    ]
    assert (twice.public_seq, twice.public_updated_at) == (was.public_seq, was.public_updated_at)


@pytest.mark.parametrize("status", [Status.RESOLVED, *ENDED])
def test_what_needs_no_work_is_not_escalated(status: Status) -> None:
    with pytest.raises(IllegalTransition, match="is not escalated"):
        handling.escalate(standing(status), "Angry.", at=LATER)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\x00b"])
def test_the_reason_of_an_escalation_is_a_short_text(reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        handling.escalate(opened(), reason, at=START)

    assert refused.value.path == ("input", "reason")
