"""An interaction: what a company and a customer have to do with each other, from its first call to its close.

An act takes the time and the new ids as arguments and answers the next interaction with what happened. Nothing changes
without an event, no event without a change, and `seq` counts them (eTOM 1.3.5, TMF683).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack

from hub.domain import lifecycle, promises
from hub.domain.events import Event, FieldChange, Value
from hub.domain.ids import InteractionId, PartyId
from hub.domain.lifecycle import REOPEN_WINDOW
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import Attachment, Channel, Involvement, Item, Note, Progress, Relationship, Satisfaction
from hub.domain.terms import (
    Audience,
    ChannelType,
    Direction,
    EventType,
    InteractionAct,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    Priority,
    Role,
    Status,
    Vertical,
)
from hub.domain.texts import LONG, SHORT, not_future, optional, text
from hub.errors import BadInput, Conflict, IllegalTransition

NOTES: Final = 1_000  # per interaction; beyond it, a follow-up is the better record
ITEMS: Final = 200
PARTIES: Final = 50
CHANNELS: Final = 50
IDENTIFIERS: Final = 50
FULL: Final = 100  # percent

Thing = TypeVar("Thing")

MOVED: Final[Mapping[str, str]] = {
    "status": "status",
    "question": "question",
    "resolution": "resolution",
    "status_reason": "statusReason",
    "ended_at": "endedAt",
}
"""What a move can change, and the name that it has in the schema."""

UPDATED: Final[Mapping[str, str]] = {
    "kind": "kind",
    "topic": "topic",
    "reason": "reason",
    "description": "description",
    "vertical": "vertical",
    "priority": "priority",
}
"""What an update can change in place. External identifiers are a list, and are told of one by one."""


class Wanted(TypedDict, total=False):
    """What of an interaction is to be different; what is left out stays."""

    kind: InteractionKind
    topic: str | None
    reason: str | None
    description: str | None
    vertical: Vertical | None
    priority: Priority
    external_identifiers: Sequence[ExternalIdentifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    id: InteractionId
    seq: int = 0
    public_seq: int = 0
    direction: Direction
    kind: InteractionKind
    topic: str | None = None
    reason: str | None = None
    description: str | None = None
    vertical: Vertical | None = None
    priority: Priority
    status: Status
    status_changed_at: datetime
    question: str | None = None
    resolution: str | None = None
    status_reason: str | None = None
    started_at: datetime
    ended_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    public_updated_at: datetime
    channels: tuple[Channel, ...]
    parties: tuple[Involvement, ...] = ()
    items: tuple[Item, ...] = ()
    notes: tuple[Note, ...] = ()  # public ones
    internal_notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()  # public ones
    internal_attachments: tuple[Attachment, ...] = ()
    progress: Progress | None = None
    relationships: tuple[Relationship, ...] = ()
    assignee: PartyId | None = None
    escalation_level: int = 0
    satisfaction: Satisfaction | None = None
    external_identifiers: tuple[ExternalIdentifier, ...] = ()
    visitor: PartyId | None = None  # who opened it without a login, until a customer claims it
    maker: str = ""  # who opened it, hashed: what tells a replay of a client-made id from a conflict
    request: str = ""  # what was asked for, hashed
    extra: str | None = None  # attributes of an import that this model does not know, as JSON

    @classmethod
    def opened(
        cls,
        id: InteractionId,
        *,
        at: datetime,
        direction: Direction,
        kind: InteractionKind,
        priority: Priority,
        channel: ChannelType,
        channel_name: str | None = None,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        topic: str | None = None,
        reason: str | None = None,
        description: str | None = None,
        resolution: str | None = None,
        vertical: Vertical | None = None,
        parties: Sequence[Involvement] = (),
        items: Sequence[Item] = (),
        external_identifiers: Sequence[ExternalIdentifier] = (),
        visitor: PartyId | None = None,
        maker: str = "",
        request: str = "",
    ) -> tuple["Interaction", Event]:
        """A new interaction: OPEN with a first promise, or, with `ended_at` and `resolution`, COMPLETED in one act."""
        status = Status.OPEN if ended_at is None else Status.COMPLETED
        started_at, ended_at = _span(started_at, ended_at, at)
        resolution = optional(resolution, "input", "resolution")
        if (resolution is None) != (ended_at is None):
            missing = "resolution" if resolution is None else "endedAt"
            raise BadInput("endedAt and resolution go together: they log an interaction that is over.", "input", missing)
        items = bounded(items, ITEMS, "items")
        due = promises.promise(status, priority, at)
        blank = cls(
            id=id,
            direction=direction,
            kind=kind,
            topic=optional(topic, "input", "topic", most=SHORT),
            reason=optional(reason, "input", "reason", most=SHORT),
            description=optional(description, "input", "description"),
            vertical=vertical,
            priority=priority,
            status=status,
            status_changed_at=at,
            resolution=resolution,
            started_at=started_at,
            ended_at=ended_at,
            created_at=at,
            updated_at=at,
            public_updated_at=at,
            channels=(Channel(channel, started_at, optional(channel_name, "input", "channelName", most=SHORT)),),
            parties=bounded(parties, PARTIES, "parties"),
            items=items if resolution is None else _resolved(items, resolution, at),
            progress=None if due is None else Progress(updated_at=at, next_update_due_at=due),
            external_identifiers=tuple(external_identifiers),
            visitor=visitor,
            maker=maker,
            request=request,
        )
        return blank.recorded(EventType.CREATED, at, channel=channel)

    def with_history(self) -> tuple["Interaction", Event]:
        """The first event of an interaction that another system kept until now: it begins in the state it has."""
        return self.recorded(EventType.CREATED, self.updated_at, happened=self.created_at, historical=True)

    @property
    def next_update_due_at(self) -> datetime | None:
        """The promise that stands: when the customer must hear next."""
        return self.progress.next_update_due_at if self.progress else None

    @property
    def open_items(self) -> tuple[Item, ...]:
        """The items without a resolution."""
        return tuple(item for item in self.items if item.resolved_at is None)

    @property
    def visible_to(self) -> tuple[PartyId, ...]:
        """The parties that see this interaction: whoever takes part, once each, in order."""
        return tuple(dict.fromkeys(involvement.party for involvement in self.parties))

    def involvements_of(self, party: PartyId | None) -> frozenset[InvolvementRole]:
        """As what a party takes part."""
        return frozenset(involvement.role for involvement in self.parties if involvement.party == party)

    def revision(self, *, internal: bool) -> int:
        """The sequence of the last event that staff (internal), or everyone else, may see."""
        return self.seq if internal else self.public_seq

    def allowed_transitions(self, now: datetime, window: timedelta = REOPEN_WINDOW) -> tuple[Status, ...]:
        """The moves that are legal from here, now."""
        return lifecycle.moves(self.status, ended_at=self.ended_at, now=now, window=window)

    def check_revision(self, expected: int | None, *, internal: bool) -> None:
        """Raises Conflict where the caller has read an older revision than the present one."""
        current = self.revision(internal=internal)
        if expected is not None and expected != current:
            raise Conflict(f"The interaction is at revision {current}, not {expected}; read it again.", current_revision=current)

    def require_open_to(self, act: InteractionAct, cannot: str, now: datetime, window: timedelta = REOPEN_WINDOW) -> None:
        """Raises IllegalTransition where this is not done to an interaction that stands so; `cannot` is the sentence's verb."""
        if self.status not in lifecycle.TAKES[act]:
            raise IllegalTransition(self.status, cannot, self.allowed_transitions(now, window))

    def update(self, *, at: datetime, **wanted: Unpack[Wanted]) -> tuple["Interaction", Event | None]:
        """As it is wanted; where it stands so already, no event. A promise that stands is kept."""
        changed = replace(self, **_checked(wanted))
        changes = (*_changes(self, changed, UPDATED), *_identified(self, changed))
        return changed.recorded(EventType.UPDATED, at, changes=changes) if changes else (self, None)

    def transition(
        self,
        to: Status,
        *,
        at: datetime,
        reason: str | None = None,
        question: str | None = None,
        resolution: str | None = None,
        window: timedelta = REOPEN_WINDOW,
    ) -> tuple["Interaction", Event]:
        """Move to another state; whether the move is legal is judged before what it needs.

        A `reason` is welcome with any move, and stands as `status_reason` until the next one."""
        if to not in (allowed := self.allowed_transitions(at, window)):
            raise IllegalTransition(self.status, f"cannot become {to}", allowed)
        given = {"reason": reason, "question": question, "resolution": resolution}
        if (needed := lifecycle.NEEDS.get(to)) and given[needed] is None:
            raise BadInput(f"To become {to} an interaction needs a {needed}.", "input", needed)
        for name in ("question", "resolution"):
            if given[name] is not None and name != needed:
                raise BadInput(f"A {name} does not go with {to}.", "input", name)
        if to is Status.COMPLETED and self.open_items:
            raise _open_items(self, "to")
        return self._moved(
            to,
            at,
            question=optional(question, "input", "question"),
            resolution=self.resolution if to is Status.COMPLETED else optional(resolution, "input", "resolution"),
            status_reason=optional(reason, "input", "reason", most=SHORT),
        )

    def close(
        self, resolution: str, *, at: datetime, resolve_open_items: bool = False, window: timedelta = REOPEN_WINDOW
    ) -> tuple["Interaction", Event]:
        """Resolve and complete in one act, from every state but COMPLETED and CANCELLED."""
        self.require_open_to(InteractionAct.CLOSE, "cannot be closed", at, window)
        resolution = text(resolution, "input", "resolution")
        if self.open_items and not resolve_open_items:
            raise _open_items(self, "resolveOpenItems")
        at = max(at, self.updated_at)
        return replace(self, items=_resolved(self.items, resolution, at))._moved(Status.COMPLETED, at, resolution=resolution)

    def report_progress(
        self,
        message: str,
        *,
        at: datetime,
        percent: int | None = None,
        stage: str | None = None,
        channel: ChannelType | None = None,
        expected_completion_at: datetime | None = None,
        next_update_due_at: datetime | None = None,
        window: timedelta = REOPEN_WINDOW,
    ) -> tuple["Interaction", Event]:
        """Tell how it is going, and promise the next update anew; never changes the status."""
        self.require_open_to(InteractionAct.REPORT_PROGRESS, "takes no progress", at, window)
        if percent is not None and not 0 <= percent <= FULL:
            raise BadInput("percent lies between 0 and 100.", "input", "percent")
        if expected_completion_at is not None and expected_completion_at < self.started_at:
            raise BadInput("expectedCompletionAt lies before the interaction began.", "input", "expectedCompletionAt")
        at = max(at, self.updated_at)
        if next_update_due_at is None:
            due = promises.promise(self.status, self.priority, at)
        else:
            due = promises.given(next_update_due_at, at, "input", "nextUpdateDueAt")
        message = text(message, "input", "message")
        progress = Progress(
            updated_at=at,
            percent=percent,
            stage=optional(stage, "input", "stage", most=SHORT),
            message=message,
            expected_completion_at=expected_completion_at,
            next_update_due_at=due,
        )
        return replace(self, progress=progress).recorded(EventType.PROGRESS_REPORTED, at, channel=channel, message=message)

    def add_note(self, note: Note, *, at: datetime) -> tuple["Interaction", tuple[Event, ...]]:
        """Add a note. One from the customer to a PENDING interaction answers its question: it moves on by itself."""
        if len(self.notes) + len(self.internal_notes) >= NOTES:
            raise BadInput(f"An interaction has at most {NOTES} notes; open a follow-up.", "input", "id")
        note = replace(note, text=text(note.text, "input", "text"), at=not_future(note.at, at, "input", "writtenAt"))
        public = note.visibility is NoteVisibility.PUBLIC
        notes, internal = ((*self.notes, note), self.internal_notes) if public else (self.notes, (*self.internal_notes, note))
        noted, event = replace(self, notes=notes, internal_notes=internal).recorded(
            EventType.NOTE_ADDED,
            at,
            audience=Audience.PUBLIC if public else Audience.INTERNAL,
            channel=note.channel,
            message=note.text if public else None,
            note=note,
            happened=note.at,
        )
        if not (public and self.status is Status.PENDING and note.author_role in {Role.CUSTOMER, Role.VISITOR}):
            return noted, (event,)
        moved, answered = noted._moved(Status.IN_PROGRESS, at)
        return moved, (event, answered)

    def _moved(
        self,
        to: Status,
        at: datetime,
        *,
        question: str | None = None,
        resolution: str | None = None,
        status_reason: str | None = None,
    ) -> tuple["Interaction", Event]:
        """In its new state, with what belongs to that alone; the customer is told the question or the resolution."""
        at = max(at, self.updated_at)
        due = promises.promise(to, self.priority, at, standing=self.next_update_due_at)
        moved = replace(
            self,
            status=to,
            status_changed_at=at,
            question=question,
            resolution=resolution,
            status_reason=status_reason,
            ended_at=at if to in lifecycle.ENDED else None,
            progress=replace(self.progress or Progress(updated_at=at), next_update_due_at=due) if self.progress or due else None,
        )
        return moved.recorded(lifecycle.event_of(self.status, to), at, message=question or resolution, changes=_changes(self, moved, MOVED))

    def recorded(
        self,
        type: EventType,
        at: datetime,
        *,
        audience: Audience = Audience.PUBLIC,
        happened: datetime | None = None,
        **told: Any,
    ) -> tuple["Interaction", Event]:
        """With one event more, which it counts: the one place where `seq`, `public_seq` and times of update move. No clock runs back."""
        public = audience is Audience.PUBLIC
        at = max(at, self.updated_at)
        after = replace(
            self,
            seq=self.seq + 1,
            public_seq=self.public_seq + public,
            updated_at=at,
            public_updated_at=at if public else self.public_updated_at,
        )
        event = Event(
            type=type,
            at=happened or at,
            audience=audience,
            seq=after.seq,
            public_seq=after.public_seq,
            status=after.status,
            progress=after.progress,
            **told,
        )
        return after, event


def _span(started_at: datetime | None, ended_at: datetime | None, at: datetime) -> tuple[datetime, datetime | None]:
    """When it began and, if it is over, when it ended. Without a beginning it began when it was recorded, or when it ended."""
    ended_at = None if ended_at is None else not_future(ended_at, at, "input", "endedAt")
    started_at = (ended_at or at) if started_at is None else not_future(started_at, at, "input", "startedAt")
    if ended_at is not None and ended_at < started_at:
        raise BadInput("endedAt lies before startedAt.", "input", "endedAt")
    return started_at, ended_at


def _resolved(items: Sequence[Item], resolution: str, at: datetime) -> tuple[Item, ...]:
    """The items, those that were open with the resolution of the whole."""
    return tuple(replace(item, resolution=resolution, resolved_at=at) if item.resolved_at is None else item for item in items)


def _open_items(interaction: Interaction, field: str) -> BadInput:
    number = len(interaction.open_items)
    are = "is" if number == 1 else "are"
    return BadInput(f"{number} of its items {are} open; closeInteraction with resolveOpenItems: true resolves them too.", "input", field)


def _checked(wanted: Wanted) -> dict[str, Any]:
    checked: dict[str, Any] = dict(wanted)
    for name, most in (("topic", SHORT), ("reason", SHORT), ("description", LONG)):
        if name in wanted:
            checked[name] = optional(checked[name], "input", name, most=most)
    if "external_identifiers" in wanted:
        checked["external_identifiers"] = bounded(wanted["external_identifiers"], IDENTIFIERS, "external identifiers", "externalIdentifier")
    return checked


def _changes(was: Interaction, now: Interaction, tracked: Mapping[str, str]) -> tuple[FieldChange, ...]:
    pairs = ((field, _value(was, name), _value(now, name)) for name, field in tracked.items())
    return tuple(FieldChange(field, before, after) for field, before, after in pairs if before != after)


def _value(interaction: Interaction, name: str) -> Value:
    value: Value = getattr(interaction, name)
    return value


def _identified(was: Interaction, now: Interaction) -> tuple[FieldChange, ...]:
    """A change for each external identifier that went, and for each that came."""
    gone = [one for one in was.external_identifiers if one not in now.external_identifiers]
    come = [one for one in now.external_identifiers if one not in was.external_identifiers]
    return (
        *(FieldChange("externalIdentifiers", one.told, None) for one in gone),
        *(FieldChange("externalIdentifiers", None, one.told) for one in come),
    )


def bounded(things: Sequence[Thing], most: int, name: str, asked: str | None = None) -> tuple[Thing, ...]:
    """The things, at most so many of them; `name` is theirs in the schema, `asked` the field of the input where it is another."""
    if len(things) > most:
        raise BadInput(f"An interaction has at most {most} {name}.", "input", asked or name)
    return tuple(things)
