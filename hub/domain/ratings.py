"""How content the customer was: rated once for each closing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.events import Event, FieldChange
from hub.domain.interactions import Interaction
from hub.domain.lifecycle import REOPEN_WINDOW
from hub.domain.parts import Satisfaction
from hub.domain.terms import EventType, InteractionAct
from hub.domain.texts import optional
from hub.errors import BadInput, Conflict

WORST: Final = 1
BEST: Final = 5
TICK: Final = timedelta(milliseconds=1)  # the finest the store keeps; a rating comes after its closing, a new closing not before it


def is_rated(ended_at: datetime | None, rated_at: datetime | None) -> bool:
    """Whether the last closing has its rating: one from before it is of an earlier closing."""
    return ended_at is not None and rated_at is not None and rated_at > ended_at


def rate(
    interaction: Interaction, score: int, comment: str | None, *, at: datetime, window: timedelta = REOPEN_WINDOW
) -> tuple[Interaction, Event]:
    """With the customer's word on how it was closed, from 1 (worst) to 5 (best)."""
    interaction.require_open_to(InteractionAct.RATE, "is not rated before it is completed", at, window)
    if not WORST <= score <= BEST:
        raise BadInput(f"score lies between {WORST} and {BEST}.", "input", "score")
    before = interaction.satisfaction
    if is_rated(interaction.ended_at, before.at if before else None):
        raise Conflict("This closing is rated already; it can be rated again after it was reopened and closed anew.")
    at = max(at, interaction.updated_at, (interaction.ended_at or at) + TICK)
    satisfaction = Satisfaction(score, at, optional(comment, "input", "comment"))
    changes = (FieldChange("satisfaction", before.score if before else None, score),)
    rated = replace(interaction, satisfaction=satisfaction)
    return rated.recorded(EventType.SATISFACTION_RATED, at, message=satisfaction.comment, changes=changes)
