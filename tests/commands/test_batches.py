"""Acts that are decided in one batch see what those before them did, as if each had been committed alone."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from hub.access.viewers import SCOPES
from hub.commands.asking import Done, Request, ask
from hub.commands.interactions import Create, Update
from hub.commands.parties import Upsert
from hub.commands.party_roles import Grant
from hub.commands.relationships import Link
from hub.commands.tokens import Revoke, issued
from hub.domain.issued_tokens import Rights
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import ChannelType, Direction, PartyKind, RelationshipType, Role
from hub.errors import BadInput, Conflict, Unauthenticated
from hub.journal.desk import Decision, Desk, Touch
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.web.hub import Hub, now
from tests.journal.acts import viewer

HOUR = timedelta(hours=1)
CRM = ExternalIdentifier("crm", "1")
OPEN: dict[str, Any] = {"direction": Direction.INBOUND, "channel": ChannelType.PHONE}
SUPERVISOR = viewer(Role.SUPERVISOR)


@pytest.fixture
def journal(hub: Hub) -> Journal:
    return hub.journal


async def at_once(journal: Journal, *requests: Request) -> list[Done | BaseException]:
    """The outcomes of requests that come in together, in this order; what they wrote, they wrote in one batch."""
    was = journal.feed.position
    done = await asyncio.gather(*(ask(journal, SUPERVISOR, request) for request in requests), return_exceptions=True)
    marks = [entry["batch"] async for entry in journal.mongo["journal"].find({"_id": {"$gt": was}})]
    assert len(set(marks)) == 1
    return done


async def opened(journal: Journal, count: int) -> list[str]:
    """The ids of new interactions."""
    made = await asyncio.gather(*(ask(journal, SUPERVISOR, Create(**OPEN)) for _ in range(count)))
    return [str(one.document and one.document["_id"]) for one in made]


def refused(outcomes: Sequence[Done | BaseException]) -> list[type[BaseException]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]


@pytest.mark.parametrize("length", [2, 3, 20])
@pytest.mark.parametrize("type", [RelationshipType.PARENT, RelationshipType.CHILD, RelationshipType.FOLLOW_UP])
async def test_links_that_come_in_together_close_no_circle(journal: Journal, type: RelationshipType, length: int) -> None:
    ids = await opened(journal, length)

    outcomes = await at_once(journal, *(Link(id=id, type=type, other_id=other) for id, other in zip(ids, [*ids[1:], ids[0]], strict=True)))

    assert refused(outcomes[:-1]) == []
    assert isinstance(outcomes[-1], BadInput)
    assert "circle" in str(outcomes[-1])


async def test_a_circle_of_lines_that_were_there_and_links_that_come_in_together_is_not_closed(journal: Journal) -> None:
    first, second = await opened(journal, 10), await opened(journal, 10)
    for line in (first, second):
        for id, other in itertools.pairwise(line):
            await ask(journal, SUPERVISOR, Link(id=id, type=RelationshipType.PARENT, other_id=other))

    outcomes = await at_once(
        journal,
        Link(id=first[-1], type=RelationshipType.PARENT, other_id=second[0]),
        Link(id=second[-1], type=RelationshipType.PARENT, other_id=first[0]),
    )

    assert refused(outcomes) == [BadInput]


async def test_an_identifier_that_is_given_up_is_free_for_the_next_in_the_batch(journal: Journal) -> None:
    first, second = await opened(journal, 2)
    await ask(journal, SUPERVISOR, Update(id=first, external_identifier=CRM))

    outcomes = await at_once(
        journal, Update(id=first, external_identifier=None), Update(id=second, external_identifier=CRM), Update(id=first, reason="x")
    )

    assert refused(outcomes) == []


async def test_an_identifier_that_is_taken_in_the_batch_is_a_conflict_for_the_next(journal: Journal) -> None:
    first, second = await opened(journal, 2)

    outcomes = await at_once(
        journal,
        Update(id=first, external_identifier=CRM),
        Update(id=second, external_identifier=CRM),
        Create(**OPEN, external_identifier=CRM),
    )

    assert refused(outcomes) == [Conflict, Conflict]
    assert [outcome.conflicting_id for outcome in outcomes if isinstance(outcome, Conflict)] == [first, first]


async def test_of_roles_that_are_granted_together_one_is(journal: Journal, cast: str) -> None:
    outcomes = await at_once(journal, *(Grant(party_id=cast, called="guardian") for _ in range(5)))

    assert refused(outcomes) == [Conflict] * 4


@pytest.fixture
async def cast(journal: Journal) -> str:
    """A party."""
    made = await ask(journal, SUPERVISOR, Upsert(kind=PartyKind.INDIVIDUAL, called="Ada Hopper"))
    return str(made.document and made.document["_id"])


async def test_a_token_that_is_taken_back_in_the_same_batch_does_nothing_after_it(journal: Journal) -> None:
    admin, system = viewer(Role.ADMIN), Rights(roles=frozenset({Role.SYSTEM}), scopes=frozenset(SCOPES), expires_at=now() + HOUR)
    token = await journal.committer.submit(Issued(system), Actor(None, Role.SYSTEM))
    bearer = replace(viewer(Role.SYSTEM), rests_on=frozenset({token.about.id}))

    before, revoked, after, refused_again = await asyncio.gather(
        ask(journal, bearer, Create(**OPEN)),
        ask(journal, admin, Revoke(id=token.about.id)),
        ask(journal, bearer, Create(**OPEN)),
        ask(journal, bearer, Create(**OPEN, id="int_x")),
        return_exceptions=True,
    )

    assert refused([before, revoked]) == []
    assert refused([after, refused_again]) == [Unauthenticated, Unauthenticated]


@dataclass(frozen=True)
class Issued:
    """A token with these rights."""

    rights: Rights

    def touches(self) -> Iterable[Touch]:
        return ()

    def decide(self, desk: Desk) -> Decision:
        return issued(desk, None, "s", "c", self.rights)
