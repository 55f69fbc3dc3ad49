"""Claim codes: made again to be compared, under either secret, however they were typed; and how often one may guess."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.claim_codes import BYTES, GUESSERS, WRONG, ClaimCodes, Tries
from hub.access.keys import Keyring
from hub.errors import RateLimited
from tests.access.issuing import START

OLD, NEW = b"o" * 32, b"n" * 32
ONE, OTHER = "int_" + "1" * 32, "int_" + "2" * 32
SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def codes() -> ClaimCodes:
    return ClaimCodes(Keyring(NEW))


def test_a_code_is_160_bits_in_groups_that_can_be_read_out(codes: ClaimCodes) -> None:
    assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){7}", codes.code(ONE))
    assert BYTES * 8 == 160


def test_a_code_is_that_of_one_interaction_and_one_secret(codes: ClaimCodes) -> None:
    code = codes.code(ONE)

    assert codes.fits(ONE, code)
    assert ClaimCodes(Keyring(NEW)).code(ONE) == code
    assert not codes.fits(OTHER, code)
    assert not ClaimCodes(Keyring(OLD)).fits(ONE, code)


def test_while_the_secret_is_replaced_both_codes_fit_and_the_new_one_is_given() -> None:
    replaced = ClaimCodes(Keyring(NEW, previous=OLD))

    assert replaced.fits(ONE, ClaimCodes(Keyring(OLD)).code(ONE))
    assert replaced.code(ONE) == ClaimCodes(Keyring(NEW)).code(ONE)


@pytest.mark.parametrize(
    "typed",
    [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')}\n", lambda code: code.replace("O", "0")],
)
def test_it_fits_however_a_person_types_it(codes: ClaimCodes, typed: Callable[[str], str]) -> None:
    named = next(id for id in (f"int_{number:032x}" for number in range(99)) if "O" in codes.code(id))

    assert codes.fits(named, typed(codes.code(named)))


@given(st.integers(0, 31), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_letter_that_is_another_does_not_fit(place: int, letter: str) -> None:
    codes = ClaimCodes(Keyring(NEW))
    letters = codes.code(ONE).replace("-", "")

    assert codes.fits(ONE, letters[:place] + letter + letters[place + 1 :]) == (letters[place] == letter)


@given(st.text(max_size=200), st.text(st.characters(exclude_categories=()), max_size=200))
def test_no_text_is_a_code_and_none_is_more_than_a_no(id: str, text: str) -> None:
    assert not ClaimCodes(Keyring(NEW)).fits(id, text)


@pytest.mark.parametrize("cut", ["", "-", "x" * 10_000])
def test_nothing_a_part_and_too_much_do_not_fit(codes: ClaimCodes, cut: str) -> None:
    code = codes.code(ONE)

    assert not codes.fits(ONE, cut)
    assert not codes.fits(ONE, code[:-1])
    assert not codes.fits(ONE, code + "A")
    assert not codes.fits(ONE, code + "-" * 100)


def test_after_five_wrong_tries_in_a_minute_there_is_no_sixth_until_the_first_is_a_minute_old() -> None:
    tries = Tries()
    for number in range(WRONG):
        tries.begin("ada", START + number * SECOND)

    with pytest.raises(RateLimited) as refused:
        tries.begin("ada", START + 20 * SECOND)
    with pytest.raises(RateLimited):  # nor did that one count
        tries.begin("ada", START + 60 * SECOND - SECOND / 1000)
    tries.begin("ada", START + 60 * SECOND)

    assert (WRONG, refused.value.retry_after_ms, refused.value.code) == (5, 40_000, "RATE_LIMITED")
    assert "40 seconds" in refused.value.message


def test_a_right_try_does_not_count_and_nobody_pays_for_another() -> None:
    tries = Tries()
    for _ in range(3 * WRONG):
        tries.begin("ada", START)
        tries.forgive("ada", START, START)
    for _ in range(WRONG):
        tries.begin("grace", START)

    tries.begin("ada", START)

    with pytest.raises(RateLimited):
        tries.begin("grace", START)


def test_tries_that_are_under_way_count_so_that_none_slips_by_beside_others() -> None:
    tries = Tries()
    for _ in range(WRONG):
        tries.begin("ada", START)

    with pytest.raises(RateLimited):
        tries.begin("ada", START)
    tries.forgive("ada", START, START)

    tries.begin("ada", START)


def test_a_flood_of_viewers_takes_no_more_memory_than_there_is_for_them() -> None:
    tries = Tries()

    for number in range(GUESSERS + 100):
        tries.begin(str(number), START)

    assert len(tries._begun._kept) == GUESSERS


def test_a_hundred_characters_are_read_and_no_more(codes: ClaimCodes) -> None:
    code = codes.code(ONE)

    assert codes.fits(ONE, code + " " * (100 - len(code)))
    assert not codes.fits(ONE, code + " " * (101 - len(code)))
