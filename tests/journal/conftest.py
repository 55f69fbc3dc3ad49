"""A journal at work on an empty database."""

from collections.abc import AsyncIterator

import pytest
import structlog

from hub.journal.opening import Journal
from hub.store.mongo import Mongo
from tests.journal.acts import journal_on


@pytest.fixture(scope="session", autouse=True)
def short_logs() -> None:
    """One line each: a failure is injected often here, and a drawing of every frame's variables takes longer than the test."""
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()])


@pytest.fixture
async def journal(mongo: Mongo) -> AsyncIterator[Journal]:
    async with journal_on(mongo) as journal:
        yield journal
