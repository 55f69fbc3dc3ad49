"""Importing through the real committer: what is written, what is told, and in which order."""

import io
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import pytest

from hub.errors import BadInput, Unavailable
from hub.exchange.importing import Summary, import_file
from hub.exchange.lenient import Unreadable
from hub.exchange.records import RECORD
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import read_after
from hub.journal.opening import Journal
from tests.exchange.conftest import Submit, clock

Document = dict[str, Any]


class Told(list[str]):
    """What was reported."""

    @property
    def places(self) -> list[str]:
        return [line.split(":")[0] for line in self]


@pytest.fixture
def told() -> Told:
    return Told()


async def importing(
    source: bytes | IO[bytes] | Path | str, submit: Submit, told: Told, *, strict: bool = False, owner: str | None = None
) -> Summary:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    return await import_file(stream, submit, clock=clock, report=told.append, strict=strict, owner=owner)


def ndjson(documents: Iterable[Document]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def numbered(document: Document, count: int) -> list[Document]:
    return [document | {"id": f"int-{number}"} for number in range(1, count + 1)]


async def count(journal: Journal, collection: str) -> int:
    return await journal.mongo[collection].count_documents({})


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize(
    "written",
    [
        lambda documents: json.dumps(documents).encode(),
        lambda documents: json.dumps(documents, indent=2).encode(),
        ndjson,
        lambda documents: b"\xef\xbb\xbf" + ndjson(documents).replace(b"\n", b"\r\n\r\n"),
        lambda documents: b"\n\n" + ndjson(documents).rstrip(b"\n"),
    ],
    ids=["array", "array on many lines", "ndjson", "ndjson from Windows", "ndjson without an end"],
)
async def test_many_records_in_any_form(
    journal: Journal, submit: Submit, told: Told, document: Document, written: Callable[[list[Document]], bytes]
) -> None:
    summary = await importing(written(numbered(document, 3)), submit, told)

    assert summary == Summary(made=3)
    assert told == []
    assert await count(journal, "interactions") == 3


@pytest.mark.parametrize("indent", [None, 2])
async def test_one_record_on_its_own(submit: Submit, told: Told, document: Document, indent: int | None) -> None:
    assert await importing(json.dumps(document, indent=indent).encode(), submit, told) == Summary(made=1)


async def test_an_empty_array_is_nothing_to_do(submit: Submit, told: Told) -> None:
    assert await importing(b"[]", submit, told) == Summary()


async def test_a_file_is_named_by_its_path(tmp_path: Path, submit: Submit, told: Told, document: Document) -> None:
    (tmp_path / "one.json").write_bytes(ndjson([document]))

    assert (await importing(tmp_path / "one.json", submit, told)).made == 1
    assert (await importing(str(tmp_path / "one.json"), submit, told)).already_there == 1


async def test_a_record_from_a_pipe_is_imported_before_the_next_one_is_there(submit: Submit, told: Told, document: Document) -> None:
    first, second = ndjson(numbered(document, 2)).splitlines(keepends=True)
    reader, writer = os.pipe()

    async def then_the_second(command: Command) -> Committed:
        committed = await submit(command)
        if not sent:
            sent.append(os.write(writer, second[:50]) + os.write(writer, second[50:]))
            os.close(writer)
        return committed

    sent: list[int] = []
    with os.fdopen(reader, "rb") as source:
        os.write(writer, first)

        assert await importing(source, then_the_second, told) == Summary(made=2)


# ---------------------------------------------------------------- what is written


async def test_an_imported_interaction_has_one_historical_entry_and_its_parties(
    journal: Journal, submit: Submit, told: Told, document: Document
) -> None:
    await importing(ndjson([document]), submit, told)

    entries = await read_after(journal.mongo, 0)
    stored = await journal.mongo["interactions"].find_one({})
    parties = {party["_id"]: party["name"] async for party in journal.mongo["parties"].find({})}
    assert stored is not None
    assert [(entry["subject"]["kind"], entry["type"]) for entry in entries] == [
        ("party", "REGISTERED"),
        ("party", "REGISTERED"),
        ("interaction", "CREATED"),
    ]
    assert entries[-1]["historical"]
    assert entries[-1]["at"] == stored["createdAt"]
    assert [(parties[one["party"]], one["role"]) for one in stored["parties"]] == [("Nora Field", "CUSTOMER"), ("Sam Tiller", "AGENT")]
    assert stored["status"] == "COMPLETED"


async def test_the_same_file_twice_writes_nothing_more(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    source = ndjson([*numbered(document, 20), {"id": "odd", "@type": "PartyInteraction", "status": "ongoing"}])
    first = await importing(source, submit, told)
    lines, before = len(told), await count(journal, "journal")

    second = await importing(source, submit, told)

    assert (first.made, second.made, second.already_there) == (21, 0, 21)
    assert await count(journal, "journal") == before
    assert len(told) == lines


async def test_one_id_twice_in_a_file_is_one_interaction(submit: Submit, told: Told, document: Document) -> None:
    assert await importing(ndjson([document, document]), submit, told) == Summary(made=1, already_there=1)


async def test_two_owners_with_equal_ids_do_not_collide(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    await importing(ndjson([document]), submit, told, owner="crm")
    summary = await importing(ndjson([document]), submit, told, owner="shop")

    assert summary == Summary(made=1)
    assert (await count(journal, "interactions"), await count(journal, "parties")) == (2, 4)


async def test_an_owner_that_is_none_is_refused(submit: Submit, told: Told, document: Document) -> None:
    with pytest.raises(BadInput, match="owner"):
        await importing(ndjson([document]), submit, told, owner="  ")


async def test_two_thousand_lines_with_three_broken_ones(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    lines = ndjson(numbered(document, 2_000)).splitlines(keepends=True)
    lines[0] = b'{"id": "int-1", "status": \n'
    lines[699] = b"\xff\xfe\n"
    lines[1_999] = b"[1, 2]\n"

    summary = await importing(b"".join(lines), submit, told)

    assert summary == Summary(made=1_997, skipped=3)
    assert summary.exit_code(strict=False) == 0
    assert told.places == ["line 1", "line 700", "line 2000"]
    assert (await count(journal, "interactions"), await count(journal, "parties")) == (1_997, 2)
    assert await count(journal, "journal") == 1_999


async def test_a_broken_first_line_does_not_hide_what_follows(submit: Submit, told: Told, document: Document) -> None:
    summary = await importing(b"# exported on Monday\n" + ndjson([document]), submit, told)

    assert (summary, told.places) == (Summary(made=1, skipped=1), ["line 1"])


async def test_it_is_told_in_the_order_of_the_file(submit: Submit, told: Told, document: Document) -> None:
    odd = [one | {"status": "ongoing", "resolution": None} if place % 3 else one for place, one in enumerate(numbered(document, 600))]

    summary = await importing(ndjson(odd), submit, told)

    numbers = [int(place.removeprefix("line ")) for place in told.places]
    assert numbers == sorted(numbers)
    assert summary.repairs == len(told) == 800
    assert summary.exit_code(strict=False) == 0


async def test_a_repair_says_where_and_what(submit: Submit, told: Told, document: Document) -> None:
    await importing(json.dumps([document, document | {"id": "2", "direction": "inbounds"}]).encode(), submit, told)

    assert told == ['record 2: direction: read "inbounds" as INBOUND.']


# ---------------------------------------------------------------- what is skipped


@pytest.mark.parametrize(
    "broken",
    [
        (b'{"id": 1,}', "no JSON"),
        (b"\x00\x01", "no JSON"),
        (b'{"id": NaN}', "NaN is no number"),
        (b'"text"', "no JSON object"),
        (b'{"@type": "Customer"}', '"Customer"'),
        (b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"id": "x", "note": "' + b"x" * RECORD + b'"}', "larger than 4 MiB"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "no JSON"),
    ],
    ids=["broken", "binary", "NaN", "text", "customer", "deep", "large", "digits"],
)
@pytest.mark.parametrize("place", [0, 1])
async def test_an_unreadable_line_is_told_and_skipped(
    submit: Submit, told: Told, document: Document, broken: tuple[bytes, str], place: int
) -> None:
    line, why = broken
    lines = ndjson(numbered(document, 2)).splitlines()
    lines.insert(place, line)

    summary = await importing(b"\n".join(lines), submit, told)

    assert summary == Summary(made=2, skipped=1)
    assert told.places == [f"line {place + 1}"]
    assert why in told[0]
    assert told[0].isprintable()


async def test_half_a_surrogate_pair_is_repaired_not_refused(journal: Journal, submit: Submit, told: Told, document: Document) -> None:
    summary = await importing(ndjson([document | {"description": "half \ud83d, NUL \x00", "x": "\udead"}]), submit, told)

    stored = await journal.mongo["interactions"].find_one({})
    assert stored is not None
    assert (summary.made, summary.repairs) == (1, 2)
    assert stored["description"] == "half \ufffd, NUL \ufffd"
    assert json.loads(stored["extra"])["x"] == "\ufffd"


async def test_what_the_hub_refuses_is_told_and_skipped(submit: Submit, told: Told, document: Document) -> None:
    too_large = json.dumps(document | {"id": "2", "x": "?"}).replace('"?"', f"[{'1e999,' * 600_000}0]")  # each is kept as a text

    summary = await importing(f"[{json.dumps(document)}, {too_large}, {json.dumps(document | {'id': '3'})}]".encode(), submit, told)

    assert summary == Summary(made=2, skipped=1)
    assert told == ["record 2: skipped: extra is larger than 4 MiB."]


# ---------------------------------------------------------------- strict


@pytest.mark.parametrize(
    "wrong",
    [b'{"id": \n', ndjson([{"id": "odd", "@type": "PartyInteraction", "status": "ongoing"}])],
    ids=["unreadable", "repair"],
)
async def test_strict_stops_at_the_first_fault_and_writes_nothing_after_it(
    journal: Journal, submit: Submit, told: Told, document: Document, wrong: bytes
) -> None:
    lines = ndjson(numbered(document, 4)).splitlines(keepends=True)

    summary = await importing(b"".join([*lines[:2], wrong, *lines[2:]]), submit, told, strict=True)

    assert summary.made == await count(journal, "interactions") == 2
    assert set(told.places) == {"line 3"}
    assert summary.exit_code(strict=True) == 1
    assert "2 interactions imported" in str(summary)
    assert "Stopped at line 3" in str(summary)


async def test_strict_is_content_with_good_records(submit: Submit, told: Told, document: Document) -> None:
    summary = await importing(ndjson(numbered(document, 3)), submit, told, strict=True)

    assert (summary, summary.exit_code(strict=True)) == (Summary(made=3), 0)


# ---------------------------------------------------------------- no input, no database


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "UTF-8"),
        (b"hello world\nhow are you\n", "no JSON"),
        (b"42", "neither an object nor an array"),
        (b"null", "neither an object nor an array"),
        (b'{\n  "id": 1,\n  "note": [\n    {"id": 1}\n  ]\n', "no JSON"),
        ('{"id": "1"}'.encode("utf-16"), "UTF-8"),
        (b"[" * 100_000, "ends inside of record 1"),
        (b"[\n", "ends before its array does"),
    ],
    ids=["nothing", "blank", "picture", "prose", "number", "null", "broken off", "utf-16", "deep", "open array"],
)
async def test_a_file_without_any_record_is_unreadable(submit: Submit, told: Told, content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        await importing(content, submit, told)


async def test_a_path_that_cannot_be_read_is_unreadable(submit: Submit, told: Told, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json", "nul\x00"):
        with pytest.raises(Unreadable, match="cannot be read"):
            await importing(path, submit, told)


async def test_an_input_that_breaks_off_keeps_what_was_read(submit: Submit, told: Told, document: Document) -> None:
    class BreaksOff(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            if not (found := super().read1(size or -1)):
                raise OSError(5, "Input/output error")
            return found

    summary = await importing(BreaksOff(ndjson(numbered(document, 2))), submit, told)

    assert (summary.made, summary.exit_code(strict=False)) == (2, 1)
    assert "Input/output error" in (summary.stopped or "")


async def test_a_database_that_was_away_for_a_moment_costs_nothing(submit: Submit, told: Told, document: Document) -> None:
    refused: list[Command] = []

    async def at_first_away(command: Command) -> Committed:
        if len(refused) < 2:
            refused.append(command)
            raise Unavailable("The database does not answer.", retry_after_ms=1)
        return await submit(command)

    assert await importing(ndjson(numbered(document, 5)), at_first_away, told) == Summary(made=5)


async def test_a_database_that_stays_away_stops_the_import(submit: Submit, told: Told, document: Document) -> None:
    async def away_from_the_third_on(command: Command) -> Committed:
        if any(touch.identifier.value in {"int-1", "int-2"} for touch in command.touches()):  # type: ignore[union-attr]
            return await submit(command)
        raise Unavailable("The database does not answer.", retry_after_ms=1)

    summary = await importing(ndjson(numbered(document, 600)), away_from_the_third_on, told)

    assert (summary.made, summary.skipped, summary.exit_code(strict=False)) == (2, 0, 1)
    assert "line 3" in (summary.stopped or "")
