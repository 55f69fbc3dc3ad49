"""Secrets of clients: 256 random bits, of which the hub keeps a hash alone. They cannot be guessed, so the hash needs no salt."""

import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from hub.domain.clients import ALIVE

BYTES: Final = 32
NONE: Final = bytes(32)  # no secret has this hash


def new_secret() -> str:
    """A fresh one, to be shown once."""
    return secrets.token_urlsafe(BYTES)


def digest(secret: str) -> bytes:
    """What is kept of it."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


def matches(secret: str, digests: Iterable[bytes]) -> bool:
    """Whether it is one of these. Takes the same time for any secret, however many there are, and also where there is none."""
    shown = digest(secret)
    found = False
    for one in (*digests, *[NONE] * ALIVE)[:ALIVE]:
        found |= hmac.compare_digest(shown, one)
    return found
