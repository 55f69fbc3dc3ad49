"""A database that goes away: everybody hears so in time, and all is well when it is back."""

import asyncio
import time
from pathlib import Path

import pytest

from hub.access.visibility import Visibility
from hub.domain.terms import Role
from hub.errors import Unavailable
from hub.settings import Settings
from hub.store.mongo import connected, unit_of_work
from hub.web.hub import opened
from tests.journal.acts import assert_intact, creation, messages, report, submit, until, viewer
from tests.store.conftest import Machine

PATIENCE = 9.5  # seconds in which everybody must have heard


async def test_who_waits_for_a_database_that_is_away_hears_so_and_the_hub_heals(machine: Machine, tmp_path: Path) -> None:
    async with opened(Settings.load(data_dir=tmp_path / "hub"), machine.uri, role="test") as hub:
        interaction = (await submit(hub.journal, creation())).about.id
        busy = [asyncio.create_task(report(hub.journal, interaction, f"step {number}", named=f"k{number}")) for number in range(200)]
        await asyncio.sleep(0)
        machine.goes_away()
        away = time.monotonic()

        heard = await asyncio.gather(*busy, hub.interactions.find(Visibility.of(viewer(Role.AGENT)), interaction), return_exceptions=True)

        assert time.monotonic() - away < PATIENCE
        assert isinstance(heard[-1], Unavailable)
        assert {type(one) for one in heard if isinstance(one, BaseException)} == {Unavailable}
        await until(lambda: hub.journal.feed.is_behind)
        machine.comes_back()
        await asyncio.gather(*(report(hub.journal, interaction, f"step {number}", named=f"k{number}") for number in range(200)))
        await until(lambda: not hub.journal.feed.is_behind and hub.journal.feed.position == 201)
        assert await messages(hub.mongo) == {f"step {number}": 1 for number in range(200)}
        await assert_intact(hub.mongo)


async def test_a_hub_whose_database_is_away_closes_all_the_same(machine: Machine, tmp_path: Path) -> None:
    async with opened(Settings.load(data_dir=tmp_path / "hub"), machine.uri, role="test") as hub:
        interaction = (await submit(hub.journal, creation())).about.id
        machine.goes_away()
        waiting = asyncio.create_task(report(hub.journal, interaction))
        await asyncio.sleep(0)
        closing = time.monotonic()

    assert time.monotonic() - closing < PATIENCE
    with pytest.raises(Unavailable):
        await waiting


async def test_only_the_databases_trouble_is_told_as_unavailable(settings: Settings, mongo_uri: str) -> None:
    async with connected(mongo_uri, "hub", settings.mongo_driver) as mongo:
        with pytest.raises(Exception, match="unknown top level operator") as fault, unit_of_work():
            await mongo["interactions"].find_one({"$nonsense": 1})
        assert not isinstance(fault.value, Unavailable)
        await mongo["heads"].insert_one({"_id": "slow"})
        with pytest.raises(Unavailable), unit_of_work(0.3):
            await mongo.page("heads", {"$where": "sleep(2000) || true"})
        await mongo["heads"].delete_one({"_id": "slow"})
    with pytest.raises(Unavailable), unit_of_work():
        await mongo["heads"].find_one({})  # closed
