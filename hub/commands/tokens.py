"""What can be asked for about tokens that the hub issues itself. What is remembered is committed first; then it is signed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from hub.access import issuing
from hub.access.mandates import ACTS, Act, Mandate, require
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.domain.ids import PARTY, TOKEN, PartyId, TokenId
from hub.domain.issued_tokens import IssuedToken, Rights
from hub.domain.parties import Party
from hub.domain.terms import PartyKind, Role, SubjectKind
from hub.domain.token_filters import OPEN, TokenFilter
from hub.errors import NotFound, OutOfReach, Unauthenticated
from hub.journal.desk import Change, Decision, Desk, Ref, Touch

NO_CLIENT: Final = "hub"  # the client_id of a token that was asked for with one that names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Pass on what one may do, or less: never more, never for another party, never for longer."""

    name: ClassVar[str] = "issueToken"
    mandate: ClassVar[Mandate] = ACTS[Act.ISSUE_TOKEN]

    roles: Sequence[Role]
    scopes: Sequence[str]
    seconds: int
    filter: Mapping[str, Sequence[str]] = field(default_factory=dict)
    party_id: str | None = None

    def touches(self) -> Iterable[Touch]:
        return ()

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        if self.party_id not in {None, viewer.party}:
            raise OutOfReach("Issuing a token for another party")
        rights = issuing.narrowed(
            issuing.rights(viewer),
            roles=self.roles,
            scopes=self.scopes,
            filter=TokenFilter.of(self.filter, "input", "filter"),
            seconds=self.seconds,
            now=desk.now,
        )
        client = viewer.client or NO_CLIENT
        return issued(desk, viewer.party, viewer.subject, client, rights, via=issuing.via(viewer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Take a token back before it expires, and with it all that it was passed on as."""

    name: ClassVar[str] = "revokeToken"
    mandate: ClassVar[Mandate] = ACTS[Act.REVOKE_TOKEN]

    id: str

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.TOKEN, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        token = desk.token(self.id)
        if token is None or not Visibility.of(viewer).sees_token({"party": token.party}):
            raise NotFound("token", "input", "id")
        revoked, event = token.revoked(at=desk.now)
        about = Ref(SubjectKind.TOKEN, token.id)
        return Decision(about, (Change(revoked, (event,)),)) if event else Decision(about)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToClient:
    """A token for a client that has shown its secret; the endpoint's command, asked for by no viewer."""

    client: str
    scopes: Sequence[str] | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.CLIENT, self.client)

    def decide(self, desk: Desk) -> Decision:
        client = desk.client(self.client)
        if client is None or client.disabled_at is not None:
            raise Unauthenticated
        own = client.rights(desk.now)
        scopes = own.scopes if self.scopes is None else self.scopes
        rights = issuing.narrowed(own, roles=own.roles, scopes=scopes, filter=OPEN, seconds=client.lifetime, now=desk.now)
        return issued(desk, client.party, client.id, client.id, rights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """A visitor: a party under a pseudonym, and a token for it, in one commit."""

    rights: Rights
    client: str

    def touches(self) -> Iterable[Touch]:
        return ()

    def decide(self, desk: Desk) -> Decision:
        party, event = Party.register(PartyId(desk.new_id(PARTY)), kind=PartyKind.INDIVIDUAL, name="Visitor", at=desk.now)
        admitted = issued(desk, party.id, party.id, self.client, self.rights)
        return Decision(admitted.about, (Change(party, (event,)), *admitted.changes))


def issued(desk: Desk, party: PartyId | None, subject: str, client: str, rights: Rights, *, via: Sequence[str] = ()) -> Decision:
    """A new token, remembered."""
    token, event = IssuedToken.issued(TokenId(desk.new_id(TOKEN)), party, subject, client, rights, at=desk.now, via=via)
    return Decision(Ref(SubjectKind.TOKEN, token.id), (Change(token, (event,)),))
