"""Rights that change while a subscriber reads what it missed: nothing is told by those from before, and nothing is passed over."""

import asyncio
import gc
import weakref
from dataclasses import replace
from typing import Any

import pytest

from hub.access.bearers import Bearer
from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.errors import Unavailable
from hub.journal import replay as replaying
from hub.journal import subscriber as subscribing
from hub.journal import tail as remembering
from hub.journal.filters import EVERYTHING
from hub.journal.log import read_after
from hub.journal.opening import Journal
from hub.journal.subscriber import Subscriber
from tests.journal.acts import AGENT, customer, opened, report, until, viewer
from tests.journal.test_subscriber import CAUGHT_UP, EVENT, following


class Gate:
    """Reading of the log as tests hold it up: `come` when somebody reads, `go` lets what was read be answered."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self.go = asyncio.Event()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Nearly nothing is in memory, and a page of the log takes as long as the test wants."""
    gate = Gate()

    async def held_up(*given: Any, **more: Any) -> Any:
        page = await read_after(*given, **more)
        gate.come.set()
        await gate.go.wait()
        return page

    monkeypatch.setattr(remembering, "MOST", 1)
    monkeypatch.setattr(replaying, "read_after", held_up)
    return gate


async def customer_of_one(journal: Journal) -> Viewer:
    """Whose interaction entries 2 and 4 are about; entry 1 is about itself, 3 and 5 are about somebody else's."""
    party = await customer(journal)
    interactions = await opened(journal, customer_id=party), await opened(journal)
    for interaction in interactions:
        await report(journal, interaction)
    return viewer(Role.CUSTOMER, party)


@pytest.mark.parametrize(("widens", "told"), [(True, [2, 3, 4, 5]), (False, [2, 4])])
async def test_a_page_that_was_judged_by_other_rights_is_not_told(journal: Journal, gate: Gate, widens: bool, told: list[int]) -> None:
    one = await customer_of_one(journal)
    before, after = (one, AGENT) if widens else (AGENT, one)
    bearer = Bearer(before)
    async with following(journal, bearer, after=1) as reader:
        first = asyncio.create_task(reader.next())
        await gate.come.wait()
        bearer.become(after)
        gate.go.set()
        await first
        while reader.read[-1].kind is not CAUGHT_UP:
            await reader.next()

    assert reader.events == told


async def test_what_is_told_of_a_page_ends_where_rights_change(journal: Journal) -> None:
    """Between two frames of it, while its reader was busy with the first."""
    narrow = await customer_of_one(journal)
    bearer = Bearer(AGENT)
    async with following(journal, bearer, after=1) as reader:
        assert await reader.take(1) == [(EVENT, 2)]
        bearer.become(narrow)

        assert await reader.take(2) == [(EVENT, 4), (CAUGHT_UP, 5)]


async def test_rights_that_widen_at_the_end_of_a_page_show_what_lay_behind_it(journal: Journal) -> None:
    narrow = await customer_of_one(journal)
    bearer = Bearer(narrow)
    async with following(journal, bearer, after=2) as reader:
        assert await reader.take(1) == [(EVENT, 4)]
        bearer.become(AGENT)

        assert await reader.take(2) == [(EVENT, 5), (CAUGHT_UP, 5)]


async def test_until_it_can_be_said_what_its_rights_are_nothing_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "AFRESH", 0.01)
    monkeypatch.setattr(subscribing, "AGAIN", 0.001)
    party = await customer(journal)
    own = await opened(journal, customer_id=party)
    whole = replace(viewer(Role.CUSTOMER, party), backed=((Role.CUSTOMER, "customer"),))
    is_away, refused = False, 0

    async def present() -> Viewer:
        nonlocal refused
        if is_away:
            refused += 1
            raise Unavailable("injected")
        return whole

    async with following(journal, Bearer(whole, present)) as reader:
        await reader.next()
        waiting = asyncio.create_task(reader.next())
        is_away = True
        await until(lambda: refused > 0)
        await report(journal, own)
        asked = refused
        await until(lambda: refused > asked + 20)
        assert not waiting.done()
        is_away = False

        assert (await waiting).position == 3


async def test_about_who_has_left_nothing_is_asked_any_more(journal: Journal) -> None:
    """What asks again and again would keep it for as long as the process lives."""
    held = Bearer(replace(viewer(Role.CUSTOMER, await customer(journal)), backed=((Role.CUSTOMER, "customer"),)))
    frames = Subscriber(journal.cohorts, held, lambda: EVERYTHING, None)
    await anext(aiter(frames))
    gone = weakref.ref(frames)

    await frames.aclose()

    del frames
    gc.collect()
    assert gone() is None
