"""What interactions are to each other. PARENT and CHILD are two ends of one link; of no kind may links run in a circle."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from hub.domain.events import Event, FieldChange
from hub.domain.ids import InteractionId
from hub.domain.interactions import Interaction
from hub.domain.parts import Relationship
from hub.domain.terms import Audience, EventType, RelationshipType
from hub.errors import BadInput, NotFound

RELATIONSHIPS: Final = 50  # per interaction, either end counted
LINEAGE: Final = 100  # interactions that are looked through for a circle

INVERSE: Final[Mapping[RelationshipType, RelationshipType]] = {
    RelationshipType.PARENT: RelationshipType.CHILD,
    RelationshipType.CHILD: RelationshipType.PARENT,
}
"""What the first is to the second where it is kept there too; the other kinds are told by one end alone."""


def link(interaction: Interaction, relationship: Relationship, *, at: datetime) -> tuple[Interaction, Event | None]:
    """With this end of a link; one that is there stays as it is."""
    if relationship in interaction.relationships:
        return interaction, None
    if len(interaction.relationships) >= RELATIONSHIPS:
        raise BadInput(f"An interaction has at most {RELATIONSHIPS} relationships.", "input", "otherId")
    changes = (FieldChange("relationships", None, _told(relationship)),)
    linked = replace(interaction, relationships=(*interaction.relationships, relationship))
    return linked.recorded(EventType.LINKED, at, audience=Audience.INTERNAL, changes=changes)


def unlink(interaction: Interaction, relationship: Relationship, *, at: datetime) -> tuple[Interaction, Event]:
    """Without this end of a link."""
    if relationship not in interaction.relationships:
        raise NotFound("relationship", "input", "otherId")
    changes = (FieldChange("relationships", _told(relationship), None),)
    unlinked = replace(interaction, relationships=tuple(one for one in interaction.relationships if one != relationship))
    return unlinked.recorded(EventType.UNLINKED, at, audience=Audience.INTERNAL, changes=changes)


def check_line(id: InteractionId, relationship: Relationship, known: Callable[[InteractionId], Iterable[Relationship] | None]) -> None:
    """Raises BadInput where the link would lead back to where it begins. `known` gives what an interaction hangs on, or None
    where that was not looked up: then too much hangs together to be sure."""
    if relationship.interaction == id:
        raise BadInput("An interaction has no relationship to itself.", "input", "otherId")
    begin, goal, type = relationship.interaction, id, relationship.type
    if type is RelationshipType.CHILD:  # the same link, told from its other end
        begin, goal, type = id, relationship.interaction, RelationshipType.PARENT
    waiting, met = [begin], {begin}
    while waiting:
        found = known(waiting.pop())
        if found is None or len(met) > LINEAGE:
            raise BadInput(f"More than {LINEAGE} interactions hang together by {type}; link to one that is nearer.", "input", "otherId")
        further = [one.interaction for one in found if one.type is type]
        if goal in further:
            raise BadInput(
                f"The two hang together by {type} already, the other way round: links would run in a circle.", "input", "otherId"
            )
        waiting += [one for one in further if one not in met]
        met.update(further)


def _told(relationship: Relationship) -> dict[str, str]:
    return {"type": str(relationship.type), "interactionId": relationship.interaction}
