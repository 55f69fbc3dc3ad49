"""Spans of operations and commits, told over OTLP. The one place that knows OpenTelemetry, which is an extra.

A span holds what the access line holds, and nothing else: no text, no variable, no token, nobody's name.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hub.graph.signals import Signal
from hub.journal.batch import Decided

NAME: Final = "interaction-hub"
PARENT: Final = TraceContextTextMapPropagator()  # W3C Trace Context


@cache
def provider() -> TracerProvider:
    """The one of this process, as OTEL_* configures it; what waits is sent when the process ends."""
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):  # OTEL_SERVICE_NAME does not say otherwise
        resource = resource.merge(Resource({"service.name": NAME}))
    made = TracerProvider(resource=resource)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


class Spans:
    """A span for each operation, within the trace of whoever asked, and one for each commit."""

    def __init__(self, made_by: TracerProvider) -> None:
        self._tracer = made_by.get_tracer(NAME)

    def begin(self, signal: Signal, headers: Mapping[str, str]) -> None:
        """In the task that answers: what libraries trace there becomes part of it."""
        parent = PARENT.extract(headers)
        span = self._tracer.start_span("operation", context=parent, kind=SpanKind.SERVER)
        context.attach(set_span_in_context(span, parent))  # for as long as the task lives, which is of this operation alone
        signal.trace = span

    def end(self, signal: Signal) -> None:
        """With what has become known meanwhile (OpenTelemetry, "Semantic Conventions for GraphQL Server")."""
        span: Span = signal.trace
        if signal.type != "-":
            span.update_name(signal.type)
            span.set_attribute("graphql.operation.type", signal.type)
        if signal.name is not None:
            span.set_attribute("graphql.operation.name", signal.name)
        if signal.trusted is not None:
            span.set_attribute("graphql.document.id", signal.trusted)
        span.set_attribute("hub.door", signal.door)
        span.set_attribute("hub.request_id", signal.request_id)
        if signal.codes:
            span.set_attribute("hub.error_codes", list(dict.fromkeys(signal.codes)))
        if "INTERNAL_ERROR" in signal.codes:
            span.set_status(StatusCode.ERROR)
        span.end()

    def committed(self, decided: Decided) -> None:
        """A transaction, after the fact: nothing waits for its span."""
        if not decided.ended:
            return
        span = self._tracer.start_span("commit", context=context.Context(), start_time=decided.began)
        span.set_attribute("hub.commands", len(decided.answers))
        span.set_attribute("hub.entries", len(decided.written))
        span.set_attribute("hub.position", decided.position + len(decided.written))
        span.end(decided.ended)
