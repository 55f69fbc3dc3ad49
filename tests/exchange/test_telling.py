"""What an import tells: by kind, as far as a person reads, on a terminal that is there; and what it keeps of where it stands."""

import io
from pathlib import Path

import pytest

from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import RelationshipType
from hub.exchange.checkpoints import Checkpoint, Checkpoints
from hub.exchange.importing import Summary
from hub.exchange.lenient import Unreadable
from hub.exchange.linking import Waiting
from hub.exchange.progress import Bar, Standing
from hub.exchange.records import Form, Position
from hub.exchange.reports import SHOWN, Reports, reporting
from hub.exchange.tally import KINDS, OTHERS, Kind, Tally

# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('status: read "on"going" as IN_PROGRESS.', 'status: read "..." as IN_PROGRESS'),
        ("interactionItem[12].note[3].date: is missing.", "interactionItem[].note[].date: is missing"),
        ("creationDate: is missing; 2024-03-05T08:55:00.000Z was taken.", "creationDate: is missing; ... was taken"),
        ("id: is missing; a digest stands for it: sha256:00ab12.", "id: is missing; a digest stands for it: ..."),
        ("reason: has 612 characters and was cut to 500.", "reason: has ... characters and was cut to ..."),
        ("skipped: it is no JSON: Expecting value at line 3, column 7.", "skipped: it is no JSON: Expecting value at line ..., column ..."),
    ],
)
def test_a_kind_is_what_was_met_whatever_its_values(line: str, kind: str) -> None:
    tally = Tally()

    tally.add("line 1", line)

    assert [one.what for one in tally] == [kind]


def test_kinds_are_counted_with_their_first_place_and_a_bounded_number_of_them() -> None:
    tally = Tally()
    for number in range(10 * KINDS):
        tally.add(f"line {number}", f"{'x' * number}: odd")
        tally.add(f"line {number}", "status: odd")

    found = {kind.what: kind for kind in tally}

    assert len(found) == KINDS + 1
    assert (found["status: odd"].count, found["status: odd"].first) == (10 * KINDS, "line 0")
    assert sum(kind.count for kind in tally) == 20 * KINDS
    assert found[OTHERS].count == 10 * KINDS - KINDS + 1


def test_the_table_begins_with_the_most_frequent_and_repeats_no_line() -> None:
    often, once = Kind("a", 1_204, "line 17"), Kind("b", 1, "line 2")

    assert list(Summary(kinds=(once, often)).table()) == ["1,204 x a; first at line 17", "1 x b; first at line 2"]
    assert list(Summary(kinds=(once,)).table()) == []


# ---------------------------------------------------------------- reports


def test_a_person_is_told_a_hundred_lines_and_a_file_all(tmp_path: Path) -> None:
    told: list[str] = []

    with reporting(tmp_path / "report", told.append, source="-", goes_on=False) as report:
        for number in range(SHOWN + 50):
            report(f"line {number}: odd")

    assert (len(told), told[-1]) == (SHOWN + 1, "Further lines are held back: the summary counts them, and --report FILE writes them all.")
    assert len((tmp_path / "report").read_text().splitlines()) == SHOWN + 50


def test_a_report_of_an_import_that_goes_on_goes_on(tmp_path: Path) -> None:
    for goes_on in (False, True, True):
        with reporting(tmp_path / "report", lambda _: None, source="-", goes_on=goes_on) as report:
            report("a line")

    assert (tmp_path / "report").read_text() == "a line\n" * 3


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(Unreadable, match=r"cannot be written to .*: is a directory"),
        reporting(tmp_path, lambda _: None, source="-", goes_on=False),
    ):
        pass


def test_without_a_file_nothing_is_written() -> None:
    told: list[str] = []

    Reports(told.append)("a line")

    assert told == ["a line"]


# ---------------------------------------------------------------- progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_says_how_far_how_fast_and_what_came_of_it() -> None:
    terminal, seconds = Terminal(), iter([0.0, 0.05, 2.0])
    bar = Bar(terminal, lambda: next(seconds))

    for read in (0, 1_000_000, 2_500_000):
        bar.show(Standing(read=read, total=10_000_000, made=read // 1_000, already_there=1, repairs=3, skipped=0))

    drawn = terminal.getvalue().split("\r\x1b[K")[1:]
    assert len(drawn) == 2  # not the one that came right after another
    assert drawn[1].startswith("[#####---------------]  25%  2.5 of 10.0 MB  1,250/s  2,500 imported"[:79])
    assert all(len(line) < 200 and "\n" not in line for line in drawn)


def test_a_bar_is_nothing_where_nobody_looks_on() -> None:
    file = io.StringIO()
    bar = Bar(file)

    bar.show(Standing(read=1, total=None, made=1, already_there=0, repairs=0, skipped=0))
    bar.clear()

    assert file.getvalue() == ""


# ---------------------------------------------------------------- checkpoints

CHECKPOINT = Checkpoint(
    position=Position(Form.ARRAY, 4_096, 12, 7),
    journal=40,
    counts={"made": 5, "already_there": 1, "repairs": 2, "skipped": 1, "linked": 0},
    kinds=(Kind("status: odd", 2, "record 1"),),
    waiting=(Waiting("record 3", "interactionRelationship[0]", "int_1", RelationshipType.CHILD, ExternalIdentifier("crm", "9", "x")),),
)


def checkpoints(tmp_path: Path, owner: str | None = None, *, strict: bool = False, epoch: int = 1) -> Checkpoints:
    return Checkpoints(tmp_path / "data", tmp_path / "file", owner=owner, strict=strict, epoch=epoch)


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    (tmp_path / "file").write_text("[]")
    kept = checkpoints(tmp_path)
    kept.write(CHECKPOINT)
    return kept


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path, kept: Checkpoints) -> None:
    assert checkpoints(tmp_path).read(reached=40) == CHECKPOINT
    assert [path.suffix for path in (tmp_path / "data" / "imports").iterdir()] == [".json"]


def test_a_checkpoint_is_about_one_file_owner_and_journal(tmp_path: Path, kept: Checkpoints) -> None:
    assert checkpoints(tmp_path, "crm").read(40) is None
    assert checkpoints(tmp_path, strict=True).read(40) is None
    assert checkpoints(tmp_path, epoch=2).read(40) is None
    assert kept.read(reached=39) is None  # the database is an older copy
    (tmp_path / "file").write_text("[ ]")
    assert checkpoints(tmp_path).read(40) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "position": {}}', b"\xff"])
def test_a_checkpoint_that_is_not_whole_is_none(kept: Checkpoints, content: bytes) -> None:
    kept.path.write_bytes(content)

    assert kept.read(40) is None


def test_what_is_done_has_no_checkpoint(kept: Checkpoints) -> None:
    kept.remove()
    kept.remove()

    assert kept.read(40) is None
