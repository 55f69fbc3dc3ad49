"""The matters of an interaction: added while there is work, resolved once, all of them before it is over."""

from typing import Final

import pytest

from hub.domain import items
from hub.domain.ids import ITEM, ItemId
from hub.domain.interactions import ITEMS
from hub.domain.terms import Audience, EventType, Status
from hub.errors import BadInput, Conflict, IllegalTransition, NotFound
from tests.domain.cases import HOUR, MINUTE, START, item, opened, standing

LATER: Final = START + HOUR
WORKING: Final = [Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.HELD]


@pytest.mark.parametrize("status", WORKING)
def test_a_matter_is_added_while_there_is_work_and_its_event_carries_it(status: Status) -> None:
    was = standing(status, items=[item(1)])

    now, event = items.add(was, item(2), at=LATER)

    assert now.items == (item(1), item(2))
    assert (event.type, event.audience, event.item, event.at) == (EventType.ITEM_ADDED, Audience.PUBLIC, item(2), LATER)
    assert (now.seq, now.public_seq, now.status) == (was.seq + 1, was.public_seq + 1, status)


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.COMPLETED, Status.CANCELLED])
def test_no_matter_is_added_once_the_work_is_done(status: Status) -> None:
    with pytest.raises(IllegalTransition, match="takes no further items"):
        items.add(standing(status), item(), at=START)


def test_there_is_a_last_matter() -> None:
    was = opened(items=[item(number) for number in range(ITEMS - 1)])

    full, _ = items.add(was, item(ITEMS), at=START)

    assert len(full.items) == ITEMS == 200
    with pytest.raises(BadInput, match="at most 200 items") as refused:
        items.add(full, item(ITEMS + 1), at=START)
    assert refused.value.path == ("input", "item")


@pytest.mark.parametrize("status", [*WORKING, Status.RESOLVED])
def test_a_matter_is_resolved_where_it_stands_and_no_other(status: Status) -> None:
    was = standing(status, items=[item(1), item(2), item(3)])

    now, event = items.resolve(was, item(2).id, " Credited. ", at=LATER)

    resolved = item(2, resolution="Credited.", resolved_at=LATER)
    assert now.items == (item(1), resolved, item(3))
    assert event is not None
    assert (event.type, event.audience, event.item) == (EventType.ITEM_RESOLVED, Audience.PUBLIC, resolved)
    assert (now.seq, now.status) == (was.seq + 1, status)


def test_a_matter_is_resolved_no_earlier_than_the_last_event() -> None:
    now, _ = items.resolve(opened(items=[item(1)]), item(1).id, "Done.", at=START - MINUTE)

    assert now.items[0].resolved_at == START


def test_the_same_resolution_again_changes_nothing_also_when_all_is_over() -> None:
    once, _ = items.resolve(opened(items=[item(1)]), item(1).id, "Credited.", at=START)
    over, _ = once.close("Done.", at=START)

    assert items.resolve(once, item(1).id, " Credited. ", at=LATER) == (once, None)
    assert items.resolve(over, item(1).id, "Credited.", at=LATER) == (over, None)


def test_another_resolution_is_in_conflict_with_the_first() -> None:
    once, _ = items.resolve(opened(items=[item(1)]), item(1).id, "Credited.", at=START)

    with pytest.raises(Conflict, match="in other words"):
        items.resolve(once, item(1).id, "Refused.", at=LATER)


def test_what_is_cancelled_has_no_matter_left_to_resolve() -> None:
    with pytest.raises(IllegalTransition, match="takes no further resolutions"):
        items.resolve(standing(Status.CANCELLED, items=[item(1)]), item(1).id, "Done.", at=LATER)


@pytest.mark.parametrize("status", Status)
def test_a_matter_of_another_interaction_is_unknown_here(status: Status) -> None:
    with pytest.raises(NotFound) as refused:
        items.resolve(standing(status), ItemId(ITEM + "f" * 32), "Done.", at=START)

    assert refused.value.path == ("input", "itemId")


@pytest.mark.parametrize("resolution", ["", "  ", "x" * 8_001, "a\x00b", "\ud800"])
def test_a_resolution_is_a_text(resolution: str) -> None:
    with pytest.raises(BadInput) as refused:
        items.resolve(opened(items=[item(1)]), item(1).id, resolution, at=START)

    assert refused.value.path == ("input", "resolution")
