"""What surrounds every answer over HTTP: the names that the hub answers to, the pages that may read it, and what browsers are told.

A page elsewhere can send a hub only what anybody could send. Tokens come in the Authorization header alone, never as
cookies or in an address, so that a browser adds none by itself; a body is read as `application/json` alone, which a browser
asks about first; and GET changes nothing.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message

from hub.settings import Settings

Headers = Sequence[tuple[bytes, bytes]]

SENT: Final = (  # what pages send, beside what they always may
    "authorization",
    "content-type",
    "idempotency-key",
    "last-event-id",
    "x-request-id",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "graphql-require-preflight",
)
SHOWN: Final = ("x-request-id", "retry-after", "www-authenticate")  # what pages may read of an answer
DAY: Final = 86_400  # seconds for which a browser need not ask again; browsers take less
YEAR: Final = 31_536_000  # seconds
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
ALIVE: Final = frozenset({"/healthz", "/readyz"})  # asked for by orchestrators, under an address of their own choice


class Names:
    """The hosts that a hub answers to; all, where none are named and it trusts issuers.

    In local mode those of this machine: a page whose name is pointed at it (DNS rebinding) is none of its own."""

    def __init__(self, settings: Settings) -> None:
        named = settings.hosts or ((*LOCAL, settings.host) if settings.is_local else ())
        if named and settings.url:
            named = (*named, urlsplit(settings.url).hostname or "")
        self._exact = frozenset(name.lower() for name in named if not name.startswith("*."))
        self._endings = tuple(name[1:].lower() for name in named if name.startswith("*."))

    def has(self, headers: Headers) -> bool:
        """Whether a request to this `Host` is meant for the hub."""
        if not self._exact and not self._endings:
            return True
        hosts = [value for name, value in headers if name == b"host"]
        return len(hosts) == 1 and self._is_named(_name(hosts[0].decode("latin-1")))

    def _is_named(self, host: str) -> bool:
        return host in self._exact or host.endswith(self._endings or ("\0",))


def _name(host: str) -> str:
    """A host without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def cross_origin(settings: Settings) -> list[Middleware]:
    """What lets the pages of the listed origins ask and read; nothing where none is listed."""
    if not settings.origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST", "PUT"),
            allow_headers=SENT,
            expose_headers=SHOWN,
            max_age=DAY,
        )
    ]


def guarding(settings: Settings) -> Headers:
    """What browsers are told with every answer that does not say it in its own words."""
    always = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.url and settings.url.startswith("https://"):
        always["strict-transport-security"] = f"max-age={YEAR}"
    return [(name.encode(), value.encode()) for name, value in always.items()]


def guard(start: Message, guards: Headers) -> None:
    """Add to the start of an answer what it does not say itself."""
    said = {name for name, _ in start["headers"]}
    start["headers"] = [*start["headers"], *(one for one in guards if one[0] not in said)]
