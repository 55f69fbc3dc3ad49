"""What npm installs for a test, once for each lock: it stays in the virtual environment, for whoever has the same lock."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

KEPT: Final = Path(sys.prefix) / "npm"


def packages(project: Path) -> Path:
    """The `node_modules` of a project's lock; a test that finds no node, or no way to install them, is skipped."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node and npm here")
    lock = (project / "package-lock.json").read_bytes()
    place = KEPT / hashlib.sha256(lock).hexdigest()[:16]
    if not place.exists():
        KEPT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as making:
            made = Path(making) / "made"
            made.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(project / name, made)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm could not install the packages: {done.stderr.strip().splitlines()[-1:]}")
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(place)
    return place / "node_modules"


def workshop(project: Path, place: Path) -> Path:
    """A copy of a project beside its packages, where its scripts may write."""
    found = packages(project)
    shutil.copytree(project, place, ignore=shutil.ignore_patterns("*.py", "__pycache__", "node_modules", "build"))
    (place / "node_modules").symlink_to(found)
    return place
