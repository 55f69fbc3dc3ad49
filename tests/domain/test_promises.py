"""When the customer must hear next: made, kept, paused, renewed, and never in the past."""

from datetime import timedelta
from typing import Final

import pytest

from hub.domain import promises
from hub.domain.promises import FARTHEST
from hub.domain.terms import Priority, Role, Status
from hub.errors import BadInput
from tests.domain.cases import DAY, HOUR, MINUTE, START, moved, note, opened, standing

WITHIN: Final = {Priority.LOW: 72 * HOUR, Priority.NORMAL: 24 * HOUR, Priority.HIGH: 8 * HOUR, Priority.URGENT: 2 * HOUR}
PROMISED: Final = [Status.OPEN, Status.IN_PROGRESS, Status.HELD]
UNPROMISED: Final = [status for status in Status if status not in PROMISED]


@pytest.mark.parametrize("priority", Priority)
def test_the_first_promise_is_made_at_the_opening_by_priority(priority: Priority) -> None:
    assert opened(priority=priority).next_update_due_at == START + WITHIN[priority]


@pytest.mark.parametrize("status", UNPROMISED)
def test_nothing_is_promised_where_nobody_waits_for_us(status: Status) -> None:
    assert standing(status).next_update_due_at is None


def test_what_is_logged_complete_has_neither_promise_nor_progress() -> None:
    assert opened(ended_at=START, resolution="Done.").progress is None


@pytest.mark.parametrize("to", [Status.IN_PROGRESS, Status.HELD])
def test_a_move_wins_no_time(to: Status) -> None:
    assert moved(opened(), to, START + HOUR).next_update_due_at == START + DAY


def test_holding_and_going_on_keeps_the_promise_that_was_given_by_hand() -> None:
    promised, _ = standing(Status.IN_PROGRESS).report_progress("On it.", at=START, next_update_due_at=START + 3 * DAY)

    held = moved(promised, Status.HELD, START + HOUR)

    assert held.next_update_due_at == START + 3 * DAY
    assert moved(held, Status.IN_PROGRESS, START + 2 * HOUR).next_update_due_at == START + 3 * DAY


@pytest.mark.parametrize("status", PROMISED)
def test_asking_the_customer_ends_the_promise_and_coming_back_makes_one_anew(status: Status) -> None:
    pending = moved(standing(status), Status.PENDING, START + HOUR)

    assert pending.next_update_due_at is None
    for to in (Status.IN_PROGRESS, Status.HELD):
        assert moved(pending, to, START + 3 * HOUR).next_update_due_at == START + 3 * HOUR + DAY


def test_the_customers_answer_makes_a_promise_anew() -> None:
    answered, _ = standing(Status.PENDING).add_note(note(Role.CUSTOMER), at=START + HOUR)

    assert answered.next_update_due_at == START + HOUR + DAY


def test_a_promise_given_while_pending_is_kept_when_work_goes_on() -> None:
    pending, _ = standing(Status.PENDING).report_progress("Take your time.", at=START, next_update_due_at=START + 2 * HOUR)

    assert pending.next_update_due_at == START + 2 * HOUR
    assert moved(pending, Status.IN_PROGRESS, START + HOUR).next_update_due_at == START + 2 * HOUR


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CANCELLED])
def test_the_end_of_the_work_ends_the_promise(status: Status) -> None:
    assert moved(opened(), status, START + HOUR).next_update_due_at is None
    assert opened().close("Done.", at=START + HOUR)[0].next_update_due_at is None


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.COMPLETED])
def test_reopening_makes_a_promise_anew(status: Status) -> None:
    assert moved(standing(status), Status.IN_PROGRESS, START + HOUR).next_update_due_at == START + HOUR + DAY


@pytest.mark.parametrize("status", PROMISED)
@pytest.mark.parametrize("priority", Priority)
def test_each_report_renews_the_promise_from_its_own_time(status: Status, priority: Priority) -> None:
    reported, event = standing(status, priority=priority).report_progress("Still at it.", at=START + MINUTE)

    assert reported.next_update_due_at == START + MINUTE + WITHIN[priority]
    assert event.progress is not None
    assert event.progress.next_update_due_at == reported.next_update_due_at


def test_a_report_while_pending_promises_nothing_unless_it_says_so() -> None:
    pending = standing(Status.PENDING)

    assert pending.report_progress("Waiting for you.", at=START)[0].next_update_due_at is None
    assert pending.report_progress("Ditto.", at=START, next_update_due_at=START + DAY)[0].next_update_due_at == START + DAY


def test_a_note_of_staff_is_no_report() -> None:
    assert opened().add_note(note(), at=START + HOUR)[0].next_update_due_at == START + DAY


@pytest.mark.parametrize("ahead", [timedelta(milliseconds=1), FARTHEST])
def test_a_promise_by_hand_lies_ahead_and_within_a_year(ahead: timedelta) -> None:
    assert opened().report_progress("On it.", at=START, next_update_due_at=START + ahead)[0].next_update_due_at == START + ahead


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(milliseconds=-1), FARTHEST + timedelta(milliseconds=1)])
def test_a_promise_that_is_none_is_refused(ahead: timedelta) -> None:
    with pytest.raises(BadInput, match=r"^nextUpdateDueAt must lie ahead, and within 366 days\.$") as refused:
        opened().report_progress("On it.", at=START, next_update_due_at=START + ahead)

    assert refused.value.path == ("input", "nextUpdateDueAt")


def test_a_promise_is_overdue_once_its_moment_has_passed() -> None:
    assert not promises.is_overdue(START, START)
    assert promises.is_overdue(START, START + timedelta(milliseconds=1))
    assert not promises.is_overdue(None, START)
