"""One act after another on an interaction: what changes, what it says, and what it refuses."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from hub.domain.ids import PartyId
from hub.domain.interactions import ITEMS, NOTES, PARTIES
from hub.domain.parts import Involvement, Progress
from hub.domain.terms import (
    Audience,
    ChannelType,
    EventType,
    InvolvementRole,
    Role,
    Status,
)
from hub.domain.texts import CLOCK_SKEW
from hub.errors import BadInput, Conflict, ErrorCode, IllegalTransition
from tests.domain.cases import DAY, HOUR, MINUTE, START, item, moved, note, opened, standing

ADA: Final = PartyId("par_" + "a" * 32)
ALAN: Final = PartyId("par_" + "b" * 32)
WORKING: Final = [Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.HELD]
LATER: Final = START + HOUR


def involved(party: PartyId, role: InvolvementRole = InvolvementRole.CUSTOMER) -> Involvement:
    return Involvement(party, role, START)


# ---------------------------------------------------------------- opening


def test_it_opens_with_one_public_event() -> None:
    interaction, event = opened().opened(
        opened().id,
        at=START,
        direction=opened().direction,
        kind=opened().kind,
        priority=opened().priority,
        channel=ChannelType.CHAT,
        channel_name=" Website ",
        reason=" No signal ",
    )

    assert (interaction.status, interaction.reason, interaction.seq, interaction.public_seq) == (Status.OPEN, "No signal", 1, 1)
    assert {interaction.created_at, interaction.updated_at, interaction.public_updated_at, interaction.started_at} == {START}
    assert [(channel.type, channel.name, channel.since) for channel in interaction.channels] == [(ChannelType.CHAT, "Website", START)]
    assert (event.type, event.audience, event.seq, event.public_seq) == (EventType.CREATED, Audience.PUBLIC, 1, 1)
    assert (event.status, event.channel, event.progress, event.historical) == (
        Status.OPEN,
        ChannelType.CHAT,
        interaction.progress,
        False,
    )


def test_one_that_began_earlier_keeps_its_beginning() -> None:
    interaction = opened(started_at=START - DAY)

    assert (interaction.started_at, interaction.created_at) == (START - DAY, START)
    assert interaction.channels[0].since == START - DAY


def test_one_that_is_over_is_logged_in_one_act_with_its_items_resolved() -> None:
    done = item(1, resolution="Explained.", resolved_at=START - DAY)

    interaction = opened(started_at=START - HOUR, ended_at=START - MINUTE, resolution=" Credited. ", items=[done, item(2)])

    assert (interaction.status, interaction.resolution, interaction.seq) == (Status.COMPLETED, "Credited.", 1)
    assert (interaction.started_at, interaction.ended_at) == (START - HOUR, START - MINUTE)
    assert interaction.items == (done, item(2, resolution="Credited.", resolved_at=START))


def test_one_that_is_over_and_says_no_beginning_began_when_it_ended() -> None:
    assert opened(ended_at=START - HOUR, resolution="Done.").started_at == START - HOUR


def test_a_clock_that_is_a_little_ahead_logs_what_ended_now() -> None:
    interaction = opened(started_at=START - HOUR, ended_at=START + CLOCK_SKEW, resolution="Done.")

    assert (interaction.started_at, interaction.ended_at) == (START - HOUR, START)


def test_what_began_in_the_near_future_can_be_closed_at_once() -> None:
    closed, _ = opened(started_at=START + CLOCK_SKEW).close("Done.", at=START)

    assert closed.started_at == closed.ended_at == START


@pytest.mark.parametrize(
    ("facts", "field", "sentence"),
    [
        ({"ended_at": START}, "resolution", "endedAt and resolution go together: they log an interaction that is over."),
        ({"resolution": "Done."}, "endedAt", "endedAt and resolution go together: they log an interaction that is over."),
        ({"ended_at": START, "resolution": " "}, "resolution", "resolution is empty; say something or leave it out."),
        ({"started_at": START, "ended_at": START - MINUTE, "resolution": "Done."}, "endedAt", "endedAt lies before startedAt."),
        ({"started_at": START + HOUR}, "startedAt", "startedAt lies in the future; it says when something happened."),
        ({"ended_at": START + HOUR, "resolution": "Done."}, "endedAt", "endedAt lies in the future; it says when something happened."),
        ({"topic": "x" * 501}, "topic", "topic has 501 characters; at most 500 are kept."),
        ({"reason": ""}, "reason", "reason is empty; say something or leave it out."),
        ({"description": "x" * 8001}, "description", "description has 8001 characters; at most 8000 are kept."),
        ({"channel_name": "\x00x"}, "channelName", "channelName holds a NUL character; leave it out."),
        ({"items": [item()] * (ITEMS + 1)}, "items", "An interaction has at most 200 items."),
        ({"parties": [involved(ADA)] * (PARTIES + 1)}, "parties", "An interaction has at most 50 parties."),
    ],
)
def test_what_cannot_be_opened_is_refused_by_its_name(facts: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        opened(**facts)

    assert (refused.value.path, refused.value.message) == (("input", field), sentence)


def test_as_many_items_and_parties_as_are_allowed_are_taken() -> None:
    interaction = opened(items=[item()] * ITEMS, parties=[involved(ADA)] * PARTIES)

    assert (len(interaction.items), len(interaction.parties)) == (ITEMS, PARTIES)


def test_who_takes_part_sees_it_once_however_many_roles_one_has() -> None:
    interaction = opened(parties=[involved(ADA), involved(ALAN, InvolvementRole.AGENT), involved(ADA, InvolvementRole.USER)])

    assert interaction.visible_to == (ADA, ALAN)
    assert interaction.involvements_of(ADA) == {InvolvementRole.CUSTOMER, InvolvementRole.USER}
    assert interaction.involvements_of(None) == frozenset()


def test_one_that_another_system_kept_begins_with_one_historical_event_and_keeps_its_dates() -> None:
    kept = replace(standing(Status.HELD), seq=0, public_seq=0, created_at=START - 9 * DAY)

    begun, event = kept.with_history()

    assert begun == replace(kept, seq=1, public_seq=1)
    assert (event.type, event.at, event.historical, event.status) == (EventType.CREATED, START - 9 * DAY, True, Status.HELD)


# ---------------------------------------------------------------- moving


def test_a_question_stands_while_the_customer_is_asked_and_is_said_to_the_customer() -> None:
    pending, event = opened().transition(Status.PENDING, at=LATER, question=" Which lights? ")

    assert pending.question == event.message == "Which lights?"
    assert moved(pending, Status.IN_PROGRESS, LATER).question is None
    assert pending.close("Found it.", at=LATER)[0].question is None


def test_a_reason_stands_until_the_next_move_and_is_not_said_to_the_customer() -> None:
    held, event = opened().transition(Status.HELD, at=LATER, reason="The part is late.")

    assert (held.status_reason, event.message) == ("The part is late.", None)
    assert moved(held, Status.IN_PROGRESS, LATER).status_reason is None
    assert held.close("Came after all.", at=LATER)[0].status_reason is None


def test_confirming_a_resolution_keeps_it_and_ends_the_interaction() -> None:
    completed, event = standing(Status.RESOLVED).transition(Status.COMPLETED, at=LATER)

    assert (completed.resolution, completed.ended_at) == ("Replaced.", LATER)
    assert (event.type, event.message) == (EventType.CLOSED, "Replaced.")
    assert {change.field for change in event.changes} == {"status", "endedAt"}


def test_cancelling_ends_the_interaction_without_a_resolution() -> None:
    cancelled, event = opened().transition(Status.CANCELLED, at=LATER, reason="Asked twice.")

    assert (cancelled.resolution, cancelled.ended_at, cancelled.status_reason) == (None, LATER, "Asked twice.")
    assert [(change.field, change.was, change.now) for change in event.changes] == [
        ("status", Status.OPEN, Status.CANCELLED),
        ("statusReason", None, "Asked twice."),
        ("endedAt", None, LATER),
    ]


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.COMPLETED])
def test_reopening_takes_back_the_resolution_and_the_end(status: Status) -> None:
    reopened, event = standing(status).transition(Status.IN_PROGRESS, at=LATER, reason="It is slow again.")

    assert (reopened.resolution, reopened.ended_at, reopened.status_reason) == (None, None, "It is slow again.")
    assert event.type is EventType.REOPENED


def test_with_open_items_it_does_not_complete() -> None:
    for items, are in (([item(1)], "1 of its items is open"), ([item(1), item(2)], "2 of its items are open")):
        with pytest.raises(BadInput, match=f"^{are}; closeInteraction with resolveOpenItems: true resolves them too") as refused:
            moved(opened(items=items), Status.RESOLVED, LATER).transition(Status.COMPLETED, at=LATER)
        assert refused.value.path == ("input", "to")


def test_it_may_be_resolved_with_open_items() -> None:
    assert moved(opened(items=[item()]), Status.RESOLVED, LATER).open_items == (item(),)


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize("status", [*WORKING, Status.RESOLVED])
def test_closing_resolves_and_completes_in_one_event(status: Status) -> None:
    before = standing(status)

    closed, event = before.close(" Replaced the router. ", at=LATER)

    assert (closed.status, closed.resolution, closed.ended_at) == (Status.COMPLETED, "Replaced the router.", LATER)
    assert (event.type, event.message, event.seq) == (EventType.CLOSED, "Replaced the router.", before.seq + 1)
    assert closed.seq == before.seq + 1


def test_closing_with_open_items_resolves_them_only_when_asked_to() -> None:
    done = item(1, resolution="Explained.", resolved_at=START)
    interaction = opened(items=[done, item(2)])

    with pytest.raises(BadInput, match=r"^1 of its items is open;") as refused:
        interaction.close("Done.", at=LATER)
    closed, _ = interaction.close("Done.", at=LATER, resolve_open_items=True)

    assert refused.value.path == ("input", "resolveOpenItems")
    assert closed.items == (done, item(2, resolution="Done.", resolved_at=LATER))


@pytest.mark.parametrize(
    ("status", "can"),
    [(Status.COMPLETED, "it can become IN_PROGRESS"), (Status.CANCELLED, "it is final, so open another one")],
)
def test_what_has_ended_cannot_be_closed(status: Status, can: str) -> None:
    with pytest.raises(IllegalTransition) as refused:
        standing(status).close("", at=LATER)

    assert refused.value.message == f"An interaction that is {status} cannot be closed; {can}."


@pytest.mark.parametrize("window", [timedelta(0), 2 * DAY])
def test_a_refusal_lists_what_the_companys_own_window_allows(window: timedelta) -> None:
    completed, at = standing(Status.COMPLETED), START + DAY

    with pytest.raises(IllegalTransition) as closing:
        completed.close("Again.", at=at, window=window)
    with pytest.raises(IllegalTransition) as reporting:
        completed.report_progress("More.", at=at, window=window)

    assert closing.value.allowed_transitions == reporting.value.allowed_transitions == completed.allowed_transitions(at, window)
    assert bool(closing.value.allowed_transitions) == bool(window)


# ---------------------------------------------------------------- progress


@pytest.mark.parametrize("status", WORKING)
@pytest.mark.parametrize("percent", [None, 0, 100])
def test_a_report_replaces_the_last_one_and_leaves_the_status(status: Status, percent: int | None) -> None:
    before, _ = standing(status).report_progress("First.", at=START, percent=50, stage="Survey", expected_completion_at=START + DAY)

    after, event = before.report_progress(" Second. ", at=LATER, percent=percent, channel=ChannelType.SMS)

    assert (after.status, after.status_changed_at) == (status, before.status_changed_at)
    assert after.progress == Progress(
        updated_at=LATER, percent=percent, message="Second.", next_update_due_at=None if status is Status.PENDING else LATER + DAY
    )
    assert (event.type, event.message, event.channel) == (EventType.PROGRESS_REPORTED, "Second.", ChannelType.SMS)
    assert (event.progress, event.audience, event.changes) == (after.progress, Audience.PUBLIC, ())


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.COMPLETED, Status.CANCELLED])
def test_progress_is_no_longer_taken_once_the_work_is_done(status: Status) -> None:
    with pytest.raises(IllegalTransition, match=f"^An interaction that is {status} takes no progress; it (can become|is final)") as refused:
        standing(status).report_progress("", at=LATER)

    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION


@pytest.mark.parametrize(
    ("facts", "field", "sentence"),
    [
        ({"percent": -1}, "percent", "percent lies between 0 and 100."),
        ({"percent": 101}, "percent", "percent lies between 0 and 100."),
        ({"message": " "}, "message", "message is empty; say something or leave it out."),
        ({"message": "x" * 8001}, "message", "message has 8001 characters; at most 8000 are kept."),
        ({"stage": "x" * 501}, "stage", "stage has 501 characters; at most 500 are kept."),
        (
            {"expected_completion_at": START - MINUTE},
            "expectedCompletionAt",
            "expectedCompletionAt lies before the interaction began.",
        ),
    ],
)
def test_a_report_that_is_none_is_refused_by_its_name(facts: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        opened().report_progress(facts.pop("message", "On it."), at=LATER, **facts)

    assert (refused.value.path, refused.value.message) == (("input", field), sentence)


def test_a_completion_may_be_told_that_was_expected_before_the_record_was_made() -> None:
    reported, _ = opened(started_at=START - DAY).report_progress("Late.", at=LATER, expected_completion_at=START - HOUR)

    assert reported.progress is not None
    assert reported.progress.expected_completion_at == START - HOUR


# ---------------------------------------------------------------- notes


def test_a_public_note_is_a_public_event_that_carries_it() -> None:
    before = opened()

    after, (event,) = before.add_note(note(Role.AGENT, at=LATER, text=" We call back. "), at=LATER)

    assert [added.text for added in after.notes] == ["We call back."]
    assert (after.seq, after.public_seq, after.public_updated_at) == (2, 2, LATER)
    assert (event.type, event.audience, event.message, event.note) == (
        EventType.NOTE_ADDED,
        Audience.PUBLIC,
        "We call back.",
        after.notes[0],
    )


def test_an_internal_note_moves_nothing_that_the_customer_can_count() -> None:
    before = opened()

    after, (event,) = before.add_note(note(public=False, at=LATER), at=LATER)

    assert (after.seq, after.updated_at) == (2, LATER)
    assert (after.public_seq, after.public_updated_at) == (before.public_seq, before.public_updated_at)
    assert (event.audience, event.message, event.seq, event.public_seq) == (Audience.INTERNAL, None, 2, 1)
    assert event.note == after.internal_notes[0]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.VISITOR])
def test_the_customers_note_answers_the_question_and_work_goes_on_by_itself(role: Role) -> None:
    pending = standing(Status.PENDING)

    answered, events = pending.add_note(note(role, at=START - DAY, text="The red one."), at=LATER)

    assert [event.type for event in events] == [EventType.NOTE_ADDED, EventType.STATUS_CHANGED]
    assert [event.seq for event in events] == [pending.seq + 1, pending.seq + 2]
    assert [event.status for event in events] == [Status.PENDING, Status.IN_PROGRESS]
    assert [event.at for event in events] == [START - DAY, LATER]
    assert (answered.status, answered.question, answered.status_changed_at) == (Status.IN_PROGRESS, None, LATER)
    assert (answered.seq, answered.public_seq) == (pending.seq + 2, pending.public_seq + 2)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.CUSTOMER, Role.VISITOR}])
def test_nobody_elses_note_answers_it(role: Role) -> None:
    noted, events = standing(Status.PENDING).add_note(note(role), at=LATER)

    assert (noted.status, len(events)) == (Status.PENDING, 1)


def test_what_the_customer_cannot_see_is_no_answer_of_the_customers() -> None:
    noted, events = standing(Status.PENDING).add_note(note(Role.CUSTOMER, public=False), at=LATER)

    assert (noted.status, len(events)) == (Status.PENDING, 1)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
def test_a_note_is_welcome_in_every_state_and_moves_none_but_pending(status: Status) -> None:
    noted, events = standing(status).add_note(note(Role.CUSTOMER), at=LATER)

    assert (noted.status, len(noted.notes), len(events)) == (status, 1, 1)


def test_a_note_written_offline_keeps_its_time_and_the_record_its_own() -> None:
    noted, (event,) = opened().add_note(note(at=START - DAY), at=LATER)

    assert (noted.notes[0].at, event.at, noted.updated_at) == (START - DAY, START - DAY, LATER)


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"text": ""}, "text"), ({"text": "x" * 8001}, "text"), ({"text": "\ud800"}, "text"), ({"at": LATER + HOUR}, "writtenAt")],
)
def test_a_note_that_is_none_is_refused_by_its_name(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        opened().add_note(note(**facts), at=LATER)

    assert refused.value.path == ("input", field)


def test_there_is_a_last_note() -> None:
    almost = replace(opened(), notes=(note(),) * (NOTES - 1))

    full, _ = almost.add_note(note(), at=LATER)

    assert len(full.notes) == NOTES
    with pytest.raises(BadInput, match=r"^An interaction has at most 1000 notes; open a follow-up\.$"):
        full.add_note(note(), at=LATER)


# ---------------------------------------------------------------- revisions and clocks


def test_each_reader_compares_in_the_count_it_sees() -> None:
    interaction, _ = opened().add_note(note(public=False), at=LATER)

    interaction.check_revision(2, internal=True)
    interaction.check_revision(1, internal=False)
    interaction.check_revision(None, internal=True)
    for expected, internal, current in ((1, True, 2), (2, False, 1), (3, True, 2)):
        with pytest.raises(Conflict, match=f"^The interaction is at revision {current}, not {expected}; read it again") as refused:
            interaction.check_revision(expected, internal=internal)
        assert refused.value.current_revision == current


def test_a_clock_that_runs_back_turns_nothing_back() -> None:
    interaction, _ = opened().report_progress("On it.", at=LATER)
    back = START - DAY

    reported, report = interaction.report_progress("Still.", at=back)
    closed, closing = interaction.close("Done.", at=back)
    noted, _ = interaction.add_note(note(at=back), at=back)

    assert reported.updated_at == report.at == closed.ended_at == closing.at == noted.updated_at == LATER
    assert reported.progress is not None
    assert (reported.progress.updated_at, reported.next_update_due_at) == (LATER, LATER + DAY)


def test_an_act_on_the_longest_text_takes_well_under_a_millisecond() -> None:
    interaction, text = opened(), "é" * 8_000

    def seconds() -> float:
        begun = time.perf_counter()
        interaction.report_progress(text, at=LATER)
        return time.perf_counter() - begun

    assert timedelta(seconds=min(seconds() for _ in range(20))) < timedelta(milliseconds=1)
