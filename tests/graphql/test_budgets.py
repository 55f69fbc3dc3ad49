"""How much one viewer may ask for: told in each answer, and refused when it is used up, on every transport."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.access.viewers import NOBODY, Viewer
from hub.domain.terms import Role
from hub.errors import CostExceeded, RateLimited, StartupError
from hub.graph.budgets import BUCKETS, Budgets, Rates
from hub.settings import Settings
from hub.web.hub import rates
from tests.api import Api
from tests.conftest import sharing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = "{ viewer { rateLimit { limit remaining resetAt } } }"
DEAR = "{ interactions(first: 100) { nodes { id status topic } } }"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgets(clock: Clock) -> Budgets:
    return Budgets(Rates.told("600, VISITOR=60, SYSTEM=0", at_once=2), clock)


def who(role: Role, id: str = "a") -> Viewer:
    return replace(NOBODY, issuer="https://id.example.org", subject=id, roles=frozenset({role}))


def test_a_bucket_empties_by_what_is_asked_and_fills_up_again_over_a_minute(budgets: Budgets, clock: Clock) -> None:
    agent = who(Role.AGENT)

    assert budgets.charge(agent, 500) == 100
    with pytest.raises(RateLimited) as refused:
        budgets.charge(agent, 200)
    assert refused.value.retry_after_ms == 10_000  # the hundred that are missing: a sixth of a minute
    assert budgets.balance(agent).remaining == 100  # what is refused costs nothing

    clock.now += timedelta(milliseconds=9_999)
    with pytest.raises(RateLimited):
        budgets.charge(agent, 200)
    clock.now += timedelta(milliseconds=1)
    assert budgets.charge(agent, 200) == 0
    clock.now += timedelta(hours=1)
    assert budgets.balance(agent).remaining == 600


def test_what_no_bucket_of_this_viewer_ever_holds_is_not_to_be_tried_again(budgets: Budgets) -> None:
    with pytest.raises(CostExceeded):
        budgets.charge(who(Role.AGENT), 601)


def test_each_viewer_has_a_bucket_and_each_role_its_rate(budgets: Budgets) -> None:
    budgets.charge(who(Role.AGENT, "a"), 600)

    assert budgets.charge(who(Role.AGENT, "b"), 600) == 0
    assert budgets.balance(who(Role.VISITOR)).limit == 60
    assert budgets.charge(who(Role.SYSTEM), 10**9) is None
    assert budgets.balance(NOBODY).limit == 600


def test_a_clock_that_is_set_back_takes_nothing_away(budgets: Budgets, clock: Clock) -> None:
    budgets.charge(who(Role.AGENT), 100)
    clock.now -= timedelta(hours=1)

    assert budgets.balance(who(Role.AGENT)).remaining == 500


def test_who_asks_under_ever_new_names_takes_bounded_memory(budgets: Budgets) -> None:
    for number in range(BUCKETS + 10):
        budgets.charge(who(Role.AGENT, str(number)), 1)

    assert len(budgets._buckets) == BUCKETS


def test_so_many_operations_of_one_viewer_run_at_once(budgets: Budgets) -> None:
    with budgets.running(who(Role.AGENT, "a")), budgets.running(who(Role.AGENT, "a")):
        with pytest.raises(RateLimited) as refused, budgets.running(who(Role.AGENT, "a")):
            pass
        with budgets.running(who(Role.AGENT, "b")):
            pass
    with budgets.running(who(Role.AGENT, "a")):
        pass

    assert refused.value.retry_after_ms == 1000
    assert not budgets._running


@pytest.mark.parametrize("words", ["", "many", "1.5", "-1", "600, VISITOR", "600, NOBODY=1", "600, VISITOR=x", "VISITOR=1", "600,, "])
def test_words_that_say_no_rate_end_the_start(words: str) -> None:
    with pytest.raises(StartupError, match="HUB_COST_PER_MINUTE"):
        Rates.told(words, 1)


def test_in_local_mode_nobody_counts_until_it_is_said(tmp_path: Path) -> None:
    local = rates(Settings.load(data_dir=tmp_path))
    said = rates(Settings.load(data_dir=tmp_path, cost_per_minute="7", operations_at_once=3))
    remote = rates(Settings.load(data_dir=tmp_path, issuers="issuers.toml"))

    assert (local.of(who(Role.AGENT)), local.at_once) == (None, None)
    assert (said.of(who(Role.AGENT)), said.at_once) == (7, 3)
    assert (remote.of(who(Role.AGENT)), remote.at_once) == (600_000, 64)


@pytest.fixture(scope="module")
async def counted(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub that counts what is asked."""
    async with sharing(mongo_uri, tmp_path_factory.mktemp("counted"), cost_per_minute="1200, VISITOR=5") as api:
        yield api


async def test_each_answer_says_what_it_cost_and_what_is_left_and_the_viewer_may_ask(counted: Api) -> None:
    caller = counted.as_agent
    asked = await caller.ask(LIMIT)
    dear = await caller.ask(DEAR)
    limit = (await caller.ask(LIMIT)).data["viewer"]["rateLimit"]

    assert asked.cost["requested"] == 5
    assert dear.cost["requested"] == 311  # the page, the edge to its rows, and of each row three
    assert limit["limit"] == 1200
    assert limit["remaining"] == pytest.approx(1200 - 311 - 2 * 5, abs=20 * 20)  # it fills up by 20 a second
    assert datetime.fromisoformat(limit["resetAt"]) > NOW


async def test_a_viewer_who_has_asked_for_too_much_is_told_when_to_come_again(counted: Api) -> None:
    caller = counted.as_partner
    headers = {"accept": "application/graphql-response+json", "authorization": f"Bearer {counted.as_partner.token}"}
    while (response := await counted.client.post("/graphql", json={"query": DEAR}, headers=headers)).status_code == 200:
        pass

    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert 0 < error["extensions"]["retryAfterMs"] <= 60_000
    assert int(response.headers["retry-after"]) == -(-error["extensions"]["retryAfterMs"] // 1000)
    async with caller.socket() as stream:
        await stream.subscribe("q", DEAR)
        query = await stream.receive()
    events = await counted.client.post("/graphql", json={"query": DEAR}, headers=headers | {"accept": "text/event-stream"})

    assert query["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert '"RATE_LIMITED"' in events.text


async def test_a_mutation_that_is_not_paid_for_is_not_done(counted: Api) -> None:
    visitor = counted.as_role(Role.VISITOR, counted.customer)
    answer = await visitor.ask("mutation { createInteraction(input: {direction: INBOUND, channel: WEB_SELF_SERVICE}) { cursor } }")

    assert answer.codes == ["COST_EXCEEDED"]
