"""What is kept for a while: bounded, the longest unused goes first, and each until its time."""

from datetime import timedelta

from hub.access.remembered import Remembered
from tests.access.issuing import START

LATER = START + timedelta(seconds=1)


def test_what_was_used_last_stays_and_what_was_not_goes() -> None:
    kept: Remembered[str, int] = Remembered(2)
    kept.put("a", 1, LATER)
    kept.put("b", 2, LATER)
    kept.get("a", START)
    kept.put("c", 3, LATER)

    assert [kept.get(key, START) for key in "abc"] == [1, None, 3]


def test_what_is_put_again_is_new_in_value_and_in_age() -> None:
    kept: Remembered[str, int] = Remembered(2)
    kept.put("a", 1, LATER)
    kept.put("b", 2, LATER)
    kept.put("a", 4, LATER)
    kept.put("c", 3, LATER)

    assert [kept.get(key, START) for key in "abc"] == [4, None, 3]


def test_each_is_known_until_its_time_and_not_at_it() -> None:
    kept: Remembered[str, int] = Remembered(2)
    kept.put("a", 1, LATER)

    assert (kept.get("a", LATER - timedelta(microseconds=1)), kept.get("a", LATER), kept.get("a", START)) == (1, None, None)


def test_what_is_dropped_is_gone_and_what_never_was_is_no_harm() -> None:
    kept: Remembered[str, int] = Remembered(2)
    kept.put("a", 1, LATER)
    kept.drop("a")
    kept.drop("b")

    assert kept.get("a", START) is None
