"""The exchange's way into the journal, and a document that needs no repair."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.terms import Role
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.web.hub import Hub

Submit = Callable[[Command], Awaitable[Committed]]


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def journal(hub: Hub) -> Journal:
    return hub.journal


@pytest.fixture
def submit(journal: Journal) -> Submit:
    def importing(command: Command) -> Awaitable[Committed]:
        return journal.committer.submit(command, Actor(None, Role.SYSTEM))

    return importing


@pytest.fixture
def document() -> dict[str, Any]:
    """A v4 PartyInteraction of which everything is understood."""
    return {
        "id": "int-1",
        "@type": "PartyInteraction",
        "creationDate": "2024-03-05T09:00:00Z",
        "interactionDate": {"startDateTime": "2024-03-05T08:55:00Z", "endDateTime": "2024-03-05T09:10:00.500Z"},
        "description": "Called about a bill",
        "reason": "A bill that is too high",
        "resolution": "Explained, and half of it credited.",
        "status": "completed",
        "statusChangeDate": "2024-03-05T09:10:00.500Z",
        "direction": "inbound",
        "relatedParty": [
            {"id": "c1", "@referredType": "Individual", "role": "customer", "name": "Nora Field"},
            {"id": "a1", "@referredType": "Individual", "role": "agent", "name": "Sam Tiller"},
        ],
        "channel": [{"id": "ch1", "href": "https://channels.example/ch1", "name": "Hotline", "@type": "phone"}],
        "interactionItem": [
            {
                "id": "i1",
                "reason": "The bill of March",
                "resolution": "Explained",
                "creationDate": "2024-03-05T08:56:00Z",
                "itemDate": {"startDateTime": "2024-03-05T08:56:00Z", "endDateTime": "2024-03-05T09:09:00Z"},
                "item": {
                    "id": "b1",
                    "href": "https://bills.example/b1",
                    "@referredType": "CustomerBill",
                    "name": "March",
                    "role": "subject",
                },
            }
        ],
        "note": [{"id": "n1", "author": "Nora Field", "date": "2024-03-05T08:57:00Z", "text": "Please look at page 2."}],
    }
