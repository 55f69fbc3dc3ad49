"""The channels that an interaction has used, each told once under its name."""

import pytest

from hub.domain import channels
from hub.domain.interactions import CHANNELS
from hub.domain.terms import Audience, ChannelType, EventType, Status
from hub.errors import BadInput
from tests.domain.cases import HOUR, MINUTE, START, opened, standing

LATER = START + HOUR


@pytest.mark.parametrize("status", Status)
def test_another_channel_is_added_in_any_state_and_its_event_names_it(status: Status) -> None:
    was = standing(status)

    now, event = channels.add(was, ChannelType.CHAT, " Website ", at=LATER)

    assert [(one.type, one.name, one.since) for one in now.channels[1:]] == [(ChannelType.CHAT, "Website", LATER)]
    assert event is not None
    assert (event.type, event.audience, event.channel) == (EventType.CHANNEL_ADDED, Audience.PUBLIC, ChannelType.CHAT)
    assert (now.seq, now.status) == (was.seq + 1, status)


@pytest.mark.parametrize("name", [None, "Hotline"])
def test_a_channel_that_is_there_under_this_name_stays_as_it_is(name: str | None) -> None:
    was = opened(channel_name=name)

    assert channels.add(was, ChannelType.PHONE, name and f" {name} ", at=LATER) == (was, None)


@pytest.mark.parametrize(("before", "after"), [(None, "Hotline"), ("Hotline", None), ("Hotline", "hotline")])
def test_one_type_of_channel_may_be_used_under_several_names(before: str | None, after: str | None) -> None:
    now, _ = channels.add(opened(channel_name=before), ChannelType.PHONE, after, at=LATER)

    assert [one.name for one in now.channels] == [before, after]


def test_a_channel_is_used_no_earlier_than_the_last_event() -> None:
    now, _ = channels.add(opened(), ChannelType.CHAT, None, at=START - MINUTE)

    assert now.channels[-1].since == START


def test_there_is_a_last_channel() -> None:
    full = opened(channel_name="0")
    for number in range(1, CHANNELS):
        full, _ = channels.add(full, ChannelType.PHONE, str(number), at=START)

    assert len(full.channels) == CHANNELS == 50
    assert channels.add(full, ChannelType.PHONE, "7", at=START) == (full, None)
    with pytest.raises(BadInput, match="at most 50 channels") as refused:
        channels.add(full, ChannelType.PHONE, "one more", at=START)
    assert refused.value.path == ("input", "channel")


@pytest.mark.parametrize("name", ["", " ", "x" * 501, "a\x00b"])
def test_a_channels_name_is_a_short_text(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        channels.add(opened(), ChannelType.CHAT, name, at=START)

    assert refused.value.path == ("input", "name")
