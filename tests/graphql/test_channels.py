"""An interaction goes on over another channel, and everyone who takes part hears of it."""

import pytest

from tests.api import FRAMES, Api

CHANNELS = "revision status channels { type name since }"


async def test_another_channel_is_added_under_its_name_and_everyone_hears_of_it(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]

    await shared_api.as_agent.done("addChannel", id=id, channel="CHAT", name=" Website ")

    seen = await shared_api.as_customer.read(id, CHANNELS)
    assert [(one["type"], one["name"]) for one in seen["channels"]] == [("PHONE", None), ("CHAT", "Website")]
    assert (seen["revision"], seen["status"]) == (2, "OPEN")
    for caller in (shared_api.as_agent, shared_api.as_customer):
        event = (await caller.timeline(id))[-1]
        assert (event["type"], event["channel"], event["message"]) == ("CHANNEL_ADDED", "CHAT", None)


async def test_a_channel_that_is_there_under_this_name_changes_nothing(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(channelName="Hotline"))["id"]

    same = await shared_api.as_agent.done("addChannel", id=id, channel="PHONE", name="Hotline")
    other = await shared_api.as_agent.done("addChannel", id=id, channel="PHONE")
    again = await shared_api.as_agent.done("addChannel", id=id, channel="PHONE", name=None)

    assert (same["revision"], other["revision"], again["revision"]) == (1, 2, 2)
    assert [one["name"] for one in again["channels"]] == ["Hotline", None]


@pytest.mark.parametrize("move", [{"to": "RESOLVED", "resolution": "x"}, {"to": "CANCELLED", "reason": "x"}])
async def test_also_what_is_over_was_spoken_of_elsewhere(shared_api: Api, move: dict[str, str]) -> None:
    id = (await shared_api.as_agent.create())["id"]
    await shared_api.as_agent.done("transitionInteraction", id=id, **move)

    assert len((await shared_api.as_agent.done("addChannel", id=id, channel="STORE"))["channels"]) == 2


async def test_there_is_a_last_channel(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create())["id"]
    for number in range(48):
        await shared_api.as_agent.done("addChannel", id=id, channel="STORE", name=str(number))

    full = await shared_api.as_agent.done("addChannel", id=id, channel="STORE", name="the last")
    refused = await shared_api.as_agent.refused("addChannel", id=id, channel="STORE", name="one more")

    assert len(full["channels"]) == 50
    assert (refused["code"], refused["path"], "50" in refused["message"]) == ("BAD_USER_INPUT", ["input", "channel"], True)


async def test_a_partner_adds_one_where_it_takes_part_and_a_customer_nowhere(shared_api: Api) -> None:
    id = (await shared_api.as_partner.create(customerId=shared_api.customer))["id"]

    done = await shared_api.as_partner.done("addChannel", id=id, channel="PARTNER_API")
    refused = await shared_api.as_customer.refused("addChannel", id=id, channel="CHAT")

    assert (len(done["channels"]), refused["code"]) == (2, "FORBIDDEN")


async def test_a_stream_that_asks_for_a_channel_begins_when_it_is_used(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]

    async with shared_api.as_customer.stream(FRAMES, filter={"interactionIds": [id], "channel": ["CHAT"]}) as stream:
        begun = await stream.heard(1)
        await shared_api.as_agent.done("addNote", id=id, text="by phone")
        await shared_api.as_agent.done("addChannel", id=id, channel="CHAT")
        await shared_api.as_agent.done("addNote", id=id, text="in the chat")

        assert begun + await stream.heard(2) == ["CAUGHT_UP", "CHANNEL_ADDED", "NOTE_ADDED"]
