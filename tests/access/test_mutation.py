"""Whether these tests would notice: of the changes that can be made to hub/access, how many fail a test."""

import os
import re
import subprocess
import sys
from typing import Final

import pytest

from tests.mutation import ROOT
from tests.proofs import write_down

LEAST: Final = 0.9
SHARE: Final = 0.25  # of all mutants: some eight minutes on two cores; MUTANTS=1 takes all of them

ABOUT: Final = """
Each mutant is `hub/access` with one change: a comparison turned round, a condition negated, a number one higher, a call or a
raise left out. It is noticed where a test of `tests/access` fails. Sentences for people are not changed.
"""


@pytest.mark.prove
def test_nine_of_ten_mutants_of_access_are_noticed() -> None:
    """Writes docs/proofs/mutants.md."""
    share, lanes = os.environ.get("MUTANTS", str(SHARE)), os.cpu_count() or 1
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.mutation", "hub/access", "tests/access", share, str(lane), str(lanes)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for lane in range(lanes)
    ]
    lines = [line for process in running for line in process.communicate()[0].splitlines()]
    counts = [tuple(map(int, found.groups())) for line in lines if (found := re.fullmatch(r"noticed (\d+) of (\d+)", line))]
    noticed, tried = (sum(column) for column in zip(*counts, strict=True))
    survivors = sorted(line for line in lines if not line.startswith("noticed "))
    rows = [f"| {tried} | {noticed} | {noticed / tried:.1%} |", "", "What no test noticed:", "", *(f"- `{line}`" for line in survivors)]
    write_down("mutants", "What the tests of access notice", ABOUT, ["| mutants | noticed | score |", "|--:|--:|--:|", *rows])

    assert len(counts) == lanes
    assert noticed >= LEAST * tried
