"""Who is asking: a party, a colleague, a system or nobody, as its token says."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal, get_args

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.domain.token_filters import OPEN, TokenFilter
from hub.errors import Forbidden

Scope = Literal[
    "interaction:read",
    "interaction:write",
    "party:read",
    "party:write",
    "event:subscribe",
    "notification:read",
    "notification:send",
    "metrics:read",
    "export:run",
    "import:run",
    "token:issue",
    "webhook:manage",
]
SCOPES: Final[tuple[str, ...]] = get_args(Scope)

STAFF: Final = (Role.AGENT, Role.SUPERVISOR, Role.BACK_OFFICE)
PARTY_BOUND: Final = frozenset({Role.VISITOR, Role.CUSTOMER, Role.PARTNER})  # act for a party, and open nothing without one

# Of several roles, the one under which an act is recorded: who decides before who works, who works before who is served.
ACTING: Final = (
    Role.SUPERVISOR,
    Role.BACK_OFFICE,
    Role.AGENT,
    Role.SYSTEM,
    Role.PARTNER,
    Role.CUSTOMER,
    Role.VISITOR,
    Role.PRIVACY_OFFICER,
    Role.ADMIN,
    Role.ANALYST,
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """One bearer of a verified token, or nobody. `expires_at` is None where no token stands behind it."""

    issuer: str
    subject: str
    client: str | None
    token_id: str | None
    party: PartyId | None
    roles: frozenset[Role]
    scopes: frozenset[str]
    expires_at: datetime | None
    acr: str | None = None  # how strongly it logged in, in its issuer's words (OpenID Connect Core, section 2)
    narrowed: TokenFilter = OPEN  # to what of its rows the token reaches
    rests_on: frozenset[str] = frozenset()  # the tokens and the client, by id, without which there is no right: see `hub.access.withdrawn`
    backed: tuple[tuple[Role, str], ...] = ()  # roles that count only while the party holds the PartyRole of this name

    @property
    def id(self) -> str:
        """32 hex digits, the same for every token of this subject and client; tells nothing of either."""
        return _id(self.issuer, self.subject, self.client)

    @property
    def is_anonymous(self) -> bool:
        """Whether there was no token. A token without a role that we know is not anonymous, only poor."""
        return not self.subject

    @property
    def is_staff(self) -> bool:
        return not self.roles.isdisjoint(STAFF)

    @property
    def counts_internal(self) -> bool:
        """Whether revisions and sequences count all events for this viewer (`seq`) or the public ones (`publicSeq`)."""
        return self.is_staff

    @property
    def acting_role(self) -> Role:
        """The role under which an act is recorded. Raises Forbidden without any: such a viewer cannot act."""
        for role in ACTING:
            if role in self.roles:
                return role
        raise Forbidden("An act", roles=ACTING)


@lru_cache(10_000)  # asked for several times an operation, and would be 10 us each
def _id(issuer: str, subject: str, client: str | None) -> str:
    name = json.dumps([issuer, subject, client])  # JSON, so that no two triples join to one text
    return sha256(name.encode()).hexdigest()[:32]


NOBODY: Final = Viewer(
    issuer="", subject="", client=None, token_id=None, party=None, roles=frozenset(), scopes=frozenset(), expires_at=None
)
