"""What a company decides for itself about interactions; the rest is decided here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.domain.lifecycle import REOPEN_WINDOW
from hub.domain.media import USUAL
from hub.domain.texts import SHORT, text
from hub.errors import BadInput

ATTACHMENT_BYTES: Final = 10 * 1024 * 1024  # a photo of a phone has 2 to 5 MB, a scanned bill some hundred KB


@dataclass(frozen=True, slots=True)
class Rules:
    """`topics` is the company's own list; without one, any topic will do."""

    reopen_window: timedelta = REOPEN_WINDOW
    topics: Collection[str] = ()
    attachment_types: Collection[str] = USUAL
    attachment_bytes: int = ATTACHMENT_BYTES

    def check_topic(self, topic: str | None, *path: str) -> str | None:
        """The topic, if it is on the list; None stays None."""
        if topic is None:
            return None
        topic = text(topic, *path, most=SHORT)
        if self.topics and topic not in self.topics:
            raise BadInput("topic is not on the company's list; the query `topics` tells it.", *path)
        return topic
