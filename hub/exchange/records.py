"""Records out of a stream of bytes: one JSON object, an array of them, or NDJSON, one to a line; which one is found out.

NDJSON is read in constant memory. A single object or an array is read at once, and has a bound. What cannot be decoded is
a record too, with the reason in place of a value: the ones after it are still read.
"""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import IO, Any, Final

from hub.exchange.lenient import Unreadable

RECORD: Final = 4 * 1024 * 1024  # bytes of one record: with its repairs it still fits the 8 MiB of a document
WHOLE: Final = 64 * 1024 * 1024  # bytes of an array, which takes some ten times as much memory once it is decoded
CHUNK: Final = 256 * 1024  # bytes read at once

BLANK: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Record:
    """A decoded value, or why there is none; `place` says where it stands, `size` how many bytes it took."""

    place: str
    size: int
    value: object = None
    unreadable: str | None = None


class Lines:
    """The lines of a stream, read by a thread, so that a slow pipe holds up nothing else."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._read = getattr(stream, "read1", stream.read)  # what there is, rather than all that was asked for
        self._buffer = bytearray()
        self._number = 0
        self._ended = False

    async def line(self) -> tuple[int, bytes] | None:
        """The number and the bytes of the next line; one beyond `RECORD` is cut there. None at the end."""
        while (line := self._line()) is None:
            if len(self._buffer) > RECORD:
                return await self._cut()
            if self._ended:
                return None
            await self._more()
        return self._number, line

    async def first(self) -> bytes:
        """The first line that holds something, or a little more than a record has of it; it stays to be read."""
        while True:
            line, end, _ = bytes(self._buffer).lstrip(BLANK).partition(b"\n")
            if end or self._ended or len(self._buffer) > RECORD:
                return line.rstrip(BLANK)
            await self._more()

    async def peek(self, size: int) -> bytes:
        """All that comes, up to `size` bytes; it stays to be read."""
        while len(self._buffer) < size and not self._ended:
            await self._more()
        return bytes(memoryview(self._buffer)[:size])

    async def _more(self) -> None:
        try:
            chunk = await asyncio.to_thread(self._read, CHUNK)
        except OSError as error:
            raise Unreadable(f"reading it failed: {error.strerror or error}") from error
        self._ended = not chunk
        self._buffer += chunk

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n") + 1 or (len(self._buffer) if self._ended else 0)
        if not end:
            return None
        line = bytes(memoryview(self._buffer)[:end])
        del self._buffer[:end]
        self._number += 1
        return line

    async def _cut(self) -> tuple[int, bytes]:
        """The beginning of an overlong line; the rest of it is passed over."""
        beginning = bytes(memoryview(self._buffer)[: RECORD + 1])
        while (line := self._line()) is None and not self._ended:
            self._buffer.clear()
            await self._more()
        if line is None:
            self._number += 1
        return self._number, beginning


async def records(stream: IO[bytes]) -> AsyncGenerator[Record, None]:
    """The records of a stream, once it is known what it holds. Raises Unreadable where there is none, and where reading fails."""
    lines = Lines(stream)
    first = await lines.first()
    if not first:
        raise Unreadable("it is empty")
    alone = _decoded(first, "")
    if isinstance(alone.value, dict):
        return _by_line(lines)
    whole = await lines.peek(WHOLE + 1)
    decoded = _decoded(whole, "record 1", WHOLE)
    if decoded.unreadable is None:
        return _of(decoded)
    is_array = first.startswith(b"[") and alone.unreadable is not None
    if is_array or not _has_a_record(whole.splitlines()):
        raise Unreadable(decoded.unreadable)
    return _by_line(lines)


async def _by_line(lines: Lines) -> AsyncGenerator[Record, None]:
    while (found := await lines.line()) is not None:
        number, line = found
        if line.strip(BLANK):
            yield _decoded(line, f"line {number}")


def _of(decoded: Record) -> AsyncGenerator[Record, None]:
    """The records of a document that was decoded whole."""
    match decoded.value:
        case dict():
            fits = decoded.size <= RECORD
            return _each([decoded if fits else Record(decoded.place, decoded.size, unreadable=_too_large(RECORD))])
        case list() as values:
            size = decoded.size // max(len(values), 1)
            return _each(Record(f"record {number}", size, value) for number, value in enumerate(values, 1))
        case _:
            raise Unreadable("it holds neither an object nor an array")


async def _each(found: Iterable[Record]) -> AsyncGenerator[Record, None]:
    for record in found:
        yield record


def _has_a_record(lines: Iterable[bytes]) -> bool:
    """Whether this is NDJSON with a broken beginning; the objects inside of a broken document are indented."""
    return any(line.startswith(b"{") and isinstance(_decoded(line, "").value, dict) for line in lines)


def _decoded(raw: bytes, place: str, most: int = RECORD) -> Record:
    """Decoded by `json`, not orjson: it keeps integers of any size, and lone surrogates to be repaired rather than refused."""
    if len(raw) > most:
        return Record(place, len(raw), unreadable=_too_large(most))
    try:
        return Record(place, len(raw), json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_number))
    except UnicodeDecodeError as error:
        return Record(place, len(raw), unreadable=f"it is not UTF-8: byte {error.start + 1} is {raw[error.start]:#04x}")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        return Record(place, len(raw), unreadable=f"it is no JSON: {error.msg} at {where}")
    except ValueError as error:
        return Record(place, len(raw), unreadable=f"it is no JSON: {error}")
    except RecursionError:
        return Record(place, len(raw), unreadable="it is nested too deep")


def _too_large(most: int) -> str:
    if most == WHOLE:
        return f"it is larger than {WHOLE // 1_048_576} MiB; as NDJSON, one record to a line, it can be of any size"
    return f"it is larger than {RECORD // 1_048_576} MiB"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _number(text: str) -> float | str:
    """A number beyond what a float holds is kept as it is written."""
    value = float(text)
    return value if math.isfinite(value) else text
