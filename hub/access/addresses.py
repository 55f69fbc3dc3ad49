"""Addresses that open one door for a short while, without a token: sealed by a key of the hub's, so nobody makes or reads one.

An address carries who asked for it. Whoever shows it is looked at as that viewer, with the rights of now: what was taken
back since opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import orjson

from hub.access.keys import Keyring, Seal
from hub.access.viewers import Viewer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.errors import BadInput, CursorInvalid, NoLongerOpen

LONGEST: Final = 6_000  # characters: servers and proxies take addresses of 8 KiB, and one of a token with a short filter has some 800


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address says: for whom it was made, and what about."""

    viewer: Viewer
    about: Mapping[str, Any]


class Doors:
    """The addresses of one kind of door. `life`: how long one opens it, at most as long as the token that it was asked with."""

    def __init__(self, keyring: Keyring, purpose: str, life: timedelta) -> None:
        self._seal = Seal(keyring, purpose, LONGEST)
        self._life = life

    def made(self, viewer: Viewer, about: Mapping[str, Any], now: datetime) -> tuple[str, datetime]:
        """What stands at the end of the address, and until when it opens. Raises BadInput for a token whose filter is too long."""
        until = min(now + self._life, viewer.expires_at or now + self._life).replace(microsecond=0)
        sealed = self._seal.seal(orjson.dumps([int(until.timestamp()), _told(viewer), about]))
        if len(sealed) > LONGEST:
            raise BadInput("This token's filter has more words than an address can hold; ask with a simpler one.")
        return sealed, until

    def opened(self, sealed: str, now: datetime) -> Opened:
        """What it says. Raises NoLongerOpen where it is none of ours, or its time is over."""
        try:
            until, told, about = orjson.loads(self._seal.open(sealed))
            opened = Opened(_viewer(told), about)
        except (CursorInvalid, ValueError, KeyError):  # the last two: of another version of the hub
            raise NoLongerOpen from None
        if now >= datetime.fromtimestamp(until, UTC):
            raise NoLongerOpen
        return opened


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where files are brought and fetched: `base` is the hub's own address where it is known, so that apps need not join it."""

    base: str
    uploads: Doors
    downloads: Doors

    @classmethod
    def of(cls, keyring: Keyring, url: str | None) -> Self:
        return cls(
            f"{url or ''}/attachments/",
            Doors(keyring, "attachment/upload", timedelta(minutes=15)),  # a phone picks up its photo again after a tunnel
            Doors(keyring, "attachment/download", timedelta(minutes=10)),  # a page that was read is clicked on for a while
        )


def _told(viewer: Viewer) -> dict[str, Any]:
    told = {
        "i": viewer.issuer,
        "s": viewer.subject,
        "c": viewer.client,
        "t": viewer.token_id,
        "p": viewer.party,
        "r": sorted(map(str, viewer.roles)),
        "o": sorted(viewer.scopes),
        "e": viewer.expires_at,
        "a": viewer.acr,
        "f": viewer.narrowed.words,
        "u": sorted(viewer.rests_on),
        "b": viewer.backed,
    }
    return {name: value for name, value in told.items() if value}


def _viewer(told: Mapping[str, Any]) -> Viewer:
    return Viewer(
        issuer=told.get("i", ""),
        subject=told["s"],
        client=told.get("c"),
        token_id=told.get("t"),
        party=PartyId(told["p"]) if "p" in told else None,
        roles=frozenset(map(Role, told.get("r", ()))),
        scopes=frozenset(told.get("o", ())),
        expires_at=datetime.fromisoformat(told["e"]) if "e" in told else None,
        acr=told.get("a"),
        narrowed=TokenFilter.of(told.get("f", {})),
        rests_on=frozenset(told.get("u", ())),
        backed=tuple((Role(role), name) for role, name in told.get("b", ())),
    )
