"""What interactions are to each other: one end at a time, and of no kind in a circle."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import pytest

from hub.domain import relationships
from hub.domain.ids import INTERACTION, InteractionId
from hub.domain.parts import Relationship
from hub.domain.relationships import INVERSE, LINEAGE, RELATIONSHIPS, check_line
from hub.domain.terms import Audience, EventType, RelationshipType, Status
from hub.errors import BadInput, NotFound
from tests.domain.cases import HOUR, START, opened, standing

LATER: Final = START + HOUR
PARENT, CHILD = RelationshipType.PARENT, RelationshipType.CHILD
ONE_ENDED: Final = [type for type in RelationshipType if type not in {PARENT, CHILD}]


def id_of(number: int) -> InteractionId:
    return InteractionId(f"{INTERACTION}{number:032x}")


Known = Callable[[InteractionId], tuple[Relationship, ...]]


def linked(links: Iterable[tuple[int, int]], type: RelationshipType = PARENT) -> Known:
    """What interactions hang on, by number."""
    known: defaultdict[InteractionId, tuple[Relationship, ...]] = defaultdict(tuple)
    for number, other in links:
        known[id_of(number)] += (Relationship(type, id_of(other)),)
    return lambda id: known[id]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("type", RelationshipType)
def test_a_link_is_made_and_taken_back_in_any_state_and_nobody_outside_hears_of_it(type: RelationshipType, status: Status) -> None:
    was, relationship = standing(status), Relationship(type, id_of(7))

    now, event = relationships.link(was, relationship, at=LATER)
    back, undone = relationships.unlink(now, relationship, at=LATER)

    assert (now.relationships, back.relationships) == ((relationship,), ())
    assert event is not None
    assert [(one.type, one.audience) for one in (event, undone)] == [
        (EventType.LINKED, Audience.INTERNAL),
        (EventType.UNLINKED, Audience.INTERNAL),
    ]
    told = {"type": type.value, "interactionId": id_of(7)}
    assert [(change.field, change.was, change.now) for change in (*event.changes, *undone.changes)] == [
        ("relationships", None, told),
        ("relationships", told, None),
    ]
    assert (back.seq, back.public_seq, back.public_updated_at) == (was.seq + 2, was.public_seq, was.public_updated_at)


def test_a_link_that_is_there_stays_as_it_is() -> None:
    now, _ = relationships.link(opened(), Relationship(PARENT, id_of(7)), at=LATER)

    assert relationships.link(now, Relationship(PARENT, id_of(7)), at=LATER) == (now, None)


def test_two_interactions_may_be_several_things_to_each_other() -> None:
    now = opened()
    for type in ONE_ENDED:
        now, _ = relationships.link(now, Relationship(type, id_of(7)), at=LATER)

    now, _ = relationships.unlink(now, Relationship(ONE_ENDED[0], id_of(7)), at=LATER)

    assert [one.type for one in now.relationships] == ONE_ENDED[1:]


@pytest.mark.parametrize("relationship", [Relationship(CHILD, id_of(7)), Relationship(PARENT, id_of(8))])
def test_a_link_that_is_not_there_cannot_be_taken_back(relationship: Relationship) -> None:
    now, _ = relationships.link(opened(), Relationship(PARENT, id_of(7)), at=LATER)

    with pytest.raises(NotFound) as refused:
        relationships.unlink(now, relationship, at=LATER)

    assert refused.value.path == ("input", "otherId")


def test_there_is_a_last_relationship() -> None:
    full = opened()
    for number in range(1, RELATIONSHIPS + 1):
        full, _ = relationships.link(full, Relationship(CHILD, id_of(number)), at=START)

    assert len(full.relationships) == RELATIONSHIPS == 50
    assert relationships.link(full, Relationship(CHILD, id_of(7)), at=START) == (full, None)
    with pytest.raises(BadInput, match="at most 50 relationships") as refused:
        relationships.link(full, Relationship(PARENT, id_of(99)), at=START)
    assert refused.value.path == ("input", "otherId")


def test_only_parent_and_child_are_two_ends_of_one_link() -> None:
    assert INVERSE == {PARENT: CHILD, CHILD: PARENT}


@pytest.mark.parametrize("type", RelationshipType)
def test_nothing_is_related_to_itself(type: RelationshipType) -> None:
    with pytest.raises(BadInput, match="to itself") as refused:
        check_line(id_of(1), Relationship(type, id_of(1)), linked([]))

    assert refused.value.path == ("input", "otherId")


@pytest.mark.parametrize("length", [2, 3, 20])
@pytest.mark.parametrize("type", [PARENT, *ONE_ENDED])
def test_no_line_leads_back_to_where_it_begins(type: RelationshipType, length: int) -> None:
    known = linked([(number, number + 1) for number in range(1, length)], type)

    with pytest.raises(BadInput, match="in a circle") as refused:
        check_line(id_of(length), Relationship(type, id_of(1)), known)

    assert refused.value.path == ("input", "otherId")


@pytest.mark.parametrize("length", [2, 3, 20])
def test_nor_does_one_that_is_told_from_its_other_end(length: int) -> None:
    known = linked([(number, number + 1) for number in range(1, length)])

    with pytest.raises(BadInput, match="in a circle"):
        check_line(id_of(1), Relationship(CHILD, id_of(length)), known)


@pytest.mark.parametrize("type", [PARENT, *ONE_ENDED])
def test_lines_that_meet_again_are_no_circle(type: RelationshipType) -> None:
    known = linked([(1, 2), (1, 3), (2, 4), (3, 4)], type)

    check_line(id_of(9), Relationship(type, id_of(1)), known)
    check_line(id_of(1), Relationship(type, id_of(4)), known)


@pytest.mark.parametrize(("type", "other"), [(PARENT, RelationshipType.CAUSED_BY), (RelationshipType.FOLLOW_UP, PARENT)])
def test_lines_of_different_kinds_make_no_circle(type: RelationshipType, other: RelationshipType) -> None:
    check_line(id_of(2), Relationship(other, id_of(1)), linked([(1, 2)], type))


def test_a_line_is_followed_so_far_and_no_farther() -> None:
    longest = linked([(number, number + 1) for number in range(1, LINEAGE)])
    longer = linked([(number, number + 1) for number in range(1, LINEAGE + 1)])

    check_line(id_of(5_000), Relationship(PARENT, id_of(1)), longest)

    with pytest.raises(BadInput, match="More than 100 ") as refused:
        check_line(id_of(5_000), Relationship(PARENT, id_of(1)), longer)
    assert refused.value.path == ("input", "otherId")


def test_what_was_not_looked_up_is_not_taken_for_an_end() -> None:
    known = linked([(1, 2)])

    with pytest.raises(BadInput, match="link to one that is nearer"):
        check_line(id_of(9), Relationship(PARENT, id_of(1)), lambda id: known(id) if id == id_of(1) else None)
