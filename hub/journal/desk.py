"""What a command sees while it decides: the documents it touches as they stand after every command before it.

Filled by the committer before a batch is decided; deciding itself does no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from hub.access.guard import Guard
from hub.domain.clients import Client, ClientEvent
from hub.domain.events import Event
from hub.domain.ids import Ids, PartyId
from hub.domain.interactions import Interaction
from hub.domain.issued_tokens import IssuedToken, TokenEvent
from hub.domain.parties import ExternalIdentifier, Party, PartyEvent
from hub.domain.parts import Relationship
from hub.domain.party_roles import PartyRole, PartyRoleEvent
from hub.domain.relationships import LINEAGE
from hub.domain.rules import Rules
from hub.domain.terms import RelationshipType, SubjectKind
from hub.store.documents import KEPT, KIND_OF, Subject, identifier_document, relationships_from
from hub.store.mongo import Mongo

MOST: Final = 8 * 1024 * 1024  # bytes of one document; MongoDB's own end is 16 MiB


@dataclass(frozen=True, slots=True)
class Ref:
    """A subject by its id."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True)
class External:
    """A subject by the name that another system gave it."""

    kind: SubjectKind
    identifier: ExternalIdentifier


@dataclass(frozen=True, slots=True)
class RolesOf:
    """Every role that a party has or had."""

    party: str


@dataclass(frozen=True, slots=True)
class Line:
    """The relationships of an interaction and, one behind the other, of all that it hangs on by one kind of them; up to `LINEAGE`."""

    id: str
    type: RelationshipType


Touch = Ref | External | RolesOf | Line


def both_ends(id: str, type: RelationshipType, other_id: str) -> Iterable[Touch]:
    """What two interactions that are to be linked touch; the line of PARENT and CHILD runs from the child."""
    yield Ref(SubjectKind.INTERACTION, id)
    yield Ref(SubjectKind.INTERACTION, other_id)
    yield Line(id, RelationshipType.PARENT) if type is RelationshipType.CHILD else Line(other_id, type)


@dataclass(frozen=True, slots=True)
class Heir:
    """Who sees a subject's past in the place of whom."""

    party: PartyId
    of: PartyId


@dataclass(frozen=True, slots=True)
class Change:
    """A subject as an act leaves it, and what happened: at least one event. With an `heir` its past changes hands too: in
    `visibleTo` of every entry before these, which is an index and no fact, one party stands in the place of another (decision 9)."""

    subject: Subject
    events: Sequence[Event] | Sequence[PartyEvent] | Sequence[PartyRoleEvent] | Sequence[TokenEvent] | Sequence[ClientEvent]
    heir: Heir | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command answers: which subject it was about, and what changes. No change: it stood so already."""

    about: Ref
    changes: tuple[Change, ...] = ()
    replayed: bool = False


class Command(Protocol):
    """Something the hub is asked to do."""

    def touches(self) -> Iterable[Touch]:
        """What must be loaded before it can be decided."""
        ...

    def decide(self, desk: "Desk") -> Decision:
        """Pure: the same desk gives the same decision. Raises Refused."""
        ...


class Desk:
    """The documents of one batch. A refused command leaves no trace, for only `accept` changes what is here."""

    def __init__(self, now: datetime, new_id: Ids, rules: Rules, guard: Guard) -> None:
        self.now = now
        self.new_id = new_id
        self.rules = rules
        self.guard = guard
        self.stored: dict[Ref, dict[str, Any] | None] = {}
        self._present: dict[Ref, Subject] = {}
        self._named: dict[External, Ref] = {}
        self._related: dict[str, tuple[Relationship, ...]] = {}
        self._before: dict[Ref, Subject | None] = {}

    async def load(self, mongo: Mongo, touches: Iterable[Touch]) -> None:
        """Read everything that is touched: one query a collection and way of asking."""
        wanted = set(touches)
        for kind, kept in KEPT.items():
            ids = [touch.id for touch in wanted if isinstance(touch, Ref) and touch.kind is kind]
            names = [touch for touch in wanted if isinstance(touch, External) and touch.kind is kind]
            for document in (await mongo.by_ids(kept.collection, ids)).values():
                self._keep(kind, document)
            if names:
                either = {"$or": [{"externalIdentifiers": {"$elemMatch": identifier_document(name.identifier)}} for name in names]}
                for document in await mongo.page(kept.collection, either):
                    self._keep(kind, document)
        holders = sorted(touch.party for touch in wanted if isinstance(touch, RolesOf))
        for document in await mongo.page("partyRoles", {"party": {"$in": holders}}) if holders else ():
            self._keep(SubjectKind.PARTY_ROLE, document)
        for type in RelationshipType:
            await self._load_lines(mongo, type, {touch.id for touch in wanted if isinstance(touch, Line) and touch.type is type})

    def interaction(self, id: str) -> Interaction | None:
        """The interaction with this id, as it stands."""
        found = self._get(Ref(SubjectKind.INTERACTION, id))
        return found if isinstance(found, Interaction) else None

    def relationships(self, id: str) -> tuple[Relationship, ...] | None:
        """What an interaction hangs on, as it stands; None where it was touched neither by itself nor as part of a line."""
        found = self.interaction(id)
        return self._related.get(id) if found is None else found.relationships

    def party(self, id: str) -> Party | None:
        """The party with this id, as it stands."""
        found = self._get(Ref(SubjectKind.PARTY, id))
        return found if isinstance(found, Party) else None

    def party_role(self, id: str) -> PartyRole | None:
        """The party role with this id, as it stands."""
        found = self._get(Ref(SubjectKind.PARTY_ROLE, id))
        return found if isinstance(found, PartyRole) else None

    def token(self, id: str) -> IssuedToken | None:
        """What is remembered of the token with this id, as it stands."""
        found = self._get(Ref(SubjectKind.TOKEN, id))
        return found if isinstance(found, IssuedToken) else None

    def client(self, id: str) -> Client | None:
        """The client with this id, as it stands."""
        found = self._get(Ref(SubjectKind.CLIENT, id))
        return found if isinstance(found, Client) else None

    def roles_of(self, party: str) -> list[PartyRole]:
        """Every role that a party has or had, as far as they were touched."""
        refs = [ref for ref in self.stored.keys() | self._present.keys() if ref.kind is SubjectKind.PARTY_ROLE]
        return [role for ref in refs if (role := self.party_role(ref.id)) is not None and role.party == party]

    def named(self, kind: SubjectKind, identifier: ExternalIdentifier) -> Interaction | Party | None:
        """The subject that carries this external identifier, as it stands: an earlier command may have taken it away."""
        ref = self._named.get(External(kind, identifier))
        found = None if ref is None else self._get(ref)
        return found if isinstance(found, Interaction | Party) and identifier in found.external_identifiers else None

    def accept(self, decision: Decision) -> None:
        """Take over what a command decided; later commands see it."""
        for change in decision.changes:
            ref = ref_of(change.subject)
            self._before.setdefault(ref, self._get(ref))
            self._present[ref] = change.subject
            for identifier in change.subject.external_identifiers if isinstance(change.subject, Interaction | Party) else ():
                self._named[External(ref.kind, identifier)] = ref

    def changed(self) -> Mapping[Ref, Subject]:
        """Every subject that the accepted decisions changed, as it stands now."""
        return {ref: self._present[ref] for ref in self._before}

    async def _load_lines(self, mongo: Mongo, type: RelationshipType, begin: Iterable[str]) -> None:
        """Relationships alone: what hangs at the end of a line is not decided on. What is not loaded is not known to be an end."""
        met = {id: {id} for id in begin}  # each line for itself: a wide one takes nothing from another
        ends = {id: {id} for id in met}
        while wanted := set[str]().union(*(ends[id] for id in met if len(met[id]) <= LINEAGE)):
            found = await mongo.by_ids("interactions", sorted(wanted), {"relationships": 1})
            self._related |= {id: relationships_from(found.get(id, {})) for id in wanted}
            for id, begun in ends.items():
                behind: set[str] = {one.interaction for at in begun & wanted for one in self._related[at] if one.type is type}
                ends[id] = behind - met[id]
                met[id] |= behind

    def _keep(self, kind: SubjectKind, document: dict[str, Any]) -> None:
        ref = Ref(kind, document["_id"])
        self.stored[ref] = document
        for found in document.get("externalIdentifiers", ()):
            self._named[External(kind, ExternalIdentifier(found["owner"], found["value"], found.get("type")))] = ref

    def _get(self, ref: Ref) -> Subject | None:
        if ref not in self._present and (document := self.stored.get(ref)) is not None:
            self._present[ref] = KEPT[ref.kind].from_document(document)
        return self._present.get(ref)


def ref_of(subject: Subject) -> Ref:
    """How a subject is referred to."""
    return Ref(KIND_OF[type(subject)], subject.id)
