"""The matters of an interaction: added while there is work, resolved one by one, all of them before it is completed."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.events import Event
from hub.domain.ids import ItemId
from hub.domain.interactions import ITEMS, Interaction, bounded
from hub.domain.lifecycle import ENDED, REOPEN_WINDOW
from hub.domain.parts import Item
from hub.domain.terms import EventType, InteractionAct
from hub.domain.texts import text
from hub.errors import Conflict, IllegalTransition, NotFound


def add(interaction: Interaction, item: Item, *, at: datetime, window: timedelta = REOPEN_WINDOW) -> tuple[Interaction, Event]:
    """With one matter more; it may come resolved."""
    interaction.require_open_to(InteractionAct.ADD_ITEM, "takes no further items", at, window)
    items = bounded((*interaction.items, item), ITEMS, "items", "item")
    return replace(interaction, items=items).recorded(EventType.ITEM_ADDED, at, item=item)


def resolve(
    interaction: Interaction, id: ItemId, resolution: str, *, at: datetime, window: timedelta = REOPEN_WINDOW
) -> tuple[Interaction, Event | None]:
    """With this matter resolved; once so, the same resolution changes nothing and another one is in conflict with it."""
    resolution = text(resolution, "input", "resolution")
    known = next((item for item in interaction.items if item.id == id), None)
    if known is None:
        raise NotFound("item", "input", "itemId")
    if known.resolved_at is not None and known.resolution == resolution:
        return interaction, None
    if interaction.status in ENDED:
        raise IllegalTransition(interaction.status, "takes no further resolutions", interaction.allowed_transitions(at, window))
    if known.resolved_at is not None:
        raise Conflict("This item is resolved already, in other words.")
    at = max(at, interaction.updated_at)
    resolved = replace(known, resolution=resolution, resolved_at=at)
    items = tuple(resolved if item.id == id else item for item in interaction.items)
    return replace(interaction, items=items).recorded(EventType.ITEM_RESOLVED, at, item=resolved)
