"""How often an address may ask, and whose address it is."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from hub.web.throttle import Throttle

NOW: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),  # of one network, which one household has
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_an_address_is_counted_with_those_that_one_household_has(one: str, other: str, is_same: bool) -> None:
    throttle = Throttle(1)

    assert throttle.wait(one, NOW) is None
    assert (throttle.wait(other, NOW + timedelta(seconds=20)) == 40) == is_same
