"""What a person typed: trimmed, bounded, and free of what no store or screen could hold; and when it happened."""

import time
from datetime import timedelta

import pytest

from hub.domain.texts import CLOCK_SKEW, LONG, SHORT, not_future, optional, text
from hub.errors import BadInput
from tests.domain.cases import DAY, START


@pytest.mark.parametrize("value", ["a", "Grüße, 世界", "👩‍🔧 is on her way", "two\nlines\tand a tab", "x" * LONG, '{"$gt": ""}', "$where"])
def test_what_people_write_is_kept_to_the_letter(value: str) -> None:
    assert text(value, "input", "text") == value


def test_space_around_it_is_not_counted_and_not_kept() -> None:
    assert text(" \n" + "x" * SHORT + "\t ", "input", "name", most=SHORT) == "x" * SHORT


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "text is empty; say something or leave it out."),
        (" \n\t\u2003", "text is empty; say something or leave it out."),
        ("x" * (LONG + 1), "text has 8001 characters; at most 8000 are kept."),
        ("x" * 1_000_000, "text has 1000000 characters; at most 8000 are kept."),
        ("a\x00b", "text holds a NUL character; leave it out."),
        ("half a smile: \ud83d", "text holds half of a surrogate pair; send well-formed Unicode."),
        ("a\udfffb", "text holds half of a surrogate pair; send well-formed Unicode."),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_name_and_its_place(value: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        text(value, "input", "items", "3", "text")

    assert refused.value.message == sentence
    assert refused.value.path == ("input", "items", "3", "text")


def test_a_limit_of_its_own_counts_in_place_of_the_usual_one() -> None:
    with pytest.raises(BadInput, match="501 characters; at most 500"):
        text("x" * 501, "input", "reason", most=SHORT)


def test_nothing_stays_nothing_and_an_empty_text_is_not_nothing() -> None:
    assert optional(None, "input", "stage") is None
    assert optional(" on ", "input", "stage") == "on"
    with pytest.raises(BadInput):
        optional("", "input", "stage")


def test_the_longest_text_is_judged_in_well_under_a_millisecond() -> None:
    value = "é" * LONG

    best = min(_seconds(value) for _ in range(20))

    assert best < 0.0005


def _seconds(value: str) -> float:
    begun = time.perf_counter()
    text(value, "input", "text")
    return time.perf_counter() - begun


def test_what_has_been_has_been() -> None:
    assert not_future(START - 400 * DAY, START, "input", "startedAt") == START - 400 * DAY
    assert not_future(START, START, "input", "startedAt") == START


def test_a_clock_may_be_a_little_ahead_of_ours_and_then_it_was_now() -> None:
    assert not_future(START + CLOCK_SKEW, START, "input", "startedAt") == START


def test_what_is_to_come_has_not_happened() -> None:
    with pytest.raises(BadInput, match=r"^startedAt lies in the future; it says when something happened\.$") as refused:
        not_future(START + CLOCK_SKEW + timedelta(milliseconds=1), START, "input", "startedAt")

    assert refused.value.path == ("input", "startedAt")
