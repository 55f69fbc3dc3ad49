"""Records out of a stream of bytes: an array of JSON objects, NDJSON, one to a line, or objects one after the other.

Which one is found out. All are read in constant memory. What cannot be decoded is a record too, with the reason in place of
a value: the ones after it are still read.
"""

import json
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any, Final

from hub.exchange.lenient import Unreadable
from hub.exchange.splitting import Ending
from hub.exchange.stream import BLANK, Stream

RECORD: Final = 4 * 1024 * 1024  # bytes of one record: with its repairs it still fits the 8 MiB of a document


class Form(StrEnum):
    """How the records of an input follow one another."""

    LINES = "lines"
    ARRAY = "array"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Position:
    """How far an input was read: `number` records, `lines` line ends, `offset` bytes. Reading goes on from there."""

    form: Form
    offset: int
    lines: int
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """A decoded value, or why there is none; `place` says where it stands, `size` how many bytes it took, `after` what follows it."""

    place: str
    size: int
    after: Position
    value: object = None
    unreadable: str | None = None


async def records(stream: IO[bytes], position: Position | None = None) -> AsyncGenerator[Record, None]:
    """The records of a stream, once it is known what it holds, or those after a `position` in a file.

    Raises Unreadable where there is none, and where reading fails or the input ends too early."""
    if position is not None:
        source = Stream(stream, position.offset, position.lines)
        return _by_line(source) if position.form is Form.LINES else _by_element(source, position.form, position.number)
    source = Stream(stream)
    match await source.opening():
        case b"":
            raise Unreadable("it is empty")
        case b"[":
            return await _begun(_array(source))
        case b"{":
            return await _lines_or_objects(source)
        case _:
            return await _lines(source)


async def _lines_or_objects(source: Stream) -> AsyncGenerator[Record, None]:
    first = await source.peek_line(RECORD)
    if len(first) > RECORD or isinstance(_value(first)[0], dict):
        return _by_line(source)
    whole = await source.peek(RECORD + 1)
    end = Ending(None).find(bytearray(whole))
    if end is not None and isinstance(_value(whole[:end])[0], dict):
        return _by_element(source, Form.OBJECTS, 0)
    if len(whole) > RECORD and not _has_a_record(whole):
        return _by_element(source, Form.OBJECTS, 0)
    return await _lines(source)


async def _lines(source: Stream) -> AsyncGenerator[Record, None]:
    """By line, where there is a line to read at all. Raises Unreadable with what is wrong with the whole."""
    whole = await source.peek(RECORD + 1)
    if _has_a_record(whole):
        return _by_line(source)
    _, unreadable = _value(whole)
    raise Unreadable(unreadable or "it holds neither an object nor an array")


def _has_a_record(whole: bytes) -> bool:
    """Whether this is NDJSON with a broken beginning; the objects inside of a broken document are indented."""
    return any(line.startswith(b"{") and isinstance(_value(line)[0], dict) for line in whole.splitlines())


async def _begun(found: AsyncGenerator[Record, None]) -> AsyncGenerator[Record, None]:
    """The same, with its first record read: where there is none to read, this is the moment to say so."""
    try:
        first = await anext(found)
    except StopAsyncIteration:
        return found
    return _after(first, found)


async def _after(first: Record, found: AsyncGenerator[Record, None]) -> AsyncGenerator[Record, None]:
    yield first
    async for record in found:
        yield record


# ---------------------------------------------------------------- the forms


async def _by_line(source: Stream) -> AsyncGenerator[Record, None]:
    while True:
        begun, number = source.offset, source.lines + 1
        if (line := await source.line(RECORD)) is None:
            return
        if line.strip(BLANK):
            after = Position(Form.LINES, source.offset, source.lines, 0)
            yield _record(f"line {number}", line, source.offset - begun, after)


async def _array(source: Stream) -> AsyncGenerator[Record, None]:
    """What its brackets hold; what comes after them is read by line."""
    source.pass_over(1)
    async for record in _by_element(source, Form.ARRAY, 0):
        yield record


async def _by_element(source: Stream, form: Form, number: int) -> AsyncGenerator[Record, None]:
    indent: bytes | None = None if number else b""
    while True:
        between = await source.between()
        if b"\n" in between:
            indent = _blanks(between)
        if not source.buffer:
            break
        if form is Form.ARRAY and source.buffer.startswith(b"]"):
            source.pass_over(1)
            async for record in _by_line(source):
                yield record
            return
        number += 1
        raw, size = await _element(source, indent, f"record {number}")
        yield _record(f"record {number}", raw, size, Position(form, source.offset, source.lines, number))
        indent = None
    if form is Form.ARRAY:
        raise Unreadable(f"it ends before its array does, after {number} records")


def _blanks(between: bytes) -> bytes:
    """The blanks that a line begins with."""
    line = between[between.rfind(b"\n") + 1 :]
    return line[: len(line) - len(line.lstrip(b" \t"))]


async def _element(source: Stream, indent: bytes | None, place: str) -> tuple[bytes, int]:
    """The bytes of the next element, cut where it has more than a record may have, and how many it has."""
    ending, begun = Ending(indent), source.offset
    while (end := ending.find(source.buffer)) is None:
        if source.has_ended or source.offset - begun + len(source.buffer) > RECORD:
            if (end := ending.give_up(source.buffer)) is not None:
                break
            if source.has_ended:
                raise Unreadable(f"it ends inside of {place}")
            source.pass_over(ending.pass_over(source.buffer))
        await source.more()
    is_whole = source.offset == begun
    raw = source.take(end)
    return (raw if is_whole else b""), source.offset - begun


# ---------------------------------------------------------------- decoding


def _record(place: str, raw: bytes, size: int, after: Position) -> Record:
    if size > RECORD:
        return Record(place, size, after, unreadable=f"it is larger than {RECORD // 1_048_576} MiB")
    value, unreadable = _value(raw)
    return Record(place, size, after, value, unreadable)


def _value(raw: bytes) -> tuple[object, str | None]:
    """Decoded by `json`, not orjson: it keeps integers of any size, and lone surrogates to be repaired rather than refused."""
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_number), None
    except UnicodeDecodeError as error:
        return None, f"it is not UTF-8: byte {error.start + 1} is {raw[error.start]:#04x}"
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        return None, f"it is no JSON: {error.msg} at {where}"
    except ValueError as error:
        return None, f"it is no JSON: {error}"
    except RecursionError:
        return None, "it is nested too deep"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _number(text: str) -> float | str:
    """A number beyond what a float holds is kept as it is written."""
    value = float(text)
    return value if math.isfinite(value) else text
