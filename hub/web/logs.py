"""Logs: a line each on standard error, for people on a terminal, as JSON elsewhere, with the id of the request they are about.

No line holds a token, a variable, or what a document says of anybody; what libraries have to say comes out the same way.
"""

import logging
import sys
from typing import Any, Final

import orjson
import structlog

from hub.settings import Settings

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: Settings) -> None:
    """For the whole process."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer(_json)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    told = logging.StreamHandler(sys.stderr)
    told.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [told]
    logging.root.setLevel(max(LEVELS[settings.log_level], logging.WARNING))  # what libraries tell below that is not for operators


def _json(line: Any, **_: Any) -> str:
    return orjson.dumps(line, default=str).decode()
