"""Where the long proofs write down what they found: docs/proofs, with date, commit and machine."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub import mongod

PROOFS: Final = Path(__file__).parents[1] / "docs" / "proofs"


def write_down(name: str, title: str, about: str, rows: Sequence[str]) -> None:
    """The proof, for people: what it is about, and a table or sentences of what was found."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True).stdout.strip()
    said = subprocess.run([mongod._program(None), "--version"], capture_output=True, text=True, check=True).stdout
    made = (
        f"{datetime.now(UTC):%d %B %Y}, commit {commit}, {platform.machine()} with {os.cpu_count()} cores, {platform.system()},\n"
        f"Python {platform.python_version()}, mongod {said.split()[2].lstrip('v')}. Made by `make prove`."
    )
    (PROOFS / f"{name}.md").write_text("\n".join([f"# {title}", "", made, "", about.strip(), "", *rows, ""]))
