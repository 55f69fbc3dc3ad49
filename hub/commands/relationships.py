"""What can be asked for about what interactions are to each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, in_sight
from hub.domain import relationships
from hub.domain.events import Event
from hub.domain.ids import InteractionId
from hub.domain.interactions import Interaction
from hub.domain.parts import Relationship
from hub.domain.relationships import INVERSE, check_line
from hub.domain.terms import RelationshipType, SubjectKind
from hub.errors import NotFound
from hub.journal.desk import Change, Decision, Desk, Ref, Touch, both_ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking(OnInteraction):
    """Two interactions, and what the other is to the first."""

    act: ClassVar[Act] = Act.LINK

    type: RelationshipType
    other_id: str

    def ends(self, desk: Desk, viewer: Viewer) -> Iterator[tuple[Interaction, Relationship]]:
        """Each interaction that keeps an end of the link, the first one first, with what it keeps."""
        interaction = self.acted_on(desk, viewer)
        other = desk.interaction(self.other_id)
        if other is None or not in_sight(other, viewer):
            raise NotFound("interaction", "input", "otherId")
        yield interaction, Relationship(self.type, other.id)
        if (inverse := INVERSE.get(self.type)) is not None:
            yield other, Relationship(inverse, interaction.id)

    def decided(self, ends: Iterable[tuple[Interaction, Event | None]]) -> Decision:
        """Both ends in one commit."""
        changes = (Change(interaction, (event,)) for interaction, event in ends if event is not None)
        return Decision(Ref(SubjectKind.INTERACTION, self.id), tuple(changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Linking):
    """Say what another interaction is to this one."""

    name: ClassVar[str] = "linkInteractions"

    def touches(self) -> Iterable[Touch]:
        return both_ends(self.id, self.type, self.other_id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        ends = list(self.ends(desk, viewer))
        check_line(InteractionId(self.id), ends[0][1], desk.relationships)
        return self.decided(relationships.link(interaction, kept, at=desk.now) for interaction, kept in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink(Linking):
    """Take that back."""

    name: ClassVar[str] = "unlinkInteractions"

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)
        yield Ref(SubjectKind.INTERACTION, self.other_id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        return self.decided(relationships.unlink(interaction, kept, at=desk.now) for interaction, kept in self.ends(desk, viewer))
