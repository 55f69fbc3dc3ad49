"""What can be asked for in a search, and what of it an index answers."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.access.visibility import Visibility
from hub.domain.lifecycle import OPEN
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import EntityRef
from hub.domain.terms import NoteVisibility, Priority
from hub.errors import BadInput
from hub.store.documents import identifier_document

WORDS: Final = 10  # of one search: each is looked up by itself
LETTERS: Final = 200  # of all of them together
READ: Final = ("reason", "description", "notes.text", "notes.visibility")  # what `words_in` reads

MARKS: Final = "".join(mark for mark in map(chr, range(0x300, 0x1_E950)) if unicodedata.category(mark)[0] == "M")
WORD: Final = re.compile(rf"[\w\u200c\u200d{MARKS}]+")  # with vowel signs and joiners: they are part of words in many scripts
IS_OPEN: Final = {"status": {"$in": sorted(OPEN)}}
PRESENT: Final = {"$exists": True}
ABSENT: Final = {"$exists": False}


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment on, and before another."""

    begin: datetime | None = None
    end: datetime | None = None

    def clause(self) -> dict[str, datetime]:
        """As MongoDB takes it."""
        return {name: moment for name, moment in (("$gte", self.begin), ("$lt", self.end)) if moment is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    """None asks nothing; a collection asks for one of. What is asked must all hold."""

    ids: Collection[str] | None = None
    status: Collection[str] | None = None
    direction: str | None = None
    kind: Collection[str] | None = None
    topic: Collection[str] | None = None
    vertical: Collection[str] | None = None
    priority: Collection[Priority] | None = None
    channel: Collection[str] | None = None
    party_id: str | None = None
    takes_part: tuple[str, ...] = ()  # all of these parties too
    assignee_id: str | None = None
    unassigned: bool | None = None
    escalated: bool | None = None
    overdue: bool | None = None
    entity: EntityRef | None = None
    external_identifier: ExternalIdentifier | None = None
    created_at: Span | None = None
    updated_at: Span | None = None
    ended_at: Span | None = None
    words: tuple[str, ...] | None = None

    def query(self, visibility: Visibility, now: datetime) -> dict[str, Any]:
        """As MongoDB takes it, within sight."""
        return all_of(visibility.filter(), *self._clauses(visibility, now))

    @property
    def narrow(self) -> "InteractionFilter":
        """Only what an index may know few of: whose, about what, of which hours."""
        return InteractionFilter(
            ids=self.ids,
            party_id=self.party_id,
            takes_part=self.takes_part,
            assignee_id=self.assignee_id,
            entity=self.entity,
            external_identifier=self.external_identifier,
            created_at=self.created_at,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parties that it asks about."""
        return tuple(party for party in (self.party_id, self.assignee_id, *self.takes_part) if party is not None)

    @property
    def is_about_some(self) -> bool:
        """Whether it asks for what whoever asks knows something of: that it is there says the rest."""
        return any(asked is not None for asked in (self.ids, self.entity, self.external_identifier, self.words))

    def _clauses(self, visibility: Visibility, now: datetime) -> Iterator[Mapping[str, Any]]:
        one_of = {
            "_id": self.ids,
            "status": self.status,
            "kind": self.kind,
            "topic": self.topic,
            "vertical": self.vertical,
            "priority": None if self.priority is None else [priority.rank for priority in self.priority],
            "channels.type": self.channel,
        }
        yield from ({path: {"$in": sorted(words)}} for path, words in one_of.items() if words is not None)
        if self.status is not None and OPEN.issuperset(self.status):
            yield IS_OPEN  # in the words of the partial indexes: MongoDB does not see that two of four are within the four
        yield {} if self.direction is None else {"direction": self.direction}
        yield {} if self.party_id is None else {"visibleTo": self.party_id}
        yield from ({"visibleTo": party} for party in self.takes_part)
        yield {} if self.assignee_id is None else {"assignee": self.assignee_id}
        yield {} if self.unassigned is None else {"assignee": ABSENT if self.unassigned else PRESENT}
        yield {} if self.escalated is None else {"escalationLevel": PRESENT if self.escalated else ABSENT}
        yield _overdue(self.overdue, now)
        if self.entity is not None:  # said twice: by the second, the index over those with an entity is known to serve
            yield {"items": {"$elemMatch": _entity(self.entity)}, "items.entity.entityId": self.entity.entity_id}
        if self.external_identifier is not None:
            yield {"externalIdentifiers": {"$elemMatch": identifier_document(self.external_identifier)}}
        spans = {"createdAt": self.created_at, visibility.updated_at: self.updated_at, "endedAt": self.ended_at}
        yield from ({path: clause} for path, span in spans.items() if span is not None and (clause := span.clause()))
        yield {} if self.words is None else all_words(self.words)


ANY: Final = InteractionFilter()


def all_of(*clauses: Mapping[str, Any]) -> dict[str, Any]:
    """What holds where all of these do; those that ask nothing are left out."""
    asked = [clause for clause in clauses if clause]
    return {"$and": asked} if len(asked) > 1 else dict(asked[0]) if asked else {}


def words_of(text: str, *path: str) -> tuple[str, ...]:
    """The words of a search, each once. Raises BadInput where there is none, or too many."""
    found = tuple(dict.fromkeys(WORD.findall(text[: LETTERS + 1])))
    if not found:
        raise BadInput(f"{path[-1]} has no word to look for.", *path)
    if len(found) > WORDS or len(text) > LETTERS:
        raise BadInput(f"{path[-1]} is long; at most {WORDS} words and {LETTERS} characters are looked for.", *path)
    return found


def all_words(words: tuple[str, ...]) -> dict[str, Any]:
    """Every word, in any order: a phrase in quotes must be there, a bare word need not."""
    return {"$text": {"$search": " ".join(f'"{word}"' for word in words)}}


def folded(text: str) -> frozenset[str]:
    """The words of a text as an index of words knows them: whatever their case and accents."""
    plain = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return frozenset(WORD.findall("".join(plain).casefold()))


def words_in(document: Mapping[str, Any]) -> frozenset[str]:
    """Every word that a search for words looks at in an interaction."""
    notes = (note["text"] for note in document.get("notes", ()) if note.get("visibility") != NoteVisibility.INTERNAL)
    return folded(" ".join((document.get("reason", ""), document.get("description", ""), *notes)))


def _overdue(overdue: bool | None, now: datetime) -> Mapping[str, Any]:
    """Promises run while an interaction is open, and an index over open ones knows them."""
    match overdue:
        case None:
            return {}
        case True:
            return {"nextUpdateDueAt": {"$lt": now}, **IS_OPEN}
        case False:
            return {"nextUpdateDueAt": {"$not": {"$lt": now}}}


def _entity(entity: EntityRef) -> Mapping[str, Any]:
    wanted = {"type": entity.type, "entityId": entity.entity_id, "href": entity.href, "name": entity.name}
    return {f"entity.{name}": value for name, value in wanted.items() if value is not None}
