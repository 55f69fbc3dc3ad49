"""A command of the hub run to its end in this process: what is typed goes in, what is printed and its exit code come out.

A process of its own takes a second to begin, most of it to import what is here already; tests/test_cli.py starts one where
the process is the point."""

import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from typer.testing import CliRunner

from hub.cli import app

RUNNER = CliRunner()


@dataclass(frozen=True)
class Done:
    """What came of it, in the words of `subprocess`."""

    returncode: int
    stdout: str
    stderr: str


def hub(*arguments: object, given: str = "", **variables: str) -> Done:
    """Run a command with these settings of a hub and no others."""
    hidden = dict.fromkeys(name for name in os.environ if name.startswith("HUB_"))
    with _untouched():
        result = RUNNER.invoke(app, [*map(str, arguments)], input=given, env={**hidden, **variables}, prog_name="hub")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


@contextlib.contextmanager
def _untouched() -> Iterator[None]:
    """A command sets its process up for logs and signals; this one goes on."""
    term, handlers, level, logs = signal.getsignal(signal.SIGTERM), logging.root.handlers[:], logging.root.level, structlog.get_config()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, term)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        structlog.configure(**logs)
