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

from bench import access, commands, entrance, questions, reading, serving, streams
from bench.load import WARM_UP
from bench.machine import ROOT, Machine
from bench.report import Report
from hub import mongod
from hub.settings import Settings

PROOF: Final = ROOT / "docs" / "proofs" / "bench.md"
SETTING_UP: Final = 15.0  # seconds for mongod, the hub, and what they are filled with
ROW: Final = 300e-6  # seconds to write one and keep it in every index; half of that on a machine with nothing else to do
RIGHTS: Final = 2.0  # seconds for what rights cost, in one round
SMALLEST: Final = 3.0  # seconds for what the entrance costs, in one round
ANSWER: Final = 0.15  # seconds of one question in one round, in companies of two sizes
SECTIONS: Final = ("commands", "serving", "access", "entrance", "streams", "reading")
AT_MOST: Final = 4  # times what was expected; a machine that needs longer says nothing


def main() -> None:
    """Measure, and tell."""
    asked = arguments()
    expected = seconds(asked)
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
    """Commits alone, then the hub as it is served, then as it reads; one after the other, so that none disturbs the others."""
    pace = {"clients": asked.clients, "seconds": asked.seconds, "rounds": asked.rounds}
    together = await commands.measure(uri, **pace) if "commands" in asked.only else []
    served = await serving.measure(uri, directory, **pace) if "serving" in asked.only else []
    rights = await access.measure(uri, directory, rounds=asked.rounds) if "access" in asked.only else None
    entered = await entrance.measure(uri, directory, rounds=asked.rounds) if "entrance" in asked.only else None
    told = await streams.measure(uri, directory, seconds=asked.seconds, rounds=asked.rounds) if "streams" in asked.only else None
    read = await reading.measure(uri, directory, rows=asked.rows, rounds=asked.rounds) if "reading" in asked.only else None
    return Report(machine, asked.seconds, asked.rounds, together, served, rights, entered, told, read)


def seconds(asked: argparse.Namespace) -> float:
    """How long it will take, about."""
    acts = {"commands": len(commands.ACTS) * len(commands.CONTENDERS), "serving": len(serving.OPERATIONS)}
    each = sum(many for section, many in acts.items() if section in asked.only)
    expected: float = each * len(asked.clients) * asked.rounds * (asked.seconds + WARM_UP) + SETTING_UP
    expected += RIGHTS * asked.rounds * ("access" in asked.only) + SMALLEST * asked.rounds * ("entrance" in asked.only)
    if "streams" in asked.only:
        expected += streams.expected(asked.seconds, asked.rounds)
    if "reading" in asked.only:
        expected += ROW * sum(asked.rows) + ANSWER * len(questions.QUESTIONS) * (asked.rounds + reading.PROBED)
    return expected


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.2, help="of each measurement (1.2)")
    parser.add_argument("--rounds", type=int, default=3, help="in which the contenders take turns (3)")
    parser.add_argument("--clients", type=numbers, default=[1, 16, 64, 256], help="at once (1,16,64,256)")
    parser.add_argument("--rows", type=numbers, default=[10_000, 1_000_000], help="interactions to read among (10000,1000000)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=SECTIONS, help="of " + ",".join(SECTIONS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, for a program")
    parser.add_argument("--write", action="store_true", help="write what is printed to docs/proofs/bench.md")
    asked = parser.parse_args()
    if unknown := set(asked.only) - set(SECTIONS):
        parser.error(f"--only knows {', '.join(SECTIONS)}, not {', '.join(sorted(unknown))}")
    if asked.write and set(asked.only) != set(SECTIONS):
        parser.error("--write writes all of docs/proofs/bench.md: it does not go with --only")
    return asked


def numbers(text: str) -> Sequence[int]:
    """1,16,64 as numbers."""
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
