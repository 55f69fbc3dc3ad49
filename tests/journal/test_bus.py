"""The bus: hints between processes, and what it refuses."""

import asyncio

import pytest

from hub.errors import StartupError
from hub.journal.bus import Bus
from hub.journal.opening import ended


@pytest.mark.parametrize("url", ["carrier-pigeon://", "nothing", "redis://localhost"])
def test_a_bus_that_broadcaster_cannot_use_is_refused_at_start(url: str) -> None:
    with pytest.raises(StartupError, match="HUB_BUS"):
        Bus(url)


async def test_a_process_does_not_hear_its_own_hints() -> None:
    bus, heard = Bus("memory://"), list[str]()
    task = asyncio.create_task(bus.run(lambda: heard.append("look")))
    await turns_of_the_loop()
    assert bus.is_up

    bus.ring()
    await turns_of_the_loop()

    assert heard == []
    await ended([task])


async def turns_of_the_loop() -> None:
    """More than enough for what happens in memory alone."""
    for _ in range(100):
        await asyncio.sleep(0)
