"""`python -m bench`: measures on a mongod of its own, prints Markdown, and cleans up after itself."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson
import structlog
import uvloop

from bench import commands, serving
from bench.load import WARM_UP
from bench.machine import ROOT, Machine
from bench.report import Report
from hub import mongod
from hub.settings import Settings

PROOF: Final = ROOT / "docs" / "proofs" / "bench.md"
SETTING_UP: Final = 15.0  # seconds for mongod, the hub, and what they are filled with
AT_MOST: Final = 4  # times what was expected; a machine that needs longer says nothing


def main() -> None:
    """Measure, and tell."""
    asked = arguments()
    each = len(commands.ACTS) * len(commands.CONTENDERS) + len(serving.OPERATIONS)
    expected = each * len(asked.clients) * asked.rounds * (asked.seconds + WARM_UP) + SETTING_UP
    print(f"Measuring, for about {expected:.0f} seconds.", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C does: what was started is ended
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with (
        tempfile.TemporaryDirectory(prefix="hub-bench-") as directory,
        mongod.start(Path(directory) / "mongod", binary=Settings.load().mongod) as running,
    ):
        machine = Machine.here(running.uri)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measuring = measured(asked, machine, running.uri, Path(directory) / "hub")
            report = runner.run(asyncio.wait_for(measuring, AT_MOST * expected))
    print(report.markdown(), end="")
    if asked.write:
        PROOF.parent.mkdir(parents=True, exist_ok=True)
        PROOF.write_text(report.markdown())
    if asked.json:
        asked.json.write_bytes(orjson.dumps(report.json(), option=orjson.OPT_INDENT_2))


async def measured(asked: argparse.Namespace, machine: Machine, uri: str, directory: Path) -> Report:
    """Commits alone, then the hub as it is served; one after the other, so that neither disturbs the other."""
    pace = {"clients": asked.clients, "seconds": asked.seconds, "rounds": asked.rounds}
    together = await commands.measure(uri, **pace)
    served = await serving.measure(uri, directory, **pace)
    return Report(machine, asked.seconds, asked.rounds, together, served)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.2, help="of each measurement (1.2)")
    parser.add_argument("--rounds", type=int, default=3, help="in which the contenders take turns (3)")
    parser.add_argument("--clients", type=numbers, default=[1, 16, 64, 256], help="at once (1,16,64,256)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, for a program")
    parser.add_argument("--write", action="store_true", help="write what is printed to docs/proofs/bench.md")
    return parser.parse_args()


def numbers(text: str) -> Sequence[int]:
    """1,16,64 as numbers."""
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
