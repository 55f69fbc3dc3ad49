"""What can be asked for about channels."""

from dataclasses import dataclass
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.domain import channels
from hub.domain.terms import ChannelType
from hub.journal.desk import Decision, Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class AddChannel(OnInteraction):
    """Note that it goes on over another channel."""

    name: ClassVar[str] = "addChannel"
    act: ClassVar[Act] = Act.ADD_CHANNEL

    channel: ChannelType
    called: str | None = None

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        return decision(*channels.add(self.acted_on(desk, viewer), self.channel, self.called, at=desk.now))
