"""What the hub remembers of a token that it issued: to whom, how wide, until when. Never the token itself."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hub.domain.ids import PartyId, TokenId
from hub.domain.terms import Role
from hub.domain.token_filters import OPEN, TokenFilter


class TokenEventType(StrEnum):
    """What happened to a token. SYSTEM entries of the journal: every feed applies them in their order."""

    ISSUED = "ISSUED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvent:
    """One entry about a token."""

    type: TokenEventType
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """How far a token reaches. `backed`: roles that count only while the party holds the PartyRole of this name."""

    roles: frozenset[Role]
    scopes: frozenset[str]
    narrowed: TokenFilter = OPEN
    backed: tuple[tuple[Role, str], ...] = ()
    expires_at: datetime

    def is_within(self, other: "Rights") -> bool:
        """Whether they open nothing that `other` does not open."""
        return (
            self.roles <= other.roles
            and self.scopes <= other.scopes
            and self.narrowed.is_within(other.narrowed)
            and set(self.backed) >= {(role, name) for role, name in other.backed if role in self.roles}
            and self.expires_at <= other.expires_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """One token. `via`: the tokens with which it was asked for, the nearest last; when one of them ends, so does this one."""

    id: TokenId
    seq: int
    party: PartyId | None
    subject: str
    client: str
    rights: Rights
    via: tuple[str, ...] = ()
    issued_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def issued(
        cls, id: TokenId, party: PartyId | None, subject: str, client: str, rights: Rights, *, at: datetime, via: Collection[str] = ()
    ) -> tuple["IssuedToken", TokenEvent]:
        """A new one."""
        token = cls(id=id, seq=1, party=party, subject=subject, client=client, rights=rights, via=tuple(via), issued_at=at)
        return token, TokenEvent(type=TokenEventType.ISSUED, at=at, seq=1)

    def revoked(self, *, at: datetime) -> tuple["IssuedToken", TokenEvent | None]:
        """Good for nothing from now on; nothing happens to one that was revoked before."""
        if self.revoked_at is not None:
            return self, None
        revoked = replace(self, seq=self.seq + 1, revoked_at=at)
        return revoked, TokenEvent(type=TokenEventType.REVOKED, at=at, seq=revoked.seq)
