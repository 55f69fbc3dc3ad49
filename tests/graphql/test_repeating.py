"""The same request again, and requests that cross: idempotency keys and expected revisions."""

import asyncio
from typing import Any

import pytest

from tests.api import Api

ACTS: list[tuple[str, dict[str, Any]]] = [
    ("transitionInteraction", {"to": "IN_PROGRESS"}),
    ("closeInteraction", {"resolution": "Done"}),
    ("reportProgress", {"message": "Half way"}),
    ("addNote", {"text": "Called back"}),
    ("updateInteraction", {"reason": "Paid twice"}),
    ("addItem", {"item": {"type": "bill"}}),
    ("addChannel", {"channel": "CHAT"}),
    ("escalateInteraction", {"reason": "Angry"}),
]


@pytest.mark.parametrize(("act", "input"), ACTS)
async def test_the_same_request_with_the_same_key_acts_once(shared_api: Api, act: str, input: dict[str, Any]) -> None:
    interaction = await shared_api.as_agent.create(customerId=shared_api.customer)
    asked = {"id": interaction["id"], "idempotencyKey": f"once-{act}", **input}

    first = await shared_api.as_agent.act(act, **asked)
    again = await shared_api.as_agent.act(act, **asked)

    assert (first["errors"], first["replayed"]) == ([], False)
    assert again == first | {"replayed": True}
    assert len(await shared_api.as_agent.timeline(interaction["id"])) == 2


async def test_an_act_that_names_something_else_is_done_once_with_a_key_too(shared_api: Api) -> None:
    agent, grace = shared_api.as_agent, shared_api.other_customer
    other = await agent.create()
    interaction = await agent.create(customerId=shared_api.customer, items=[{"type": "bill"}])
    acts: list[tuple[str, dict[str, Any]]] = [
        ("resolveItem", {"itemId": interaction["items"][0]["id"], "resolution": "Credited"}),
        ("addParty", {"involvement": {"role": "USER", "partyId": grace}}),
        ("removeParty", {"partyId": grace, "role": "USER"}),
        ("assignInteraction", {"assigneeId": shared_api.agent}),
        ("linkInteractions", {"type": "PARENT", "otherId": other["id"]}),
        ("unlinkInteractions", {"type": "PARENT", "otherId": other["id"]}),
        ("closeInteraction", {"resolution": "Done"}),
        ("rateInteraction", {"score": 5}),
    ]

    for count, (act, input) in enumerate(acts, 2):
        asked = {"id": interaction["id"], "idempotencyKey": f"named once {act}", **input}
        first, again = await agent.act(act, **asked), await agent.act(act, **asked)

        assert (first["errors"], first["replayed"]) == ([], False), act
        assert again == first | {"replayed": True}
        assert len(await agent.timeline(interaction["id"])) == count


async def test_a_party_is_updated_once_with_a_key(shared_api: Api) -> None:
    id = (await shared_api.as_agent.upsert(name="Kay McNulty"))["party"]["id"]
    fields = "party { revision name } cursor replayed errors { code }"

    first = await shared_api.as_agent.payload("updateParty", fields, id=id, name="Kay Antonelli", idempotencyKey="updated")
    await shared_api.as_agent.payload("updateParty", fields, id=id, name="Kay Mauchly")
    again = await shared_api.as_agent.payload("updateParty", fields, id=id, name="Kay Antonelli", idempotencyKey="updated")

    assert (first["party"], first["replayed"]) == ({"revision": 2, "name": "Kay Antonelli"}, False)
    assert (again["party"], again["replayed"], again["cursor"]) == ({"revision": 3, "name": "Kay Mauchly"}, True, first["cursor"])


async def test_fifty_requests_at_once_with_one_key_open_one_interaction(shared_api: Api) -> None:
    asked = {"direction": "INBOUND", "channel": "PHONE", "idempotencyKey": "fifty", "reason": "fifty"}

    answers = await asyncio.gather(*(shared_api.as_customer.act("createInteraction", **asked) for _ in range(50)))

    assert len({answer["interaction"]["id"] for answer in answers}) == 1
    assert [answer["replayed"] for answer in answers].count(False) == 1


async def test_a_party_is_upserted_once_with_a_key(shared_api: Api) -> None:
    first = await shared_api.as_agent.upsert(name="Kay McNulty", idempotencyKey="kay")
    again = await shared_api.as_agent.upsert(name="Kay McNulty", idempotencyKey="kay")

    assert again == first | {"replayed": True}


async def test_a_key_that_was_used_for_another_request_is_refused(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create()
    await shared_api.as_agent.done("addNote", id=interaction["id"], text="one", idempotencyKey="reused")

    other_words = await shared_api.as_agent.refused("addNote", id=interaction["id"], text="two", idempotencyKey="reused")
    other_act = await shared_api.as_agent.refused("closeInteraction", id=interaction["id"], resolution="two", idempotencyKey="reused")

    for refused in (other_words, other_act):
        assert (refused["code"], refused["path"]) == ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])


async def test_keys_of_different_callers_never_meet(shared_api: Api) -> None:
    asked = {"direction": "INBOUND", "channel": "PHONE", "idempotencyKey": "mine"}

    one = await shared_api.as_customer.act("createInteraction", **asked)
    other = await shared_api.as_other_customer.act("createInteraction", **asked)

    assert (one["replayed"], other["replayed"]) == (False, False)
    assert one["interaction"]["id"] != other["interaction"]["id"]


async def test_a_refused_request_may_be_mended_under_its_key(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create()
    asked = {"id": interaction["id"], "message": "x", "idempotencyKey": "mended"}

    await shared_api.as_agent.refused("reportProgress", percent=101, **asked)
    mended = await shared_api.as_agent.act("reportProgress", percent=100, **asked)

    assert (mended["errors"], mended["replayed"]) == ([], False)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\x00b"])
async def test_a_key_is_a_short_text(shared_api: Api, key: str) -> None:
    refused = await shared_api.as_agent.refused("createInteraction", direction="INBOUND", channel="PHONE", idempotencyKey=key)

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "idempotencyKey"])


@pytest.mark.parametrize(("act", "input"), ACTS[:2])
async def test_a_stale_revision_is_a_conflict_that_names_the_present_one(shared_api: Api, act: str, input: dict[str, Any]) -> None:
    interaction = await shared_api.as_agent.create(customerId=shared_api.customer)
    await shared_api.as_agent.done("addNote", id=interaction["id"], text="news")

    stale = await shared_api.as_agent.refused(act, id=interaction["id"], expectedRevision=1, **input)
    ahead = await shared_api.as_agent.refused(act, id=interaction["id"], expectedRevision=7, **input)
    done = await shared_api.as_agent.done(act, id=interaction["id"], expectedRevision=2, **input)

    for refused in (stale, ahead):
        assert (refused["code"], refused["currentRevision"]) == ("CONFLICT", 2)
    assert done["revision"] == 3


async def test_a_customer_expects_a_revision_in_its_own_count(shared_api: Api) -> None:
    interaction = await shared_api.as_customer.create()
    await shared_api.as_agent.done("addNote", id=interaction["id"], text="between us", visibility="INTERNAL")

    stale = await shared_api.as_customer.refused(
        "transitionInteraction", id=interaction["id"], to="CANCELLED", reason="x", expectedRevision=2
    )
    done = await shared_api.as_customer.done("transitionInteraction", id=interaction["id"], to="CANCELLED", reason="x", expectedRevision=1)

    assert (stale["code"], stale["currentRevision"]) == ("CONFLICT", 1)
    assert done["revision"] == 2


async def test_of_two_who_expect_the_same_revision_one_wins(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create()
    asked = {"id": interaction["id"], "to": "IN_PROGRESS", "expectedRevision": 1}

    answers = await asyncio.gather(*(shared_api.as_agent.act("transitionInteraction", **asked) for _ in range(10)))

    assert sorted(error["code"] for answer in answers for error in answer["errors"]) == ["CONFLICT"] * 9


async def test_a_payloads_cursor_misses_nothing_that_comes_after(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create(customerId=shared_api.customer)
    noted = await shared_api.as_agent.act("addNote", id=interaction["id"], text="one")
    await shared_api.as_agent.act("addNote", id=interaction["id"], text="two")

    text = "query($after: Cursor) { events(after: $after) { nodes { message } } }"
    page = (await shared_api.as_customer.ask(text, after=noted["cursor"])).data["events"]

    assert page["nodes"] == [{"message": "two"}]
