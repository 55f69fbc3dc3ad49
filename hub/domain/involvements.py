"""Who takes part in an interaction, and so sees it: added and removed, one party in one role at a time."""

from dataclasses import replace
from datetime import datetime

from hub.domain.events import Event, FieldChange
from hub.domain.ids import PartyId
from hub.domain.interactions import PARTIES, Interaction, bounded
from hub.domain.parts import Involvement
from hub.domain.terms import EventType, InvolvementRole
from hub.errors import Conflict, NotFound


def add(interaction: Interaction, involvement: Involvement, *, at: datetime) -> tuple[Interaction, Event | None]:
    """With one who takes part more; whoever does so already, in this role, is not added again."""
    known = _found(interaction, involvement.party, involvement.role)
    if known is not None and known.party_role == involvement.party_role:
        return interaction, None
    if known is not None:
        raise Conflict(f"This party takes part as {involvement.role} already, under another party role; remove that first.")
    parties = bounded((*interaction.parties, involvement), PARTIES, "parties", "involvement")
    return replace(interaction, parties=parties).recorded(
        EventType.PARTY_ADDED, at, changes=(FieldChange("parties", None, told(involvement)),)
    )


def remove(interaction: Interaction, party: PartyId, role: InvolvementRole, *, at: datetime) -> tuple[Interaction, Event]:
    """Without this party in this role. Out of sight it is only when it has no other role here."""
    known = _found(interaction, party, role)
    if known is None:
        raise NotFound("involvement", "input", "partyId")
    parties = tuple(one for one in interaction.parties if one != known)
    return replace(interaction, parties=parties).recorded(EventType.PARTY_REMOVED, at, changes=(FieldChange("parties", told(known), None),))


def _found(interaction: Interaction, party: PartyId, role: InvolvementRole) -> Involvement | None:
    return next((one for one in interaction.parties if (one.party, one.role) == (party, role)), None)


def told(involvement: Involvement) -> dict[str, str]:
    """As a change of `parties` tells it."""
    return {"partyId": involvement.party, "role": str(involvement.role)}
