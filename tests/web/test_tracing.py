"""Spans: one for each operation and each commit, for whoever wants them; without the extra there are none, and the hub runs."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hub.web.otel import Spans
from hub.web.tracing import is_wanted
from tests.api import Api
from tests.test_cli import begun, until
from tests.web.test_logs import observing_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WITHOUT = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Gone())
from hub.cli import app
app(prog_name="hub")
"""
TRACED = """
from hub.graph.signals import Signal
from hub.web import tracing
tracer = tracing.tracer()
signal = Signal("r-1")
tracer.begin(signal, {})
tracer.end(signal)
"""


@pytest.fixture
def spans(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(observing_of(shared_api), "_tracer", Spans(provider))
    yield exporter
    provider.shutdown()


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


async def test_an_operation_is_a_span_within_its_clients_trace_and_says_nothing_of_anybody(
    shared_api: Api, spans: InMemorySpanExporter
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "mine", "authorization": f"Bearer {shared_api.as_agent.token}"}
    text = "query Desk($id: ID!) { interaction(id: $id) { id } interactions(first: 0) { totalCount } }"
    await shared_api.client.post("/graphql", json={"query": text, "variables": {"id": "Zora"}}, headers=headers)

    span = named(spans, "query")
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert dict(span.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Desk",
        "hub.door": "http",
        "hub.request_id": "mine",
        "hub.error_codes": ("BAD_USER_INPUT",),
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_mutation_on_a_socket_is_a_span_and_its_commit_another(shared_api: Api, spans: InMemorySpanExporter) -> None:
    async with shared_api.as_agent.socket() as stream:
        text = "mutation { createInteraction(input: {direction: INBOUND, channel: PHONE}) { errors { code } } }"
        await stream.subscribe("1", text)
        assert (await stream.receive())["payload"]["data"]["createInteraction"]["errors"] == []
        assert (await stream.receive())["type"] == "complete"

    commit = named(spans, "commit")
    assert (commit.attributes or {})["hub.commands"] == 1
    assert commit.start_time is not None
    assert commit.end_time is not None
    assert 0 < commit.end_time - commit.start_time < 8e9
    assert (named(spans, "mutation").attributes or {})["hub.door"] == "socket"


def test_spans_are_told_over_otlp_where_opentelemetrys_variables_say_so() -> None:
    told: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.append(ExportTraceServiceRequest.FromString(gzip.decompress(body) if self.headers.get("content-encoding") else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        try:
            given = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}", "NO_PROXY": "*"}
            subprocess.run([sys.executable, "-c", TRACED], env=os.environ | given, check=True, timeout=60)
        finally:
            collector.shutdown()
            thread.join()

    (resource,) = told[0].resource_spans
    assert {one.value.string_value for one in resource.resource.attributes if one.key == "service.name"} == {"interaction-hub"}
    assert [span.name for span in resource.scope_spans[0].spans] == ["operation"]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_nobody_is_traced_unasked(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) is wanted


def test_without_the_extra_the_hub_serves_and_says_what_is_missing_only_where_spans_are_wanted(tmp_path: Path) -> None:
    command = (sys.executable, "-c", WITHOUT, "serve", "--port", "0", "--data-dir", str(tmp_path / "data"))
    with begun(tmp_path, *command) as process:
        until(lambda: process.lines or process.running.poll() is not None)
        assert "answers at" in process.lines[0]
        assert process.end() == 0
    with begun(tmp_path, *command, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318") as refused:
        assert refused.running.wait(60) == 1

    assert process.err.read_text() == ""
    assert refused.err.read_text() == (
        "hub: OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not here: pip install 'interaction-hub[otel]'.\n"
    )
