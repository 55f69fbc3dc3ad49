"""What the entrance costs: limits, cost, budget, deadline, ids and numbers, on top of the smallest query.

In this process, without sockets, by the processor's time, in turns: the smallest query as the hub runs it, and as graphql-core
does for the same prepared document and context.
"""

import time
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from statistics import median
from typing import Any, Final

import graphql

from hub.access.bearers import Bearer
from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.graph import signals
from hub.graph.execution import Operation
from hub.graph.signals import Signal
from hub.graph.streams import answered
from hub.schema import executable
from hub.settings import Settings
from hub.web import metrics
from hub.web.hub import Hub, local_issuer, opened
from hub.web.lines import Lines
from hub.web.observing import Observing

SMALLEST: Final = Operation("{ viewer { roles } }")
TIMES: Final = 3_000  # in a round


@dataclass(frozen=True, slots=True)
class Entrance:
    """Microseconds of the smallest query: as graphql-core runs it, and what the hub adds."""

    bare: float
    added: float


async def measure(uri: str, directory: Path, *, rounds: int) -> Entrance:
    """Medians of some rounds."""
    settings = Settings.load(
        data_dir=directory / "entrance", port=0, mongo_database="entrance", cost_per_minute=str(10**9), operations_at_once=64
    )
    async with opened(settings, uri, role="bench") as hub:
        viewer = await hub.viewer(local_issuer(settings).mint([Role.SUPERVISOR]))
        observing = Observing(metrics.of(hub, Lines(1)), "errors")
        document = graphql.parse(SMALLEST.text)
        bare, whole = [], []
        for _ in range(2 * rounds):
            bare.append(await _bare(hub, viewer, document))
            whole.append(await _whole(hub, viewer, observing))
    return Entrance(median(bare), median(whole) - median(bare))


async def _bare(hub: Hub, viewer: Viewer, document: graphql.DocumentNode) -> float:
    """The query, built and executed: what remains if the entrance is left out."""
    begun = time.process_time()
    for _ in range(TIMES):
        context = hub.context(Bearer(viewer))
        prepared: Any = graphql.Executor.build(executable(), document, context_value=context, raw_variable_values={})
        outcome = graphql.execute_root_selection_set(prepared)
        answered(await outcome if isawaitable(outcome) else outcome, context)
    return (time.process_time() - begun) / TIMES * 1e6


async def _whole(hub: Hub, viewer: Viewer, observing: Observing) -> float:
    """The same as a request has it, from its id to its numbers."""
    begun = time.process_time()
    for _ in range(TIMES):
        signals.begin(signal := Signal(signals.request_id(None), observing))
        observing.begin(signal)
        hub.executor.kind(SMALLEST, viewer)
        await hub.executor.run(SMALLEST, hub.context(Bearer(viewer)))
        observing.end(signal)
    return (time.process_time() - begun) / TIMES * 1e6
