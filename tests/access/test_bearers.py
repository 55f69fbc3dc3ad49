"""A bearer over time: its rights change, who it is does not."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.access.bearers import Bearer, renews
from hub.access.viewers import Viewer
from hub.access.withdrawn import SWEEP, Withdrawn
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.errors import Unauthenticated

MakeViewer = Callable[..., Viewer]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NARROW = TokenFilter.of({"vertical": ["BILLING"]})


async def test_a_bearer_that_is_asked_again_is_whoever_it_is_now(viewer: MakeViewer) -> None:
    before, after = viewer(Role.AGENT), viewer(Role.CUSTOMER)

    async def present() -> Viewer:
        return after

    bearer = Bearer(before, present)
    await bearer.ask_again()
    version = bearer.version
    await bearer.ask_again()

    assert (bearer.viewer, version, bearer.version) == (after, 1, 1)
    assert not bearer.visibility.everything


async def test_who_watches_a_bearer_hears_of_each_change_and_of_nothing_else(viewer: MakeViewer) -> None:
    bearer, heard = Bearer(viewer(Role.AGENT)), list[str]()

    with bearer.watched(lambda: heard.append("one")):
        bearer.become(viewer(Role.AGENT))
        bearer.become(viewer(Role.CUSTOMER))
        with bearer.watched(lambda: heard.append("other")):
            bearer.become(viewer(Role.AGENT))
    bearer.become(viewer(Role.CUSTOMER))

    assert heard == ["one", "one", "other"]


async def test_a_late_answer_gives_back_nothing_that_a_later_question_took(viewer: MakeViewer) -> None:
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
    asked = iter(answers)
    bearer = Bearer(viewer(Role.AGENT), lambda: next(asked))
    asking = [asyncio.create_task(bearer.ask_again()) for _ in answers]
    await asyncio.sleep(0)

    for answer, role in reversed(list(zip(answers, [Role.AGENT, Role.CUSTOMER], strict=True))):
        answer.set_result(viewer(role))
        await asyncio.sleep(0)
    await asyncio.gather(*asking)

    assert bearer.viewer.roles == {Role.CUSTOMER}


async def test_a_late_answer_gives_back_nothing_that_a_narrower_token_took(viewer: MakeViewer) -> None:
    answer = asyncio.get_running_loop().create_future()
    bearer = Bearer(viewer(Role.AGENT), lambda: answer)
    asking = asyncio.create_task(bearer.ask_again())
    await asyncio.sleep(0)

    bearer.become(viewer(Role.CUSTOMER))
    answer.set_result(viewer(Role.AGENT))
    await asking

    assert bearer.viewer.roles == {Role.CUSTOMER}


async def test_a_bearer_whom_nobody_can_ask_stays(viewer: MakeViewer) -> None:
    bearer = Bearer(viewer(Role.AGENT))

    await bearer.ask_again()

    assert (bearer.viewer.roles, bearer.version, bearer.visibility.everything) == (frozenset({Role.AGENT}), 0, True)


class Slow:
    """Says who the bearer is when it is let, question by question."""

    def __init__(self) -> None:
        self.questions: list[asyncio.Future[Viewer]] = []

    async def present(self) -> Viewer:
        self.questions.append(asyncio.get_running_loop().create_future())
        return await self.questions[-1]


async def test_an_earlier_question_that_is_answered_later_gives_back_nothing(viewer: MakeViewer) -> None:
    slow, before, after = Slow(), viewer(Role.AGENT), viewer(Role.CUSTOMER)
    bearer = Bearer(before, slow.present)

    async with asyncio.TaskGroup() as asking:
        asking.create_task(bearer.ask_again())
        later = asking.create_task(bearer.ask_again())
        await asyncio.sleep(0)
        slow.questions[1].set_result(after)
        await later
        slow.questions[0].set_result(before)

    assert (bearer.viewer, bearer.version) == (after, 1)


async def test_an_answer_about_the_token_before_is_none_about_the_one_that_took_its_place(viewer: MakeViewer) -> None:
    slow, before, after = Slow(), viewer(Role.AGENT), viewer(Role.CUSTOMER)
    bearer = Bearer(before, slow.present)

    asking = asyncio.create_task(bearer.ask_again())
    await asyncio.sleep(0)
    bearer.become(after)
    slow.questions[0].set_result(before)
    await asking

    assert (bearer.viewer, bearer.version) == (after, 1)


async def test_what_ends_it_is_raised(viewer: MakeViewer) -> None:
    async def present() -> Viewer:
        raise Unauthenticated

    with pytest.raises(Unauthenticated):
        await Bearer(viewer(Role.AGENT), present).ask_again()


@pytest.mark.parametrize(
    ("given", "does"),
    [
        ({}, True),
        ({"token_id": "another", "expires_at": NOW}, True),
        ({"roles": frozenset({Role.CUSTOMER})}, True),
        ({"scopes": frozenset({"interaction:read"})}, True),
        ({"narrowed": NARROW}, True),
        ({"issuer": "another"}, False),
        ({"subject": "another"}, False),
        ({"client": "another"}, False),
        ({"party": PartyId("par_" + "c" * 32)}, False),
        ({"roles": frozenset({Role.CUSTOMER, Role.PARTNER, Role.AGENT})}, False),
        ({"scopes": frozenset({"export:run"})}, False),
    ],
)
def test_a_token_renews_another_of_the_same_bearer_that_opens_no_less(viewer: MakeViewer, given: dict[str, Any], does: bool) -> None:
    held = viewer(Role.CUSTOMER, Role.PARTNER)

    assert renews(replace(held, **given), held) == does


def test_a_token_without_a_filter_does_not_renew_one_with_it(viewer: MakeViewer) -> None:
    held = replace(viewer(Role.PARTNER), narrowed=NARROW)

    assert renews(held, held)
    assert not renews(replace(held, narrowed=TokenFilter()), held)


def test_what_was_taken_back_ends_whatever_rests_on_it_and_nothing_else(viewer: MakeViewer) -> None:
    withdrawn = Withdrawn()
    withdrawn.add("tok_1", NOW, NOW)

    assert withdrawn.ends(replace(viewer(Role.PARTNER), rests_on=frozenset({"tok_1", "tok_2"})))
    assert not withdrawn.ends(replace(viewer(Role.PARTNER), rests_on=frozenset({"tok_2"})))
    assert not withdrawn.ends(viewer(Role.PARTNER))


def test_what_would_have_expired_is_forgotten_and_a_client_never(viewer: MakeViewer) -> None:
    withdrawn, later = Withdrawn(), NOW + timedelta(hours=1)

    def ends(id: str) -> bool:
        return withdrawn.ends(replace(viewer(Role.PARTNER), rests_on=frozenset({id})))

    withdrawn.add("cli_1", None, NOW)
    withdrawn.add("tok_old", later, NOW)
    withdrawn.add("tok_new", later + timedelta(seconds=1), NOW)
    for number in range(SWEEP - 4):
        withdrawn.add(f"tok_{number}", later, NOW)
    kept = ends("tok_old")
    withdrawn.add("tok_last", later + timedelta(seconds=1), later)

    assert kept
    assert [ends(id) for id in ("cli_1", "tok_old", "tok_0", "tok_new", "tok_last")] == [True, False, False, True, True]
