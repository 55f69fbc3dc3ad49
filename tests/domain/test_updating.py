"""Putting right what an interaction is about: absence keeps, None clears, and what is so already changes nothing."""

from typing import Any, Final

import pytest

from hub.domain.interactions import IDENTIFIERS, Wanted
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import Audience, EventType, InteractionKind, Priority, Status, Vertical
from hub.errors import BadInput
from tests.domain.cases import HOUR, START, opened, standing

LATER: Final = START + HOUR
CRM: Final = ExternalIdentifier("crm", "1", "case")
FACTS: Final[dict[str, Any]] = {"topic": "billing", "reason": "Too much", "description": "All of it", "vertical": Vertical.BILLING}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("wanted", "field", "was", "now"),
    [
        (Wanted(kind=InteractionKind.COMPLAINT), "kind", InteractionKind.REQUEST, InteractionKind.COMPLAINT),
        (Wanted(topic=" moving "), "topic", "billing", "moving"),
        (Wanted(topic=None), "topic", "billing", None),
        (Wanted(reason="Paid twice"), "reason", "Too much", "Paid twice"),
        (Wanted(description=None), "description", "All of it", None),
        (Wanted(vertical=None), "vertical", Vertical.BILLING, None),
        (Wanted(priority=Priority.URGENT), "priority", Priority.NORMAL, Priority.URGENT),
        (Wanted(external_identifiers=[CRM]), "externalIdentifiers", None, {"owner": "crm", "value": "1", "type": "case"}),
    ],
)
def test_a_change_is_one_public_event_that_names_it_in_any_state(status: Status, wanted: Wanted, field: str, was: Any, now: Any) -> None:
    before = standing(status, **FACTS)

    after, event = before.update(at=LATER, **wanted)

    assert event is not None
    assert (event.type, event.audience, event.at) == (EventType.UPDATED, Audience.PUBLIC, LATER)
    assert [(change.field, change.was, change.now) for change in event.changes] == [(field, was, now)]
    assert (after.seq, after.status, after.progress) == (before.seq + 1, status, before.progress)


def test_several_changes_are_one_event() -> None:
    _, event = opened(**FACTS).update(at=LATER, topic=None, reason="Paid twice", vertical=Vertical.BILLING)

    assert event is not None
    assert [change.field for change in event.changes] == ["topic", "reason"]


def test_what_is_so_already_changes_nothing() -> None:
    was = opened(**FACTS, external_identifiers=[CRM])

    for wanted in (Wanted(), Wanted(topic=" billing ", external_identifiers=(CRM,)), Wanted(priority=Priority.NORMAL)):
        assert was.update(at=LATER, **wanted) == (was, None)


def test_an_identifier_takes_the_place_of_the_one_of_its_owner_and_type() -> None:
    other, untyped = ExternalIdentifier("erp", "1", "case"), ExternalIdentifier("crm", "1")
    known = (CRM, other, untyped)
    new = ExternalIdentifier("crm", "2", "case")

    assert CRM.among(known) == known
    assert new.among(known) == (other, untyped, new)
    assert ExternalIdentifier("crm", "9").among(known) == (CRM, other, ExternalIdentifier("crm", "9"))
    _, event = opened(external_identifiers=known).update(at=LATER, external_identifiers=new.among(known))
    assert event is not None
    assert [(change.was, change.now) for change in event.changes] == [(CRM.told, None), (None, new.told)]


def test_there_is_a_last_identifier() -> None:
    full = [ExternalIdentifier("crm", "1", str(number)) for number in range(IDENTIFIERS)]

    after, _ = opened().update(at=LATER, external_identifiers=full)

    assert len(after.external_identifiers) == IDENTIFIERS == 50
    with pytest.raises(BadInput, match="at most 50 external identifiers") as refused:
        after.update(at=LATER, external_identifiers=[*full, CRM])
    assert refused.value.path == ("input", "externalIdentifier")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(topic=""), "topic"),
        (Wanted(topic="x" * 501), "topic"),
        (Wanted(reason="  "), "reason"),
        (Wanted(reason="x" * 501), "reason"),
        (Wanted(description="x" * 8_001), "description"),
        (Wanted(description="a\x00b"), "description"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(wanted: Wanted, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        opened().update(at=LATER, **wanted)

    assert refused.value.path == ("input", field)
