"""How many may come at once, and how all of them leave."""

import asyncio
from dataclasses import dataclass, field

from hub.web.closing import CLOSES
from hub.web.lines import BURST, PACE, Lines


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_served_at_once_and_the_next_is_told_when_to_come_again() -> None:
    lines = Lines(10, clock=Clock())

    assert [lines.wait() for _ in range(10 * BURST)] == [0.0] * (10 * BURST)
    assert 1.0 < lines.wait() <= 1.2


def test_in_the_long_run_as_many_are_served_as_the_rate_says_however_many_come() -> None:
    clock = Clock()
    lines = Lines(10, clock=clock)
    served = 0

    for _ in range(1_000):
        served += lines.wait() == 0
        clock.now += 0.01

    assert served == 10 * BURST + 10 * 10 - 1 or served == 10 * BURST + 10 * 10


async def test_all_are_sent_away_a_few_at_a_time_and_waited_for() -> None:
    lines, gone = Lines(10), list[float]()

    async def line() -> None:
        over = asyncio.Event()
        with lines.held(over.set):
            await over.wait()
            gone.append(asyncio.get_running_loop().time())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(line())
        await asyncio.sleep(0)
        assert len(lines) == 10
        await lines.drain(within=0.2)

    assert len(lines) == 0
    assert gone[-1] - gone[0] >= 0.1


async def test_a_laptops_few_are_sent_away_in_no_time() -> None:
    lines = Lines(10)
    over = asyncio.Event()

    async def line() -> None:
        with lines.held(over.set):
            await over.wait()

    task = asyncio.create_task(line())
    await asyncio.sleep(0)
    async with asyncio.timeout(20 * PACE):
        await lines.drain(within=600)
    await task


@dataclass(eq=False)
class Deaf:
    told: list[str] = field(default_factory=list)

    def hang_up(self) -> None:
        self.told.append("go")


async def test_who_does_not_go_is_waited_for_no_longer_than_said_and_told_once_more() -> None:
    lines, deaf = Lines(10), Deaf()

    with lines.held(deaf.hang_up):
        await lines.drain(within=0.1)

    assert lines.is_draining  # who comes now is not let in
    assert deaf.told == ["go", "go"]


def test_each_code_stands_once_in_the_table() -> None:
    assert len({one.code for one in CLOSES}) == len(CLOSES)
