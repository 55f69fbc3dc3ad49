"""Import a file of TMF683 PartyInteractions through the committer: many at once, told in the order in which they came.

What is written is written, and is known again by its external identifier: an import that was broken off is simply repeated.
"""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from hub.domain.texts import SHORT, text
from hub.errors import Refused, Unavailable, listed
from hub.exchange.lenient import Repair, Unreadable
from hub.exchange.records import Record, records
from hub.exchange.tmf683 import read
from hub.journal.batch import Committed
from hub.journal.desk import Command

ABREAST: Final = 256  # commands in flight: two batches, one that commits and one that queues meanwhile
IN_FLIGHT: Final = 8 * 1024 * 1024  # bytes of records in flight; with large records fewer go abreast
TRIES: Final = 5  # times a command is submitted while the database does not answer; each waits for seconds by itself

Submit = Callable[[Command], Awaitable[Committed]]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import came to. `stopped` says why it ended before its input did."""

    made: int = 0
    already_there: int = 0
    repairs: int = 0
    skipped: int = 0
    stopped: str | None = None

    def exit_code(self, strict: bool) -> int:
        """0 also with repairs and skipped records; 1 when it stopped, or was strict and met one of them."""
        return int(self.stopped is not None or (strict and bool(self.repairs or self.skipped)))

    def __str__(self) -> str:
        counts = [
            _counted(self.made, "interaction imported", "interactions imported"),
            f"{self.already_there} already there",
            _counted(self.repairs, "repair", "repairs"),
            _counted(self.skipped, "record skipped", "records skipped"),
        ]
        return f"{listed(counts, 'and')}." + (f" {self.stopped}" if self.stopped else "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A record under way."""

    place: str
    size: int
    repairs: tuple[Repair, ...]
    answer: asyncio.Task[Committed | Refused] | None
    unreadable: str | None = None


async def import_file(
    source: IO[bytes] | Path | str,
    submit: Submit,
    *,
    clock: Callable[[], datetime],
    report: Report,
    owner: str | None = None,
    strict: bool = False,
) -> Summary:
    """Import everything in `source`: a stream, a path, or "-" for standard input.

    `owner` names the system whose ids these are, so that two systems with equal ids do not collide. `strict` stops at the
    first record that is unreadable, refused or in need of a repair; it and what follows is not written, and records go one
    at a time. Raises Unreadable where there is no record to read, BadInput for an owner that is none."""
    owner = None if owner is None else text(owner, "owner", most=SHORT)
    with _opened(source) as stream:
        try:
            found = await records(stream)
        except Unreadable as error:
            raise Unreadable(f"{_named(source)} cannot be imported: {error}.") from None
        return await _Import(submit, clock, report, owner, strict).run(found)


class _Import:
    """One import: a window of records under way, answered from its front."""

    def __init__(self, submit: Submit, clock: Callable[[], datetime], report: Report, owner: str | None, strict: bool) -> None:
        self._submit = submit
        self._clock = clock
        self._report = report
        self._owner = owner
        self._strict = strict
        self._window: deque[_Asked] = deque()
        self._weight = 0
        self._summary = Summary()

    async def run(self, source: AsyncGenerator[Record, None]) -> Summary:
        async with asyncio.TaskGroup() as tasks, contextlib.aclosing(source):
            try:
                await self._follow(source, tasks)
            except Unreadable as error:
                self._stop(f"The input broke off: {error}.")
            while self._window:
                await self._settle()
        return self._summary

    async def _follow(self, source: AsyncGenerator[Record, None], tasks: asyncio.TaskGroup) -> None:
        async for record in source:
            self._begin(record, tasks)
            while self._window and self._is_full():
                await self._settle()
            if self._summary.stopped:
                return

    def _is_full(self) -> bool:
        return self._strict or len(self._window) >= ABREAST or self._weight > IN_FLIGHT

    def _begin(self, record: Record, tasks: asyncio.TaskGroup) -> None:
        asked = self._asked(record, tasks)
        self._window.append(asked)
        self._weight += asked.size

    def _asked(self, record: Record, tasks: asyncio.TaskGroup) -> _Asked:
        if record.unreadable is not None:
            return _Asked(record.place, record.size, (), None, record.unreadable)
        try:
            found = read(record.value, now=self._clock(), owner=self._owner)
        except Unreadable as error:
            return _Asked(record.place, record.size, (), None, str(error))
        if self._strict and found.repairs:
            return _Asked(record.place, record.size, found.repairs, None)
        return _Asked(record.place, record.size, found.repairs, tasks.create_task(self._answer(found.command)))

    async def _answer(self, command: Command) -> Committed | Refused:
        """Submit, and again while the database is away: a command that was committed after all is known again."""
        for _ in range(TRIES - 1):
            try:
                return await self._submit(command)
            except Unavailable as refusal:
                await asyncio.sleep((refusal.retry_after_ms or 0) / 1000)
            except Refused as refusal:
                return refusal
        try:
            return await self._submit(command)
        except Refused as refusal:
            return refusal

    async def _settle(self) -> None:
        """Tell how the record at the front came out."""
        asked = self._window.popleft()
        self._weight -= asked.size
        match await asked.answer if asked.answer else None:
            case Committed() as committed:
                self._tell_committed(asked, committed)
                return
            case Unavailable():
                self._stop(f"The database does not answer: from {asked.place} on, not everything was imported. Do it again when it does.")
                return
            case Refused() as refusal:
                self._skip(asked, str(refusal))
            case None if asked.unreadable is not None:
                self._skip(asked, asked.unreadable)
            case None:
                self._tell_repairs(asked)
        if self._strict:
            self._stop(f"Stopped at {asked.place}: it was not imported, nor was anything after it.")

    def _skip(self, asked: _Asked, why: str) -> None:
        self._summary = replace(self._summary, skipped=self._summary.skipped + 1)
        self._report(f"{asked.place}: skipped: {_sentence(why)}")

    def _tell_committed(self, asked: _Asked, committed: Committed) -> None:
        if committed.replayed:
            self._summary = replace(self._summary, already_there=self._summary.already_there + 1)
            return
        self._summary = replace(self._summary, made=self._summary.made + 1)
        self._tell_repairs(asked)

    def _tell_repairs(self, asked: _Asked) -> None:
        self._summary = replace(self._summary, repairs=self._summary.repairs + len(asked.repairs))
        for repair in asked.repairs:
            self._report(f"{asked.place}: {_sentence(str(repair))}")

    def _stop(self, why: str) -> None:
        self._summary = replace(self._summary, stopped=self._summary.stopped or why)


@contextlib.contextmanager
def _opened(source: IO[bytes] | Path | str) -> Iterator[IO[bytes]]:
    """The stream; what is wrong with a path is told as Unreadable."""
    if not isinstance(source, str | Path):
        yield source
        return
    if source == "-":
        yield sys.stdin.buffer
        return
    with contextlib.ExitStack() as closing:
        try:
            stream = closing.enter_context(Path(source).open("rb"))
        except (OSError, ValueError) as error:
            why = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
            raise Unreadable(f"{source} cannot be read: {why}.") from None
        yield stream


def _named(source: IO[bytes] | Path | str) -> str:
    return str(source) if isinstance(source, Path) or (isinstance(source, str) and source != "-") else "The input"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
