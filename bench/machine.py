"""Where and on what figures were taken."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pymongo import MongoClient, version

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader must know to compare."""

    cores: int
    processor: str
    python: str
    mongod: str
    driver: str
    date: str
    commit: str

    @classmethod
    def here(cls, uri: str) -> "Machine":
        """This machine, and the mongod at `uri`."""
        with MongoClient[dict[str, object]](uri) as client:
            mongod = str(client.admin.command("buildInfo")["version"])
        return cls(
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            processor=_processor(),
            python=platform.python_version(),
            mongod=mongod,
            driver=f"PyMongo {version} (async)",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            commit=_commit(),
        )

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}) shared by mongod, the hub and its clients; "
            f"mongod {self.mongod}, Python {self.python}, {self.driver}, uvloop; {self.date}, commit {self.commit}."
        )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    """The commit measured; with a + where the working tree had moved on from it."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--exclude", "*", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
