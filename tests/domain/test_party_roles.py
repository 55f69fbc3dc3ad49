"""The roles that parties hold, each for a time: what counts when, and what may not be at the same time."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from hub.domain.ids import PARTY_ROLE, PartyId, PartyRoleId
from hub.domain.party_roles import PartyRole, PartyRoleEventType, PartyRoleStatus
from hub.errors import BadInput, Conflict
from hub.store.documents import party_role_document, party_role_from
from tests.domain.cases import DAY, HOUR, START

ADA: Final = PartyId("par_" + "a" * 32)
TICK: Final = timedelta(milliseconds=1)
PLANNED, ACTIVE, ENDED = PartyRoleStatus


def granted(
    name: str = "Guardian",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    held: tuple[PartyRole, ...] = (),
    number: int = 1,
) -> PartyRole:
    id = PartyRoleId(f"{PARTY_ROLE}{number:032x}")
    return PartyRole.grant(id, ADA, name, at=START, held=held, valid_from=valid_from, valid_to=valid_to)[0]


def test_a_role_is_granted_with_one_event_from_now_until_it_is_ended() -> None:
    role, event = PartyRole.grant(PartyRoleId(PARTY_ROLE + "0" * 32), ADA, " Guardian ", at=START, held=())

    assert (role.name, role.valid_from, role.valid_to, role.seq) == ("Guardian", START, None, 1)
    assert (event.type, event.at, event.seq) == (PartyRoleEventType.GRANTED, START, 1)


@pytest.mark.parametrize(
    ("now", "status"),
    [(START - TICK, PLANNED), (START, ACTIVE), (START + DAY - TICK, ACTIVE), (START + DAY, ENDED), (START + 2 * DAY, ENDED)],
)
def test_a_role_counts_from_its_first_moment_up_to_and_without_its_last(now: datetime, status: PartyRoleStatus) -> None:
    role = granted(valid_from=START, valid_to=START + DAY)

    assert role.status(now) is status
    assert role.is_valid(now) == (status is ACTIVE)


@pytest.mark.parametrize("valid_to", [START, START - DAY])
def test_a_role_ends_after_it_began(valid_to: datetime) -> None:
    with pytest.raises(BadInput, match="after validFrom") as refused:
        granted(valid_from=START, valid_to=valid_to)

    assert refused.value.path == ("input", "validTo")


@pytest.mark.parametrize("name", ["", " ", "x" * 501, "a\x00b"])
def test_a_name_is_a_short_text(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        granted(name)

    assert refused.value.path == ("input", "name")


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "overlaps"),
    [
        (0, None, True),
        (0, 1, False),
        (0, 2, True),
        (1, 2, True),
        (1, 3, True),
        (2, 3, True),
        (2, 9, True),
        (3, None, False),
        (3, 4, False),
        (-9, 9, True),
    ],
)
def test_of_one_name_a_party_holds_one_role_at_a_time(valid_from: int, valid_to: int | None, overlaps: bool) -> None:
    known = granted(valid_from=START + DAY, valid_to=START + 3 * DAY)
    until = None if valid_to is None else START + valid_to * DAY

    if overlaps:
        with pytest.raises(Conflict, match="at that time already") as refused:
            granted("GUARDIAN", START + valid_from * DAY, until, held=(known,), number=2)
        assert refused.value.conflicting_id == known.id
    else:
        assert granted("GUARDIAN", START + valid_from * DAY, until, held=(known,), number=2).valid_to == until


def test_one_that_has_no_end_stands_in_the_way_of_every_later_one_and_of_no_other_name() -> None:
    known = granted()

    with pytest.raises(Conflict):
        granted("guardian", START + 999 * DAY, held=(known,), number=2)
    assert granted("guardian", START - DAY, START, held=(known,), number=2).valid_to == START
    assert granted("supplier", held=(known,), number=2).name == "supplier"


@pytest.mark.parametrize("valid_to", [None, START + DAY])
def test_a_role_is_ended_now_whenever_it_would_have_ended(valid_to: datetime | None) -> None:
    role, event = granted(valid_to=valid_to).end(" Moved away. ", at=START + HOUR)

    assert (role.valid_to, role.status_reason, role.seq) == (START + HOUR, "Moved away.", 2)
    assert (event.type, event.at, event.seq) == (PartyRoleEventType.ENDED, START + HOUR, 2)
    assert role.status(START + HOUR) is ENDED
    assert granted(held=(role,), valid_from=START + HOUR, number=2).valid_from == START + HOUR


def test_one_that_is_ended_before_it_began_never_counts_and_stands_in_nobodys_way() -> None:
    role, _ = granted(valid_from=START + DAY, valid_to=START + 9 * DAY).end(None, at=START)

    assert {role.status(START + hours * HOUR) for hours in (0, 23, 24, 25, 9 * 24)} == {ENDED}
    assert granted(valid_from=START, held=(role,), number=2).is_valid(START + DAY)


def test_one_that_is_granted_and_ended_in_one_moment_never_counts() -> None:
    role, _ = granted().end(None, at=START)

    assert role.status(START) is ENDED
    assert granted(held=(role,), number=2).is_valid(START)


@pytest.mark.parametrize("at", [START + DAY, START + 2 * DAY])
def test_what_is_over_is_not_ended_again(at: datetime) -> None:
    role = granted(valid_to=START + DAY)
    withdrawn, _ = granted(valid_from=START + 9 * DAY).end(None, at=START)

    for over in (role, withdrawn):
        with pytest.raises(Conflict, match="ended already"):
            over.end(None, at=at)


def test_a_clock_that_runs_back_turns_nothing_back() -> None:
    role, event = granted().end(None, at=START - HOUR)

    assert (role.valid_to, role.updated_at, event.at) == (START, START, START)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_reason_is_a_short_text_or_none(reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        granted().end(reason, at=START + HOUR)

    assert refused.value.path == ("input", "reason")


def test_a_role_comes_back_from_its_document_as_it_was() -> None:
    open_ended = granted()
    ended, _ = open_ended.end("Moved away.", at=START + HOUR)

    for role in (open_ended, ended):
        assert party_role_from(party_role_document(role)) == role
