"""Interactions to test with: one in each state, come there by legal moves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.domain.ids import INTERACTION, ITEM, NOTE, InteractionId, ItemId, NoteId, PartyId
from hub.domain.interactions import Interaction
from hub.domain.parts import Item, Note
from hub.domain.terms import ChannelType, Direction, InteractionKind, NoteVisibility, Priority, Role, Status

START: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

NEEDED: Final[Mapping[Status, Mapping[str, Any]]] = {
    Status.PENDING: {"question": "Which lights are on?"},
    Status.HELD: {"reason": "The part is on order."},
    Status.RESOLVED: {"resolution": "Replaced."},
    Status.CANCELLED: {"reason": "Asked twice."},
}
"""What each move needs, spelled out anew: the tests do not ask the code for its own table."""

ROUTES: Final[Mapping[Status, tuple[Status, ...]]] = {
    Status.OPEN: (),
    Status.COMPLETED: (Status.RESOLVED, Status.COMPLETED),
}


def opened(at: datetime = START, **facts: Any) -> Interaction:
    """A phone call that was just opened."""
    usual: dict[str, Any] = {
        "direction": Direction.INBOUND,
        "kind": InteractionKind.REQUEST,
        "priority": Priority.NORMAL,
        "channel": ChannelType.PHONE,
    }
    return Interaction.opened(InteractionId(INTERACTION + "0" * 32), at=at, **(usual | facts))[0]


def standing(status: Status, at: datetime = START, **facts: Any) -> Interaction:
    """One that is in this state since `at`."""
    interaction = opened(at, **facts)
    for to in ROUTES.get(status, (status,)):
        interaction = moved(interaction, to, at)
    return interaction


def moved(interaction: Interaction, to: Status, at: datetime) -> Interaction:
    """As it stands after a legal move with what that needs."""
    return interaction.transition(to, at=at, **NEEDED.get(to, {}))[0]


def item(number: int = 1, **facts: Any) -> Item:
    """A matter that is open."""
    usual: dict[str, Any] = {"id": ItemId(f"{ITEM}{number:032x}"), "type": "Bill", "created_at": START}
    return Item(**(usual | facts))


def note(role: Role = Role.AGENT, *, at: datetime = START, public: bool = True, text: str = "Noted.", party: str | None = None) -> Note:
    """A note by someone in this role."""
    return Note(
        id=NoteId(NOTE + "0" * 32),
        text=text,
        visibility=NoteVisibility.PUBLIC if public else NoteVisibility.INTERNAL,
        at=at,
        author=PartyId(party) if party else None,
        author_role=role,
    )
