"""How the desk handles an interaction: to whom it is assigned, and how far it is escalated. Nobody outside hears of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.events import Event, FieldChange
from hub.domain.ids import PartyId
from hub.domain.interactions import Interaction
from hub.domain.lifecycle import REOPEN_WINDOW
from hub.domain.terms import Audience, EventType, InteractionAct
from hub.domain.texts import SHORT, text


def assign(
    interaction: Interaction, assignee: PartyId | None, *, at: datetime, window: timedelta = REOPEN_WINDOW
) -> tuple[Interaction, Event | None]:
    """In these hands, or in nobody's."""
    if assignee == interaction.assignee:
        return interaction, None
    interaction.require_open_to(InteractionAct.ASSIGN, "is not assigned to anyone", at, window)
    changes = (FieldChange("assignee", interaction.assignee, assignee),)
    return replace(interaction, assignee=assignee).recorded(EventType.ASSIGNED, at, audience=Audience.INTERNAL, changes=changes)


def escalate(interaction: Interaction, reason: str, *, at: datetime, window: timedelta = REOPEN_WINDOW) -> tuple[Interaction, Event]:
    """One level up, for a reason."""
    interaction.require_open_to(InteractionAct.ESCALATE, "is not escalated", at, window)
    reason = text(reason, "input", "reason", most=SHORT)
    level = interaction.escalation_level + 1
    changes = (FieldChange("escalationLevel", interaction.escalation_level, level),)
    escalated = replace(interaction, escalation_level=level)
    return escalated.recorded(EventType.ESCALATED, at, audience=Audience.INTERNAL, message=reason, changes=changes)
