"""Tokens: JWT access tokens (RFC 9068) in, viewers out; and the issuer of a hub in local mode, which also mints them.

PyJWT verifies signature, issuer and audience. What it leaves to its caller is here: the header, the claims that must be
there, and time, which comes from our clock. Whatever is wrong, the answer is one: Unauthenticated.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import Options

from hub.access.mandates import SCOPES_OF
from hub.access.viewers import ACTING, PARTY_BOUND, SCOPES, Viewer
from hub.domain.ids import PARTY, PartyId, is_id, uuid7
from hub.domain.terms import Role
from hub.errors import BadInput, Unauthenticated, listed

LOCAL_ISSUER: Final = "urn:interaction-hub:local"
AUDIENCE: Final = "interaction-hub"
CLIENT: Final = "hub"  # the client_id of what the command line mints

LONGEST_TOKEN: Final = 8192  # characters, refused before anything is parsed; a token of ours has about 500
LONGEST_LIFE: Final = timedelta(hours=24)  # a token cannot be taken back in local mode, so it does not live longer
USUAL_LIFE: Final = timedelta(hours=1)
LEEWAY: Final = 5  # seconds that an issuer's clock may be ahead; an expiry has none: a socket closes on the same second
REMEMBERED: Final = 10_000  # viewers, some 15 MB; beyond that the longest unused are verified again

HEADERS: Final = frozenset({"alg", "typ", "kid"})  # any other (crit, jku, x5u, jwk, ...) asks for what we do not do
CLAIMS: Final = ("iss", "aud", "exp", "iat", "sub", "jti")  # RFC 9068, section 2.2
LONGEST_CLAIM: Final = 255  # characters of a subject, token id or client (OpenID Connect Core, section 2, of `sub`)
TIMELESS: Final[Options] = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
MALFORMED: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError)

Clock = Callable[[], datetime]


class TokenVerifier(Protocol):
    """Turns tokens into viewers; never waits for a network."""

    def verify(self, token: str) -> Viewer:
        """The token's bearer. Raises Unauthenticated for whatever is wrong with it."""
        ...


class LocalIssuer:
    """Mints and verifies EdDSA tokens with the key of the data directory: the only issuer of a hub in local mode."""

    def __init__(self, key: Ed25519PrivateKey, *, audience: str = AUDIENCE, clock: Clock) -> None:
        self._key = key
        self._public_key = key.public_key()
        self._audience = audience
        self._clock = clock
        self._remembered = _Remembered(REMEMBERED)

    def mint(
        self,
        roles: Collection[Role],
        *,
        party: PartyId | None = None,
        scopes: Collection[str] | None = None,
        ttl: timedelta = USUAL_LIFE,
    ) -> str:
        """A token for these roles; without `scopes`, with every scope that they can use. Raises BadInput."""
        _check_order(roles, party, scopes, ttl)
        now = self._clock()
        issued = int(now.timestamp())
        granted = scopes if scopes is not None else {scope for role in roles for scope in SCOPES_OF[role]}
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": self._audience,
            "sub": party or f"local:{min(roles, key=ACTING.index).lower()}",
            "client_id": CLIENT,
            "iat": issued,
            "exp": issued + int(ttl.total_seconds()),
            "jti": f"tok_{uuid7(now)}",
            "roles": [role.value for role in Role if role in roles],
            "scope": " ".join(scope for scope in SCOPES if scope in granted),
        }
        return jwt.encode(claims | ({"party": party} if party else {}), self._key, algorithm="EdDSA", headers={"typ": "at+jwt"})

    def verify(self, token: str) -> Viewer:
        """The bearer of a token that this hub minted and that lives. Raises Unauthenticated."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated
        now = self._clock()
        digest = sha256(token.encode()).digest()
        viewer = self._remembered.get(digest, now)
        if viewer is None:
            viewer = self._verified(token, now)
            self._remembered.put(digest, viewer)
        return viewer

    def _verified(self, token: str, now: datetime) -> Viewer:
        try:
            _check_header(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token, self._public_key, algorithms=["EdDSA"], audience=self._audience, issuer=LOCAL_ISSUER, options=TIMELESS
            )
            return _viewer(claims, now)
        except MALFORMED as error:
            raise Unauthenticated from error


class _Remembered:
    """Viewers by the digest of their token: at most `size`, each until it expires."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._viewers: OrderedDict[bytes, Viewer] = OrderedDict()

    def get(self, digest: bytes, now: datetime) -> Viewer | None:
        viewer = self._viewers.get(digest)
        if viewer is None:
            return None
        if viewer.expires_at is None or viewer.expires_at <= now:
            del self._viewers[digest]
            return None
        self._viewers.move_to_end(digest)
        return viewer

    def put(self, digest: bytes, viewer: Viewer) -> None:
        self._viewers[digest] = viewer
        if len(self._viewers) > self._size:
            self._viewers.popitem(last=False)


def _check_order(roles: Collection[Role], party: PartyId | None, scopes: Collection[str] | None, ttl: timedelta) -> None:
    if not roles:
        raise BadInput("A token needs at least one role.", "role")
    if party is None and (bound := [role for role in Role if role in PARTY_BOUND.intersection(roles)]):
        raise BadInput(f"A token for {listed(bound, 'and')} needs a party: name it with `--party`.", "party")
    if party is not None and not is_id(party, PARTY):
        raise BadInput("A party's id is `par_` and 32 lower-case hex digits.", "party")
    if unknown := [scope for scope in scopes or () if scope not in SCOPES]:
        raise BadInput(f"There is no scope {listed(unknown)}; there are {listed(SCOPES, 'and')}.", "scope")
    if not timedelta(seconds=1) <= ttl <= LONGEST_LIFE:
        raise BadInput(f"A token lives from 1 to {LONGEST_LIFE.total_seconds():.0f} seconds (24 hours).", "ttl")


def _check_header(header: Mapping[str, Any]) -> None:
    if not header.keys() <= HEADERS:
        raise ValueError("a header parameter that is not used here")
    if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":  # RFC 9068, section 4
        raise ValueError("not an access token")


def _viewer(claims: Mapping[str, Any], now: datetime) -> Viewer:
    party = claims.get("party")
    if party is not None and not (isinstance(party, str) and is_id(party, PARTY)):
        raise ValueError("party is no id of a party")
    client = claims.get("client_id")
    return Viewer(
        issuer=_text(claims["iss"]),
        subject=_text(claims["sub"]),
        client=None if client is None else _text(client),
        token_id=_text(claims["jti"]),
        party=None if party is None else PartyId(party),
        roles=_roles(claims.get("roles", [])),
        scopes=_scopes(claims.get("scope", "")),
        expires_at=_expiry(claims, now),
    )


def _expiry(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When the token ends. Written so that NaN and infinities fail every comparison."""
    issued, expires, starts = (_seconds(claims[name]) for name in ("iat", "exp", "nbf" if "nbf" in claims else "iat"))
    lives = max(issued, starts) - LEEWAY <= now.timestamp() < expires
    if not (lives and expires - issued <= LONGEST_LIFE.total_seconds()):
        raise ValueError("not its time, or too long a life")
    return datetime.fromtimestamp(expires, UTC)


def _seconds(value: object) -> float:
    """A NumericDate (RFC 7519, section 2)."""
    if not isinstance(value, int | float):
        raise TypeError("not a date")
    return float(value)


def _roles(names: object) -> frozenset[Role]:
    if not isinstance(names, list):
        raise TypeError("roles is no list")
    return frozenset(role for role in Role if role in names)


def _scopes(names: object) -> frozenset[str]:
    if not isinstance(names, str):
        raise TypeError("scope is no text")
    return frozenset(SCOPES).intersection(names.split())


def _text(value: object) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST_CLAIM and value.isprintable()):
        raise ValueError("not a short text")
    return value
