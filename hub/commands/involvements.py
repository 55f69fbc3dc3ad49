"""What can be asked for about who takes part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.domain import involvements
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import Involvement
from hub.domain.party_roles import PartyRole
from hub.domain.terms import InvolvementRole, SubjectKind
from hub.errors import BadInput, NotFound
from hub.journal.desk import Decision, Desk, External, Ref, Touch


@dataclass(frozen=True, slots=True)
class Involved:
    """A party to take part: by its id, by an external identifier, or by a party role that it holds."""

    role: InvolvementRole
    party_id: str | None = None
    party_ref: ExternalIdentifier | None = None
    party_role_id: str | None = None

    def touches(self) -> Iterable[Touch]:
        """What must be loaded before it is known who that is."""
        if self.party_id is not None:
            yield Ref(SubjectKind.PARTY, self.party_id)
        if self.party_ref is not None:
            yield External(SubjectKind.PARTY, self.party_ref)
        if self.party_role_id is not None:
            yield Ref(SubjectKind.PARTY_ROLE, self.party_role_id)

    def involvement(self, desk: Desk, *path: str) -> Involvement:
        """Who takes part, and under which party role. Raises NotFound and BadInput at `path`."""
        if self.party_id is not None and self.party_ref is not None:
            raise BadInput("A party is named by partyId or by partyRef, by exactly one of them.", *path)
        held = None if self.party_role_id is None else self._held(desk, self.party_role_id, *path)
        party = self._party(desk, held, *path)
        if held is not None and held.party != party:
            raise BadInput("The party role is one of another party.", *path)
        return Involvement(party, self.role, desk.now, held.id if held else None)

    def _party(self, desk: Desk, held: PartyRole | None, *path: str) -> PartyId:
        if self.party_ref is not None:
            found = desk.named(SubjectKind.PARTY, self.party_ref)
        elif self.party_id is not None:
            found = desk.party(self.party_id)
        elif held is not None:
            return held.party
        else:
            raise BadInput("A party is named by exactly one of partyId and partyRef, or by a partyRoleId.", *path)
        if found is None:
            raise NotFound("party", *path)
        return PartyId(found.id)

    def _held(self, desk: Desk, id: str, *path: str) -> PartyRole:
        role = desk.party_role(id)
        if role is None:
            raise NotFound("party role", *path)
        if not role.is_valid(desk.now):
            raise BadInput(f"The party role is {role.status(desk.now)}; only one that is ACTIVE counts.", *path)
        return role


@dataclass(frozen=True, slots=True, kw_only=True)
class AddParty(OnInteraction):
    """Let a party take part, and so see it from now on."""

    name: ClassVar[str] = "addParty"
    act: ClassVar[Act] = Act.ADD_PARTY

    involved: Involved

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)
        yield from self.involved.touches()

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        return decision(*involvements.add(interaction, self.involved.involvement(desk, "input", "involvement"), at=desk.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveParty(OnInteraction):
    """End one role of a party; without any it no longer sees the interaction."""

    name: ClassVar[str] = "removeParty"
    act: ClassVar[Act] = Act.ADD_PARTY

    party_id: str
    role: InvolvementRole

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        return decision(*involvements.remove(interaction, PartyId(self.party_id), self.role, at=desk.now))
