"""What can be asked for about the roles that parties hold (TMF669)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from hub.access.mandates import ACTS, Act, Mandate, require
from hub.access.viewers import Viewer
from hub.domain.ids import PARTY_ROLE, PartyRoleId
from hub.domain.party_roles import PartyRole
from hub.domain.terms import SubjectKind
from hub.errors import NotFound
from hub.journal.desk import Change, Decision, Desk, Ref, RolesOf, Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Let a party hold a role for a time, or until it is ended."""

    name: ClassVar[str] = "grantPartyRole"
    mandate: ClassVar[Mandate] = ACTS[Act.GRANT_PARTY_ROLE]

    party_id: str
    called: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.PARTY, self.party_id)
        yield RolesOf(self.party_id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        party = desk.party(self.party_id)
        if party is None:
            raise NotFound("party", "input", "partyId")
        role, event = PartyRole.grant(
            PartyRoleId(desk.new_id(PARTY_ROLE)),
            party.id,
            self.called,
            at=desk.now,
            held=desk.roles_of(party.id),
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )
        return Decision(Ref(SubjectKind.PARTY_ROLE, role.id), (Change(role, (event,)),))


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Let a role count no longer, from now on."""

    name: ClassVar[str] = "endPartyRole"
    mandate: ClassVar[Mandate] = ACTS[Act.GRANT_PARTY_ROLE]

    id: str
    reason: str | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.PARTY_ROLE, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        role = desk.party_role(self.id)
        if role is None:
            raise NotFound("party role", "input", "id")
        ended, event = role.end(self.reason, at=desk.now)
        return Decision(Ref(SubjectKind.PARTY_ROLE, ended.id), (Change(ended, (event,)),))
