"""Tokens in, viewers out: each goes to the issuer that it names, and is known again until it expires.

Whatever is wrong with a token, the answer is one: Unauthenticated. What the hub cannot know is another: while an issuer's
keys cannot be fetched, a token with a key that is not among the known ones may be as good as any, and its bearer told that
it is not would throw it away and log in anew, to the same end. So that answer is Unavailable, and a client waits. A forger
learns nothing from it but that the issuer is down.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import httpx

from hub.access import claims
from hub.access.claims import MALFORMED, Claimed, Said
from hub.access.remembered import Remembered
from hub.access.sources import FRESH, PATIENCE, FetchedKeys, FixedKeys, Source
from hub.access.standing import Standings
from hub.access.trust import Trust
from hub.access.viewers import Viewer
from hub.access.withdrawn import Withdrawn
from hub.errors import Unauthenticated

LONGEST_TOKEN: Final = 8192  # characters, refused before anything is parsed; a token of ours has about 500
REMEMBERED: Final = 10_000  # viewers, some 15 MB; beyond that the longest unused are verified again

Clock = Callable[[], datetime]


class Issuer:
    """One issuer: what is believed of it, and its keys."""

    def __init__(self, trust: Trust, keys: Source) -> None:
        self.trust: Final = trust
        self.keys: Final = keys

    async def verify(self, token: str, said: Said, clock: Clock) -> Claimed:
        """Whom its token speaks of; waits only for a key that is not known. Raises one of MALFORMED, or Unavailable."""
        algorithm = claims.algorithm(said.header, self.trust)
        claims.claimed(said.claims, self.trust, clock())  # what could not be good anyway asks nobody for keys
        key = self.keys.find(said.kid, algorithm)
        if key is None:
            await self.keys.renew()
            key = self.keys.find(said.kid, algorithm)
        if key is None:
            raise ValueError("a key that the issuer does not have")
        return self.believed(claims.verified(token, key.public, algorithm, self.trust), clock())

    def believed(self, said: Mapping[str, Any], now: datetime) -> Claimed:
        """Whom verified claims speak of, as far as this issuer is believed. Raises one of MALFORMED."""
        return claims.claimed(said, self.trust, now)


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was verified, and by which keys."""

    claimed: Claimed
    issuer: Issuer
    version: int


class TokenVerifier:
    """What turns tokens into viewers, for one hub."""

    def __init__(self, issuers: Iterable[Issuer], standings: Standings, withdrawn: Withdrawn, *, clock: Clock) -> None:
        self._issuers = {issuer.trust.issuer: issuer for issuer in issuers}
        self._standings = standings
        self._withdrawn = withdrawn
        self._clock = clock
        self._remembered: Remembered[bytes, Verified] = Remembered(REMEMBERED)

    @property
    def fetched(self) -> list[FetchedKeys]:
        """The keys that are fetched, of each issuer that publishes some."""
        return [issuer.keys for issuer in self._issuers.values() if isinstance(issuer.keys, FetchedKeys)]

    async def verify(self, token: str) -> Viewer:
        """The token's bearer, with the party and the roles that are its own now. Does not wait for a token that it knows,
        unless its issuer's claims have to be backed by the database.

        Raises Unauthenticated for whatever is wrong with it, and Unavailable where nobody can say now."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated
        digest, now = sha256(token.encode()).digest(), self._clock()
        known = self._remembered.get(digest, now)
        if known is None or known.version != known.issuer.keys.version:
            known = await self._verified(token)
            self._remembered.put(digest, known, known.claimed.expires_at)
        claimed = known.claimed
        if self._withdrawn.ends(claimed.viewer):
            raise Unauthenticated
        if claimed.identifier is None and not claimed.viewer.backed:
            return claimed.viewer
        return await self._standings.settle(claimed.viewer, claimed.identifier, now)

    async def present(self, viewer: Viewer) -> Viewer:
        """A viewer whose token was verified a while ago, with the roles that are its own now. Raises Unauthenticated where the token
        has ended or was taken back, and Unavailable where that cannot be said."""
        now = self._clock()
        if self._withdrawn.ends(viewer) or (viewer.expires_at is not None and viewer.expires_at <= now):
            raise Unauthenticated
        return await self._standings.settle(viewer, None, now) if viewer.backed else viewer

    def has_ended(self, viewer: Viewer) -> bool:
        """Whether this viewer's token was taken back meanwhile."""
        return self._withdrawn.ends(viewer)

    async def _verified(self, token: str) -> Verified:
        try:
            said = Said.of(token)
            issuer = self._issuers[said.issuer]
            return Verified(await issuer.verify(token, said, self._clock), issuer, issuer.keys.version)
        except (*MALFORMED, KeyError) as error:
            raise Unauthenticated from error


@contextlib.asynccontextmanager
async def opened(
    trusts: Iterable[Trust], *, clock: Callable[[], float] = time.monotonic, fresh: float = FRESH, patience: float = PATIENCE
) -> AsyncIterator[tuple[Issuer, ...]]:
    """The issuers that are trusted, their keys kept fresh meanwhile."""
    async with httpx.AsyncClient() as client:

        def source(trust: Trust) -> Source:
            if trust.keys is not None:
                return FixedKeys(trust.keys)
            return FetchedKeys(trust, client, clock=clock, fresh=fresh, patience=patience)

        issuers = tuple(Issuer(trust, source(trust)) for trust in trusts)
        tasks = [
            asyncio.create_task(issuer.keys.run(), name=f"keys of {issuer.trust.issuer}")
            for issuer in issuers
            if isinstance(issuer.keys, FetchedKeys)
        ]
        try:
            yield issuers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
