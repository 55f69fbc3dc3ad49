"""What a token says, read by the rules of RFC 9068 and of its issuer. Pure: time comes in, and keys are elsewhere.

PyJWT verifies signature, issuer and audience. What it leaves to its caller is here: the header, the claims that must be
there, and time, which comes from our clock. Whatever is wrong raises one of MALFORMED; its words are for us alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from jwt.types import Options

from hub.access.jwks import PublicKey
from hub.access.trust import Trust
from hub.access.viewers import SCOPES, Viewer
from hub.domain.ids import PARTY, PartyId, is_id
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import Role

LEEWAY: Final = 5  # seconds that an issuer's clock may be ahead; an expiry has none: a socket closes on the same second

# Any other header (crit, jku, x5u, jwk, ...) asks for what we do not do; x5t only repeats which key it was.
HEADERS: Final = frozenset({"alg", "typ", "kid", "x5t", "x5t#S256"})
CLAIMS: Final = ("iss", "aud", "exp", "iat", "sub", "jti")  # RFC 9068, section 2.2
LONGEST_CLAIM: Final = 255  # characters of a subject, token id or client (OpenID Connect Core, section 2, of `sub`)
UNVERIFIED: Final[Options] = {"verify_signature": False}
TIMELESS: Final[Options] = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
MALFORMED: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Said:
    """A token's header and claims, as anybody could have written them."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @classmethod
    def of(cls, token: str) -> "Said":
        """Read, and believed in nothing."""
        if "=" in token:  # PyJWT forgives padding: one token would have several spellings
            raise ValueError("padding in a token")
        parts = jwt.decode_complete(token, options=UNVERIFIED)
        return cls(parts["header"], parts["payload"])

    @property
    def issuer(self) -> str:
        """Whom to ask about it."""
        return _text(self.claims.get("iss"))

    @property
    def kid(self) -> str | None:
        """The key that it names; PyJWT sees to it that it is a text."""
        return self.header.get("kid")


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whom a token makes its bearer. With an `identifier` the party behind it is still to be found."""

    viewer: Viewer
    expires_at: datetime
    identifier: ExternalIdentifier | None


def algorithm(header: Mapping[str, Any], trust: Trust) -> str:
    """The algorithm of a header that asks for nothing else, one of the issuer's."""
    if not header.keys() <= HEADERS:
        raise ValueError("a header parameter that is not used here")
    if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":  # RFC 9068, section 4
        raise ValueError("not an access token")
    found = header.get("alg")
    if not isinstance(found, str) or found not in trust.algorithms:
        raise ValueError("not an algorithm of this issuer")
    return found


def verified(token: str, key: PublicKey, algorithm: str, trust: Trust) -> Mapping[str, Any]:
    """The claims of a token that this key has signed, for us, with nothing missing."""
    return jwt.decode(token, key, algorithms=[algorithm], audience=trust.audience, issuer=trust.issuer, options=TIMELESS)


def claimed(claims: Mapping[str, Any], trust: Trust, now: datetime) -> Claimed:
    """Whom the claims speak of, as far as this issuer is believed."""
    expires_at = _expiry(claims, trust, now)
    client, acr = claims.get("client_id", claims.get("azp")), claims.get("acr")
    party, identifier = _party(claims, trust)
    viewer = Viewer(
        issuer=_text(claims["iss"]),
        subject=_text(claims["sub"]),
        client=None if client is None else _text(client),
        token_id=_text(claims["jti"]),
        party=party,
        roles=_roles(claims, trust),
        scopes=frozenset(SCOPES).intersection(word for text in _texts(claims, trust.claims.scopes) for word in text.split()),
        expires_at=expires_at,
        acr=None if acr is None else _text(acr),
        backed=tuple(sorted(trust.backed.items())),
    )
    return Claimed(viewer, expires_at, identifier)


def found(claims: Mapping[str, Any], path: tuple[str, ...]) -> list[Any]:
    """What stands at a path; a list, on the way or at its end, stands for each of its members. Raises TypeError for an object."""
    *way, last = path
    places: list[Any] = [claims]
    for name in way:
        places = [member for place in places if isinstance(place, Mapping) and name in place for member in _each(place[name])]
    ends = [place[last] for place in places if isinstance(place, Mapping) and last in place]
    if any(not isinstance(end, str | list) for end in ends):
        raise TypeError("neither a text nor a list")
    return [member for end in ends for member in _each(end)]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(claims: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    return [text for text in found(claims, path) if isinstance(text, str)]


def _roles(claims: Mapping[str, Any], trust: Trust) -> frozenset[Role]:
    return frozenset(trust.roles[name] for name in _texts(claims, trust.claims.roles) if name in trust.roles)


def _party(claims: Mapping[str, Any], trust: Trust) -> tuple[PartyId | None, ExternalIdentifier | None]:
    names = found(claims, trust.claims.party)
    if not names:
        return None, None
    (name,) = names  # of several parties none is meant
    if trust.parties is not None:
        return None, ExternalIdentifier(trust.parties.owner, _text(name), trust.parties.type)
    if not is_id(_text(name), PARTY):
        raise ValueError("party is no id of a party")
    return PartyId(name), None


def _expiry(claims: Mapping[str, Any], trust: Trust, now: datetime) -> datetime:
    """When the token ends. Written so that NaN and infinities fail every comparison."""
    issued, expires, starts = (_seconds(claims[name]) for name in ("iat", "exp", "nbf" if "nbf" in claims else "iat"))
    lives = max(issued, starts) - LEEWAY <= now.timestamp() < expires
    if not (lives and expires - issued <= trust.lifetime):
        raise ValueError("not its time, or too long a life")
    return datetime.fromtimestamp(expires, UTC)


def _seconds(value: object) -> float:
    """A NumericDate (RFC 7519, section 2)."""
    if not isinstance(value, int | float):
        raise TypeError("not a date")
    return float(value)


def _text(value: object) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= LONGEST_CLAIM and value.isprintable()):
        raise ValueError("not a short text")
    return value
