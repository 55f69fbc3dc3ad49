"""Anything by its id: what clients that cache by it ask again."""

from typing import Any, Final

import strawberry

from hub.access.mandates import KINDS, ROOTS, allows
from hub.domain.ids import INTERACTION, PARTY_ROLE, TOKEN
from hub.errors import BadInput
from hub.graph.context import Context, Info
from hub.graph.nodes import TYPES, Node
from hub.graph.roots import admit, root
from hub.graph.timelines import event
from hub.journal.cursors import EVENT
from hub.store.paging import LARGEST

NEEDED: Final = {prefix: ROOTS[KINDS[type_name]] for prefix, type_name in TYPES.items()}


@strawberry.type
class NodeQueries:
    @root("Query.node", description="Anything by its id; null when it is unknown or out of sight.")
    @staticmethod
    async def node(info: Info, id: strawberry.ID) -> Node | None:
        admit(info, "Query.node")
        found: Any = await _found(info.context, id)
        return found

    @root("Query.nodes", description="Each in its place; null where it is unknown, out of sight or not this viewer's to read.")
    @staticmethod
    async def nodes(info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        admit(info, "Query.nodes")
        if len(ids) > LARGEST:
            raise BadInput(f"ids has {len(ids)} entries; at most {LARGEST} are looked up at once.", "ids")
        found: Any = [_found(info.context, id) for id in ids]
        return list(found)


async def _found(context: Context, id: str) -> Any:
    kind = id[:4]
    if kind not in NEEDED or not allows(context.viewer, NEEDED[kind], own=True):
        return None
    if kind == INTERACTION:
        return await context.interaction.load(id)
    if kind == PARTY_ROLE:
        return await context.party_role.load(id)
    if kind == TOKEN:
        return await context.tokens.find(context.visibility, id)
    if kind == EVENT:
        return await event(context, id)
    party = await context.party.load(id)
    return party if party is not None and context.visibility.sees_party(party) else None
