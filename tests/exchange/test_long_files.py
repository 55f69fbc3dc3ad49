"""Long files, imported by the command as it is typed: cut and gone on with, watched on a terminal, and never held whole."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from pymongo import MongoClient

from tests.test_cli import HUB, PATIENCE, SECRET, environment, until
from tests.typed import Done, hub

COUNT: Final = 4_000
Document = dict[str, Any]


class Place:
    """A database and a data directory of one test."""

    def __init__(self, uri: str, data_dir: Path) -> None:
        self.name = f"hub-{uuid4().hex[:8]}"
        self.data_dir = data_dir
        self._uri = uri
        self._variables = {"HUB_MONGO_URI": uri, "HUB_MONGO_DATABASE": self.name, "HUB_SECRET": SECRET}

    def begin(self, *words: object, by: Sequence[str] = (), **to: Any) -> subprocess.Popen[str]:
        command = [*by, HUB, "import", *map(str, words), "--data-dir", str(self.data_dir)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | to
        return subprocess.Popen(command, env=environment(**self._variables), text=True, **streams)

    def typed(self, *words: object) -> Done:
        return hub("import", *words, "--data-dir", self.data_dir, **self._variables)

    def run(self, *words: object) -> list[str]:
        done = self.typed(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    @property
    def checkpoints(self) -> list[Path]:
        return list((self.data_dir / "imports").glob("*.json"))

    def values(self) -> list[str]:
        """The external identifiers that are there."""
        with MongoClient[Document](self._uri) as client:
            found = client[self.name]["interactions"].find({}, {"externalIdentifiers": 1})
            return [one["externalIdentifiers"][0]["value"] for one in found]


@pytest.fixture
def place(mongo_uri: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(mongo_uri, tmp_path / "data")
    yield place
    with MongoClient[Document](mongo_uri) as client:
        client.drop_database(place.name)


def write(path: Path, document: Document, form: str, count: int = COUNT, **more: Any) -> Path:
    """A file of so many records; each 500th is broken, and each 400th needs a repair."""
    lines = []
    for number in range(1, count + 1):
        odd = {"direction": "inbounds"} if number % 400 == 0 else {}
        lines.append(json.dumps(document | {"id": f"n{number}"} | odd | more) if number % 500 else '{"id": broken}')
    path.write_text("[\n" + ",\n".join(lines) + "\n]" if form == "array" else "\n".join(lines))
    return path


def counts(line: str) -> tuple[int, ...]:
    """Imported, already there, repairs, skipped."""
    return tuple(map(int, re.findall(r"\d+", line)))


# ---------------------------------------------------------------- cut, and gone on with


@contextmanager
def cut(place: Place, number: signal.Signals, *words: object) -> Iterator[int]:
    """An import that is ended once it has kept where it stands; gives its exit code."""
    process = place.begin(*words, stdout=subprocess.DEVNULL)
    try:
        until(lambda: place.checkpoints or process.poll() is not None)
        process.send_signal(number)
        yield process.wait(PATIENCE)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("form", [pytest.param("array", marks=pytest.mark.prove), "lines"])
@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.prove)])
def test_an_import_that_was_cut_goes_on_where_it_was(
    place: Place, tmp_path: Path, document: Document, form: str, number: signal.Signals
) -> None:
    file, report = write(tmp_path / "many.json", document, form), tmp_path / "report"

    with cut(place, number, file, "--report", report) as ended:
        assert ended == {signal.SIGKILL: -9, signal.SIGINT: 130}[number]
    made = len(place.values())
    second = place.run(file, "--report", report)

    assert 0 < made < COUNT
    begun = re.fullmatch(r"Goes on after (?:record|line) ([\d,]+), where it was cut\.", second[0])
    assert begun is not None
    assert int(begun.group(1).replace(",", "")) >= 1_000
    imported, already_there, _, skipped = counts(second[-1])
    broken = COUNT // 500
    assert (imported + already_there + skipped, skipped) == (COUNT, broken)
    assert already_there <= 1_300  # what was under way when it was cut
    assert sorted(place.values()) == sorted(f"n{number}" for number in range(1, COUNT + 1) if number % 500)
    assert place.checkpoints == []
    told = re.findall(r"(?:record|line) (\d+): skipped", report.read_text())
    assert {int(one) for one in told} == set(range(500, COUNT + 1, 500))


def test_from_start_and_where_the_file_has_changed_every_record_is_looked_at_again(
    place: Place, tmp_path: Path, document: Document
) -> None:
    file = write(tmp_path / "many.json", document, "lines")
    with cut(place, signal.SIGKILL, file):
        made = len(place.values())
    (checkpoint,) = place.checkpoints
    kept = checkpoint.read_bytes()

    second = place.run(file, "--from-start")
    checkpoint.write_bytes(kept)
    write(file, document, "lines", COUNT + 1)
    third = place.run(file)

    all_of_them = COUNT - COUNT // 500
    assert not second[0].startswith("Goes on")
    assert counts(second[-1])[:2] == (all_of_them - made, made)
    assert not third[0].startswith("Goes on")
    assert counts(third[-1])[:2] == (1, all_of_them)
    assert len(place.values()) == all_of_them + 1


def test_a_pipe_has_a_name_and_no_checkpoint(place: Place, tmp_path: Path, document: Document) -> None:
    os.mkfifo(tmp_path / "pipe")
    lines = write(tmp_path / "lines", document, "lines", 1_100).read_text()

    process = place.begin(tmp_path / "pipe")
    (tmp_path / "pipe").write_text(lines)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, err, counts(out.splitlines()[-1])) == (0, "", (1_098, 0, 2, 2))
    assert not (place.data_dir / "imports").exists()


# ---------------------------------------------------------------- what is told


def test_a_long_file_is_told_by_kind_and_its_report_has_every_line(place: Place, tmp_path: Path, document: Document) -> None:
    file = write(tmp_path / "many.json", document, "lines", 300, status="ongoing", resolution=None)

    out = place.run(file, "--report", tmp_path / "report")

    assert len([line for line in out if line.startswith("line ")]) == 100
    assert out[100] == "Further lines are held back: the summary counts them, and --report FILE writes them all."
    assert '300 x status: read "..." as IN_PROGRESS; first at line 1' in out
    assert out[-1] == "300 interactions imported, 0 already there, 600 repairs and 0 records skipped."
    assert len((tmp_path / "report").read_text().splitlines()) == 600


def test_what_is_imported_is_not_overwritten_by_its_report(place: Place, tmp_path: Path, document: Document) -> None:
    file = write(tmp_path / "many.json", document, "lines", 3)
    before = file.read_text()

    done = place.typed(file, "--report", file)

    assert done.stderr == f"hub: {file} is what is imported: name another file for the report.\n"
    assert (done.returncode, file.read_text(), place.values()) == (1, before, [])


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(place: Place, tmp_path: Path, document: Document) -> None:
    file = write(tmp_path / "many.json", document, "array", 800)
    reader, terminal = pty.openpty()

    process = place.begin(file, stderr=terminal)
    os.close(terminal)
    drawn = b"".join(iter(lambda: _some(reader), b""))
    out, _ = process.communicate(timeout=60)
    os.close(reader)

    assert re.search(rb"\[#*-*\] +\d+%  [\d.]+ of [\d.]+ MB  [\d,]+/s  [\d,]+ imported", drawn)
    assert drawn.endswith(b"\r\x1b[K")
    assert "\x1b" not in out
    assert out.splitlines()[-1].startswith("799 interactions imported")


def _some(reader: int) -> bytes:
    try:
        return os.read(reader, 65_536)
    except OSError:  # the terminal's other end is closed
        return b""


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("form", [pytest.param("array", marks=pytest.mark.prove), "lines"])
def test_memory_does_not_grow_with_the_file(place: Place, tmp_path: Path, document: Document, form: str) -> None:
    few = _peak(place, write(tmp_path / "few.json", document, form, 300, pad="x" * 60_000))
    many = _peak(place, write(tmp_path / "many.json", document, form, 900, pad="y" * 60_000))

    assert (tmp_path / "many.json").stat().st_size > 48 << 20
    assert many < few + (16 << 20)


def _peak(place: Place, file: Path) -> int:
    """Bytes that the import held at most; asked for by a small process, for a child begins with what its parent holds."""
    asking = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=2); "
    asking += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    process = place.begin(file, by=[sys.executable, "-c", asking])
    out, err = process.communicate(timeout=120)
    assert " imported, " in err
    return int(out) << 10
