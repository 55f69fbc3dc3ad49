"""A claim changes hands of the past too: in one commit, also of what was decided before it in the same batch, and of no more."""

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest
from pymongo.errors import AutoReconnect

from hub.access.claim_codes import ClaimCodes
from hub.access.keys import Keyring
from hub.access.viewers import Viewer
from hub.commands.asking import Request
from hub.commands.claiming import Claim
from hub.commands.involvements import AddParty, Involved, RemoveParty
from hub.commands.notes import AddNote
from hub.domain.terms import ChannelType, InvolvementRole, NoteVisibility, Role
from hub.errors import InternalError, NotFound
from hub.journal.batch import Committed
from hub.journal.filters import EVERYTHING
from hub.journal.frames import FrameKind
from hub.journal.opening import Journal
from hub.journal.replay import frames_after
from hub.store.mongo import Mongo
from tests.journal.acts import AGENT, SECRET, assert_intact, bearer, creation, customer, entries, opened, report, submit, viewer
from tests.journal.breaking import BreakingOn, Gate, Session

CODES: Final = ClaimCodes(Keyring(SECRET))


class Case:
    """An interaction that a visitor opened, and a customer with its code."""

    def __init__(self, journal: Journal, visitor: str, customer: str, id: str) -> None:
        self.journal, self.visitor, self.customer, self.id = journal, visitor, customer, id
        self.claim = Claim(id=id, claim_code=CODES.code(id))

    @classmethod
    async def opened(cls, journal: Journal) -> "Case":
        visitor, ada = await customer(journal, "A visitor"), await customer(journal)
        created = await submit(journal, creation(channel=ChannelType.WEB_SELF_SERVICE), viewer(Role.VISITOR, visitor))
        return cls(journal, visitor, ada, created.about.id)

    async def claimed(self) -> Committed:
        return await submit(self.journal, self.claim, viewer(Role.CUSTOMER, self.customer))

    async def together(self, *requests: tuple[Request, Viewer]) -> Sequence[Committed | BaseException]:
        """Requests that are decided in one batch, in this order: they queue while another commit is held."""
        patch = pytest.MonkeyPatch()
        held = Gate(patch, Session, "commit_transaction")
        ahead = asyncio.create_task(opened(self.journal))
        await held.reached.wait()
        waiting = [asyncio.create_task(submit(self.journal, request, by)) for request, by in requests]
        await asyncio.sleep(0)
        held.open()
        patch.undo()
        await ahead
        return await asyncio.gather(*waiting, return_exceptions=True)

    async def seen_by(self) -> list[tuple[str, set[str]]]:
        """Each entry of the interaction by its type, with who sees it."""
        names = {self.visitor: "visitor", self.customer: "customer"}
        own = [entry for entry in await entries(self.journal.mongo) if entry["subject"]["id"] == self.id]
        return [(entry["type"], {names[party] for party in entry["visibleTo"]}) for entry in own]

    def note(self, text: str, visibility: NoteVisibility = NoteVisibility.PUBLIC) -> tuple[Request, Viewer]:
        return AddNote(id=self.id, text=text, visibility=visibility), AGENT

    def claiming(self) -> tuple[Request, Viewer]:
        return self.claim, viewer(Role.CUSTOMER, self.customer)


@pytest.fixture
async def case(journal: Journal) -> Case:
    return await Case.opened(journal)


async def test_the_whole_past_changes_hands_with_the_claim_internal_entries_too(case: Case, mongo: Mongo) -> None:
    await report(case.journal, case.id)
    await submit(case.journal, *case.note("between us", NoteVisibility.INTERNAL))
    other = (await submit(case.journal, creation(channel=ChannelType.WEB_SELF_SERVICE), viewer(Role.VISITOR, case.visitor))).about.id

    await case.claimed()
    await report(case.journal, case.id)

    types = ["CREATED", "PROGRESS_REPORTED", "NOTE_ADDED", "CLAIMED", "PROGRESS_REPORTED"]
    assert await case.seen_by() == [(type, {"customer"}) for type in types]
    (claimed,) = [entry for entry in await entries(mongo) if entry["type"] == "CLAIMED"]
    assert (claimed["left"], claimed["actor"], claimed["audience"]) == ([case.visitor], case.customer, "PUBLIC")
    assert [entry["visibleTo"] for entry in await entries(mongo) if entry["subject"]["id"] == other] == [[case.visitor]]
    stored = await mongo["interactions"].find_one({"_id": case.id})
    assert stored is not None
    assert (stored["visibleTo"], "visitor" in stored) == ([case.customer], False)
    await assert_intact(mongo)


async def test_what_was_decided_before_it_in_its_batch_is_of_the_past_and_what_comes_after_is_not(case: Case, mongo: Mongo) -> None:
    again = AddParty(id=case.id, involved=Involved(InvolvementRole.USER, case.visitor))

    done = await case.together(case.note("before"), case.claiming(), (again, AGENT), case.note("after"))

    assert all(isinstance(one, Committed) for one in done), done
    batches = {bytes(entry["batch"]) for entry in (await entries(mongo))[-4:]}
    assert len(batches) == 1
    assert await case.seen_by() == [
        ("CREATED", {"customer"}),
        ("NOTE_ADDED", {"customer"}),
        ("CLAIMED", {"customer"}),
        ("PARTY_ADDED", {"customer", "visitor"}),
        ("NOTE_ADDED", {"customer", "visitor"}),
    ]
    await assert_intact(mongo)


async def test_an_interaction_opened_and_claimed_in_one_batch_is_the_customers_from_its_first_entry(case: Case, mongo: Mongo) -> None:
    id = "int_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
    opening = creation(channel=ChannelType.WEB_SELF_SERVICE, id=id)
    case.id, case.claim = id, Claim(id=id, claim_code=CODES.code(id))

    done = await case.together((opening, viewer(Role.VISITOR, case.visitor)), case.claiming())

    assert all(isinstance(one, Committed) for one in done), done
    assert await case.seen_by() == [("CREATED", {"customer"}), ("CLAIMED", {"customer"})]
    await assert_intact(mongo)


async def test_of_two_who_claim_at_once_one_gets_it(case: Case, mongo: Mongo) -> None:
    grace = await customer(case.journal, "Grace Lovelace")

    first, second = await case.together(case.claiming(), (case.claim, viewer(Role.CUSTOMER, grace)))

    assert isinstance(first, Committed)
    assert isinstance(second, NotFound)
    assert await case.seen_by() == [("CREATED", {"customer"}), ("CLAIMED", {"customer"})]


async def test_who_takes_part_already_is_in_no_list_twice(case: Case, mongo: Mongo) -> None:
    await submit(case.journal, AddParty(id=case.id, involved=Involved(InvolvementRole.USER, case.customer)))

    await case.claimed()

    lists = [entry["visibleTo"] for entry in await entries(mongo) if entry["subject"]["id"] == case.id]
    assert lists == [[case.customer]] * 3


async def test_a_time_in_which_the_visitor_took_no_part_stays_nobodys(case: Case, mongo: Mongo) -> None:
    await submit(case.journal, RemoveParty(id=case.id, party_id=case.visitor, role=InvolvementRole.CUSTOMER))
    with pytest.raises(NotFound):
        await case.claimed()
    await submit(case.journal, AddParty(id=case.id, involved=Involved(InvolvementRole.CUSTOMER, case.visitor)))

    await case.claimed()

    assert [sorted(seen) for _, seen in await case.seen_by()] == [["customer"], [], ["customer"], ["customer"]]


@pytest.mark.parametrize("after", [False, True], ids=["before the past is rewritten", "after it was rewritten"])
async def test_it_happens_as_a_whole_or_not_at_all(case: Case, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    breaking = BreakingOn(monkeypatch, "journal", "update_many", error=AutoReconnect("injected"), after=after)

    await case.claimed()

    assert breaking.raised == 1
    assert await case.seen_by() == [("CREATED", {"customer"}), ("CLAIMED", {"customer"})]
    await assert_intact(mongo)


async def test_a_claim_that_cannot_be_written_leaves_everything_the_visitors(
    case: Case, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    BreakingOn(monkeypatch, "journal", "update_many", error=RuntimeError("injected"), times=99)

    with pytest.raises(InternalError):
        await case.claimed()

    assert await case.seen_by() == [("CREATED", {"visitor"})]
    await assert_intact(mongo)


async def test_a_replay_tells_the_visitor_that_it_left_and_the_customer_everything(case: Case, mongo: Mongo) -> None:
    await report(case.journal, case.id)
    before = await case.claimed()
    await report(case.journal, case.id)

    heard = {}
    for who, party in (("visitor", case.visitor), ("customer", case.customer)):
        page = await frames_after(mongo, bearer(party).visibility, EVERYTHING, 0, up_to=before.position + 1)
        heard[who] = [frame.entry["type"] if frame.entry else frame.kind for frame in page.frames]

    assert heard["visitor"] == [FrameKind.LEFT]
    assert heard["customer"] == ["CREATED", "PROGRESS_REPORTED", "CLAIMED", "PROGRESS_REPORTED"]
