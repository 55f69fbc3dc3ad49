"""Import a file of TMF683 PartyInteractions through the committer: many at once, told in the order in which they came.

What is written is written, and is known again by its external identifier: an import that was broken off is simply repeated.
With a checkpoint it goes on where it was, for a checkpoint says only what is committed.
"""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from hub.domain.texts import SHORT, text
from hub.errors import Refused, Unavailable, listed
from hub.exchange.checkpoints import Checkpoint, Checkpoints
from hub.exchange.lenient import Unreadable, shown
from hub.exchange.linking import Links, Unlinked, Waiting
from hub.exchange.progress import Standing
from hub.exchange.records import Form, Position, Record, records
from hub.exchange.tally import Kind, Tally
from hub.exchange.tmf683 import Read, read
from hub.journal.batch import Committed
from hub.journal.desk import Command

ABREAST: Final = 256  # commands in flight: two batches, one that commits and one that queues meanwhile
IN_FLIGHT: Final = 8 * 1024 * 1024  # bytes of records in flight; with large records fewer go abreast
TRIES: Final = 5  # times a command is submitted while the database does not answer; each waits for seconds by itself
NOTED: Final = 1_000  # records between two checkpoints: about a second, which is what a cut import does again

Submit = Callable[[Command], Awaitable[Committed]]
Report = Callable[[str], None]
Watch = Callable[[Standing], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import came to. `stopped` says why it ended before its input did, `kinds` what was repaired and refused."""

    made: int = 0
    already_there: int = 0
    repairs: int = 0
    skipped: int = 0
    linked: int = 0
    stopped: str | None = None
    kinds: tuple[Kind, ...] = field(default=(), compare=False)

    def exit_code(self, strict: bool) -> int:
        """0 also with repairs and skipped records; 1 when it stopped, or was strict and met one of them."""
        return int(self.stopped is not None or (strict and bool(self.repairs or self.skipped)))

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Summary":
        """That of an import which was cut at a checkpoint."""
        return cls(counts["made"], counts["already_there"], counts["repairs"], counts["skipped"], counts["linked"])

    @property
    def counts(self) -> dict[str, int]:
        """What a checkpoint keeps of it."""
        return {
            "made": self.made,
            "already_there": self.already_there,
            "repairs": self.repairs,
            "skipped": self.skipped,
            "linked": self.linked,
        }

    def table(self) -> Iterator[str]:
        """The kinds of repairs and refusals, the most frequent first, a line each; none where each was met once, and told so."""
        if any(kind.count > 1 for kind in self.kinds):
            yield from map(str, sorted(self.kinds, key=lambda kind: -kind.count))

    def __str__(self) -> str:
        counts = [
            _counted(self.made, "interaction imported", "interactions imported"),
            f"{self.already_there} already there",
            *([_counted(self.linked, "relationship made", "relationships made")] if self.linked else []),
            _counted(self.repairs, "repair", "repairs"),
            _counted(self.skipped, "record skipped", "records skipped"),
        ]
        return f"{listed(counts, 'and')}." + (f" {self.stopped}" if self.stopped else "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A record under way, without its value."""

    record: Record
    read: Read | None = None
    answer: asyncio.Task[Committed | Refused] | None = None
    unreadable: str | None = None

    @property
    def place(self) -> str:
        return self.record.place


async def import_file(
    source: IO[bytes] | Path | str,
    submit: Submit,
    *,
    clock: Callable[[], datetime],
    report: Report,
    owner: str | None = None,
    strict: bool = False,
    checkpoints: Checkpoints | None = None,
    begin: Checkpoint | None = None,
    watch: Watch = lambda _: None,
) -> Summary:
    """Import everything in `source`: a stream, a path, or "-" for standard input.

    `owner` names the system whose ids these are, so that two systems with equal ids do not collide. `strict` stops at the
    first record that is unreadable, refused or in need of a repair; it and what follows is not written, and records go one
    at a time. `begin` is where it was cut before, of the `checkpoints` that it keeps; the summary is then that of both.
    `watch` is told how it stands. Raises Unreadable where there is no record to read, BadInput for an owner that is none."""
    owner = None if owner is None else text(owner, "owner", most=SHORT)
    with _opened(source) as stream:
        try:
            found = await records(stream, begin.position if begin else None)
        except Unreadable as error:
            raise Unreadable(f"{_named(source)} cannot be imported: {error}.") from None
        if begin:
            report(f"Goes on after {_place(begin.position)}, where it was cut.")
        importing = _Import(
            submit,
            clock=clock,
            report=report,
            owner=owner,
            strict=strict,
            checkpoints=checkpoints,
            begin=begin,
            watch=watch,
            total=_size(stream),
        )
        return await importing.run(found)


class _Import:
    """One import: a window of records under way, answered from its front."""

    def __init__(
        self,
        submit: Submit,
        *,
        clock: Callable[[], datetime],
        report: Report,
        owner: str | None,
        strict: bool,
        checkpoints: Checkpoints | None,
        begin: Checkpoint | None,
        watch: Watch,
        total: int | None,
    ) -> None:
        self._submit = submit
        self._clock = clock
        self._report = report
        self._owner = owner
        self._strict = strict
        self._checkpoints = checkpoints
        self._watch = watch
        self._total = total
        self._window: deque[_Asked] = deque()
        self._weight = 0
        self._summary = Summary.of(begin.counts) if begin else Summary()
        self._tally = Tally(begin.kinds if begin else ())
        self._position: Position | None = begin.position if begin else None  # everything before it is settled
        self._journal = begin.journal if begin else 0
        self._links = Links(self._answer, begin.waiting if begin else ())
        self._since = 0  # records settled since links were made, and a checkpoint kept

    async def run(self, source: AsyncGenerator[Record, None]) -> Summary:
        try:
            async with asyncio.TaskGroup() as tasks, contextlib.aclosing(source):
                broken = await self._follow(source, tasks)
                while self._window:
                    await self._settle()
                if not self._summary.stopped:
                    await self._finish(broken)
        except BaseException:  # interrupted: what is settled need not be done again
            self._note()
            raise
        if self._checkpoints and not self._summary.stopped:
            self._checkpoints.remove()
        return replace(self._summary, kinds=tuple(self._tally))

    async def _finish(self, broken: str | None) -> None:
        """All that was read is settled."""
        if broken:
            self._stop(f"The input broke off: {broken}.")
        await self._link(self._links.finish)

    async def _follow(self, source: AsyncGenerator[Record, None], tasks: asyncio.TaskGroup) -> str | None:
        """Read and ask until the end; why the input broke off, where it did."""
        try:
            async for record in source:
                self._begin(record, tasks)
                while self._window and self._is_full():
                    await self._settle()
                if self._summary.stopped:
                    break
        except Unreadable as error:
            return str(error)
        return None

    def _is_full(self) -> bool:
        return self._strict or len(self._window) >= ABREAST or self._weight > IN_FLIGHT

    def _begin(self, record: Record, tasks: asyncio.TaskGroup) -> None:
        self._window.append(self._asked(record, tasks))
        self._weight += record.size

    def _asked(self, record: Record, tasks: asyncio.TaskGroup) -> _Asked:
        kept = replace(record, value=None)
        if record.unreadable is not None:
            return _Asked(kept, unreadable=record.unreadable)
        try:
            found = read(record.value, now=self._clock(), owner=self._owner)
        except Unreadable as error:
            return _Asked(kept, unreadable=str(error))
        if self._strict and found.repairs:
            return _Asked(kept, found)
        return _Asked(kept, found, tasks.create_task(self._answer(found.command)))

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
        self._weight -= asked.record.size
        outcome = await asked.answer if asked.answer else None
        if isinstance(outcome, Unavailable):
            self._stop(f"The database does not answer: from {asked.place} on, not everything was imported. Do it again when it does.")
            return
        if self._strict and not isinstance(outcome, Committed):
            self._stop(f"Stopped at {asked.place}: it was not imported, nor was anything after it.")
        match outcome:
            case Committed():
                self._tell_committed(asked, outcome)
            case Refused() as refusal:
                self._skip(asked, str(refusal))
            case None if asked.unreadable is not None:
                self._skip(asked, asked.unreadable)
            case None:
                self._tell_repairs(asked)
        await self._pass(asked.record.after)

    async def _pass(self, after: Position) -> None:
        """A record is settled, and everything before it."""
        counts = self._summary
        self._watch(Standing(after.offset, self._total, counts.made, counts.already_there, counts.repairs, counts.skipped))
        if self._summary.stopped:
            return
        self._position = after
        self._since += 1
        if self._since >= NOTED:
            self._since = 0
            await self._link(self._links.make)
            self._note()

    async def _link(self, make: Callable[[], Awaitable[list[Unlinked]]]) -> None:
        """Make relationships between what is there by now; tell those that cannot be made."""
        try:
            unlinked = await make()
        except Unavailable:
            self._stop("The database does not answer: not every relationship was made. Do it again when it does.")
            return
        finally:
            self._summary = replace(self._summary, linked=self._summary.linked + self._links.taken())
        for one in unlinked:
            self._repaired(one.waiting.place, f"{one.waiting.path}: {_sentence(one.why)}")

    def _note(self) -> None:
        """Keep where it stands, unless it stopped and this was kept then. An import goes on without."""
        if self._checkpoints is None or self._position is None or self._summary.stopped:
            return
        try:
            counts = self._summary.counts
            self._checkpoints.write(Checkpoint(self._position, self._journal, counts, tuple(self._tally), self._links.waiting))
        except OSError as error:
            self._checkpoints = None
            self._report(f"Where this import stands cannot be kept ({error.strerror or error}): should it be cut, it begins anew.")

    def _skip(self, asked: _Asked, why: str) -> None:
        self._summary = replace(self._summary, skipped=self._summary.skipped + 1)
        self._tell(asked.place, f"skipped: {_sentence(why)}")

    def _tell_committed(self, asked: _Asked, committed: Committed) -> None:
        self._journal = committed.position
        for relation in asked.read.relations if asked.read else ():
            self._links.add(Waiting(asked.place, relation.path, committed.about.id, relation.type, relation.other))
        if committed.replayed:
            self._summary = replace(self._summary, already_there=self._summary.already_there + 1)
            return
        self._summary = replace(self._summary, made=self._summary.made + 1)
        self._tell_repairs(asked)
        self._tell_taken(asked, committed)

    def _tell_repairs(self, asked: _Asked) -> None:
        for repair in asked.read.repairs if asked.read else ():
            self._repaired(asked.place, _sentence(str(repair)))

    def _tell_taken(self, asked: _Asked, committed: Committed) -> None:
        """The identifiers that it does not carry, because another interaction does."""
        kept = {(one["owner"], one.get("type"), one["value"]) for one in (committed.document or {}).get("externalIdentifiers", ())}
        for one in asked.read.command.further_identifiers if asked.read else ():
            if (one.owner, one.type, one.value) not in kept:
                self._repaired(asked.place, f'externalIdentifier: "{shown(one.value)}" names another interaction; kept in extra.')

    def _repaired(self, place: str, what: str) -> None:
        self._summary = replace(self._summary, repairs=self._summary.repairs + 1)
        self._tell(place, what)

    def _tell(self, place: str, what: str) -> None:
        self._tally.add(place, what)
        self._report(f"{place}: {what}")

    def _stop(self, why: str) -> None:
        self._note()
        self._summary = replace(self._summary, stopped=self._summary.stopped or why)


def _place(position: Position) -> str:
    return f"line {position.lines:,}" if position.form is Form.LINES else f"record {position.number:,}"


def _size(stream: IO[bytes]) -> int | None:
    """How many bytes it has; None where that cannot be known."""
    try:
        return os.fstat(stream.fileno()).st_size or None
    except OSError:  # also where it has no descriptor
        return None


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
