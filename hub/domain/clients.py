"""Clients of the hub's own token endpoint (RFC 6749, section 2): a partner's or a system's program, with its secrets' hashes.

A secret is 256 random bits, so its SHA-256 cannot be guessed back and needs no salt. Two are alive at once: while a new one
is rolled out, the one before still opens.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.ids import ClientId, PartyId
from hub.domain.issued_tokens import Rights
from hub.domain.terms import Role
from hub.domain.texts import SHORT, text
from hub.domain.token_filters import OPEN, TokenFilter
from hub.errors import Conflict

ALIVE: Final = 2  # secrets at once


class ClientEventType(StrEnum):
    """What happened to a client. SYSTEM entries of the journal: every feed passes them in their order."""

    ADDED = "ADDED"
    ROTATED = "ROTATED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """One entry about a client."""

    type: ClientEventType
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Secret:
    """The SHA-256 of a client's secret."""

    digest: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program with credentials, and the most that its tokens may do. `lifetime` is in seconds."""

    id: ClientId
    seq: int
    name: str
    party: PartyId | None
    roles: frozenset[Role]
    scopes: frozenset[str]
    narrowed: TokenFilter = OPEN
    lifetime: int
    secrets: tuple[Secret, ...]
    disabled_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def added(
        cls,
        id: ClientId,
        name: str,
        party: PartyId | None,
        digest: bytes,
        *,
        at: datetime,
        roles: Collection[Role],
        scopes: Collection[str],
        narrowed: TokenFilter = OPEN,
        lifetime: int,
    ) -> tuple["Client", ClientEvent]:
        """A new one, with its first secret."""
        client = cls(
            id=id,
            seq=1,
            name=text(name, "name", most=SHORT),
            party=party,
            roles=frozenset(roles),
            scopes=frozenset(scopes),
            narrowed=narrowed,
            lifetime=lifetime,
            secrets=(Secret(digest, at),),
            created_at=at,
            updated_at=at,
        )
        return client, ClientEvent(type=ClientEventType.ADDED, at=at, seq=1)

    def rotated(self, digest: bytes, *, at: datetime) -> tuple["Client", ClientEvent]:
        """With another secret; of those before, only the latest lives on. Raises Conflict for a disabled one."""
        if self.disabled_at is not None:
            raise Conflict("The client is disabled; add another one.")
        return self._changed(ClientEventType.ROTATED, at, secrets=(*self.secrets, Secret(digest, at))[-ALIVE:])

    def disabled(self, *, at: datetime) -> tuple["Client", ClientEvent | None]:
        """For good: neither it nor any token that it was given, or passed on, opens anything from now on."""
        if self.disabled_at is not None:
            return self, None
        return self._changed(ClientEventType.DISABLED, at, disabled_at=at, secrets=())

    def rights(self, at: datetime) -> Rights:
        """The most that a token given to it at `at` may do."""
        return Rights(
            roles=self.roles,
            scopes=self.scopes,
            narrowed=self.narrowed,
            expires_at=at.replace(microsecond=0) + timedelta(seconds=self.lifetime),
        )

    def _changed(self, type: ClientEventType, at: datetime, **fields: object) -> tuple["Client", ClientEvent]:
        changed = replace(self, seq=self.seq + 1, updated_at=at, **fields)  # type: ignore[arg-type]  # fields of the class
        return changed, ClientEvent(type=type, at=at, seq=changed.seq)
