"""What every type of the hub shares: ids that are unique over all of it, and the shape of pages."""

from typing import Any

import strawberry

from hub.domain.ids import INTERACTION, PARTY, PARTY_ROLE, TOKEN
from hub.graph.fields import stored
from hub.journal.cursors import EVENT

TYPES = {INTERACTION: "Interaction", PARTY: "Party", PARTY_ROLE: "PartyRole", TOKEN: "Token", EVENT: "InteractionEvent"}


@strawberry.interface(description="Anything with an id that is unique over the whole hub, so that clients can cache by it.")
class Node:
    id: strawberry.ID = stored("_id")

    @classmethod
    def resolve_type(cls, obj: Any, info: Any, type_: Any) -> str:
        """The type's name, by the prefix of the id; an event's document has its position there."""
        return TYPES[obj["_id"][:4]] if isinstance(obj["_id"], str) else TYPES[EVENT]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = stored("hasNextPage")
    has_previous_page: bool = stored("hasPreviousPage")
    start_cursor: str | None = stored("startCursor")
    end_cursor: str | None = stored("endCursor")


def page_info(cursors: list[str], *, has_next: bool, has_previous: bool) -> dict[str, Any]:
    """The document that `PageInfo` views."""
    return {
        "hasNextPage": has_next,
        "hasPreviousPage": has_previous,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
