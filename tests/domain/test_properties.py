"""Random lives: whatever is asked, in whatever order, by whomever, with whatever clock, the rules of the trade hold."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.domain import channels, handling, involvements, items, ratings, relationships
from hub.domain.events import Event
from hub.domain.ids import INTERACTION, NOTE, InteractionId, NoteId, PartyId
from hub.domain.interactions import Interaction
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import EntityRef, Involvement, Note, Relationship
from hub.domain.terms import (
    Audience,
    ChannelType,
    Direction,
    EventType,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    Priority,
    RelationshipType,
    Role,
    Status,
    Vertical,
)
from hub.errors import BadInput, Conflict, IllegalTransition, NotFound
from hub.store.documents import Fields, difference, interaction_document, interaction_from
from tests.domain.cases import DAY, START, item
from tests.domain.test_lifecycle import LEGAL

PROMISED: Final = {Status.OPEN, Status.IN_PROGRESS, Status.HELD}
ENDED: Final = {Status.COMPLETED, Status.CANCELLED}
MOVE_EVENTS: Final = {EventType.STATUS_CHANGED, EventType.CLOSED, EventType.REOPENED}
FIELDS: Final = {
    "status": "status",
    "question": "question",
    "resolution": "resolution",
    "statusReason": "status_reason",
    "endedAt": "ended_at",
    "kind": "kind",
    "topic": "topic",
    "reason": "reason",
    "description": "description",
    "vertical": "vertical",
    "priority": "priority",
    "assignee": "assignee",
    "escalationLevel": "escalation_level",
}
LISTS: Final = {"parties": "parties", "externalIdentifiers": "external_identifiers", "relationships": "relationships"}
INTERNAL: Final = {EventType.ASSIGNED, EventType.ESCALATED, EventType.LINKED, EventType.UNLINKED}
PARTY: Final = PartyId("par_" + "0" * 32)
WINDOW: Final = 14 * DAY

times = st.integers(-5, 40).map(lambda steps: START + steps * timedelta(hours=13)) | st.integers(0, 3).map(
    lambda steps: START + steps * timedelta(milliseconds=1)
)
words = st.sampled_from(["yes", " no ", "Grüße", "x" * 8_000, "", "  ", "x" * 8_001, "a\x00b", "\ud800"])
said = st.sampled_from(["yes", " no ", "Grüße"])
perhaps = st.none() | said | words
brief = st.none() | said | st.sampled_from(["", "a\x00b"])
numbers = st.integers(0, 3)
parties = numbers.map(lambda number: PartyId(f"par_{number:032x}"))
related = st.builds(
    Relationship, st.sampled_from(RelationshipType), numbers.map(lambda number: InteractionId(f"{INTERACTION}{number:032x}"))
)
identifiers = st.builds(ExternalIdentifier, st.sampled_from(["crm", "erp"]), st.sampled_from(["1", "2"]), st.none() | st.just("case"))
moments = st.none() | times


class Life(RuleBasedStateMachine):
    """One interaction from its opening on; `document` is what the store would hold, kept up by differences alone."""

    interaction: Interaction
    document: Fields
    told: list[Event]
    has_own_promise: bool

    @initialize(
        at=times,
        over=st.booleans(),
        priority=st.sampled_from(Priority),
        matters=st.integers(0, 2),
        vertical=st.none() | st.sampled_from(Vertical),
        identified=st.booleans(),
    )
    def open(self, *, at: datetime, over: bool, priority: Priority, matters: int, vertical: Vertical | None, identified: bool) -> None:
        self.interaction, event = Interaction.opened(
            InteractionId(INTERACTION + "0" * 32),
            at=at,
            direction=Direction.INBOUND,
            kind=InteractionKind.QUERY,
            priority=priority,
            channel=ChannelType.WEB_SELF_SERVICE,
            vertical=vertical,
            parties=[Involvement(PARTY, InvolvementRole.CUSTOMER, at)] if identified else [],
            items=[item(number, entity=EntityRef("Bill", str(number)) if number else None) for number in range(matters)],
            external_identifiers=[ExternalIdentifier("crm", "1")] if identified else [],
            ended_at=at if over else None,
            resolution="Done." if over else None,
        )
        self.told = [event]
        self.document = interaction_document(self.interaction)
        self.has_own_promise = False

    @rule(to=st.sampled_from(Status), at=times, reason=perhaps, question=perhaps, resolution=perhaps)
    def transition(self, to: Status, at: datetime, reason: str | None, question: str | None, resolution: str | None) -> None:
        self.act(lambda was: _one(was.transition(to, at=at, reason=reason, question=question, resolution=resolution)), at)

    @precondition(lambda self: self.interaction.status not in {Status.CANCELLED})
    @rule(choice=st.integers(0, 4), at=times, words=said)
    def transition_as_the_table_says(self, choice: int, at: datetime, words: str) -> None:
        moves = sorted(LEGAL[self.interaction.status])
        to = moves[choice % len(moves)]
        needed = {"PENDING": "question", "HELD": "reason", "CANCELLED": "reason", "RESOLVED": "resolution"}.get(to)
        given: dict[str, Any] = {needed: words} if needed else {}
        self.act(lambda was: _one(was.transition(to, at=at, **given)), at)

    @rule(at=times, words=words, resolve=st.booleans())
    def close(self, at: datetime, words: str, resolve: bool) -> None:
        self.act(lambda was: _one(was.close(words, at=at, resolve_open_items=resolve)), at)

    @rule(at=times, words=words, percent=st.none() | st.integers(-1, 101), stage=perhaps, expected=moments, due=moments)
    def report_progress(
        self, *, at: datetime, words: str, percent: int | None, stage: str | None, expected: datetime | None, due: datetime | None
    ) -> None:
        before = self.interaction
        self.act(
            lambda was: _one(
                was.report_progress(words, at=at, percent=percent, stage=stage, expected_completion_at=expected, next_update_due_at=due)
            ),
            at,
        )
        if self.interaction is not before:
            self.has_own_promise = due is not None

    @rule(at=times, written=moments, words=words, role=st.sampled_from(Role), public=st.booleans())
    def add_note(self, at: datetime, written: datetime | None, words: str, role: Role, public: bool) -> None:
        note = Note(
            id=NoteId(NOTE + "0" * 32),
            text=words,
            visibility=NoteVisibility.PUBLIC if public else NoteVisibility.INTERNAL,
            at=written or at,
            author=None,
            author_role=role,
        )
        self.act(lambda was: was.add_note(note, at=at), at)

    @rule(
        at=times,
        wanted=st.fixed_dictionaries(
            {},
            optional={
                "kind": st.sampled_from(InteractionKind),
                "topic": brief,
                "reason": brief,
                "description": brief,
                "vertical": st.none() | st.sampled_from(Vertical),
                "priority": st.sampled_from(Priority),
                "external_identifiers": st.lists(identifiers, max_size=3, unique=True),
            },
        ),
    )
    def update(self, at: datetime, wanted: dict[str, Any]) -> None:
        self.act(lambda was: _perhaps(was.update(at=at, **wanted)), at)

    @rule(at=times, number=numbers, resolution=st.none() | said)
    def add_item(self, at: datetime, number: int, resolution: str | None) -> None:
        matter = item(number + 10 * len(self.interaction.items), resolution=resolution, resolved_at=at if resolution else None)
        self.act(lambda was: _one(items.add(was, matter, at=at)), at)

    @rule(at=times, number=numbers, words=words)
    def resolve_item(self, at: datetime, number: int, words: str) -> None:
        self.act(lambda was: _perhaps(items.resolve(was, item(number).id, words, at=at)), at)

    @rule(at=times, party=parties, role=st.sampled_from([InvolvementRole.CUSTOMER, InvolvementRole.OBSERVER]))
    def add_party(self, at: datetime, party: PartyId, role: InvolvementRole) -> None:
        self.act(lambda was: _perhaps(involvements.add(was, Involvement(party, role, at), at=at)), at)

    @rule(at=times, party=parties, role=st.sampled_from([InvolvementRole.CUSTOMER, InvolvementRole.OBSERVER]))
    def remove_party(self, at: datetime, party: PartyId, role: InvolvementRole) -> None:
        self.act(lambda was: _one(involvements.remove(was, party, role, at=at)), at)

    @rule(at=times, type=st.sampled_from(ChannelType), name=perhaps)
    def add_channel(self, at: datetime, type: ChannelType, name: str | None) -> None:
        self.act(lambda was: _perhaps(channels.add(was, type, name, at=at)), at)

    @rule(at=times, assignee=st.none() | parties)
    def assign(self, at: datetime, assignee: PartyId | None) -> None:
        self.act(lambda was: _perhaps(handling.assign(was, assignee, at=at)), at)

    @rule(at=times, words=words)
    def escalate(self, at: datetime, words: str) -> None:
        self.act(lambda was: _one(handling.escalate(was, words, at=at)), at)

    @rule(at=times, relationship=related)
    def link(self, at: datetime, relationship: Relationship) -> None:
        self.act(lambda was: _perhaps(relationships.link(was, relationship, at=at)), at)

    @rule(at=times, relationship=related)
    def unlink(self, at: datetime, relationship: Relationship) -> None:
        self.act(lambda was: _one(relationships.unlink(was, relationship, at=at)), at)

    @rule(at=times, score=st.integers(0, 6), comment=perhaps)
    def rate(self, at: datetime, score: int, comment: str | None) -> None:
        self.act(lambda was: _one(ratings.rate(was, score, comment, at=at)), at)

    def act(self, act: Any, at: datetime) -> None:
        """Do it, or be refused and be as before; then look at what happened."""
        was = self.interaction
        untouched = deepcopy(was)
        try:
            now, events = act(was)
        except (BadInput, Conflict, IllegalTransition, NotFound):
            return
        finally:
            assert was == untouched, "an act changed the value it was asked of"
        if not events:
            assert now is was, "a change without an event"
            return
        self.interaction = now
        self.told.extend(events)
        if now.status is not was.status:
            self.has_own_promise = self.has_own_promise and now.status in PROMISED
            self.check_move(was, now, at)
        self.check_events(was, now, events)
        self.keep(now)

    def check_move(self, was: Interaction, now: Interaction, at: datetime) -> None:
        at_once = now.status is Status.COMPLETED and was.status not in ENDED
        assert now.status in LEGAL[was.status] or at_once
        if was.status is Status.COMPLETED:
            assert was.ended_at is not None
            assert at <= was.ended_at + WINDOW
        assert now.status_changed_at == now.updated_at
        if now.status is Status.COMPLETED:
            assert now.open_items == ()
        if now.status in PROMISED:
            assert now.next_update_due_at == was.next_update_due_at or was.next_update_due_at is None

    def check_events(self, was: Interaction, now: Interaction, events: Sequence[Event]) -> None:
        """One act, one event, but for the customer's note on a question; each counts up by one; none is without a change."""
        types = [event.type for event in events]
        answered = (
            types[0] is EventType.NOTE_ADDED
            and was.status is Status.PENDING
            and events[0].audience is Audience.PUBLIC
            and now.notes[-1].author_role in {Role.CUSTOMER, Role.VISITOR}
        )
        assert types == [EventType.NOTE_ADDED, EventType.STATUS_CHANGED] if answered else len(types) == 1
        assert [event.seq for event in events] == list(range(was.seq + 1, was.seq + 1 + len(events)))
        public = was.public_seq
        for event in events:
            public += event.audience is Audience.PUBLIC
            assert event.public_seq == public
            assert event.at <= now.updated_at
            assert not event.historical
        assert (now.seq, now.public_seq) == (events[-1].seq, events[-1].public_seq)
        assert (now.status, now.progress) == (events[-1].status, events[-1].progress)
        assert was.updated_at <= now.updated_at
        assert (now.public_updated_at == was.public_updated_at) if public == was.public_seq else (now.public_updated_at == now.updated_at)
        counted = replace(now, seq=was.seq, public_seq=was.public_seq, updated_at=was.updated_at, public_updated_at=was.public_updated_at)
        said_again = types == [EventType.PROGRESS_REPORTED] and now.updated_at == was.updated_at  # to the letter, in one millisecond
        assert counted != was or said_again, "an event without a change"
        assert any(event.type in MOVE_EVENTS for event in events) == (now.status is not was.status)
        assert (EventType.NOTE_ADDED in types) == ((now.notes, now.internal_notes) != (was.notes, was.internal_notes))
        if EventType.PROGRESS_REPORTED in types:
            assert counted == replace(was, progress=now.progress)
        self.check_changes(was, now, events[-1])

    def check_changes(self, was: Interaction, now: Interaction, event: Event) -> None:
        """An event names every field that it changed, and what is internal moves nothing that outsiders count."""
        assert event.type not in INTERNAL or event.audience is Audience.INTERNAL
        told = {change.field: (change.was, change.now) for change in event.changes if change.field in FIELDS}
        assert told == {
            field: (getattr(was, name), getattr(now, name)) for field, name in FIELDS.items() if getattr(was, name) != getattr(now, name)
        }
        for field, name in LISTS.items():
            before, after = set(getattr(was, name)), set(getattr(now, name))
            values = [(change.was is None, change.now is None) for change in event.changes if change.field == field]
            assert values.count((True, False)) == len(after - before)
            assert values.count((False, True)) == len(before - after)
        assert (event.item is None) == (was.items == now.items or event.type is EventType.CLOSED)
        assert (event.type is EventType.SATISFACTION_RATED) == (was.satisfaction != now.satisfaction)

    def keep(self, now: Interaction) -> None:
        """What the store does: the difference, applied to the document that is there, gives the new one."""
        document = interaction_document(now)
        update = difference(self.document, document)
        assert update, "a change that no update tells"
        self.document = _applied(self.document, update)
        assert self.document == document
        assert difference(document, document) == {}

    @invariant()
    def it_comes_back_from_its_document_as_it_was(self) -> None:
        assert interaction_from(self.document) == self.interaction

    @invariant()
    def every_event_has_its_number(self) -> None:
        assert [event.seq for event in self.told] == list(range(1, self.interaction.seq + 1))
        public = [event.public_seq for event in self.told if event.audience is Audience.PUBLIC]
        assert public == list(range(1, self.interaction.public_seq + 1))

    @invariant()
    def its_state_is_one_of_the_trade(self) -> None:
        now = self.interaction
        assert (now.ended_at is not None) == (now.status in ENDED)
        assert (now.question is not None) == (now.status is Status.PENDING)
        assert (now.resolution is not None) == (now.status in {Status.RESOLVED, Status.COMPLETED})
        assert now.status_reason is not None or now.status not in {Status.HELD, Status.CANCELLED}
        assert (now.next_update_due_at is not None) == (now.status in PROMISED or (self.has_own_promise and now.status is Status.PENDING))
        assert all((one.resolution is None) == (one.resolved_at is None) for one in now.items)

    @invariant()
    def its_times_are_in_order(self) -> None:
        now = self.interaction
        assert now.started_at <= now.created_at <= now.status_changed_at <= now.updated_at
        assert now.created_at <= now.public_updated_at <= now.updated_at
        assert now.ended_at is None or now.started_at <= now.ended_at <= now.updated_at
        assert all(note.at <= now.updated_at for note in (*now.notes, *now.internal_notes))


def _one(answer: tuple[Interaction, Event]) -> tuple[Interaction, tuple[Event, ...]]:
    now, event = answer
    return now, (event,)


def _perhaps(answer: tuple[Interaction, Event | None]) -> tuple[Interaction, tuple[Event, ...]]:
    now, event = answer
    return now, (event,) if event else ()


def _applied(document: Fields, update: Fields) -> Fields:
    """What MongoDB makes of $set, $unset and $push with $each."""
    assert update.keys() <= {"$set", "$unset", "$push"}
    after: Fields = {name: value for name, value in document.items() if name not in update.get("$unset", {})} | update.get("$set", {})
    for name, pushed in update.get("$push", {}).items():
        after[name] = [*after[name], *pushed["$each"]]
    return after


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
