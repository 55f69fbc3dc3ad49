"""Records out of bytes: each form as it should be and as it comes, in pieces of any size, and never more than one in memory."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.exchange.lenient import Unreadable
from hub.exchange.records import RECORD, Record, records

MEGABYTE = 1_048_576


class Pieces(io.BytesIO):
    """A stream that gives no more than so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(self._size)


class Generated(io.RawIOBase):
    """A stream of what is made as it is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read1(self, size: int = -1, /) -> bytes:
        return next(self._pieces, b"")


async def reading(content: bytes, size: int = 1 << 20) -> list[Record]:
    return [record async for record in await records(Pieces(content, size))]


async def values(content: bytes, size: int = 1 << 20) -> list[Any]:
    return [record.value for record in await reading(content, size)]


def written(form: str, documents: list[Any]) -> bytes:
    match form:
        case "array":
            return json.dumps(documents).encode()
        case "array, a record to a line":
            return b"[\n" + b",\n".join(json.dumps(one).encode() for one in documents) + b"\n]\n"
        case "indented array":
            return json.dumps(documents, indent=2).encode()
        case "array from Windows":
            return b"\xef\xbb\xbf" + json.dumps(documents, indent="\t").replace("\n", "\r\n").encode()
        case "array with its commas in front":
            return b"[" + b"\n, ".join(json.dumps(one).encode() for one in documents) + b"]"
        case "lines":
            return b"\n".join(json.dumps(one).encode() for one in documents)
        case _:
            return b"\n".join(json.dumps(one, indent=2).encode() for one in documents)


ARRAYS = ["array", "array, a record to a line", "indented array", "array from Windows", "array with its commas in front"]
FORMS = [*ARRAYS, "lines", "indented objects one after the other"]
DOCUMENTS = [{"id": "1", "a": ["}", '"', "\\", "[{", {}]}, {"id": "ä\n\\"}, {"id": "3", "b": {"c": [[]]}}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
async def test_every_form_gives_its_records_in_pieces_of_any_size(form: str, size: int) -> None:
    assert await values(written(form, DOCUMENTS), size) == DOCUMENTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text('{}[]",\\\n:a', max_size=3), inside, max_size=3),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(st.dictionaries(st.just("id"), JSON, min_size=1), min_size=1),
    form=st.sampled_from(FORMS),
    size=st.integers(1, 40),
)
async def test_whatever_the_records_hold_they_are_told_apart(documents: list[Any], form: str, size: int) -> None:
    assert await values(written(form, documents), size) == documents


@pytest.mark.parametrize("form", FORMS)
async def test_reading_goes_on_after_any_record(form: str) -> None:
    content = written(form, DOCUMENTS)

    for place, record in enumerate(await reading(content), 1):
        rest = [one async for one in await records(Pieces(content, 7), record.after)]

        assert [one.value for one in rest] == DOCUMENTS[place:]
        assert [one.place for one in rest] == [one.place for one in (await reading(content))[place:]]


# ---------------------------------------------------------------- broken


def unreadable(found: list[Record]) -> dict[str, str]:
    return {record.place: record.unreadable for record in found if record.unreadable}


BALANCED = ['{"id": "2" "3"}', '{"id": "2",}', '{"id": NaN}', '{"id": "\\x"}', '{"a": 1]}', "{'id': 2}"]
UNBALANCED = ['{"a": [1}', '{"id": "\ud800"']  # to be told from what follows only where that begins a line


@pytest.mark.parametrize(("form", "broken"), [*product(ARRAYS, BALANCED), *product(ARRAYS[1:], UNBALANCED)])
async def test_a_broken_record_in_an_array_costs_itself_alone(form: str, broken: str) -> None:
    documents = [{"id": str(number)} for number in range(6)]
    content = written(form, documents)
    at = content.index(b'"3"')
    begin, end = content.rfind(b"{", 0, at), content.index(b"}", at) + 1
    content = content[:begin] + broken.encode("utf-8", "surrogatepass") + content[end:]

    found = await reading(content)

    assert [record.value for record in found if record.unreadable is None] == [one for one in documents if one["id"] != "3"]
    assert len(unreadable(found)) >= 1


@pytest.mark.parametrize("broken", [b'{"id": "2},', b'{"id": "2", "a": {"b": 1},', b'{"id": ["2"},', b'"'])
async def test_a_record_that_does_not_end_costs_itself_alone_where_each_has_a_line(broken: bytes) -> None:
    lines = [b'{"id": "1"},', broken, *(b'{"id": "%d"},' % number for number in range(3, 400))]

    found = await reading(b"[\n" + b"\n".join(lines) + b'\n{"id": "400"}\n]', 100)

    assert [record.value["id"] for record in found if isinstance(record.value, dict)] == ["1", *map(str, range(3, 401))]
    assert list(unreadable(found)) == ["record 2"]


async def test_a_nested_object_is_never_taken_for_the_next_record() -> None:
    """Without indentation nothing tells one from the other: then what follows is lost, rather than made up."""
    content = b'[\n{\n"id": "1",\n"item": [\n{\n"reason": "x"\n},\n{\n"reason": "y"\n}\n'

    with pytest.raises(Unreadable, match="ends inside of record 1"):
        await reading(content)


async def test_what_is_no_object_is_a_record_too() -> None:
    found = await reading(b'[1, "a, ]", null, [1, [2]], {"id": 1}, true]')

    assert [record.value for record in found] == [1, "a, ]", None, [1, [2]], {"id": 1}, True]
    assert [record.place for record in found] == [f"record {number}" for number in range(1, 7)]


async def test_an_array_among_lines_is_one_line_and_lines_after_an_array_are_lines() -> None:
    assert await values(b'{"id": 1}\n[{"id": 2}]\n{"id": 3}\n') == [{"id": 1}, [{"id": 2}], {"id": 3}]

    after = await reading(b'[{"id": 1}]\n{"id": 2}\nno\n')

    assert [(record.place, record.value) for record in after] == [("record 1", {"id": 1}), ("line 2", {"id": 2}), ("line 3", None)]


@pytest.mark.parametrize("form", ARRAYS)
async def test_an_array_that_is_cut_gives_what_is_whole_and_then_says_so(form: str) -> None:
    content = written(form, [{"id": str(number)} for number in range(50)])
    found: list[Record] = []

    async def read() -> None:
        async for record in await records(Pieces(content[: content.index(b'"48"') + 2], 16)):
            found.append(record)

    with pytest.raises(Unreadable, match="ends inside of record 49"):
        await read()
    assert [record.value for record in found] == [{"id": str(number)} for number in range(48)]


@pytest.mark.parametrize("form", ["array", "array, a record to a line", "lines"])
@pytest.mark.parametrize("place", [0, 1])
async def test_a_record_of_any_size_is_passed_over(form: str, place: int) -> None:
    documents: list[Any] = [{"id": "1"}, {"id": "2"}, {"id": "3"}]
    documents[place] = {"id": "large", "x": "[" * (2 * RECORD)}

    found = await reading(written(form, documents))

    assert [record.value for record in found if record.unreadable is None] == [one for one in documents if one["id"] != "large"]
    assert ["larger than 4 MiB" in why for why in unreadable(found).values()] == [True]


@pytest.mark.parametrize(("head", "tail"), [(b"[", b"]"), (b"", b"\n")], ids=["array", "lines"])
async def test_a_record_that_is_nested_too_deep_is_one_broken_record(head: bytes, tail: bytes) -> None:
    between = b"," if head else b"\n"
    deep = b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    found = await reading(head + between.join([b'{"id": 1}', deep, b'{"id": 3}']) + tail)

    assert [record.value for record in found] == [{"id": 1}, None, {"id": 3}]
    assert "nested" in (found[1].unreadable or "")


# ---------------------------------------------------------------- memory


def many(form: str, count: int) -> Iterator[bytes]:
    between = b"\n" if form == "lines" else b", "
    body = b'"x": "' + b"y" * 1_000 + b'", "z": [' + b"{}, " * 50 + b"{}]}"
    yield b"" if form == "lines" else b"["
    for begin in range(0, count, 100):
        yield b"".join((between if number else b"") + b'{"id": %d, ' % number + body for number in range(begin, begin + 100))
    yield b"" if form == "lines" else b"]"


async def peak(pieces: Iterator[bytes]) -> tuple[int, int]:
    """How many records there are, and how many bytes were held at most while they were read."""
    stream: Any = Generated(piece for piece in pieces if piece)
    tracemalloc.start()
    try:
        count = 0
        async for _ in await records(stream):
            count += 1
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [400, pytest.param(1_600, marks=pytest.mark.prove)], ids=["5 MB", "20 MB"])
@pytest.mark.parametrize("form", ["array", "lines"])
async def test_ten_times_as_many_take_no_more_memory(form: str, count: int) -> None:
    few, small = await peak(many(form, count))
    much, large = await peak(many(form, 10 * count))

    assert (few, much) == (count, 10 * count)
    assert large < small + MEGABYTE


@pytest.mark.parametrize("head", [b'{"id": "', b'[{"id": "', b'[{"a": [', b"[", b"[1"], ids=["line", "string", "nested", "open", "number"])
async def test_one_record_without_end_takes_no_more_memory_than_a_large_one(head: bytes) -> None:
    async def held() -> int:
        pieces = iter([head, *([b"1" * MEGABYTE] * 64)])
        tracemalloc.start()
        try:
            async for _ in await records(Generated(pieces)):  # type: ignore[arg-type]
                pass
        except Unreadable:
            pass
        finally:
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return used

    assert await held() < 8 * RECORD
