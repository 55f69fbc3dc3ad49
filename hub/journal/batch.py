"""A batch decided: commands in, one after the other, writes and answers out. No I/O.

Each command is decided against the documents as the commands before it left them. One that is refused, or that fails,
gets its own error and changes nothing. What comes out is written as one transaction.
"""

import asyncio
import contextvars
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import bson
import structlog
from bson import Binary, Int64
from bson.raw_bson import RawBSONDocument

from hub.domain.events import Event
from hub.domain.interactions import Interaction
from hub.domain.terms import SubjectKind
from hub.errors import BadInput, IdempotencyKeyReused, InternalError, Refused
from hub.journal.desk import MOST, Change, Command, Decision, Desk, Ref
from hub.journal.log import Actor, Entry, Written, interaction_entry, numbered, system_entry
from hub.store.documents import KEPT, Subject, difference, succeeded
from hub.store.mongo import Rewrite, Update

MEASURED: Final = 100  # notes and items from which on a document is measured before it is accepted

log = structlog.get_logger("hub.journal")


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key: `id` is made of the caller and the key, `request` of what was asked for."""

    id: bytes
    request: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """The answer to a command: what it was about, its place in the journal, and the document as the commit left it.

    `document` is None for a replay: then it is read anew, under the rights of now.
    """

    about: Ref
    position: int
    replayed: bool
    document: dict[str, Any] | None
    entries: tuple[Entry, ...] = ()  # that it wrote


@dataclass(slots=True, eq=False)
class Asked:
    """A queued command, and the future of whoever waits for its answer."""

    command: Command
    actor: Actor
    key: Key | None
    until: float  # loop time after which nobody waits any more
    answer: asyncio.Future[Committed]
    heard: Callable[[Committed], None] | None = None  # told of the commit whether or not the caller still waits
    of: contextvars.Context = field(default_factory=contextvars.copy_context)  # the caller's: what is logged of it bears its id

    def settle(self, answer: Committed | Exception) -> None:
        """Answer, unless the caller hung up."""
        if self.heard is not None and isinstance(answer, Committed):
            self.heard(answer)
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


@dataclass(slots=True)
class Decided:
    """What one transaction writes, and what each caller hears once it is committed."""

    position: int  # of the head before it
    mark: bytes
    written: list[Written] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    updates: defaultdict[str, list[Update]] = field(default_factory=lambda: defaultdict(list))
    inherited: list[Rewrite] = field(default_factory=list)
    inserts: defaultdict[str, list[RawBSONDocument]] = field(default_factory=lambda: defaultdict(list))
    answers: list[tuple[Asked, Committed | Exception]] = field(default_factory=list)
    began: int = 0  # its transaction, in nanoseconds since 1970 ...
    ended: int = 0  # ... and when that was committed

    @property
    def entries(self) -> list[Entry]:
        """The entries with their personal part, in order."""
        return [one.whole for one in self.written]


def decide(asked: Sequence[Asked], desk: Desk, keys: dict[bytes, dict[str, Any]], position: int) -> Decided:
    """Decide every command in order. A refusal waits for the commit too: what it was judged on may only come with it."""
    decided = Decided(position, secrets.token_bytes(12))
    used: dict[bytes, dict[str, Any]] = dict(keys)
    pending: list[tuple[Asked, Ref, int, bool, tuple[Entry, ...]]] = []
    for one in asked:
        try:
            known = used.get(one.key.id) if one.key else None
            if one.key and known is not None:
                if known["request"] != one.key.request:
                    raise IdempotencyKeyReused
                about = Ref(SubjectKind(known["subject"]["kind"]), known["subject"]["id"])
                pending.append((one, about, int(known["position"]), True, ()))
                continue
            decision = one.command.decide(desk)
            entries = _entries(decision, desk, one.actor, desk.now)
            inherited = list(_inherited(decision, position + len(decided.written)))
        except Refused as refusal:
            decided.answers.append((one, refusal))
            continue
        except Exception:  # a fault of ours in one command must not cost the others theirs
            one.of.run(log.exception, "command_failed", command=type(one.command).__name__)
            decided.answers.append((one, InternalError()))
            continue
        desk.accept(decision)
        decided.written += entries
        decided.inherited += inherited
        reached = position + len(decided.written)
        pending.append((one, decision.about, reached, decision.replayed, tuple(entry.entry for entry in entries)))
        if one.key and entries:
            key = {
                "_id": Binary(one.key.id),
                "request": one.key.request,
                "subject": {"kind": str(decision.about.kind), "id": decision.about.id},
                "position": reached,
                "at": desk.now,
            }
            used[one.key.id] = key
            decided.keys.append(key)
    numbered(decided.written, position, decided.mark)
    documents = _writes(decided, desk)
    decided.inserts["journal"] = [_raw(one.entry) for one in decided.written]
    decided.inserts["personal"] = [_raw(one.personal) for one in decided.written if one.personal is not None]
    decided.inserts["idempotency"] = [_raw(key) for key in decided.keys]
    decided.answers += [
        (one, Committed(about, reached, replayed, documents.get(about), wrote)) for one, about, reached, replayed, wrote in pending
    ]
    return decided


def _entries(decision: Decision, desk: Desk, actor: Actor, now: datetime) -> list[Written]:
    """The entries of one decision; measures a document that has grown long before anything is accepted."""
    return [entry for change in decision.changes for entry in _change_entries(change, desk, actor, now)]


def _change_entries(change: Change, desk: Desk, actor: Actor, now: datetime) -> list[Written]:
    subject = change.subject
    _measure(subject)
    if not isinstance(subject, Interaction):
        return [system_entry(event, subject, actor, now) for event in change.events if not isinstance(event, Event)]
    was = desk.interaction(subject.id)
    entries: list[Written] = []
    for event in change.events:
        if isinstance(event, Event):  # of two events of one act, the first leaves it in a state of its own
            stood = subject if event.status is subject.status else replace(subject, status=event.status)
            entries.append(interaction_entry(event, was, stood, actor, now))
            was = stood
    return entries


def _inherited(decision: Decision, position: int) -> Iterator[Rewrite]:
    """What changes hands of a past that reaches up to this position."""
    for change in decision.changes:
        if (heir := change.heir) is not None and heir.party != heir.of:
            past = {"subject.id": change.subject.id, "_id": {"$lte": Int64(position)}, "visibleTo": heir.of}
            seen_by = {"$setUnion": [{"$setDifference": ["$visibleTo", [heir.of]]}, [heir.party]]}
            yield Rewrite(past, [{"$set": {"visibleTo": seen_by}}])


def _measure(subject: Subject) -> None:
    if isinstance(subject, Interaction) and len(subject.notes) + len(subject.internal_notes) + len(subject.items) >= MEASURED:
        size = len(bson.encode(KEPT[SubjectKind.INTERACTION].to_document(subject)))
        if size > MOST:
            raise BadInput(f"The interaction would grow beyond {MOST // 1_048_576} MiB; open a follow-up.", "input", "id")


def _writes(decided: Decided, desk: Desk) -> dict[Ref, dict[str, Any]]:
    """One write for each changed subject, guarded by the `seq` it was read with; gives the documents as they will be."""
    documents: dict[Ref, dict[str, Any]] = {}
    for ref, subject in desk.changed().items():
        kept = KEPT[ref.kind]
        document = kept.to_document(subject)
        was = desk.stored.get(ref)
        if was is None:
            decided.inserts[kept.collection].append(_raw(document))
            documents[ref] = document
        else:
            change = difference(was, document)
            _raw(change)
            decided.updates[kept.collection].append(Update({"_id": ref.id, "seq": was["seq"]}, change))
            documents[ref] = succeeded(was, document)
    return documents


def _raw(document: dict[str, Any]) -> RawBSONDocument:
    """Encoded here, for what BSON cannot hold (half of a character, a number of 70 bits) costs the driver a connection."""
    return RawBSONDocument(bson.encode(document))
