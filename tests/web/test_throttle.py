"""How often an address may ask, and what counts as one address."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.web.throttle import MINUTE, Throttle

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_who_has_asked_often_enough_is_told_how_long_to_wait_and_is_then_let_in() -> None:
    throttle = Throttle(2)
    throttle.wait("192.0.2.1", NOW)
    throttle.wait("192.0.2.1", NOW + timedelta(seconds=20))

    refused = throttle.wait("192.0.2.1", NOW + timedelta(seconds=30))
    later = throttle.wait("192.0.2.1", NOW + MINUTE)

    assert (refused, later) == (30, None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unknown", "elsewhere", False),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_ipv6(one: str, other: str, same: bool) -> None:
    throttle = Throttle(1)
    throttle.wait(one, NOW)

    assert (throttle.wait(other, NOW) is not None) == same
