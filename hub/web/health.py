"""`GET /healthz` and `GET /readyz`: how the hub is, part by part, each with its state and a sentence that says why.

Alive is whoever answers at all: nobody is to be started again because a database is away. Ready is who can do its work; a
part that others bridge for a while is `degraded`, and costs nobody their readiness.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.web.hub import Hub
from hub.web.lines import Lines

LATE: Final = 5.0  # seconds that a feed may lag before it is said
BEGAN: Final = time.monotonic()


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `ok`, `degraded`, or whatever else is the matter with it."""

    state: str
    reason: str
    is_well: bool = True  # it costs nobody their readiness


async def healthz(request: Request) -> Response:
    """The process is alive, and which one it is."""
    hub: Hub = request.app.state.hub
    reason = f"It answers, and has been up for {time.monotonic() - BEGAN:.0f} s."
    return JSONResponse({"status": "ok", "process": hub.role, "reason": reason})


async def readyz(request: Request) -> Response:
    """Whether it can answer; 503 while it cannot."""
    hub: Hub = request.app.state.hub
    parts = await looked_at(hub, request.app.state.lines)
    well = all(part.is_well for part in parts.values())
    shown = {name: {"state": part.state, "reason": part.reason} for name, part in parts.items()}
    return JSONResponse({"status": "ok" if well else "unavailable", **shown}, 200 if well else 503)


async def looked_at(hub: Hub, lines: Lines) -> Mapping[str, Part]:
    """Every part, as it is now."""
    return {
        "database": await _database(hub),
        "feed": _feed(hub),
        "bus": _bus(hub),
        "keys": _keys(hub),
        "audit": _audit(hub),
        "process": _process(lines),
    }


async def _database(hub: Hub) -> Part:
    if await hub.mongo.answers():
        return Part("ok", "A primary answers.")
    return Part("away", "No primary answered within 2 seconds: reads and writes wait, and are then refused as UNAVAILABLE.", is_well=False)


def _feed(hub: Hub) -> Part:
    feed = hub.journal.feed
    if feed.is_behind:
        return Part("behind", f"The log cannot be read; streams stand still at entry {feed.position} of {feed.known}.", is_well=False)
    if feed.lag > LATE:
        return Part("degraded", f"It is {feed.lag:.0f} s behind, at entry {feed.position} of {feed.known}: streams are late, not wrong.")
    return Part("ok", f"All {feed.position} entries were handed on; that was so {feed.lag:.1f} s ago.")


def _bus(hub: Hub) -> Part:
    state, _, reason = hub.journal.bus.state.partition(": ")
    return Part(state, f"{reason or 'It carries hints'}.")


def _keys(hub: Hub) -> Part:
    fetched = hub.tokens.fetched
    if not fetched:
        return Part("ok", "All keys are at hand; none have to be fetched.")
    missing, failing = [one for one in fetched if one.age is None], [one for one in fetched if one.failure is not None]
    if missing:
        return Part(
            "missing",
            f"The keys of {len(missing)} of {len(fetched)} issuers were not fetched yet; the log says why. Their tokens are UNAVAILABLE.",
            is_well=len(missing) < len(fetched),
        )
    oldest = max(one.age or 0.0 for one in fetched)
    if failing:
        told = f"The keys of {len(failing)} of {len(fetched)} issuers cannot be fetched; those of {oldest:.0f} s ago go on verifying."
        return Part("stale", told)
    return Part("ok", f"The keys of {len(fetched)} issuers were fetched, the oldest {oldest:.0f} s ago.")


def _audit(hub: Hub) -> Part:
    audit = hub.journal.audit
    state, _, reason = audit.state.partition(": ")
    return Part(state, f"{reason or f'{audit.waiting} records wait to be written'}.", is_well=not audit.is_full)


def _process(lines: Lines) -> Part:
    if lines.is_draining:
        return Part("ends", f"{len(lines)} sockets and streams are sent away.", is_well=False)
    return Part("ok", f"{len(lines)} sockets and streams are open.")
