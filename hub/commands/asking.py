"""The door for everything that changes something: who asks, what for, under which idempotency key."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

import orjson

from hub.access.mandates import Mandate, may_move, require
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.commands.acting import reaches
from hub.commands.standing import check_standing, rests_on
from hub.domain.ids import PartyId
from hub.domain.interactions import Interaction
from hub.domain.terms import Status, SubjectKind
from hub.domain.texts import text
from hub.errors import BadInput, IllegalTransition, OutOfReach
from hub.journal.batch import Committed, Key
from hub.journal.desk import Decision, Desk, Ref, Touch
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.store.interactions import Interactions
from hub.store.parties import Parties
from hub.store.party_roles import PartyRoles
from hub.store.tokens import Tokens

Heard = Callable[[Committed], None]  # who is told of a commit, even where its caller no longer waits


class Keep(Enum):
    """In place of a value that the client did not send: what is there stays. A null clears."""

    KEEP = "\x00"  # which no text may hold: no request looks like one that left a field out


def given(**wanted: Any) -> Any:
    """What was sent."""
    return {name: value for name, value in wanted.items() if not isinstance(value, Keep)}


KEY_LENGTH: Final = 255  # characters of an idempotency key


class Request(Protocol):
    """What a viewer asks for: a frozen value with a mandate, decided against the desk."""

    @property
    def name(self) -> str:
        """The act in the client's words: "closeInteraction"."""
        ...

    @property
    def mandate(self) -> Mandate:
        """Who may ask for it at all."""
        ...

    def touches(self) -> Iterable[Touch]:
        """What must be loaded before it can be decided."""
        ...

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        """Pure. Raises Refused. `fingerprint` tells this request from others."""
        ...


class TakingPart:
    """A request by which its viewer comes to take part: whoever does so is a party that the hub knows."""

    __slots__ = ()

    def known(self, party: PartyId, desk: Desk) -> PartyId:
        """The viewer's party. Raises BadInput where it is not registered."""
        if desk.party(party) is None:
            raise BadInput("The token's party is not registered here; have it registered with upsertParty, or correct the token's claim.")
        return party


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its viewer: a command for the committer."""

    request: Request
    viewer: Viewer
    fingerprint: str

    def touches(self) -> Iterable[Touch]:
        yield from self.request.touches()
        yield from rests_on(self.viewer)
        if isinstance(self.request, TakingPart) and self.viewer.party is not None:
            yield Ref(SubjectKind.PARTY, self.viewer.party)

    def decide(self, desk: Desk) -> Decision:
        check_standing(desk, self.viewer)
        try:
            decision = self.request.decide(desk, self.viewer, self.fingerprint)
            self._check_reach(decision)
            return decision
        except IllegalTransition as refusal:  # what would be legal is told as far as this viewer may do it
            was = Status(refusal.was)
            open_to_viewer = [to for to in refusal.allowed_transitions or () if may_move(self.viewer, was, Status(to))]
            raise IllegalTransition(was, refusal.cannot, open_to_viewer) from None

    def _check_reach(self, decision: Decision) -> None:
        """A token that reaches some interactions only makes no other ones, and makes none of them into another one."""
        if self.viewer.narrowed.is_open:
            return
        for change in decision.changes:
            if isinstance(change.subject, Interaction) and not reaches(self.viewer, change.subject):
                raise OutOfReach("What lies outside of this token's filter")


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the document of now as this viewer may see it (None: out of sight by now), and where the journal stood."""

    document: dict[str, Any] | None
    position: int
    replayed: bool
    claim_code: str | None = None
    upload: Any = None  # where the bytes of an attachment are to be brought


async def ask(
    journal: Journal,
    viewer: Viewer,
    request: Request,
    idempotency_key: str | None = None,
    heard: Heard | None = None,
) -> Done:
    """Have a request decided and committed. Raises Refused; what was accepted is durable when this returns. `heard` is told of
    the commit even where the caller no longer waits."""
    require(viewer, request.mandate, request.name, own=True)
    fingerprint = fingerprint_of(request)
    key = None if idempotency_key is None else Key(key_id(viewer, idempotency_key), fingerprint)
    actor = Actor(viewer.party, viewer.acting_role)
    committed = await journal.committer.submit(Asked(request, viewer, fingerprint.hex()), actor, key, heard)
    return Done(await _seen(journal, viewer, committed), committed.position, committed.replayed)


async def _seen(journal: Journal, viewer: Viewer, committed: Committed) -> dict[str, Any] | None:
    """The document under the rights of now; read anew where the commit did not write it (a replay, or nothing to change)."""
    visibility = Visibility.of(viewer)
    document = committed.document
    find, sees = {
        SubjectKind.INTERACTION: (Interactions(journal.mongo).find, visibility.sees),
        SubjectKind.PARTY: (Parties(journal.mongo).find, visibility.sees_party),
        SubjectKind.PARTY_ROLE: (PartyRoles(journal.mongo).find, visibility.sees_party_role),
        SubjectKind.TOKEN: (Tokens(journal.mongo).find, visibility.sees_token),
    }[committed.about.kind]
    if document is None:
        return await find(visibility, committed.about.id)
    return document if sees(document) else None


def fingerprint_of(request: Request) -> bytes:
    """What tells a request from others. Raises BadInput for what could not be kept anyway."""
    try:
        wire = orjson.dumps([request.name, request])
    except (orjson.JSONEncodeError, UnicodeError):
        raise BadInput("The input holds text that is not well-formed Unicode, or a number beyond 64 bits.", "input") from None
    return hashlib.sha256(wire).digest()


def key_id(viewer: Viewer, key: str) -> bytes:
    """Keys of different callers never meet."""
    text(key, "input", "idempotencyKey", most=KEY_LENGTH)
    return hashlib.sha256(orjson.dumps([viewer.issuer, viewer.subject, viewer.client, key])).digest()
