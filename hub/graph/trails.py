"""What an operation leaves in the audit: everybody whom its answer told something of, and everybody whom it changed something of.

Whatever is told as an object of the graph passes its type's `is_type_of`, by whichever door it came: there it is noted. So what
was loaded and not told is not noted, and a masked party, told as an id and a kind, is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hub.access.viewers import Viewer
from hub.domain.terms import SubjectKind
from hub.journal.audit import Audit, Queued
from hub.journal.batch import Committed
from hub.journal.frames import Frame
from hub.journal.log import Entry
from hub.store.audit import Did, Record, Seen

SENSITIVE: Final[Mapping[str, frozenset[str]]] = {"Party": frozenset({"contactMedia"})}
"""Of each type, the stored fields that are told only once it is on disk that they are."""


def is_sensitive(needs: Mapping[str, frozenset[str]]) -> bool:
    """Whether an operation that reads these fields of these types tells anything sensitive."""
    return any(not held.isdisjoint(needs.get(type, ())) for type, held in SENSITIVE.items())


@dataclass(slots=True)
class Trail:
    """Of one operation: a record of what it changed for each act, and one of what it read. A stream reads on, and leaves one
    record for each write of the audit, however many its frames."""

    audit: Audit
    viewer: Viewer
    clock: Callable[[], datetime]
    operation: str = ""
    is_sensitive: bool = False
    seen: list[Seen] = field(default_factory=list)
    queued: Queued | None = None

    def interaction(self, document: Mapping[str, Any]) -> None:
        """It is told: that is about everybody in its sight."""
        self.seen.append((document["_id"], document["visibleTo"]))

    def event(self, entry: Mapping[str, Any]) -> None:
        """It is told: that is about its interaction and everybody who was in its sight then."""
        self.seen.append((entry["subject"]["id"], entry["visibleTo"]))

    def frame(self, frame: Frame) -> None:
        """A stream tells it: also by no more than its kind and its interaction's id."""
        if frame.seen is not None:
            self.seen.append(frame.seen)

    def tells(self, frame: Frame) -> bool:
        """Record at once what a frame tells; whether it may be told: not where nothing more can be recorded."""
        if self.audit.is_full:
            return False
        if (seen := frame.seen) is not None:
            if (queued := self.queued) is None or queued.is_taken:
                self.queued = self._record(Did.READ, [seen])
            else:
                self.audit.add(queued, seen)
        return True

    def parties(self, *ids: str) -> None:
        """They are told, or something about them."""
        if ids:
            self.seen.append(("", ids))

    def changed(self, committed: Committed) -> None:
        """An act is done. It is recorded at once, whether or not anybody still waits for the answer."""
        if committed.entries:
            self._record(Did.CHANGED, [_concerned(entry) for entry in committed.entries])

    def follow(self, operation: str, *, is_sensitive: bool) -> None:
        """An operation begins. Raises Unavailable where what this viewer reads could not be recorded."""
        self.operation, self.is_sensitive = operation, is_sensitive
        if not self.viewer.is_anonymous:
            self.audit.admit()

    def go_on_as(self, viewer: Viewer) -> None:
        """Its bearer has another token from now on, or other rights: that is another record."""
        if viewer is not self.viewer:
            self.viewer, self.queued = viewer, None

    async def leave(self) -> None:
        """Record what was read since the last time, before it is told. Raises Unavailable; then it must not be told."""
        if not self.seen:
            return
        self.audit.admit()
        queued = self._read()
        if self.is_sensitive:
            await self.audit.written(queued)

    def _read(self) -> Queued:
        """What was seen, as part of a record that waits, or in one of its own."""
        seen, self.seen = self.seen, []
        if self.queued is not None and not self.queued.is_taken:
            self.audit.extend(self.queued, seen)
        else:
            self.queued = self._record(Did.READ, seen)
        return self.queued

    def _record(self, did: Did, seen: list[Seen]) -> Queued:
        return self.audit.record(Record(self.clock(), self.viewer, self.operation, did, seen))


def _concerned(entry: Entry) -> Seen:
    """Whom an entry of the journal concerns: also those whom it took out of sight."""
    subject = entry["subject"]
    match SubjectKind(subject["kind"]):
        case SubjectKind.INTERACTION:
            return subject["id"], [*entry["visibleTo"], *entry.get("left", ())]
        case SubjectKind.PARTY:
            return "", [subject["id"]]
        case _:
            return "", [party] if (party := entry["data"].get("party")) else []
