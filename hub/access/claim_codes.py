"""The codes with which a customer, once logged in, claims what it opened as a visitor.

A code is made of the interaction's id by a key of the hub's, so nothing is stored that could be stolen: it is made again
to be compared. How often one may guess is bounded all the same."""

import hmac
import re
from base64 import b32encode
from datetime import datetime, timedelta
from typing import Final

from hub.access.keys import Keyring
from hub.access.remembered import Remembered
from hub.errors import RateLimited

BYTES: Final = 20  # 160 bits of the 256 of HMAC-SHA256 (RFC 2104, section 5): 32 letters and digits, without padding
GROUP: Final = re.compile("(.{4})(?=.)")
LONGEST: Final = 100  # characters with whatever a person puts between the groups; what is longer is no code
BETWEEN: Final = re.compile(r"[\s-]+")
MISREAD: Final = str.maketrans("08", "OB")  # base32 has no such digits (RFC 4648, section 6)

WRONG: Final = 5  # tries that may go wrong ...
WITHIN: Final = timedelta(minutes=1)
GUESSERS: Final = 10_000  # viewers who are kept in mind


class ClaimCodes:
    """Claim codes under the secret in use; those under the one before still count."""

    def __init__(self, keyring: Keyring) -> None:
        keys = keyring.derive("claim")
        self._key: Final = keys[keyring.current][0]
        self._keys: Final = tuple(key for same in keys.values() for key in same)

    def code(self, interaction: str) -> str:
        """The code of an interaction, in groups of four: `K3TQ-7A2M-...`."""
        return GROUP.sub(r"\1-", _letters(self._key, interaction))

    def fits(self, interaction: str, given: str) -> bool:
        """Whether this is its code, however it was typed; takes as long for one that nearly fits as for one that does not."""
        typed = BETWEEN.sub("", given).upper().translate(MISREAD) if len(given) <= LONGEST else ""
        spelled = typed.encode(errors="replace")
        fitting = [hmac.compare_digest(_letters(key, interaction).encode(), spelled) for key in self._keys]
        return any(fitting)


class Tries:
    """How often each viewer has guessed wrong of late. A try counts from its beginning, so that none slips by beside others."""

    def __init__(self, most: int = WRONG, within: timedelta = WITHIN) -> None:
        self._most = most
        self._within = within
        self._begun: Remembered[str, tuple[datetime, ...]] = Remembered(GUESSERS)

    def begin(self, viewer: str, now: datetime) -> None:
        """Count a try. Raises RateLimited where too many went wrong; that is no try."""
        begun = self._recent(viewer, now)
        if len(begun) >= self._most:
            wait = begun[0] + self._within - now
            raise RateLimited("Too many claim codes were wrong.", retry_after_ms=max(1, -(-wait // timedelta(milliseconds=1))))
        self._begun.put(viewer, (*begun, now), now + self._within)

    def forgive(self, viewer: str, begun: datetime, now: datetime) -> None:
        """The try that began then was no wrong one."""
        recent = list(self._recent(viewer, now))
        if begun in recent:
            recent.remove(begun)
            self._begun.put(viewer, tuple(recent), now + self._within)

    def _recent(self, viewer: str, now: datetime) -> tuple[datetime, ...]:
        return tuple(at for at in self._begun.get(viewer, now) or () if at > now - self._within)


def _letters(key: bytes, interaction: str) -> str:
    # an id with half of a surrogate pair is one that nobody has: it must be answered like any other
    return b32encode(hmac.digest(key, interaction.encode(errors="replace"), "sha256")[:BYTES]).decode()
