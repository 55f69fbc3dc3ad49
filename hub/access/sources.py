"""Where an issuer's keys come from: fixed ones from the settings, or a JWK Set that is fetched and kept fresh.

One task fetches, so there is never more than one fetch of an issuer under way, and no token waits longer than that one
lasts. What could not be fetched changes nothing: known keys go on verifying. What was fetched replaces all: a key that is
gone from it is gone here.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, NoReturn, Protocol

import httpx
import orjson
import structlog

from hub.access.jwks import Key, KeySet, key_set
from hub.access.trust import Trust, is_trustworthy
from hub.errors import StartupError, Unavailable

FRESH: Final = 300.0  # seconds until keys are fetched again: how long a key that was taken back can live on
PAUSE: Final = 10.0  # seconds between two fetches at least, whatever tokens ask for
PATIENCE: Final = 5.0  # seconds for one fetch, redirection refused, discovery included
LARGEST: Final = 64 * 1024  # bytes of an answer; ten keys with their certificates have some 20 KiB
HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}  # nothing unfolds to more than was read

log = structlog.get_logger("hub.access")


class Source(Protocol):
    """The keys of one issuer, as they are known."""

    @property
    def version(self) -> int:
        """Another number after each change: what an older set has verified is then verified again."""
        ...

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key that a header means, of those that are known."""
        ...

    async def renew(self) -> None:
        """Ask the issuer, where that may be done now, because a key is unknown. Raises Unavailable when it does not say."""
        ...


class FixedKeys:
    """Keys that stand in the settings, or are the hub's own."""

    version: Final = 0

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        return self._keys.find(kid, algorithm)

    async def renew(self) -> None:
        """There is nobody to ask."""


class Unfetched(Exception):
    """Why an issuer's keys could not be fetched, as the end of a sentence."""


class FetchedKeys:
    """Keys that the issuer publishes. They are fetched by `run`, which somebody must keep running."""

    def __init__(
        self,
        trust: Trust,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        fresh: float = FRESH,
        patience: float = PATIENCE,
    ) -> None:
        self._trust = trust
        self._client = client
        self._clock = clock
        self._fresh = fresh
        self._patience = patience
        self._next = clock()  # when tokens may ask for the next fetch
        self._under_way: asyncio.Event | None = None  # set when the fetch that was asked for, or has begun, is over
        self._wanted = asyncio.Event()
        self.keys = KeySet()
        self.version = 0
        self.failure: str | None = "they have not been fetched yet"
        self._fetched_at: float | None = None

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        return self.keys.find(kid, algorithm)

    @property
    def age(self) -> float | None:
        """Seconds since the issuer told them; None where it never did."""
        return None if self._fetched_at is None else self._clock() - self._fetched_at

    async def renew(self) -> None:
        """Wait for the fetch under way, or for one more where the last began long enough ago.

        Raises Unavailable when the last one failed: whether the key is good is then unknown."""
        if self._under_way is None and self._clock() >= self._next:
            self._under_way = asyncio.Event()
            self._wanted.set()
        if self._under_way is not None:
            await self._under_way.wait()
        if self.failure is not None:
            wait = max(self._next - self._clock(), 1.0)
            raise Unavailable("The issuer of this token does not tell its keys now.", retry_after_ms=int(wait * 1000))

    async def run(self) -> NoReturn:
        """Fetch: at once, whenever a token needs it, and when what is known is no longer fresh."""
        while True:
            await self.fetch()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._fresh if self.failure is None else min(PAUSE, self._fresh)):
                    await self._wanted.wait()

    async def fetch(self) -> None:
        """Fetch once; whatever comes of it stands in `keys` and `failure`."""
        over = self._under_way = self._under_way or asyncio.Event()
        self._wanted.clear()
        self._next = self._clock() + PAUSE
        try:
            async with asyncio.timeout(self._patience):
                found = await self._fetched()
        except Exception as error:  # whatever an issuer answers, the task goes on
            self.failure = _reason(error)
            log.warning("keys_not_fetched", issuer=self._trust.issuer, why=self.failure)
        else:
            self._take(found)
        finally:
            self._under_way = None
            over.set()

    def _take(self, found: KeySet) -> None:
        if not found.fitting(self._trust.algorithms):
            log.warning("keys_of_no_use", issuer=self._trust.issuer, algorithms=self._trust.algorithms)
        self.failure = None
        self._fetched_at = self._clock()
        if found != self.keys:
            self.keys = found
            self.version += 1

    async def _fetched(self) -> KeySet:
        url = self._trust.jwks_url or await self._discovered()
        try:
            return key_set(await self._json(url))
        except ValueError as error:
            raise Unfetched(f"what {url} answers is of no use: {error}") from None

    async def _discovered(self) -> str:
        """OpenID Connect Discovery 1.0, section 4."""
        url = f"{self._trust.issuer.removesuffix('/')}/.well-known/openid-configuration"
        said = await self._json(url)
        if not isinstance(said, dict) or said.get("issuer") != self._trust.issuer:
            raise Unfetched(f"{url} speaks for another issuer")
        found = said.get("jwks_uri")
        if not isinstance(found, str) or not is_trustworthy(found):
            raise Unfetched(f"{url} names no https:// address of keys")
        return found

    async def _json(self, url: str) -> object:
        body = bytearray()
        async with self._client.stream("GET", url, headers=HEADERS, follow_redirects=False) as response:
            if response.status_code != httpx.codes.OK:
                raise Unfetched(f"{url} answers {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST:
                    raise Unfetched(f"{url} answers with more than {LARGEST} bytes")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Unfetched(f"{url} answers no JSON") from None


async def looked_at(trust: Trust) -> str:
    """How many keys an issuer has at the moment, in words. Raises StartupError where they cannot be had, or none is of use."""
    async with httpx.AsyncClient() as client:
        keys = FetchedKeys(trust, client)
        if trust.keys is None:
            await keys.fetch()
        else:
            keys.keys, keys.failure = trust.keys, None
    if keys.failure is not None:
        raise StartupError(f"The keys of {trust.issuer} cannot be fetched: {keys.failure}.")
    if not (count := keys.keys.fitting(trust.algorithms)):
        raise StartupError(f"None of the keys of {trust.issuer} is of use for {', '.join(trust.algorithms)}.")
    return f"{count} key{'' if count == 1 else 's'}"


def _reason(error: Exception) -> str:
    match error:
        case Unfetched():
            return str(error)
        case TimeoutError() | httpx.TimeoutException():
            return "it took too long"
        case httpx.HTTPError():
            return f"the connection failed ({type(error).__name__})"
        case _:
            log.error("keys_fetch_failed", exc_info=error)
            return "the hub made an error, which has been logged"
