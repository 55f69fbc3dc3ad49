"""The table of moves, judged from outside: every pair of states, what each move needs, and the window in which one reopens."""

from datetime import timedelta
from typing import Any, Final

import pytest

from hub.domain import lifecycle
from hub.domain.terms import EventType, Status
from hub.errors import BadInput, ErrorCode, IllegalTransition
from tests.domain.cases import DAY, HOUR, NEEDED, START, opened, standing

O, I, P, H, R, C, X = Status  # noqa: E741  # OPEN to CANCELLED, so that the table below can be read
LEGAL: Final = {
    O: {I, P, H, R, X},
    I: {P, H, R, X},
    P: {I, H, R, X},
    H: {I, P, R, X},
    R: {C, I},
    C: {I},
    X: set[Status](),
}
PAIRS: Final = [(was, to) for was in Status for to in Status]
ALLOWED: Final = [(was, to) for was, to in PAIRS if to in LEGAL[was]]
DENIED: Final = [(was, to) for was, to in PAIRS if to not in LEGAL[was]]
LATER: Final = START + HOUR


def test_every_state_has_its_moves_and_its_promise() -> None:
    assert {was: set(moves) for was, moves in lifecycle.MOVES.items()} == LEGAL
    assert sorted(lifecycle.PROMISED) == sorted([O, I, H])
    assert sorted(lifecycle.OPEN) == sorted([O, I, P, H])
    assert sorted(lifecycle.ENDED) == sorted([C, X])


@pytest.mark.parametrize(("was", "to"), ALLOWED)
def test_a_legal_move_is_made_with_what_it_needs(was: Status, to: Status) -> None:
    before = standing(was)

    after, event = before.transition(to, at=LATER, **NEEDED.get(to, {}))

    assert (after.status, after.status_changed_at, after.updated_at) == (to, LATER, LATER)
    assert after.seq == before.seq + 1 == event.seq
    assert after.public_seq == before.public_seq + 1 == event.public_seq
    assert (event.status, event.at, event.progress) == (to, LATER, after.progress)
    assert (event.changes[0].field, event.changes[0].was, event.changes[0].now) == ("status", was, to)


@pytest.mark.parametrize(("was", "to"), DENIED)
def test_an_illegal_move_is_refused_with_those_that_are_legal_before_its_needs_are_looked_at(was: Status, to: Status) -> None:
    before = standing(was)

    with pytest.raises(IllegalTransition) as refused:
        before.transition(to, at=LATER, question="", resolution="", reason="\x00")

    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert set(refused.value.allowed_transitions or ()) == LEGAL[was] == set(before.allowed_transitions(LATER))


@pytest.mark.parametrize(("was", "to"), [(was, to) for was, to in ALLOWED if to in NEEDED])
def test_a_move_without_what_it_needs_names_that(was: Status, to: Status) -> None:
    (needed,) = NEEDED[to]

    with pytest.raises(BadInput, match=f"^To become {to} an interaction needs a {needed}\\.$") as refused:
        standing(was).transition(to, at=LATER)

    assert refused.value.path == ("input", needed)


@pytest.mark.parametrize(("was", "to"), ALLOWED)
@pytest.mark.parametrize("stray", ["question", "resolution"])
def test_a_question_goes_with_pending_alone_and_a_resolution_with_resolved_alone(was: Status, to: Status, stray: str) -> None:
    needed = NEEDED.get(to, {})
    if stray in needed:
        assert getattr(standing(was).transition(to, at=LATER, **needed)[0], stray) == needed[stray]
        return

    with pytest.raises(BadInput, match=f"^A {stray} does not go with {to}\\.$") as refused:
        standing(was).transition(to, at=LATER, **needed, **dict[str, Any]({stray: "stray"}))

    assert refused.value.path == ("input", stray)


@pytest.mark.parametrize(("was", "to"), ALLOWED)
def test_a_reason_is_welcome_with_every_move(was: Status, to: Status) -> None:
    after, event = standing(was).transition(to, at=LATER, **(dict(NEEDED.get(to, {})) | {"reason": " because "}))

    assert after.status_reason == "because"
    assert "statusReason" in {change.field for change in event.changes}


@pytest.mark.parametrize(("was", "to"), ALLOWED)
def test_a_move_writes_closed_or_reopened_where_it_is_that_and_status_changed_else(was: Status, to: Status) -> None:
    wanted = {(R, C): EventType.CLOSED, (R, I): EventType.REOPENED, (C, I): EventType.REOPENED}.get((was, to), EventType.STATUS_CHANGED)

    _, event = standing(was).transition(to, at=LATER, **NEEDED.get(to, {}))

    assert event.type is wanted


@pytest.mark.parametrize("window", [timedelta(0), timedelta(days=14), timedelta(days=3)])
def test_a_completed_one_reopens_until_the_window_has_passed_and_not_a_millisecond_longer(window: timedelta) -> None:
    completed = standing(C)
    edge = START + window

    reopened, _ = completed.transition(I, at=edge, window=window)

    assert reopened.status is I
    with pytest.raises(
        IllegalTransition, match=r"^An interaction that is COMPLETED cannot become IN_PROGRESS; it is final, so open another"
    ):
        completed.transition(I, at=edge + timedelta(milliseconds=1), window=window)


def test_the_window_is_fourteen_days_and_counts_from_the_end() -> None:
    logged = opened(START, started_at=START - 9 * DAY, ended_at=START - 8 * DAY, resolution="Explained.")

    assert logged.allowed_transitions(START + 6 * DAY) == (I,)
    assert logged.allowed_transitions(START + 6 * DAY + HOUR) == ()


def test_a_resolved_one_waits_for_its_confirmation_however_long() -> None:
    assert set(standing(R).allowed_transitions(START + 400 * DAY)) == {C, I}


@pytest.mark.parametrize(
    ("was", "to", "sentence"),
    [
        (O, C, "An interaction that is OPEN cannot become COMPLETED; it can become IN_PROGRESS, PENDING, HELD, RESOLVED or CANCELLED."),
        (R, H, "An interaction that is RESOLVED cannot become HELD; it can become COMPLETED or IN_PROGRESS."),
        (C, X, "An interaction that is COMPLETED cannot become CANCELLED; it can become IN_PROGRESS."),
        (X, I, "An interaction that is CANCELLED cannot become IN_PROGRESS; it is final, so open another one."),
    ],
)
def test_the_refusal_is_a_sentence_that_says_what_can_be_done(was: Status, to: Status, sentence: str) -> None:
    with pytest.raises(IllegalTransition) as refused:
        standing(was).transition(to, at=LATER)

    assert refused.value.message == sentence
