"""What the desk can ask for: in whose hands an interaction is, and how urgent it has become."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.domain import handling
from hub.domain.ids import PartyId
from hub.domain.interactions import Interaction
from hub.domain.terms import PartyKind, Role, SubjectKind
from hub.errors import BadInput, Forbidden, NotFound
from hub.journal.desk import Decision, Desk, Ref, Touch


def assigns_at_all(viewer: Viewer) -> bool:
    """Whether there is anyone whom this viewer may put to work: everyone, or itself."""
    return Role.SUPERVISOR in viewer.roles or viewer.party is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(OnInteraction):
    """Put it into the hands of a person or a team, or take it back. An agent takes it and gives it back itself."""

    name: ClassVar[str] = "assignInteraction"
    act: ClassVar[Act] = Act.ASSIGN

    assignee_id: str | None
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)
        if self.assignee_id is not None:
            yield Ref(SubjectKind.PARTY, self.assignee_id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer, self.expected_revision)
        if self.assignee_id == interaction.assignee:
            return decision(interaction)
        self._check_right(interaction, viewer)
        assignee = None if self.assignee_id is None else self._assignee(desk, self.assignee_id)
        return decision(*handling.assign(interaction, assignee, at=desk.now, window=desk.rules.reopen_window))

    def _check_right(self, interaction: Interaction, viewer: Viewer) -> None:
        concerned = interaction.assignee if self.assignee_id is None else self.assignee_id
        if Role.SUPERVISOR not in viewer.roles and (concerned is None or concerned != viewer.party):
            raise Forbidden("Deciding for somebody else who works on it", roles=[Role.SUPERVISOR])

    def _assignee(self, desk: Desk, id: str) -> PartyId:
        party = desk.party(id)
        if party is None:
            raise NotFound("party", "input", "assigneeId")
        if party.kind is PartyKind.SYSTEM:
            raise BadInput("An interaction is assigned to a person or an organization (a team).", "input", "assigneeId")
        return party.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate(OnInteraction):
    """Lift it one level."""

    name: ClassVar[str] = "escalateInteraction"
    act: ClassVar[Act] = Act.ESCALATE

    reason: str

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        return decision(*handling.escalate(self.acted_on(desk, viewer), self.reason, at=desk.now, window=desk.rules.reopen_window))
