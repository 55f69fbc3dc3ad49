"""What rights cost: verifying a token that is known, and the gates of a page.

In this process, without sockets, by the processor's time. The page is read twice in turns: as it is, and with gates that
open without a look.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final
from unittest.mock import patch

from bench.commands import AGENT
from hub.access.bearers import Bearer
from hub.commands.asking import ask
from hub.commands.interactions import Create
from hub.commands.parties import Upsert
from hub.domain.terms import ChannelType, Direction, PartyKind, Role
from hub.graph import fields
from hub.graph.execution import Operation
from hub.settings import Settings
from hub.web.hub import Hub, local_issuer, opened

VERIFIED: Final = 20_000  # times in a round
PAGES: Final = 30  # of each kind in a round
PAGE: Final = Operation(
    """{ interactions(first: 50) { nodes { id status reason statusReason escalationLevel assignee { name } internalNotes { text }
    customer { name contactMedia { address } externalIdentifiers { value } } redactions { field } } } }"""
)


@dataclass(frozen=True, slots=True)
class Rights:
    """Microseconds for a known token, milliseconds for a page of 50, and which part of it its gates are."""

    verification: float
    page: float
    gates: float


async def measure(uri: str, directory: Path, *, rounds: int) -> Rights:
    """Medians of some rounds."""
    settings = Settings.load(data_dir=directory / "access", port=0, mongo_database="access")
    async with opened(settings, uri, role="bench") as hub:
        token = local_issuer(settings).mint([Role.SUPERVISOR])
        await _fill(hub)
        found = [await _round(hub, token) for _ in range(rounds)]
    return Rights(*(median(column) for column in zip(*found, strict=True)))


async def _fill(hub: Hub) -> None:
    for number in range(50):
        party = await ask(hub.journal, AGENT, Upsert(kind=PartyKind.INDIVIDUAL, called=f"Customer {number}"))
        customer = (party.document or {})["_id"]
        await ask(hub.journal, AGENT, Create(direction=Direction.INBOUND, channel=ChannelType.PHONE, reason="x", customer_id=customer))


async def _round(hub: Hub, token: str) -> tuple[float, float, float]:
    viewer = await hub.viewer(token)
    begun = time.process_time()
    for _ in range(VERIFIED):
        await hub.viewer(token)
    verification = (time.process_time() - begun) / VERIFIED
    gated, open_ = [], []
    for _ in range(PAGES):
        gated.append(await _page(hub, Bearer(viewer)))
        with _without_gates():
            open_.append(await _page(hub, Bearer(viewer)))
    page = median(gated)
    return verification * 1e6, page * 1e3, max(0.0, page - median(open_)) / median(open_)


async def _page(hub: Hub, bearer: Bearer) -> float:
    begun = time.process_time()
    answer = await hub.executor.run(PAGE, hub.context(bearer))
    taken = time.process_time() - begun
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    return taken


@contextmanager
def _without_gates() -> Iterator[None]:
    with patch.object(fields, "passes", lambda *_: True):
        yield
