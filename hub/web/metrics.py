"""`GET /metrics`: what an operator's Prometheus asks for, computed when it asks. Numbers of this process alone, about nobody.

Whoever has something to count adds it where the application is made: `metrics.gauge("hub_sockets_open", "...", lambda: len(open))`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from hub.web.hub import Hub
from hub.web.lines import Lines

PROCESS: Final = ("process",)  # the label that tells workers behind one port apart

Family = type[GaugeMetricFamily] | type[CounterMetricFamily]


class Metrics(Collector):
    """The numbers of one application, in a registry of its own: two hubs in one process do not mix theirs."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._asked: dict[str, tuple[Family, str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def gauge(self, name: str, about: str, look: Callable[[], float]) -> None:
        """A number that goes up and down; `look` gives it, quickly and without waiting. A bool is 0 or 1."""
        self._asked[name] = (GaugeMetricFamily, about, look)

    def counter(self, name: str, about: str, look: Callable[[], float]) -> None:
        """A number that only grows while the process lives; its name ends in `_total`."""
        self._asked[name] = (CounterMetricFamily, about, look)

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Every number, as it is now."""
        for name, (family, about, look) in self._asked.items():
            numbers = family(name, about, labels=PROCESS)
            numbers.add_metric([self._process], float(look()))
            yield numbers

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self._registry)


def of(hub: Hub, lines: Lines) -> Metrics:
    """What there is to tell of every hub."""
    metrics, journal = Metrics(hub.role), hub.journal
    metrics.gauge("hub_bus_up", "Whether hints arrive from other processes (0: the poll bridges it).", lambda: journal.bus.is_up)
    metrics.counter("hub_bus_hints_total", "Hints that the bus has brought.", lambda: journal.bus.hints)
    metrics.gauge("hub_feed_position", "The last entry of the journal that was handed on.", lambda: journal.feed.position)
    metrics.gauge("hub_feed_behind", "Whether the log cannot be read, so that streams stand still.", lambda: journal.feed.is_behind)
    metrics.gauge("hub_subscribers", "Subscriptions that follow the journal.", lambda: journal.cohorts.subscribers)
    metrics.gauge("hub_lines_open", "Sockets and event streams that are open.", lambda: len(lines))
    metrics.gauge("hub_audit_full", "Whether reads are refused because they cannot be recorded.", lambda: journal.audit.is_full)
    return metrics


async def scraped(request: Request) -> Response:
    """The numbers of now."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})
