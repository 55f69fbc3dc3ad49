"""What has ended is reopened within a window of days, a setting."""

from pathlib import Path

import pytest

from hub.settings import Settings
from tests.api import Api


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub that reopens nothing."""
    return Settings.load(data_dir=tmp_path / "hub", port=0, reopen_days=0)


async def test_after_the_window_a_completed_interaction_stays_completed(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer)
    await api.as_agent.done("closeInteraction", id=interaction["id"], resolution="Done")

    seen = await api.as_customer.interaction(interaction["id"])
    refused = [
        await caller.refused("transitionInteraction", id=interaction["id"], to="IN_PROGRESS") for caller in (api.as_customer, api.as_agent)
    ]

    assert seen["allowedTransitions"] == []
    assert [(one["code"], one["allowedTransitions"]) for one in refused] == [("ILLEGAL_TRANSITION", [])] * 2
