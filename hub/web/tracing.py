"""Whether operations and commits are traced: where the extra `otel` is installed, and OpenTelemetry's own variables say where to.

Nothing of it is loaded otherwise.
"""

import os
from collections.abc import Mapping
from typing import Final

from hub.errors import StartupError
from hub.web.observing import Tracer

try:
    from hub.web import otel
except ImportError:  # the extra is not installed
    otel = None  # type: ignore[assignment]

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an operator has said where spans go to (OpenTelemetry, "Environment Variable Specification")."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


def tracer(environment: Mapping[str, str] = os.environ) -> Tracer | None:
    """What traces; None where nobody wants it. Raises StartupError where it is wanted and not installed."""
    if not is_wanted(environment):
        return None
    if otel is None:
        raise StartupError("OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: pip install 'interaction-hub[otel]'.")
    return otel.Spans(otel.provider())
