"""`GET /metrics`: what an operator's Prometheus asks for. Numbers of the whole hub, about nobody.

A number is counted where something happens (`observing`), or looked at when it is asked for (`Metrics.watch`). Workers
behind one port keep theirs in files that all of them map, one set for each worker's number: whichever is asked answers for
all. What a dead one has counted stays, and the one that takes its place counts on; what it was doing is over, so its gauges
go with it (`forget`).
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import Response

from hub.web.hub import Hub
from hub.web.lines import Lines

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus-client maps its files
EVERY: Final = 1.0  # seconds between two looks of a worker that is not the one asked
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128)  # up to a full batch

Mode = Literal["livesum", "livemin", "livemax"]  # what the hub's number is, of those of its workers

disable_created_metrics()  # type: ignore[no-untyped-call]
values.ValueClass = values.MutexValue  # whatever the environment says; `share` is what changes it


def directory(data_dir: Path, port: int) -> Path:
    """Where the workers of one port keep their numbers."""
    return data_dir / f"metrics-{port}"


def fresh(place: Path) -> None:
    """An empty directory for workers that begin."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)


def share(place: Path, number: int) -> None:
    """From now on this process counts as this worker; to be called before anything is counted."""
    os.environ[DIRECTORY] = str(place)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]


def forget(place: Path, number: int) -> None:
    """This worker is dead: what it was doing is over."""
    mark_process_dead(number, str(place))  # type: ignore[no-untyped-call]


class Metrics:
    """The numbers of one application, in a registry of its own: two hubs in one process do not mix theirs."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._looks: list[Callable[[], None]] = []
        self.is_shared = values.ValueClass is not values.MutexValue
        self.operations = self.counter(
            "hub_operations", "Operations, by type and trusted document; `-` is what was none.", "type", "trusted"
        )
        self.errors = self.counter("hub_errors", "Errors that were told, at the top and in payloads.", "code")
        self.seconds = self.histogram("hub_operation_seconds", "How long queries and mutations took to answer.", SECONDS, "type")
        self.cost = self.counter("hub_operation_cost", "What operations were estimated at before they ran.", "type")
        self.refused = self.counter("hub_refused_connections", "Sockets and event streams that were not let in.", "door", "why")
        self.closed = self.counter("hub_sockets_closed", "Sockets that the hub has closed, by code.", "code")
        self.interactions = self.counter(
            "hub_interactions", "Interactions that came into a state.", "channel", "direction", "vertical", "status"
        )
        self.entries = self.counter("hub_journal_entries", "Entries that were committed.")
        self.commands = self.histogram("hub_commit_commands", "Commands that were committed together.", COMMANDS)
        self.committing = self.histogram("hub_commit_seconds", "How long transactions took.", SECONDS)

    def counter(self, name: str, about: str, *labels: str) -> Counter:
        """A number that only grows; it is shown as `<name>_total`."""
        return Counter(name, about, labels, registry=self._registry)

    def histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """How many were how large."""
        return Histogram(name, about, labels, buckets=buckets, registry=self._registry)

    def watch(self, name: str, about: str, look: Callable[[], float], mode: Mode = "livesum") -> None:
        """A number that goes up and down; `look` gives it, quickly and without waiting. A bool is 0 or 1."""
        gauge = Gauge(name, about, registry=self._registry, multiprocess_mode=mode)
        self._looks.append(lambda: gauge.set(float(look())))

    def follow(self, name: str, about: str, look: Callable[[], float]) -> None:
        """A number that only grows while the process lives, and that somebody else counts."""
        counter, seen = self.counter(name, about), 0.0

        def grow() -> None:
            nonlocal seen
            now = look()
            counter.inc(max(0.0, now - seen))
            seen = now

        self._looks.append(grow)

    def look(self) -> None:
        """Note what is watched and followed as it is now."""
        for look in self._looks:
            look()

    async def run(self) -> None:
        """Look again and again, for others who are asked."""
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def text(self) -> bytes:
        """All of them, of all workers, in Prometheus's text format."""
        if not self.is_shared:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def of(hub: Hub, lines: Lines) -> Metrics:
    """What there is to tell of every hub."""
    metrics, journal = Metrics(), hub.journal
    bus, feed, audit = journal.bus, journal.feed, journal.audit
    metrics.watch("hub_processes", "Processes of this hub that answer.", lambda: 1)
    metrics.watch("hub_draining", "Processes that send their clients away.", lambda: lines.is_draining)
    metrics.watch("hub_bus_up", "Whether hints arrive from other processes (0: the poll bridges it).", lambda: bus.is_up, "livemin")
    metrics.follow("hub_bus_hints", "Hints that the bus has brought.", lambda: bus.hints)
    metrics.watch("hub_journal_head", "The last entry of the journal, as it is known.", lambda: feed.known, "livemax")
    metrics.watch("hub_feed_position", "The last entry of the journal that was handed on.", lambda: feed.position, "livemin")
    metrics.watch("hub_feed_lag_seconds", "How old what streams tell may be; up to a second is usual.", lambda: feed.lag, "livemax")
    metrics.watch("hub_feed_behind", "Whether the log cannot be read, so that streams stand still.", lambda: feed.is_behind, "livemax")
    metrics.watch("hub_subscribers", "Subscriptions that follow the journal.", lambda: journal.cohorts.subscribers)
    metrics.watch("hub_lines_open", "Sockets and event streams that are open.", lambda: len(lines))
    metrics.watch("hub_audit_full", "Whether reads are refused because they cannot be recorded.", lambda: audit.is_full, "livemax")
    metrics.watch("hub_audit_waiting", "Records that wait to be written.", lambda: audit.waiting)
    return metrics


async def scraped(request: Request) -> Response:
    """The numbers of now; of other workers, of a second ago at most."""
    metrics: Metrics = request.app.state.metrics
    metrics.look()
    return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})
