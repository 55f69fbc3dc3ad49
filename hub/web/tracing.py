"""Whether operations and commits are traced: where the extra `otel` is installed, and OpenTelemetry's own variables say where to.

Nothing of it is loaded otherwise.
"""

import contextlib
import os
from collections.abc import Mapping
from typing import Any, Final, cast

from hub.errors import StartupError
from hub.web.observing import Tracer

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an operator has said where spans go to (OpenTelemetry, "Environment Variable Specification")."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


loaded: Any = None  # the module `otel`
if is_wanted(os.environ):  # it takes a quarter of a second
    with contextlib.suppress(ImportError):
        from hub.web import otel

        loaded = otel


def check() -> None:
    """Raises StartupError where spans are wanted and the extra is not installed."""
    if loaded is None and is_wanted(os.environ):
        raise StartupError("OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not here: pip install 'interaction-hub[otel]'.")


def tracer() -> Tracer | None:
    """What traces; None where nobody wants it."""
    check()
    return None if loaded is None else cast(Tracer, loaded.Spans(loaded.provider()))
