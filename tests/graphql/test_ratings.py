"""How content the customer was: said once for each closing, heard by everyone who takes part."""

from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api

RATED: Final = "revision status satisfaction { score comment at }"


async def completed(api: Api, **input: Any) -> str:
    interaction = await api.as_agent.create(**({"customerId": api.customer} | input))
    await api.as_agent.done("closeInteraction", id=interaction["id"], resolution="Done")
    return str(interaction["id"])


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
async def test_a_customer_says_how_content_it_was_and_everyone_hears_of_it(shared_api: Api, score: int) -> None:
    id = await completed(shared_api)

    await shared_api.as_customer.done("rateInteraction", id=id, score=score, comment=" Quick ")

    for caller in (shared_api.as_agent, shared_api.as_customer):
        seen = await caller.read(id, RATED)
        assert (seen["revision"], seen["status"]) == (3, "COMPLETED")
        assert (seen["satisfaction"]["score"], seen["satisfaction"]["comment"]) == (score, "Quick")
        event = (await caller.timeline(id))[-1]
        assert (event["type"], event["message"], event["at"]) == ("SATISFACTION_RATED", "Quick", seen["satisfaction"]["at"])
    assert (await shared_api.as_agent.timeline(id))[-1]["changes"] == [{"field": "satisfaction", "from": None, "to": score}]


@pytest.mark.parametrize("score", [0, 6, -1, 2**31 - 1])
async def test_a_score_lies_between_1_and_5(shared_api: Api, score: int) -> None:
    refused = await shared_api.as_customer.refused("rateInteraction", id=await completed(shared_api), score=score)

    assert (refused["code"], refused["path"], "1 and 5" in refused["message"]) == ("BAD_USER_INPUT", ["input", "score"], True)


@pytest.mark.parametrize("score", [None, "5", 4.5, True, [5], 2**40])
async def test_a_score_is_a_whole_number(shared_api: Api, score: Any) -> None:
    text = "mutation($input: RateInteractionInput!) { rateInteraction(input: $input) { errors { code } } }"

    answer = await shared_api.as_customer.ask(text, input={"id": "int_" + "0" * 32, "score": score})

    assert answer.codes == ["BAD_USER_INPUT"]


UNFINISHED: Final[list[dict[str, str] | None]] = [
    None,
    {"to": "IN_PROGRESS"},
    {"to": "HELD", "reason": "x"},
    {"to": "RESOLVED", "resolution": "x"},
    {"to": "CANCELLED", "reason": "x"},
]


@pytest.mark.parametrize("move", UNFINISHED)
async def test_only_what_is_completed_is_rated(shared_api: Api, move: dict[str, str] | None) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]
    if move:
        await shared_api.as_agent.done("transitionInteraction", id=id, **move)

    refused = await shared_api.as_customer.refused("rateInteraction", id=id, score=5)

    assert (refused["code"], "before it is completed" in refused["message"]) == ("ILLEGAL_TRANSITION", True)


async def test_each_closing_is_rated_once(shared_api: Api) -> None:
    id, customer = await completed(shared_api), shared_api.as_customer
    await customer.done("rateInteraction", id=id, score=2)

    again = [await caller.refused("rateInteraction", id=id, score=2) for caller in (customer, shared_api.as_agent)]
    await customer.done("transitionInteraction", id=id, to="IN_PROGRESS")
    reopened = await customer.refused("rateInteraction", id=id, score=5)
    await shared_api.as_agent.done("closeInteraction", id=id, resolution="Really done")
    await customer.done("rateInteraction", id=id, score=5)

    assert [one["code"] for one in again] == ["CONFLICT"] * 2
    assert reopened["code"] == "ILLEGAL_TRANSITION"
    rated = [event for event in await shared_api.as_agent.timeline(id) if event["type"] == "SATISFACTION_RATED"]
    assert [event["changes"][0]["to"] for event in rated] == [2, 5]
    assert (await customer.read(id, RATED))["satisfaction"]["score"] == 5


async def test_staff_write_down_what_the_customer_says_and_nobody_else_rates(shared_api: Api) -> None:
    id = (await shared_api.as_partner.create(customerId=shared_api.customer))["id"]
    await shared_api.as_agent.done("closeInteraction", id=id, resolution="Done")

    refused = [
        await shared_api.usually(role).refused("rateInteraction", id=id, score=5) for role in (Role.PARTNER, Role.VISITOR, Role.SYSTEM)
    ]
    foreign = await shared_api.as_other_customer.refused("rateInteraction", id=id, score=5)
    await shared_api.as_role(Role.BACK_OFFICE).done("rateInteraction", id=id, score=4)

    assert ([one["code"] for one in refused], foreign["code"]) == (["FORBIDDEN"] * 3, "NOT_FOUND")


async def test_who_only_looks_on_does_not_rate(shared_api: Api) -> None:
    id = await completed(shared_api, customerId=shared_api.other_customer, parties=[{"role": "OBSERVER", "partyId": shared_api.customer}])

    assert (await shared_api.as_customer.refused("rateInteraction", id=id, score=1))["code"] == "FORBIDDEN"


async def test_one_that_was_logged_when_it_was_over_is_rated_once(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer, endedAt="2026-01-05T10:00:00Z", resolution="Answered"))["id"]

    await shared_api.as_customer.done("rateInteraction", id=id, score=5)

    assert (await shared_api.as_customer.refused("rateInteraction", id=id, score=5))["code"] == "CONFLICT"
