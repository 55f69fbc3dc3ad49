"""A visitor's interaction becomes a customer's: whoever logs in and has its claim code takes the visitor's place, once."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.events import Event, FieldChange
from hub.domain.ids import PartyId
from hub.domain.interactions import Interaction
from hub.domain.involvements import told
from hub.domain.parts import Involvement
from hub.domain.terms import EventType

VALID: Final = timedelta(hours=24)
"""How long after its opening an interaction can be claimed."""


def is_in_time(created_at: datetime, now: datetime) -> bool:
    """Whether a claim code still counts."""
    return now - created_at <= VALID


def claimable_from(interaction: Interaction, now: datetime) -> PartyId | None:
    """The visitor in whose place a customer may step now: it opened the interaction, takes part, and is not too late."""
    visitor = interaction.visitor
    return visitor if visitor in interaction.visible_to and is_in_time(interaction.created_at, now) else None


def claim(interaction: Interaction, visitor: PartyId, customer: PartyId, *, at: datetime) -> tuple[Interaction, Event]:
    """With the customer in the visitor's place; a role that the customer has already, it has once."""
    left = [one for one in interaction.parties if one.party == visitor]
    placed = [Involvement(customer, one.role, at) if one.party == visitor else one for one in interaction.parties]
    earlier = {one.role for one in interaction.parties if one.party == customer and customer != visitor}
    parties = tuple(one for old, one in zip(interaction.parties, placed, strict=True) if old.party != visitor or one.role not in earlier)
    changes = tuple(FieldChange("parties", told(one), told(replace(one, party=customer))) for one in left if one.party != customer)
    return replace(interaction, parties=parties, visitor=None).recorded(EventType.CLAIMED, at, changes=changes)
