"""What can be asked for about the matters of an interaction."""

from dataclasses import dataclass
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.domain import items
from hub.domain.ids import ITEM, ItemId
from hub.domain.parts import EntityRef, Item
from hub.domain.terms import Vertical
from hub.domain.texts import SHORT, optional, text
from hub.journal.desk import Decision, Desk


@dataclass(frozen=True, slots=True)
class Matter:
    """An item, as it is asked for."""

    type: str
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddItem(OnInteraction):
    """Add a matter, open or resolved."""

    name: ClassVar[str] = "addItem"
    act: ClassVar[Act] = Act.ADD_ITEM

    item: Matter

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        item = made(self.item, desk, "input", "item")
        return decision(*items.add(interaction, item, at=desk.now, window=desk.rules.reopen_window))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveItem(OnInteraction):
    """Resolve a matter."""

    name: ClassVar[str] = "resolveItem"
    act: ClassVar[Act] = Act.ADD_ITEM

    item_id: str
    resolution: str

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        return decision(*items.resolve(interaction, ItemId(self.item_id), self.resolution, at=desk.now, window=desk.rules.reopen_window))


def made(matter: Matter, desk: Desk, *path: str) -> Item:
    """The item of a matter, with an id of its own; `path` is where it stands in the request."""
    resolution = optional(matter.resolution, *path, "resolution")
    entity = matter.entity
    return Item(
        id=ItemId(desk.new_id(ITEM)),
        type=text(matter.type, *path, "type", most=SHORT),
        reason=optional(matter.reason, *path, "reason", most=SHORT),
        resolution=resolution,
        vertical=matter.vertical,
        entity=entity
        and EntityRef(
            text(entity.type, *path, "entity", "type", most=SHORT),
            text(entity.entity_id, *path, "entity", "entityId", most=SHORT),
            optional(entity.href, *path, "entity", "href", most=SHORT),
            optional(entity.name, *path, "entity", "name", most=SHORT),
        ),
        created_at=desk.now,
        resolved_at=desk.now if resolution else None,
    )
