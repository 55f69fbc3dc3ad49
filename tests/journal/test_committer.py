"""Commit together: one order, one effect each, whoever else is in the batch."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from pymongo.read_concern import ReadConcern

from hub.commands.interactions import Close, Create, Transition
from hub.commands.notes import AddNote
from hub.commands.parties import Upsert
from hub.domain.events import Event
from hub.domain.ids import INTERACTION, uuid7
from hub.domain.interactions import Interaction
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import NoteVisibility, PartyKind, Role, Status, SubjectKind
from hub.errors import BadInput, Conflict, IdempotencyKeyReused, IllegalTransition, InternalError, NotFound, Unavailable
from hub.journal import committer as committing
from hub.journal.batch import Committed
from hub.journal.desk import Change, Decision, Desk, Ref
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.store.mongo import Mongo
from hub.web.hub import now
from tests.journal.acts import (
    Raw,
    assert_intact,
    command,
    creation,
    customer,
    entries,
    journal_on,
    messages,
    opened,
    report,
    submit,
    viewer,
)
from tests.journal.breaking import Gate, Session

ACTOR = Actor(None, Role.AGENT)
SOMEONE = ExternalIdentifier("crm", "4711", "customerId")


async def test_200_commands_on_one_interaction_at_once_are_decided_one_after_the_other(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)

    done = await asyncio.gather(*(report(journal, interaction, f"step {number}") for number in range(200)))

    assert sorted(one.position for one in done) == list(range(2, 202))
    stored = await mongo["interactions"].find_one({"_id": interaction})
    assert stored is not None
    assert stored["seq"] == 201
    await assert_intact(mongo)


async def test_a_refused_command_changes_nothing_and_costs_its_neighbours_nothing(journal: Journal, mongo: Mongo) -> None:
    interaction, closed = await opened(journal), await opened(journal)
    await submit(journal, Close(id=closed, resolution="Done."))

    done = await asyncio.gather(
        report(journal, interaction, "before"),
        report(journal, closed, "too late"),
        report(journal, "int_" + "0" * 32, "nobody"),
        report(journal, interaction, "after"),
        return_exceptions=True,
    )

    assert isinstance(done[0], Committed)
    assert isinstance(done[1], IllegalTransition)
    assert isinstance(done[2], NotFound)
    assert isinstance(done[3], Committed)
    assert done[3].position == done[0].position + 1
    assert set(await messages(mongo)) == {"before", "after"}
    await assert_intact(mongo)


async def test_a_refusal_is_told_only_once_what_it_was_judged_on_is_committed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    interaction = await opened(journal)
    held, told = Gate(monkeypatch, Session, "commit_transaction"), asyncio.Event()

    closing = asyncio.create_task(submit(journal, Close(id=interaction, resolution="Done.")))
    refused = asyncio.create_task(report(journal, interaction))
    refused.add_done_callback(lambda _: told.set())
    await held.reached.wait()
    assert not told.is_set()
    held.open()

    await closing
    with pytest.raises(IllegalTransition):
        await refused


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param("\ud800", id="text that BSON cannot hold"),
        pytest.param(1 << 70, id="a number that BSON cannot hold"),
        pytest.param(object(), id="something that BSON does not know"),
    ],
)
async def test_a_command_that_cannot_be_encoded_is_found_by_halving_and_stands_alone(journal: Journal, mongo: Mongo, poison: Any) -> None:
    interaction = await opened(journal)

    def guilty(desk: Desk) -> Decision:
        changed, event = spoiled(desk, interaction)
        return Decision(Ref(SubjectKind.INTERACTION, interaction), (Change(replace(changed, extra=poison), (event,)),))

    done = await asyncio.gather(
        *(report(journal, interaction, f"step {number}") for number in range(20)),
        journal.committer.submit(Raw(guilty, (Ref(SubjectKind.INTERACTION, interaction),)), ACTOR),
        *(report(journal, interaction, f"step {number}") for number in range(20, 40)),
        return_exceptions=True,
    )

    assert [type(one) for one in done] == [Committed] * 20 + [InternalError] + [Committed] * 20
    assert set((await messages(mongo)).values()) == {1}
    await assert_intact(mongo)


async def test_a_document_that_the_validator_refuses_costs_its_neighbours_nothing(journal: Journal, mongo: Mongo) -> None:
    interaction, other = await opened(journal), await opened(journal)

    def guilty(desk: Desk) -> Decision:
        changed, event = spoiled(desk, other)
        return Decision(Ref(SubjectKind.INTERACTION, other), (Change(replace(changed, direction="SIDEWAYS"), (event,)),))  # type: ignore[arg-type]

    done = await asyncio.gather(
        *(report(journal, interaction, f"step {number}") for number in range(5)),
        journal.committer.submit(Raw(guilty, (Ref(SubjectKind.INTERACTION, other),)), ACTOR),
        *(report(journal, interaction, f"step {number}") for number in range(5, 10)),
        return_exceptions=True,
    )

    assert [type(one) for one in done] == [Committed] * 5 + [InternalError] + [Committed] * 5
    await assert_intact(mongo)


async def test_a_command_whose_decision_fails_is_an_internal_error_for_its_caller_alone(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)

    done = await asyncio.gather(
        report(journal, interaction), journal.committer.submit(Raw(broken), ACTOR), report(journal, interaction), return_exceptions=True
    )

    assert [type(one) for one in done] == [Committed, InternalError, Committed]
    await assert_intact(mongo)


async def test_the_same_key_50_times_at_once_has_one_effect_and_one_answer(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)

    done = await asyncio.gather(*(report(journal, interaction, "once", named="k") for _ in range(50)))

    assert len({(one.about, one.position) for one in done}) == 1
    assert sum(one.replayed for one in done) == 49
    assert await messages(mongo) == {"once": 1}
    await assert_intact(mongo)


async def test_two_processes_with_the_same_key_have_one_effect(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)

    async with journal_on(mongo, "other") as other:
        done = await asyncio.gather(*(report(one, interaction, "once", named="k") for one in (journal, other) * 25))

    assert len({(one.about, one.position) for one in done}) == 1
    assert await messages(mongo) == {"once": 1}


async def test_a_key_used_for_another_request_is_refused_in_the_same_batch_and_later(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)

    first, second = await asyncio.gather(
        report(journal, interaction, "first", named="k"), report(journal, interaction, "second", named="k"), return_exceptions=True
    )

    assert isinstance(first, Committed)
    assert isinstance(second, IdempotencyKeyReused)
    with pytest.raises(IdempotencyKeyReused):
        await report(journal, interaction, "third", named="k")
    assert await messages(mongo) == {"first": 1}


async def test_a_refused_command_does_not_use_up_its_key(journal: Journal) -> None:
    request = Close(id=await opened(journal, items=()), resolution="Done.")
    await submit(journal, Transition(id=request.id, to=Status.CANCELLED, reason="A mistake."))

    with pytest.raises(IllegalTransition):
        await submit(journal, request, named="k")

    assert (await report(journal, await opened(journal), named="k")).replayed is False


async def test_a_caller_that_hangs_up_drops_only_its_own_answer(journal: Journal, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    interaction = await opened(journal)
    held = Gate(monkeypatch, Session, "commit_transaction")

    tasks = [asyncio.create_task(report(journal, interaction, f"step {number}")) for number in range(3)]
    await held.reached.wait()
    tasks[1].cancel()
    await asyncio.sleep(0)
    held.open()
    done = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in done] == [Committed, asyncio.CancelledError, Committed]
    assert await messages(mongo) == {"step 0": 1, "step 1": 1, "step 2": 1}
    await assert_intact(mongo)


async def test_a_queue_that_is_full_says_so_at_once(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "BACKLOG", 8)
    interaction = await opened(journal)
    held = Gate(monkeypatch, Session, "commit_transaction")
    first = asyncio.create_task(report(journal, interaction))
    await held.reached.wait()
    queued = [asyncio.create_task(report(journal, interaction)) for _ in range(8)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refused:
        await report(journal, interaction)

    assert refused.value.retry_after_ms == 500
    held.open()
    assert all(isinstance(one, Committed) for one in await asyncio.gather(first, *queued))


async def test_who_waits_too_long_hears_unavailable_and_the_next_one_is_served(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    interaction = await opened(journal)
    held = Gate(monkeypatch, Session, "commit_transaction")
    monkeypatch.setattr(committing, "PATIENCE", 0.05)

    with pytest.raises(Unavailable):
        await report(journal, interaction)

    held.open()
    monkeypatch.undo()
    assert isinstance(await report(journal, interaction), Committed)


async def test_a_hub_that_closes_answers_what_is_queued_and_takes_nothing_new(mongo: Mongo) -> None:
    async with journal_on(mongo) as journal:
        interaction = await opened(journal)
        tasks = [asyncio.create_task(report(journal, interaction, f"step {number}")) for number in range(300)]
        await asyncio.sleep(0)

    assert all(isinstance(one, Committed) for one in await asyncio.gather(*tasks))
    with pytest.raises(Unavailable):
        await report(journal, interaction)
    assert await mongo["leases"].with_options(read_concern=ReadConcern("local")).count_documents({}) == 0
    await assert_intact(mongo)


async def test_a_hub_closes_promptly_when_the_database_does_not_answer(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "LAST", 0.1)

    async with journal_on(mongo) as journal:
        interaction = await opened(journal)
        held = Gate(monkeypatch, Session, "commit_transaction")
        first = asyncio.create_task(report(journal, interaction))
        await held.reached.wait()
        second = asyncio.create_task(report(journal, interaction))
        await asyncio.sleep(0)
        closing = time.monotonic()

    assert time.monotonic() - closing < 5
    done = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one) for one in done] == [Unavailable, Unavailable]


async def test_what_fails_inside_an_open_journal_is_told_as_it_is(mongo: Mongo) -> None:
    with pytest.raises(LookupError):
        async with journal_on(mongo):
            raise LookupError


# ---------------------------------------------------------------- identifiers, sizes, and what is kept apart


async def test_a_client_made_id_is_a_replay_for_its_maker_and_a_conflict_for_anybody_else(journal: Journal, mongo: Mongo) -> None:
    id = INTERACTION + uuid7(now())
    request = creation(id=id, topic="fibre-fault")

    first, again, other = await asyncio.gather(
        submit(journal, request), submit(journal, request), submit(journal, replace(request, topic="bill")), return_exceptions=True
    )

    assert isinstance(first, Committed)
    assert isinstance(again, Committed)
    assert (first.replayed, again.replayed, first.about) == (False, True, again.about)
    assert isinstance(other, Conflict)
    assert other.conflicting_id == id
    with pytest.raises(Conflict) as refused:
        await submit(journal, request, viewer(Role.SUPERVISOR))
    assert refused.value.conflicting_id == id
    assert len(await entries(mongo)) == 1


async def test_an_external_identifier_that_is_taken_is_a_conflict_that_names_who_has_it(journal: Journal, mongo: Mongo) -> None:
    request = creation(external_identifier=SOMEONE)

    first, second = await asyncio.gather(submit(journal, request), submit(journal, request), return_exceptions=True)

    assert isinstance(first, Committed)
    assert isinstance(second, Conflict)
    assert second.conflicting_id == first.about.id
    with pytest.raises(Conflict) as refused:
        await submit(journal, replace(request, topic="another"))
    assert refused.value.conflicting_id == first.about.id
    assert len(await entries(mongo)) == 1


async def test_a_party_is_found_by_its_external_identifier_within_its_own_batch(journal: Journal, mongo: Mongo) -> None:
    party, interaction = await asyncio.gather(
        submit(journal, Upsert(kind=PartyKind.INDIVIDUAL, called="Ada Hopper", external_identifier=SOMEONE)),
        submit(journal, creation(customer_ref=SOMEONE)),
    )

    assert interaction.document is not None
    assert interaction.document["visibleTo"] == [party.about.id]
    await assert_intact(mongo)


async def test_an_identifier_that_only_the_index_knows_of_is_a_conflict(journal: Journal, mongo: Mongo) -> None:
    """What was decided without a look at it, for it named no such touch."""
    await submit(journal, creation(external_identifier=SOMEONE))

    def blind(desk: Desk) -> Decision:
        return command(Blind(creation(external_identifier=SOMEONE))).decide(desk)

    with pytest.raises(Conflict):
        await journal.committer.submit(Raw(blind), ACTOR)

    await assert_intact(mongo)


async def test_an_act_that_would_take_a_document_past_its_end_is_bad_input(journal: Journal, mongo: Mongo) -> None:
    interaction = await opened(journal)
    note = AddNote(id=interaction, text="€" * 8_000)  # 24 kB each: 350 of them are 8 MiB

    done = await asyncio.gather(*(submit(journal, note) for _ in range(360)), return_exceptions=True)

    kept = [one for one in done if isinstance(one, Committed)]
    assert {type(one) for one in done} == {Committed, BadInput}
    assert 345 <= len(kept) <= 350
    stored = await mongo["interactions"].find_one({"_id": interaction})
    assert stored is not None
    assert len(stored["notes"]) == len(kept)
    await assert_intact(mongo)


async def test_what_could_name_a_person_stands_beside_the_journal_never_in_it(journal: Journal, mongo: Mongo) -> None:
    party = await customer(journal, "Augusta Secret")
    interaction = await opened(journal, customer_id=party, reason="secret reason", description="secret description")
    await report(journal, interaction, "secret message")
    await submit(journal, AddNote(id=interaction, text="secret note"))
    await submit(journal, AddNote(id=interaction, text="secret internal note", visibility=NoteVisibility.INTERNAL))
    await submit(journal, Transition(id=interaction, to=Status.PENDING, question="secret question"))
    await submit(journal, AddNote(id=interaction, text="secret answer"), viewer(Role.CUSTOMER, party))
    await submit(journal, Close(id=interaction, resolution="secret resolution"))

    kept, beside = await entries(mongo), await mongo.page("personal", {})

    assert "secret" not in repr(kept).lower()
    for word in ("message", "note", "internal note", "question", "answer", "resolution"):
        assert f"secret {word}" in repr(beside)
    await assert_intact(mongo)


async def test_two_events_of_one_act_each_tell_how_it_stood_after_them(journal: Journal, mongo: Mongo) -> None:
    party = await customer(journal)
    interaction = await opened(journal, customer_id=party)
    await submit(journal, Transition(id=interaction, to=Status.PENDING, question="Which one?"))
    await submit(journal, AddNote(id=interaction, text="The red one."), viewer(Role.CUSTOMER, party))

    noted, moved = (await entries(mongo))[-2:]

    assert (noted["type"], noted["facts"]["status"], noted.get("was")) == ("NOTE_ADDED", "PENDING", None)
    assert (moved["type"], moved["facts"]["status"], moved["was"]) == ("STATUS_CHANGED", "IN_PROGRESS", {"status": "PENDING"})


# ---------------------------------------------------------------- small parts of these tests


def spoiled(desk: Desk, id: str) -> tuple[Interaction, Event]:
    """A change as good as any, for a test to spoil."""
    found = desk.interaction(id)
    assert found is not None
    return found.report_progress("spoiled", at=desk.now)


def broken(_: Desk) -> Decision:
    raise ZeroDivisionError


class Blind(Create):
    """Does not look whether the identifier is taken."""

    def __init__(self, request: Create) -> None:
        for name in Create.__slots__:
            object.__setattr__(self, name, getattr(request, name))

    def _check_identifier(self, desk: Desk, viewer: Any) -> None:
        """Nothing."""
