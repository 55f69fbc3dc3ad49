"""Issuers as tests need them: tokens made by hand, a clock that is set, and a real OIDC server on loopback."""

import asyncio
import contextlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.issuers import Issuer, TokenVerifier
from hub.access.standing import Standings
from hub.access.withdrawn import Withdrawn
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier
from hub.web.app import Unsignalled, listening
from tests.serving import running

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE: Final = "interaction-hub"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey
T = TypeVar("T")


class Clock:
    """A time of day that stands until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Register:
    """Parties by their foreign names and with their roles, as a test knows them; counts what it is asked."""

    def __init__(self) -> None:
        self.names: dict[ExternalIdentifier, PartyId] = {}
        self.roles: dict[PartyId, set[str]] = {}
        self.asked = 0

    async def known_as(self, identifier: ExternalIdentifier) -> PartyId | None:
        self.asked += 1
        return self.names.get(identifier)

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        self.asked += 1
        return frozenset(self.roles.get(party, ()))


def verifier(*issuers: Issuer, clock: Callable[[], datetime], register: Register | None = None) -> TokenVerifier:
    """A hub's verifier that believes these issuers."""
    register = register or Register()
    return TokenVerifier(issuers, Standings(register, register), Withdrawn(), clock=clock)


def at_once(answer: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers that waits for nothing; one that waits fails."""
    try:
        answer.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    answer.close()
    raise AssertionError("it waits")


def part(value: object) -> bytes:
    """One of the three parts of a token."""
    return urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")


def by_hand(header: object, payload: object, sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    body = part(header) + b"." + part(payload)
    return (body + b"." + part(sign(body))).decode()


MAKERS: Final[Mapping[str, Callable[[], PrivateKey]]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": Ed25519PrivateKey.generate,
}
WRITERS: Final[Mapping[str, Any]] = {"RS256": RSAAlgorithm, "PS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


@dataclass(frozen=True)
class Pair:
    """A private key, what it is called, and how it signs."""

    kid: str
    algorithm: str
    private: PrivateKey

    @classmethod
    def made(cls, kid: str, algorithm: str = "ES256") -> "Pair":
        return cls(kid, algorithm, MAKERS[algorithm]())

    @property
    def jwk(self) -> dict[str, Any]:
        public = WRITERS[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def sign(self, payload: Mapping[str, Any], **headers: Any) -> str:
        """A token; a header that is None is left out."""
        given = {"typ": "at+jwt", "kid": self.kid} | headers
        return jwt.encode(dict(payload), self.private, algorithm=self.algorithm, headers={k: v for k, v in given.items() if v is not None})


def claims(issuer: str, *, at: datetime = START, **changes: Any) -> dict[str, Any]:
    """Claims that verify at that time; a change to None takes one away."""
    seconds = int(at.timestamp())
    good = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "user-1",
        "client_id": "desk",
        "iat": seconds,
        "exp": seconds + 600,
        "jti": "t-1",
        "roles": ["agent"],
        "scope": "openid interaction:read",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


@dataclass
class Oidc:
    """An OpenID provider: what it publishes can be changed, and its answers held back, while it runs."""

    url: str
    pairs: list[Pair]
    answer: Callable[[], Response] | None = None  # in place of the keys
    discovery: Callable[[], Response] | None = None  # in place of the configuration
    open: asyncio.Event = field(default_factory=asyncio.Event)  # while it is clear, answers wait
    asked: int = 0  # for keys
    elsewhere: list[Pair] = field(default_factory=list)  # keys at an address that it never named

    async def configuration(self, _: Request) -> Response:
        if self.discovery is not None:
            return self.discovery()
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def keys(self, _: Request) -> Response:
        self.asked += 1
        await self.open.wait()
        return self.answer() if self.answer is not None else JSONResponse({"keys": [pair.jwk for pair in self.pairs]})

    async def others(self, _: Request) -> Response:
        return JSONResponse({"keys": [pair.jwk for pair in self.elsewhere]})

    def token(self, pair: Pair | None = None, **changes: Any) -> str:
        return (pair or self.pairs[-1]).sign(claims(self.url, **changes))


@contextlib.asynccontextmanager
async def providing(*pairs: Pair, port: int = 0) -> AsyncIterator[Oidc]:
    """A provider on loopback, on a free port; gone at the end."""
    bound = listening("127.0.0.1", port)
    oidc = Oidc(f"http://127.0.0.1:{bound.getsockname()[1]}", list(pairs))
    oidc.open.set()
    routes = [Route("/.well-known/openid-configuration", oidc.configuration), Route("/keys", oidc.keys), Route("/elsewhere", oidc.others)]
    server = Unsignalled(uvicorn.Config(Starlette(routes=routes), lifespan="off", access_log=False, log_config=None))
    async with running(server, bound):
        try:
            yield oidc
        finally:
            oidc.open.set()


async def until(fact: Callable[[], object]) -> None:
    """Wait for a fact, ten seconds at most."""
    async with asyncio.timeout(10):
        while not fact():  # noqa: ASYNC110 - whoever makes the fact does not know of us
            await asyncio.sleep(0.002)
