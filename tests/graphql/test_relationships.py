"""What interactions are to each other: PARENT and CHILD on both ends, every other kind on one, and never in a circle."""

import asyncio
import itertools
from collections import Counter
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import FRAMES, Api

LINKED: Final = "id revision updatedAt relationships { type interaction { id } }"
ONE_ENDED: Final = ["FOLLOW_UP", "HANDOVER", "DUPLICATE_OF", "CAUSED_BY"]


async def opened(api: Api, count: int = 2) -> list[str]:
    return [str((await api.as_agent.create(customerId=api.customer))["id"]) for _ in range(count)]


async def related(api: Api, id: str) -> list[tuple[str, str]]:
    return [(one["type"], one["interaction"]["id"]) for one in (await api.as_agent.read(id, LINKED))["relationships"]]


@pytest.mark.parametrize(("type", "inverse"), [("PARENT", "CHILD"), ("CHILD", "PARENT")])
async def test_parent_and_child_stand_on_both_ends_and_are_taken_back_from_either(shared_api: Api, type: str, inverse: str) -> None:
    one, other = await opened(shared_api)

    linked = await shared_api.as_agent.done("linkInteractions", id=one, type=type, otherId=other)
    ends = [await related(shared_api, id) for id in (one, other)]
    await shared_api.as_agent.done("unlinkInteractions", id=other, type=inverse, otherId=one)

    assert linked["id"] == one
    assert ends == [[(type, other)], [(inverse, one)]]
    assert [await related(shared_api, id) for id in (one, other)] == [[], []]
    for id, its_type, its_other in ((one, type, other), (other, inverse, one)):
        events = (await shared_api.as_agent.timeline(id))[1:]
        told = {"type": its_type, "interactionId": its_other}
        assert [(event["type"], event["sequence"], event["message"]) for event in events] == [("LINKED", 2, None), ("UNLINKED", 3, None)]
        assert [event["changes"] for event in events] == [
            [{"field": "relationships", "from": None, "to": told}],
            [{"field": "relationships", "from": told, "to": None}],
        ]


@pytest.mark.parametrize("type", ONE_ENDED)
async def test_every_other_kind_is_told_by_one_end_alone(shared_api: Api, type: str) -> None:
    one, other = await opened(shared_api)

    await shared_api.as_agent.done("linkInteractions", id=one, type=type, otherId=other)

    assert (await related(shared_api, one), await related(shared_api, other)) == ([(type, other)], [])
    assert [event["type"] for event in await shared_api.as_agent.timeline(other)] == ["CREATED"]
    foreign_end = await shared_api.as_agent.refused("unlinkInteractions", id=other, type=type, otherId=one)
    assert foreign_end["code"] == "NOT_FOUND"


@pytest.mark.parametrize("type", ["PARENT", "FOLLOW_UP"])
async def test_what_is_linked_already_changes_nothing_and_what_is_not_cannot_be_taken_back(shared_api: Api, type: str) -> None:
    one, other = await opened(shared_api)
    await shared_api.as_agent.done("linkInteractions", id=one, type=type, otherId=other)

    same = await shared_api.as_agent.done("linkInteractions", id=one, type=type, otherId=other)
    await shared_api.as_agent.done("unlinkInteractions", id=one, type=type, otherId=other)
    refused = await shared_api.as_agent.refused("unlinkInteractions", id=one, type=type, otherId=other)

    assert same["revision"] == 2
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["input", "otherId"])


async def test_what_a_child_says_already_its_parent_need_not_say(shared_api: Api) -> None:
    child, parent = await opened(shared_api)
    await shared_api.as_agent.done("linkInteractions", id=child, type="PARENT", otherId=parent)

    same = await shared_api.as_agent.done("linkInteractions", id=parent, type="CHILD", otherId=child)

    assert same["revision"] == 2
    assert await related(shared_api, parent) == [("CHILD", child)]


@pytest.mark.parametrize("type", ["PARENT", "CHILD", *ONE_ENDED])
async def test_nothing_is_related_to_itself_or_to_what_nobody_knows(shared_api: Api, type: str) -> None:
    (id,) = await opened(shared_api, 1)

    itself = await shared_api.as_agent.refused("linkInteractions", id=id, type=type, otherId=id)
    unknown = [
        await shared_api.as_agent.refused(act, id=id, type=type, otherId=other)
        for act in ("linkInteractions", "unlinkInteractions")
        for other in ("int_" + "f" * 32, shared_api.customer, "")
    ]

    assert (itself["code"], itself["path"]) == ("BAD_USER_INPUT", ["input", "otherId"])
    assert {(one["code"], *one["path"]) for one in unknown} == {("NOT_FOUND", "input", "otherId")}
    assert len(await shared_api.as_agent.timeline(id)) == 1


@pytest.mark.parametrize("length", [2, 3, 20])
@pytest.mark.parametrize("type", ["PARENT", "CHILD", "DUPLICATE_OF"])
async def test_no_line_leads_back_to_where_it_begins(shared_api: Api, type: str, length: int) -> None:
    ids = await opened(shared_api, length)
    for id, other in itertools.pairwise(ids):
        await shared_api.as_agent.done("linkInteractions", id=id, type=type, otherId=other)

    refused = await shared_api.as_agent.refused("linkInteractions", id=ids[-1], type=type, otherId=ids[0])
    nearer = await shared_api.as_agent.act("linkInteractions", id=ids[0], type="CAUSED_BY", otherId=ids[-1])

    assert (refused["code"], refused["path"], "circle" in refused["message"]) == ("BAD_USER_INPUT", ["input", "otherId"], True)
    assert nearer["errors"] == []


@pytest.mark.parametrize("length", [2, 3, 20])
async def test_links_that_are_made_at_the_same_time_close_no_circle_either(shared_api: Api, length: int) -> None:
    ids = await opened(shared_api, length)
    pairs = zip(ids, [*ids[1:], ids[0]], strict=True)

    answers = await asyncio.gather(
        *(shared_api.as_agent.act("linkInteractions", id=id, type="PARENT", otherId=other) for id, other in pairs)
    )

    assert [error["code"] for answer in answers for error in answer["errors"]] == ["BAD_USER_INPUT"]
    kinds = Counter([type for id in ids for type, _ in await related(shared_api, id)])
    assert kinds == {"PARENT": length - 1, "CHILD": length - 1}


async def test_there_is_a_last_relationship_of_either_end(shared_api: Api) -> None:
    parent, *children = await opened(shared_api, 52)
    for child in children[:50]:
        await shared_api.as_agent.done("linkInteractions", id=child, type="PARENT", otherId=parent)

    by_parent = await shared_api.as_agent.refused("linkInteractions", id=parent, type="FOLLOW_UP", otherId=children[50])
    by_child = await shared_api.as_agent.refused("linkInteractions", id=children[50], type="PARENT", otherId=parent)

    for refused in (by_parent, by_child):
        assert (refused["code"], "at most 50" in refused["message"]) == ("BAD_USER_INPUT", True)
    assert (len(await related(shared_api, parent)), await related(shared_api, children[50])) == (50, [])


async def test_a_customer_sees_what_is_in_its_sight_and_hears_of_none(shared_api: Api) -> None:
    mine, also_mine = await opened(shared_api)
    foreign = (await shared_api.as_agent.create(customerId=shared_api.other_customer))["id"]
    before = await shared_api.as_customer.read(mine, LINKED)

    async with shared_api.as_customer.stream(FRAMES, filter={"interactionIds": [mine]}) as stream:
        await stream.frame()
        await shared_api.as_agent.done("linkInteractions", id=mine, type="PARENT", otherId=foreign)
        await shared_api.as_agent.done("linkInteractions", id=mine, type="FOLLOW_UP", otherId=also_mine)
        await shared_api.as_agent.done("addNote", id=mine, text="next")
        heard = await stream.heard(1)

    seen = await shared_api.as_customer.read(mine, LINKED)
    assert seen["relationships"] == [{"type": "FOLLOW_UP", "interaction": {"id": also_mine}}]
    assert (before["revision"], seen["revision"], heard) == (1, 2, ["NOTE_ADDED"])
    assert foreign not in str(await shared_api.as_customer.timeline(mine))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER, Role.SYSTEM])
@pytest.mark.parametrize("act", ["linkInteractions", "unlinkInteractions"])
async def test_linking_is_for_staff(shared_api: Api, act: str, role: Role) -> None:
    one, other = await opened(shared_api)

    refused = await shared_api.usually(role).refused(act, id=one, type="PARENT", otherId=other)

    assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["AGENT", "SUPERVISOR", "BACK_OFFICE"])


@pytest.mark.parametrize("move", [{"to": "RESOLVED", "resolution": "x"}, {"to": "CANCELLED", "reason": "x"}])
async def test_what_is_over_is_linked_too(shared_api: Api, move: dict[str, Any]) -> None:
    one, other = await opened(shared_api)
    await shared_api.as_agent.done("transitionInteraction", id=other, **move)

    await shared_api.as_agent.done("linkInteractions", id=other, type="DUPLICATE_OF", otherId=one)

    assert await related(shared_api, other) == [("DUPLICATE_OF", one)]
