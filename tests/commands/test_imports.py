"""Taking over what another system kept: once, in the state it has, with the parties it names, and without a broken promise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest

from hub.access.claim_codes import ClaimCodes
from hub.access.guard import Guard
from hub.access.keys import Keyring
from hub.commands.imports import (
    FindInteraction,
    ImportedItem,
    ImportedNote,
    ImportedParty,
    ImportedProgress,
    ImportInteraction,
    ImportParty,
    ImportRelationship,
)
from hub.domain.interactions import Interaction
from hub.domain.parties import ExternalIdentifier, Party
from hub.domain.parts import Channel, Relationship
from hub.domain.rules import Rules
from hub.domain.terms import ChannelType, Direction, EventType, InvolvementRole, NoteVisibility, RelationshipType, Role, Status
from hub.errors import BadInput, NotFound
from hub.journal.desk import Command, Decision, Desk

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
THEN = datetime(2024, 1, 2, 3, tzinfo=UTC)
LATER = THEN + timedelta(days=3)
ANNA = ImportedParty(identifier=ExternalIdentifier("crm", "anna", "Individual"), name="Anna", roles=(InvolvementRole.CUSTOMER,))
SAM = ImportedParty(identifier=ExternalIdentifier("crm", "sam", "Individual"), name="Sam", roles=(InvolvementRole.AGENT,))


def command(**changes: Any) -> ImportInteraction:
    usual = ImportInteraction(
        identifier=ExternalIdentifier("crm", "1", "PartyInteraction"),
        status=Status.IN_PROGRESS,
        direction=Direction.INBOUND,
        created_at=THEN,
        started_at=THEN,
        updated_at=LATER,
        status_changed_at=LATER,
        channels=(Channel(ChannelType.PHONE, THEN),),
        parties=(ANNA, SAM),
    )
    return replace(usual, **changes)


@pytest.fixture
def desk() -> Desk:
    numbers = count(1)
    return Desk(NOW, lambda prefix: f"{prefix}{next(numbers):032x}", Rules(), Guard(ClaimCodes(Keyring(bytes(32)))))


def decided(desk: Desk, wanted: Command) -> Decision:
    decision = wanted.decide(desk)
    desk.accept(decision)
    return decision


def interaction(decision: Decision) -> Interaction:
    found = decision.changes[-1].subject
    assert isinstance(found, Interaction)
    return found


def test_it_begins_in_the_state_it_has_by_one_historical_entry(desk: Desk) -> None:
    decision = decided(desk, command())

    made, (event,) = interaction(decision), decision.changes[-1].events
    assert (made.status, made.seq, made.public_seq) == (Status.IN_PROGRESS, 1, 1)
    assert (made.created_at, made.started_at, made.updated_at, made.status_changed_at) == (THEN, THEN, LATER, LATER)
    assert (event.type, event.at) == (EventType.CREATED, THEN)
    assert getattr(event, "historical", False)


def test_missing_parties_are_made_before_the_interaction_that_names_them(desk: Desk) -> None:
    decision = decided(desk, command())

    anna, sam, _ = (change.subject for change in decision.changes)
    assert [(party.name, party.external_identifiers) for party in (anna, sam) if isinstance(party, Party)] == [
        ("Anna", (ANNA.identifier,)),
        ("Sam", (SAM.identifier,)),
    ]
    assert interaction(decision).visible_to == (anna.id, sam.id)


def test_a_party_that_is_known_is_used_as_it_is(desk: Desk) -> None:
    anna = decided(desk, ImportParty(ANNA)).about.id

    decision = decided(desk, command(parties=(replace(ANNA, name="Annabel"),)))

    assert len(decision.changes) == 1
    assert interaction(decision).visible_to == (anna,)


def test_two_documents_of_one_batch_share_the_party_that_both_name(desk: Desk) -> None:
    first = decided(desk, command())
    second = decided(desk, command(identifier=ExternalIdentifier("crm", "2", "PartyInteraction")))

    assert interaction(first).visible_to == interaction(second).visible_to
    assert len(second.changes) == 1


def test_a_party_named_twice_is_made_once(desk: Desk) -> None:
    decision = decided(desk, command(parties=(ANNA, replace(ANNA, roles=(InvolvementRole.USER, InvolvementRole.CUSTOMER)))))

    assert len(decision.changes) == 2
    assert [involvement.role for involvement in interaction(decision).parties] == [InvolvementRole.CUSTOMER, InvolvementRole.USER]


def test_taken_over_twice_it_is_there_once(desk: Desk) -> None:
    first = decided(desk, command())

    again = decided(desk, command(reason="something else"))

    assert (again.about, again.changes, again.replayed) == (first.about, (), True)


def test_a_party_on_its_own_is_made_once(desk: Desk) -> None:
    first, again = decided(desk, ImportParty(ANNA)), decided(desk, ImportParty(ANNA))

    assert (again.about, again.changes, again.replayed) == (first.about, (), True)


@pytest.mark.parametrize("status", [Status.OPEN, Status.IN_PROGRESS, Status.HELD])
def test_nothing_is_promised_unless_it_is_told(desk: Desk, status: Status) -> None:
    assert interaction(decided(desk, command(status=status))).next_update_due_at is None


def test_a_promise_that_lies_ahead_is_taken_over(desk: Desk) -> None:
    due = NOW + timedelta(hours=1)

    made = interaction(decided(desk, command(progress=ImportedProgress(updated_at=LATER, message="soon", next_update_due_at=due))))

    assert made.next_update_due_at == due


def test_a_note_knows_its_author_among_the_parties(desk: Desk) -> None:
    note = ImportedNote(text="hello", at=THEN, visibility=NoteVisibility.PUBLIC, author_role=Role.CUSTOMER, author=ANNA.identifier)
    stranger = replace(note, author=ExternalIdentifier("crm", "nobody"))

    made = interaction(decided(desk, command(notes=(note, stranger))))

    assert [note.author for note in (*made.notes, *made.internal_notes)] == [made.visible_to[0], None]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"status": Status.COMPLETED, "resolution": "done"}, "endedAt"),
        ({"ended_at": LATER}, "endedAt"),
        ({"status": Status.COMPLETED, "ended_at": LATER}, "resolution"),
        ({"resolution": "done"}, "resolution"),
        ({"status": Status.PENDING}, "question"),
        ({"question": "why?"}, "question"),
        ({"status": Status.CANCELLED, "ended_at": THEN - timedelta(days=1)}, "endedAt"),
        ({"updated_at": THEN - timedelta(days=1)}, "updatedAt"),
        ({"created_at": NOW + timedelta(days=1), "updated_at": NOW + timedelta(days=1)}, "createdAt"),
        (
            {"status": Status.COMPLETED, "resolution": "done", "ended_at": LATER, "items": (ImportedItem(type="Bill", created_at=THEN),)},
            "items",
        ),
        ({"channels": ()}, "channels"),
        ({"channels": (Channel(ChannelType.PHONE, THEN),) * 51}, "channels"),
        ({"reason": "x" * 501}, "reason"),
        ({"description": "\x00"}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"items": (ImportedItem(type="", created_at=THEN),)}, "type"),
        ({"extra": '"' + "x" * 4 * 1024 * 1024 + '"'}, "extra"),
        ({"progress": ImportedProgress(updated_at=LATER, next_update_due_at=LATER)}, "nextUpdateDueAt"),
        ({"progress": ImportedProgress(updated_at=LATER, percent=101)}, "percent"),
        ({"status": Status.CANCELLED, "ended_at": LATER, "progress": ImportedProgress(updated_at=LATER)}, "progress"),
    ],
)
def test_what_could_not_have_come_about_is_refused(desk: Desk, wrong: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput) as refusal:
        command(**wrong).decide(desk)

    assert (refusal.value.path or ())[-1] == path


def test_it_touches_itself_and_each_party_once() -> None:
    assert len(list(command(parties=(ANNA, SAM, ANNA)).touches())) == 3


def test_it_can_be_written_as_json() -> None:
    wire = orjson.loads(orjson.dumps(command(progress=ImportedProgress(updated_at=LATER))))

    assert (wire["identifier"]["owner"], wire["parties"][0]["roles"]) == ("crm", ["CUSTOMER"])


# ---------------------------------------------------------------- other names, relationships

OTHER = ExternalIdentifier("crm", "2", "PartyInteraction")
TICKET = ExternalIdentifier("desk", "T-1", "ticket")


def test_it_carries_what_other_systems_call_it_unless_another_one_does(desk: Desk) -> None:
    first = interaction(decided(desk, command(further_identifiers=(TICKET, TICKET))))
    second = interaction(decided(desk, command(identifier=OTHER, further_identifiers=(TICKET,))))

    assert first.external_identifiers == (command().identifier, TICKET)
    assert second.external_identifiers == (OTHER,)


def test_one_is_found_by_any_of_its_names_without_a_change(desk: Desk) -> None:
    made = decided(desk, command(further_identifiers=(TICKET,)))

    for identifier in (command().identifier, TICKET):
        assert decided(desk, FindInteraction(identifier)) == Decision(made.about, replayed=True)
    with pytest.raises(NotFound):
        FindInteraction(OTHER).decide(desk)


@pytest.mark.parametrize(
    ("type", "kept", "kept_by_other"),
    [
        (RelationshipType.PARENT, RelationshipType.PARENT, RelationshipType.CHILD),
        (RelationshipType.CHILD, RelationshipType.CHILD, RelationshipType.PARENT),
        (RelationshipType.FOLLOW_UP, RelationshipType.FOLLOW_UP, None),
    ],
)
def test_a_relationship_is_kept_by_both_ends_where_it_has_two(
    desk: Desk, type: RelationshipType, kept: RelationshipType, kept_by_other: RelationshipType | None
) -> None:
    one, other = interaction(decided(desk, command())), interaction(decided(desk, command(identifier=OTHER)))
    wanted = ImportRelationship(id=one.id, type=type, other_id=other.id)

    decision, again = decided(desk, wanted), decided(desk, wanted)

    linked, linked_other = desk.interaction(one.id), desk.interaction(other.id)
    assert linked is not None
    assert linked_other is not None
    assert linked.relationships == (Relationship(kept, other.id),)
    assert linked_other.relationships == ((Relationship(kept_by_other, one.id),) if kept_by_other else ())
    assert {event.at for change in decision.changes for event in change.events} == {LATER}
    assert (linked.updated_at, decision.replayed, again.changes, again.replayed) == (LATER, False, (), True)


def test_a_relationship_to_what_is_not_there_or_in_a_circle_is_refused(desk: Desk) -> None:
    one, other = interaction(decided(desk, command())), interaction(decided(desk, command(identifier=OTHER)))
    decided(desk, ImportRelationship(id=one.id, type=RelationshipType.PARENT, other_id=other.id))

    with pytest.raises(NotFound):
        ImportRelationship(id=one.id, type=RelationshipType.PARENT, other_id="int_").decide(desk)
    with pytest.raises(BadInput, match="circle"):
        ImportRelationship(id=one.id, type=RelationshipType.CHILD, other_id=other.id).decide(desk)
    with pytest.raises(BadInput, match="itself"):
        ImportRelationship(id=one.id, type=RelationshipType.CHILD, other_id=one.id).decide(desk)
