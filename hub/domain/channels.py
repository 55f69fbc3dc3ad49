"""The channels that an interaction has used, each told once under its name."""

from dataclasses import replace
from datetime import datetime

from hub.domain.events import Event
from hub.domain.interactions import CHANNELS, Interaction, bounded
from hub.domain.parts import Channel
from hub.domain.terms import ChannelType, EventType
from hub.domain.texts import SHORT, optional


def add(interaction: Interaction, type: ChannelType, name: str | None, *, at: datetime) -> tuple[Interaction, Event | None]:
    """With one channel more; one that is there under this name stays as it is."""
    name = optional(name, "input", "name", most=SHORT)
    if any((channel.type, channel.name) == (type, name) for channel in interaction.channels):
        return interaction, None
    at = max(at, interaction.updated_at)
    channels = bounded((*interaction.channels, Channel(type, at, name)), CHANNELS, "channels", "channel")
    return replace(interaction, channels=channels).recorded(EventType.CHANNEL_ADDED, at, channel=type)
