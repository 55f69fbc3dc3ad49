"""What an operator can ask for about clients of the token endpoint, on the command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.access.issuing import ISSUABLE
from hub.access.trust import LONGEST_LIFE
from hub.access.viewers import PARTY_BOUND, SCOPES
from hub.domain.clients import Client, ClientEvent
from hub.domain.ids import CLIENT, ClientId
from hub.domain.terms import Role, SubjectKind
from hub.domain.token_filters import OPEN, TokenFilter
from hub.errors import BadInput, NotFound, listed
from hub.journal.desk import Change, Decision, Desk, Ref, Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """A client, with the hash of its first secret."""

    name: str
    party_id: str | None
    digest: bytes
    roles: Sequence[Role]
    scopes: Sequence[str]
    lifetime: int
    filter: TokenFilter = OPEN

    def touches(self) -> Iterable[Touch]:
        if self.party_id is not None:
            yield Ref(SubjectKind.PARTY, self.party_id)

    def decide(self, desk: Desk) -> Decision:
        if not self.roles or (others := [role for role in self.roles if role not in ISSUABLE - {Role.VISITOR}]):
            raise BadInput(f"A client has the role PARTNER or SYSTEM, not {listed(others if self.roles else [])}.", "role")
        if unknown := [scope for scope in self.scopes if scope not in SCOPES]:
            raise BadInput(f"There is no scope {listed(unknown)}; there are {listed(SCOPES, 'and')}.", "scope")
        if not 1 <= self.lifetime <= LONGEST_LIFE:
            raise BadInput(f"A token lives from 1 to {LONGEST_LIFE} seconds (24 hours).", "ttl")
        if self.party_id is None and not PARTY_BOUND.isdisjoint(self.roles):
            raise BadInput("A client with the role PARTNER acts for a party: name it with `--party`.", "party")
        party = None if self.party_id is None else desk.party(self.party_id)
        if self.party_id is not None and party is None:
            raise NotFound("party", "party")
        client, event = Client.added(
            ClientId(desk.new_id(CLIENT)),
            self.name,
            None if party is None else party.id,
            self.digest,
            at=desk.now,
            roles=self.roles,
            scopes=self.scopes,
            narrowed=self.filter,
            lifetime=self.lifetime,
        )
        return _decision(client, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """Another secret for a client; the one before it stays good beside it."""

    id: str
    digest: bytes

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.CLIENT, self.id)

    def decide(self, desk: Desk) -> Decision:
        return _decision(*_known(desk, self.id).rotated(self.digest, at=desk.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable:
    """Shut a client out, and every token that it holds or passed on."""

    id: str

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.CLIENT, self.id)

    def decide(self, desk: Desk) -> Decision:
        return _decision(*_known(desk, self.id).disabled(at=desk.now))


def _known(desk: Desk, id: str) -> Client:
    client = desk.client(id)
    if client is None:
        raise NotFound("client", "id")
    return client


def _decision(client: Client, event: ClientEvent | None) -> Decision:
    return Decision(Ref(SubjectKind.CLIENT, client.id), (Change(client, (event,)),) if event else ())
