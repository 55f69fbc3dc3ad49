"""What a company decides for itself about interactions; the rest is decided here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from hub.domain.lifecycle import REOPEN_WINDOW
from hub.domain.texts import SHORT, text
from hub.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rules:
    """`topics` is the company's own list; without one, any topic will do."""

    reopen_window: timedelta = REOPEN_WINDOW
    topics: Collection[str] = ()

    def check_topic(self, topic: str | None, *path: str) -> str | None:
        """The topic, if it is on the list; None stays None."""
        if topic is None:
            return None
        topic = text(topic, *path, most=SHORT)
        if self.topics and topic not in self.topics:
            raise BadInput("topic is not on the company's list; the query `topics` tells it.", *path)
        return topic
