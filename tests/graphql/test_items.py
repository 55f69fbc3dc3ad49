"""The matters of an interaction are added and resolved, and everyone who takes part hears of it."""

from typing import Any, Final

import pytest

from tests.api import Api, Caller

ENTITY: Final = {"type": "Bill", "entityId": "4711", "href": "https://billing.example/4711", "name": "May"}
ITEMS: Final = "status revision items { id type reason resolution vertical resolvedAt createdAt entity { type entityId href name } }"


async def with_item(caller: Caller, **input: Any) -> tuple[str, str]:
    """An interaction and its one matter."""
    interaction = await caller.create(items=[{"type": "bill"}], **input)
    return interaction["id"], interaction["items"][0]["id"]


async def test_a_matter_is_added_with_all_that_is_given_and_everyone_hears_of_it(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create(customerId=shared_api.customer))["id"]

    await shared_api.as_agent.done("addItem", id=id, item={"type": " bill ", "reason": "Too much", "vertical": "BILLING", "entity": ENTITY})

    seen = await shared_api.as_customer.read(id, ITEMS)
    (item,) = seen["items"]
    assert item == {
        "id": item["id"], "type": "bill", "reason": "Too much", "vertical": "BILLING", "entity": ENTITY,
        "resolution": None, "resolvedAt": None, "createdAt": item["createdAt"],
    }  # fmt: skip
    assert (item["id"][:4], seen["status"], seen["revision"]) == ("itm_", "OPEN", 2)
    for caller in (shared_api.as_agent, shared_api.as_customer):
        event = (await caller.timeline(id))[-1]
        assert (event["type"], event["sequence"], event["message"]) == ("ITEM_ADDED", 2, None)
        assert event["item"] == {name: value for name, value in item.items() if name != "createdAt"}


async def test_a_matter_may_come_resolved(shared_api: Api) -> None:
    id = (await shared_api.as_agent.create())["id"]

    done = await shared_api.as_agent.done("addItem", id=id, item={"type": "bill", "resolution": "Credited"})

    assert done["items"][0]["resolution"] == "Credited"
    assert done["items"][0]["resolvedAt"] is not None


async def test_a_matter_is_resolved_and_the_event_keeps_how_it_was(shared_api: Api) -> None:
    id, item = await with_item(shared_api.as_agent, customerId=shared_api.customer)

    resolved = await shared_api.as_agent.done("resolveItem", id=id, itemId=item, resolution=" Credited ")

    assert [(one["id"], one["resolution"]) for one in resolved["items"]] == [(item, "Credited")]
    event = (await shared_api.as_customer.timeline(id))[-1]
    assert (event["type"], event["item"]["id"], event["item"]["resolution"]) == ("ITEM_RESOLVED", item, "Credited")
    assert event["item"]["resolvedAt"] == resolved["items"][0]["resolvedAt"] is not None
    closed = await shared_api.as_agent.done("closeInteraction", id=id, resolution="Done")
    assert [one["resolution"] for one in closed["items"]] == ["Credited"]


async def test_the_same_resolution_again_changes_nothing_and_another_is_a_conflict(shared_api: Api) -> None:
    id, item = await with_item(shared_api.as_agent)
    await shared_api.as_agent.done("resolveItem", id=id, itemId=item, resolution="Credited")

    same = await shared_api.as_agent.done("resolveItem", id=id, itemId=item, resolution="Credited")
    other = await shared_api.as_agent.refused("resolveItem", id=id, itemId=item, resolution="Refused")

    assert (same["revision"], other["code"]) == (2, "CONFLICT")
    assert len(await shared_api.as_agent.timeline(id)) == 2


@pytest.mark.parametrize("move", [{"to": "RESOLVED", "resolution": "x"}, {"to": "CANCELLED", "reason": "x"}])
async def test_what_needs_no_work_takes_no_further_matter(shared_api: Api, move: dict[str, str]) -> None:
    id, item = await with_item(shared_api.as_agent)
    await shared_api.as_agent.done("transitionInteraction", id=id, **move)

    refused = await shared_api.as_agent.refused("addItem", id=id, item={"type": "bill"})
    resolved = await shared_api.as_agent.act("resolveItem", id=id, itemId=item, resolution="Done")

    assert (refused["code"], "takes no further items" in refused["message"]) == ("ILLEGAL_TRANSITION", True)
    assert refused["allowedTransitions"] == (["COMPLETED", "IN_PROGRESS"] if move["to"] == "RESOLVED" else [])
    assert [error["code"] for error in resolved["errors"]] == ([] if move["to"] == "RESOLVED" else ["ILLEGAL_TRANSITION"])


async def test_a_matter_is_resolved_where_it_is_and_nowhere_else(shared_api: Api) -> None:
    id, _ = await with_item(shared_api.as_agent)
    _, foreign = await with_item(shared_api.as_agent)

    for unknown in (foreign, "itm_" + "f" * 32, id, "", "x" * 10_000):
        refused = await shared_api.as_agent.refused("resolveItem", id=id, itemId=unknown, resolution="Done")

        assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["input", "itemId"])


async def test_there_is_a_last_matter(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create(items=[{"type": str(number)} for number in range(199)])

    full = await shared_api.as_agent.done("addItem", id=interaction["id"], item={"type": "the last"})
    refused = await shared_api.as_agent.refused("addItem", id=interaction["id"], item={"type": "one more"})

    assert len(full["items"]) == 200
    assert (refused["code"], refused["path"], "200" in refused["message"]) == ("BAD_USER_INPUT", ["input", "item"], True)


async def test_a_partner_adds_and_resolves_where_it_takes_part_and_a_customer_nowhere(shared_api: Api) -> None:
    id, item = await with_item(shared_api.as_partner, customerId=shared_api.customer)

    await shared_api.as_partner.done("addItem", id=id, item={"type": "order"})
    await shared_api.as_partner.done("resolveItem", id=id, itemId=item, resolution="Done")
    refused = [
        await shared_api.as_customer.refused("addItem", id=id, item={"type": "order"}),
        await shared_api.as_customer.refused("resolveItem", id=id, itemId=item, resolution="Done"),
        await shared_api.as_other_customer.refused("addItem", id=id, item={"type": "order"}),
    ]

    assert [one["code"] for one in refused] == ["FORBIDDEN"] * 3
