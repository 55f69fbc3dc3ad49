"""A company's own list of topics: told to everyone, and kept to."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import opened
from tests.api import Api
from tests.conftest import played, serving


@pytest.fixture(scope="module")
async def listed_api(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Api, str]]:
    """A hub with a list of topics, and an interaction whose topic was given before there was one."""
    database = f"hub-{uuid4().hex[:8]}"
    path = tmp_path_factory.mktemp("topics")
    before = Settings.load(data_dir=path, port=0, mongo_database=database)
    async with opened(before, mongo_uri, role=database) as hub, serving(hub) as address, played(hub, address) as api:
        old = str((await api.as_agent.create(topic="from before"))["id"])
    settings = Settings.load(data_dir=path, port=0, mongo_database=database, topics="billing, moving house")
    async with opened(settings, mongo_uri, role=database) as hub, serving(hub) as address, played(hub, address) as api:
        yield api, old


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER, Role.PARTNER, Role.ANALYST])
async def test_the_list_is_told_to_everyone(listed_api: tuple[Api, str], shared_api: Api, role: Role) -> None:
    api, _ = listed_api

    assert (await api.usually(role).ask("{ topics }")).data["topics"] == ["billing", "moving house"]
    assert (await shared_api.usually(role).ask("{ topics }")).data["topics"] == []


async def test_what_is_on_the_list_is_taken_and_nothing_else(listed_api: tuple[Api, str]) -> None:
    api, _ = listed_api

    id = (await api.as_customer.create(topic=" billing "))["id"]
    await api.as_agent.done("updateInteraction", id=id, topic="moving house")
    for other in ("Billing", "moving", "from before"):
        opening = await api.as_customer.refused("createInteraction", direction="INBOUND", channel="PHONE", topic=other)
        updating = await api.as_agent.refused("updateInteraction", id=id, topic=other)

        for refused in (opening, updating):
            assert (refused["code"], refused["path"], "`topics`" in refused["message"]) == ("BAD_USER_INPUT", ["input", "topic"], True)
    assert await api.as_agent.read(id, "topic revision") == {"topic": "moving house", "revision": 2}


async def test_none_is_always_allowed(listed_api: tuple[Api, str]) -> None:
    api, _ = listed_api
    id = (await api.as_agent.create())["id"]

    await api.as_agent.done("updateInteraction", id=id, topic="billing")
    await api.as_agent.done("updateInteraction", id=id, topic=None)

    assert await api.as_agent.read(id, "topic revision") == {"topic": None, "revision": 3}


async def test_a_topic_that_an_interaction_has_may_be_sent_again(listed_api: tuple[Api, str]) -> None:
    api, old = listed_api

    for topic in ("from before", " from before "):
        await api.as_agent.done("updateInteraction", id=old, topic=topic, reason=f"sent again{topic}")

    assert (await api.as_agent.read(old, "topic"))["topic"] == "from before"


async def test_without_a_list_any_topic_will_do(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(topic=" anything "))["id"]

    assert (await shared_api.as_agent.read(id, "topic"))["topic"] == "anything"
