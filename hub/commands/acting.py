"""What acts on an interaction have in common: it is in sight, the viewer may do this to it, at the revision it has read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from hub.access.mandates import ACTS, Act, Mandate, require
from hub.access.policies import About, acts_by
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.domain.events import Event
from hub.domain.interactions import Interaction
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import SubjectKind
from hub.domain.token_filters import OPEN
from hub.errors import Conflict, NotFound
from hub.journal.desk import Change, Decision, Desk, Ref, Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class OnInteraction:
    """A request about one interaction that is there."""

    name: ClassVar[str]
    act: ClassVar[Act]

    id: str

    @property
    def mandate(self) -> Mandate:
        return ACTS[self.act]

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def acted_on(self, desk: Desk, viewer: Viewer, expected_revision: int | None = None) -> Interaction:
        """The interaction. Raises NotFound out of sight, Forbidden out of rights, AuthenticationRequired where a policy asks for
        a stronger login, Conflict at another revision."""
        interaction = desk.interaction(self.id)
        if interaction is None or not in_sight(interaction, viewer):
            raise NotFound("interaction", "input", "id")
        acting = acts_by(viewer, interaction.involvements_of(viewer.party))
        require(viewer, self.mandate, self.name, own=bool(acting))
        desk.guard.policies.require(viewer, self.act, self.name, About.of(interaction, acting))
        interaction.check_revision(expected_revision, internal=viewer.counts_internal)
        return interaction


def in_sight(interaction: Interaction, viewer: Viewer) -> bool:
    """Whether the viewer sees it."""
    return reaches(viewer, interaction) and Visibility.of(replace(viewer, narrowed=OPEN)).sees({"visibleTo": [*interaction.visible_to]})


def reaches(viewer: Viewer, interaction: Interaction) -> bool:
    """Whether the filter of the viewer's token leaves it."""
    return viewer.narrowed.holds(
        vertical=interaction.vertical,
        channels=[channel.type for channel in interaction.channels],
        kind=interaction.kind,
        topic=interaction.topic,
        direction=interaction.direction,
    )


def check_identifier(desk: Desk, viewer: Viewer, identifier: ExternalIdentifier, id: str | None = None) -> None:
    """Raises Conflict where another interaction than `id` carries this identifier; its id is told only to who sees it."""
    known = desk.named(SubjectKind.INTERACTION, identifier)
    if isinstance(known, Interaction) and known.id != id:
        seen = known.id if in_sight(known, viewer) else None
        raise Conflict("Another interaction carries this external identifier.", conflicting_id=seen)


def decision(interaction: Interaction, *events: Event | None) -> Decision:
    """What happened to one interaction; nothing, where there is no event."""
    happened = [event for event in events if event is not None]
    about = Ref(SubjectKind.INTERACTION, interaction.id)
    return Decision(about, (Change(interaction, happened),) if happened else ())
