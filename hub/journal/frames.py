"""What a subscriber is told, and what an entry of the journal is to one: an event, a farewell, or nothing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hub.access.visibility import Visibility
from hub.domain.terms import SubjectKind
from hub.journal.filters import EventFilter
from hub.journal.log import Entry
from hub.store.audit import Seen


class FrameKind(StrEnum):
    EVENT = "EVENT"
    CAUGHT_UP = "CAUGHT_UP"
    CHECKPOINT = "CHECKPOINT"
    LEFT = "LEFT"
    RESET = "RESET"


class Frame:
    """What a subscriber gets: an entry with EVENT, a reason with LEFT and RESET, and always where it stands now.

    Those who are told the same share one frame, and with it what the audit keeps of it, and the `text` of whoever rendered it
    first."""

    __slots__ = ("entry", "interaction", "kind", "position", "reason", "seen", "text")

    def __init__(
        self, kind: FrameKind, position: int, entry: Entry | None = None, interaction: str | None = None, reason: str | None = None
    ) -> None:
        self.kind = kind
        self.position = position
        self.entry = entry
        self.interaction = interaction
        self.reason = reason
        self.seen: Seen | None = None if entry is None else (entry["subject"]["id"], entry["visibleTo"])
        self.text: bytes | None = None


def judged(entry: Mapping[str, Any], visibility: Visibility, asked: EventFilter) -> Frame | None:
    """The frame that this entry is to this subscriber, by what the entry itself says; None: it is not for them."""
    if entry["subject"]["kind"] != SubjectKind.INTERACTION:
        return None
    position, interaction = int(entry["_id"]), entry["subject"]["id"]
    if visibility.loses(entry):
        return Frame(FrameKind.LEFT, position, interaction=interaction, reason="It is no longer yours to see.")
    if not visibility.sees_entry(entry):
        return None
    if asked.matches(entry):
        return Frame(FrameKind.EVENT, position, entry=dict(entry), interaction=interaction)
    if asked.lets_go(entry):
        return Frame(FrameKind.LEFT, position, interaction=interaction, reason="It no longer matches the filter.")
    return None
