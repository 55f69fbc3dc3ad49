"""What becomes of a request's signal: numbers, a line in the log, a span for whoever traces.

One of it for each application. It must cost little: every request comes by twice.
"""

from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any, Final, Literal, Protocol, TypeVar

import structlog
from prometheus_client import Counter, Histogram

from hub.domain.terms import SubjectKind
from hub.graph.signals import Signal
from hub.journal.batch import Decided
from hub.journal.log import Entry
from hub.web.metrics import Metrics

Number = TypeVar("Number", Counter, Histogram)
AccessLog = Literal["none", "errors", "all"]

STATES: Final = frozenset({"CREATED", "STATUS_CHANGED", "CLOSED", "REOPENED"})  # the events with which an interaction comes into a state
MEASURED: Final = frozenset({"query", "mutation"})  # a subscription lasts as long as it is wanted

log = structlog.get_logger("hub.web")


class Tracer(Protocol):
    """Where spans go to."""

    def begin(self, signal: Signal, headers: Mapping[str, str]) -> None:
        """A request begins, maybe within the trace that its headers name."""
        ...

    def end(self, signal: Signal) -> None:
        """It is over."""
        ...

    def committed(self, decided: Decided) -> None:
        """A transaction was committed."""
        ...


class Labelled(dict[tuple[str, ...], Number]):
    """A metric by its labels, each looked up once: that costs three times what counting does."""

    def __init__(self, metric: Number) -> None:
        super().__init__()
        self._metric: Number = metric

    def __missing__(self, labels: tuple[str, ...]) -> Number:
        self[labels] = found = self._metric.labels(*labels)
        return found


class Observing:
    """Counts, logs and traces what happens in one application."""

    def __init__(self, metrics: Metrics, access_log: AccessLog, tracer: Tracer | None = None) -> None:
        self.metrics = metrics
        self._access_log = access_log
        self._tracer = tracer
        self._operations = Labelled(metrics.operations)
        self._seconds = Labelled(metrics.seconds)
        self._errors = Labelled(metrics.errors)
        self._cost = Labelled(metrics.cost)

    def begin(self, signal: Signal, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """A request has come."""
        if self._tracer is not None:
            self._tracer.begin(signal, {name.decode("latin-1"): value.decode("latin-1") for name, value in headers})

    def chosen(self, signal: Signal) -> None:
        """What is asked for is known."""
        self._count(signal)

    def spent(self, signal: Signal) -> None:
        """It is known what it costs."""
        self._cost[signal.type,].inc(signal.cost or 0)

    def erred(self, code: str) -> None:
        """An error was told."""
        self._errors[code,].inc()

    def end(self, signal: Signal) -> None:
        """The request is answered, or what it followed is over."""
        took = perf_counter() - signal.began
        if signal.type in MEASURED:
            self._seconds[signal.type,].observe(took)
        elif signal.type == "-":
            self._count(signal)
        if self._access_log == "all" or (signal.codes and self._access_log == "errors"):
            _log(signal, took)
        if self._tracer is not None:
            self._tracer.end(signal)

    def turned_away(self, door: str, why: str) -> None:
        """A socket or an event stream was not let in."""
        self.metrics.refused.labels(door, why).inc()

    def closed(self, code: int) -> None:
        """The hub has closed a socket."""
        self.metrics.closed.labels(code).inc()

    def committed(self, decided: Decided) -> None:
        """A batch is on disk."""
        self.metrics.commands.observe(len(decided.answers))
        self.metrics.entries.inc(len(decided.written))
        if decided.ended:  # else nobody knows when: it was found there afterwards
            self.metrics.committing.observe((decided.ended - decided.began) / 1e9)
        for one in decided.written:
            if one.entry["subject"]["kind"] == SubjectKind.INTERACTION and one.entry["type"] in STATES:
                self.metrics.interactions.labels(*_dimensions(one.entry)).inc()
        if self._tracer is not None:
            self._tracer.committed(decided)

    def _count(self, signal: Signal) -> None:
        self._operations[signal.type, signal.trusted or "-"].inc()


def _log(signal: Signal, took: float) -> None:
    """One short line: nothing that a client chose but the name, and no more of that than `signals.NAME`."""
    told: dict[str, Any] = {"door": signal.door, "type": signal.type, "ms": round(1000 * took, 2)}
    if signal.name is not None:
        told["name"] = signal.name
    if signal.trusted is not None:
        told["trusted"] = signal.trusted
    if signal.codes:
        told["codes"] = list(dict.fromkeys(signal.codes))
    log.info("operation", request_id=signal.request_id, **told)


def _dimensions(entry: Entry) -> tuple[str, str, str, str]:
    """Channel, direction, vertical and status: each of a short list, `-` where there is none."""
    facts = entry["facts"]
    channels = facts.get("channels") or ["-"]
    channel = entry.get("data", {}).get("channel") or (channels[0] if len(channels) == 1 else "several")
    return channel, facts.get("direction", "-"), facts.get("vertical", "-"), facts["status"]
