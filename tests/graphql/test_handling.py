"""In whose hands an interaction is and how far it is escalated: staff decide, staff see it, the customer never hears of it."""

from typing import Any, Final

import pytest

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from tests.api import FRAMES, Api

HANDLING: Final = "revision assignee { id } escalationLevel updatedAt"


async def party(api: Api, name: str, kind: str = "INDIVIDUAL") -> PartyId:
    return PartyId((await api.as_agent.upsert(name=name, kind=kind))["party"]["id"])


async def opened(api: Api) -> str:
    return str((await api.as_agent.create(customerId=api.customer))["id"])


async def test_a_supervisor_puts_it_into_anyones_hands_and_takes_it_back(shared_api: Api) -> None:
    id, team = await opened(shared_api), await party(shared_api, "Second line", "ORGANIZATION")
    supervisor = shared_api.as_role(Role.SUPERVISOR)
    before = await shared_api.as_customer.read(id, "revision updatedAt")
    hands = []

    for assignee in (shared_api.agent, team, None):
        await supervisor.done("assignInteraction", id=id, assigneeId=assignee)
        hands.append((await shared_api.as_agent.read(id, HANDLING))["assignee"])

    assert hands == [{"id": shared_api.agent}, {"id": team}, None]
    events = (await shared_api.as_agent.timeline(id))[1:]
    assert [(event["type"], event["message"], event["sequence"]) for event in events] == [("ASSIGNED", None, n) for n in (2, 3, 4)]
    assert [event["changes"] for event in events] == [
        [{"field": "assignee", "from": was, "to": now}] for was, now in ((None, shared_api.agent), (shared_api.agent, team), (team, None))
    ]
    assert [event["type"] for event in await shared_api.as_customer.timeline(id)] == ["CREATED"]
    assert await shared_api.as_customer.read(id, "revision updatedAt") == before


async def test_an_agent_takes_it_and_gives_it_back_and_decides_for_nobody_else(shared_api: Api) -> None:
    id, agent = await opened(shared_api), shared_api.as_agent
    colleague = await party(shared_api, "Betty Colleague")

    others = await agent.refused("assignInteraction", id=id, assigneeId=colleague)
    await agent.done("assignInteraction", id=id, assigneeId=shared_api.agent)
    await agent.done("assignInteraction", id=id, assigneeId=None)
    await shared_api.as_role(Role.SUPERVISOR).done("assignInteraction", id=id, assigneeId=colleague)
    taken_away = await agent.refused("assignInteraction", id=id, assigneeId=None)

    for refused in (others, taken_away):
        assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["SUPERVISOR"])
    assert (await agent.read(id, HANDLING))["assignee"] == {"id": colleague}


async def test_an_agent_takes_over_what_a_colleague_has(shared_api: Api) -> None:
    id, colleague = await opened(shared_api), await party(shared_api, "Betty Colleague")
    await shared_api.as_role(Role.SUPERVISOR).done("assignInteraction", id=id, assigneeId=colleague)

    await shared_api.as_agent.done("assignInteraction", id=id, assigneeId=shared_api.agent)

    assert (await shared_api.as_agent.read(id, HANDLING))["assignee"] == {"id": shared_api.agent}


async def test_an_agent_without_a_party_has_no_hands_to_put_it_into(shared_api: Api) -> None:
    id = await opened(shared_api)

    refused = await shared_api.as_role(Role.AGENT).refused("assignInteraction", id=id, assigneeId=shared_api.agent)

    assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["SUPERVISOR"])


@pytest.mark.parametrize("role", [Role.BACK_OFFICE, Role.SYSTEM, Role.PARTNER, Role.CUSTOMER])
async def test_nobody_else_assigns(shared_api: Api, role: Role) -> None:
    id = (await shared_api.as_partner.create(customerId=shared_api.customer))["id"]

    refused = await shared_api.usually(role).refused("assignInteraction", id=id, assigneeId=shared_api.agent)

    assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["AGENT", "SUPERVISOR"])


async def test_whoever_has_it_is_not_given_it_again_and_what_is_nobodys_is_not_given_back(shared_api: Api) -> None:
    id = await opened(shared_api)

    revisions = [
        (await shared_api.as_agent.done("assignInteraction", id=id, assigneeId=assignee))["revision"]
        for assignee in (None, shared_api.agent, shared_api.agent, None, None)
    ]

    assert revisions == [1, 2, 2, 3, 3]
    assert [event["type"] for event in await shared_api.as_agent.timeline(id)] == ["CREATED", "ASSIGNED", "ASSIGNED"]


async def test_a_system_works_on_nothing_and_nor_does_nobody(shared_api: Api) -> None:
    id, bot = await opened(shared_api), await party(shared_api, "Bot", "SYSTEM")
    supervisor = shared_api.as_role(Role.SUPERVISOR)

    refused = await supervisor.refused("assignInteraction", id=id, assigneeId=bot)
    unknown = [await supervisor.refused("assignInteraction", id=id, assigneeId=one) for one in ("par_" + "f" * 32, id, "")]

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "assigneeId"])
    assert [(one["code"], one["path"]) for one in unknown] == [("NOT_FOUND", ["input", "assigneeId"])] * 3


async def test_what_is_over_stays_in_the_hands_it_was_in(shared_api: Api) -> None:
    id = await opened(shared_api)
    await shared_api.as_agent.done("assignInteraction", id=id, assigneeId=shared_api.agent)
    await shared_api.as_agent.done("closeInteraction", id=id, resolution="Done")

    refused = await shared_api.as_agent.refused("assignInteraction", id=id, assigneeId=None)

    assert (refused["code"], refused["allowedTransitions"]) == ("ILLEGAL_TRANSITION", ["IN_PROGRESS"])


async def test_an_assignment_expects_a_revision(shared_api: Api) -> None:
    id = await opened(shared_api)
    await shared_api.as_agent.done("escalateInteraction", id=id, reason="Angry")
    asked: dict[str, Any] = {"id": id, "assigneeId": shared_api.agent}

    stale = await shared_api.as_agent.refused("assignInteraction", expectedRevision=1, **asked)
    done = await shared_api.as_agent.done("assignInteraction", expectedRevision=2, **asked)

    assert (stale["code"], stale["currentRevision"], done["revision"]) == ("CONFLICT", 2, 3)


async def test_it_is_lifted_level_by_level_and_only_staff_hear_why(shared_api: Api) -> None:
    id = await opened(shared_api)

    for reason in ("Angry", "Very angry"):
        await shared_api.as_agent.done("escalateInteraction", id=id, reason=reason)

    assert (await shared_api.as_role(Role.BACK_OFFICE).read(id, HANDLING))["escalationLevel"] == 2
    events = (await shared_api.as_agent.timeline(id))[1:]
    assert [(event["type"], event["message"]) for event in events] == [("ESCALATED", "Angry"), ("ESCALATED", "Very angry")]
    assert events[1]["changes"] == [{"field": "escalationLevel", "from": 1, "to": 2}]
    customer = await shared_api.as_customer.read(id, f"{HANDLING} redactions {{ field }}")
    assert (customer["revision"], customer["assignee"], customer["escalationLevel"]) == (1, None, None)
    assert {one["field"] for one in customer["redactions"]} == {"assignee", "escalationLevel"}
    assert "ngry" not in str(await shared_api.as_customer.timeline(id))


@pytest.mark.parametrize("move", [{"to": "RESOLVED", "resolution": "x"}, {"to": "CANCELLED", "reason": "x"}])
async def test_what_needs_no_work_is_not_escalated(shared_api: Api, move: dict[str, str]) -> None:
    id = await opened(shared_api)
    await shared_api.as_agent.done("transitionInteraction", id=id, **move)

    assert (await shared_api.as_agent.refused("escalateInteraction", id=id, reason="Angry"))["code"] == "ILLEGAL_TRANSITION"


async def test_a_stream_of_ones_own_work_gains_and_loses_what_is_assigned(shared_api: Api) -> None:
    id, supervisor = await opened(shared_api), shared_api.as_role(Role.SUPERVISOR)
    colleague = await party(shared_api, "Betty Colleague")
    cursor = await shared_api.as_agent.cursor()
    mine = {"interactionIds": [id], "assigneeId": shared_api.agent}

    async with shared_api.as_agent.stream(FRAMES, filter=mine) as stream:
        assert await stream.heard(1) == ["CAUGHT_UP"]
        await shared_api.as_agent.done("addNote", id=id, text="nobody's")
        for assignee in (shared_api.agent, colleague, shared_api.agent, None):
            await supervisor.done("assignInteraction", id=id, assigneeId=assignee)
            await shared_api.as_agent.done("addNote", id=id, text="x")
        live = await stream.heard(6)
    async with shared_api.as_agent.stream(FRAMES, filter=mine, after=cursor) as stream:
        replayed = await stream.heard(7)

    assert live == ["ASSIGNED", "NOTE_ADDED", "LEFT"] * 2
    assert replayed == [*live, "CAUGHT_UP"]


async def test_the_customers_stream_is_silent_about_it(shared_api: Api) -> None:
    id = await opened(shared_api)

    async with shared_api.as_customer.stream(FRAMES, filter={"interactionIds": [id]}) as stream:
        await stream.frame()
        await shared_api.as_agent.done("assignInteraction", id=id, assigneeId=shared_api.agent)
        await shared_api.as_agent.done("escalateInteraction", id=id, reason="Angry")
        await shared_api.as_agent.done("addNote", id=id, text="We are on it")
        frame = await stream.frame()

    assert (frame["event"]["type"], frame["event"]["sequence"]) == ("NOTE_ADDED", 2)


async def test_a_customer_cannot_ask_by_the_assignee(shared_api: Api) -> None:
    async with shared_api.as_customer.stream(FRAMES, filter={"assigneeId": shared_api.agent}) as stream:
        message = await stream.receive()

    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
