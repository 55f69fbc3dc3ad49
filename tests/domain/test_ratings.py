"""How content the customer was: from 1 to 5, once for each closing."""

from typing import Any, Final

import pytest

from hub.domain import ratings
from hub.domain.interactions import Interaction
from hub.domain.parts import Satisfaction
from hub.domain.terms import Audience, EventType, Status
from hub.errors import BadInput, Conflict, IllegalTransition
from tests.domain.cases import DAY, HOUR, START, moved, opened, standing

LATER: Final = START + HOUR


def rated(score: int = 4) -> Interaction:
    return ratings.rate(standing(Status.COMPLETED), score, None, at=LATER)[0]


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
def test_a_closing_is_rated_from_1_to_5_and_the_comment_is_told(score: int) -> None:
    was = standing(Status.COMPLETED)

    now, event = ratings.rate(was, score, " Quick. ", at=LATER)

    assert now.satisfaction == Satisfaction(score, LATER, "Quick.")
    assert (event.type, event.audience, event.message) == (EventType.SATISFACTION_RATED, Audience.PUBLIC, "Quick.")
    assert [(change.field, change.was, change.now) for change in event.changes] == [("satisfaction", None, score)]
    assert (now.seq, now.status, now.ended_at) == (was.seq + 1, Status.COMPLETED, was.ended_at)


@pytest.mark.parametrize("score", [0, 6, -1, 2**31 - 1])
def test_a_score_lies_between_1_and_5(score: int) -> None:
    with pytest.raises(BadInput, match="between 1 and 5") as refused:
        ratings.rate(standing(Status.COMPLETED), score, None, at=LATER)

    assert refused.value.path == ("input", "score")


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.COMPLETED])
def test_only_what_is_completed_is_rated(status: Status) -> None:
    with pytest.raises(IllegalTransition, match="is not rated before it is completed"):
        ratings.rate(standing(status), 3, None, at=LATER)


@pytest.mark.parametrize("score", [4, 5])
def test_a_closing_is_rated_once_whatever_is_said_then(score: int) -> None:
    with pytest.raises(Conflict, match="rated already"):
        ratings.rate(rated(4), score, None, at=LATER + DAY)


def test_one_that_was_closed_anew_is_rated_anew_and_the_old_word_stands_until_then() -> None:
    reopened = moved(rated(2), Status.IN_PROGRESS, LATER + HOUR)
    closed, _ = reopened.close("Done.", at=LATER + 2 * HOUR)

    now, event = ratings.rate(closed, 5, None, at=LATER + 3 * HOUR)

    assert reopened.satisfaction == closed.satisfaction == Satisfaction(2, LATER)
    assert now.satisfaction == Satisfaction(5, LATER + 3 * HOUR)
    assert [(change.was, change.now) for change in event.changes] == [(2, 5)]


def test_one_that_was_reopened_is_not_rated_until_it_is_closed() -> None:
    with pytest.raises(IllegalTransition):
        ratings.rate(moved(rated(), Status.IN_PROGRESS, LATER + HOUR), 3, None, at=LATER + HOUR)


def test_all_in_one_millisecond_it_is_rated_once_for_each_closing() -> None:
    once, _ = ratings.rate(standing(Status.COMPLETED), 2, None, at=START)
    closed, _ = moved(once, Status.IN_PROGRESS, START).close("Done.", at=START)

    twice, _ = ratings.rate(closed, 5, None, at=START)

    assert (twice.satisfaction and twice.satisfaction.score) == 5
    with pytest.raises(Conflict):
        ratings.rate(twice, 5, None, at=START)


def test_one_that_was_logged_long_after_it_ended_is_rated_once() -> None:
    logged = opened(ended_at=START - DAY, resolution="Done.")

    now, _ = ratings.rate(logged, 3, None, at=START)

    with pytest.raises(Conflict):
        ratings.rate(now, 3, None, at=LATER)


@pytest.mark.parametrize("comment", ["", " ", "x" * 8_001, "a\x00b"])
def test_a_comment_is_a_text_or_none(comment: Any) -> None:
    with pytest.raises(BadInput) as refused:
        ratings.rate(standing(Status.COMPLETED), 3, comment, at=LATER)

    assert refused.value.path == ("input", "comment")
