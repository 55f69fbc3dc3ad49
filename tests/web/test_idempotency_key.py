"""The key of a request in a header: each of its mutations is done once, whoever sends it again and to whichever process."""

import asyncio
from typing import Any

import httpx
import pytest

from hub.web.hub import opened
from tests.api import Api
from tests.conftest import played, serving

OPENED = (
    'createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "%s"}) { interaction { id reason } replayed errors { code } }'
)
ONE = f"mutation {{ {OPENED % 'one'} }}"
TWO = f"mutation {{ a: {OPENED % 'twin'} b: {OPENED % 'twin'} }}"


async def act(api: Api, text: str, *keys: str, accept: str = "application/json", token: str | None = None) -> httpx.Response:
    headers = [("authorization", f"Bearer {token or api.as_agent.token}"), ("accept", accept), *(("idempotency-key", key) for key in keys)]
    return await api.client.post("/graphql", json={"query": text}, headers=headers)


def payload(response: httpx.Response, name: str = "createInteraction") -> Any:
    return response.json()["data"][name]


async def test_the_same_request_under_the_same_key_is_done_once(shared_api: Api) -> None:
    first, second = [payload(await act(shared_api, ONE, "k-1")) for _ in range(2)]

    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["interaction"] == second["interaction"]
    assert payload(await act(shared_api, ONE, "k-2"))["interaction"]["id"] != first["interaction"]["id"]
    assert payload(await act(shared_api, ONE))["interaction"]["id"] != first["interaction"]["id"]


async def test_two_mutations_of_one_document_are_two_and_both_are_repeated(shared_api: Api) -> None:
    first, second = [(await act(shared_api, TWO, "k-3")).json()["data"] for _ in range(2)]

    assert first["a"]["interaction"]["id"] != first["b"]["interaction"]["id"]
    assert [second[name]["interaction"]["id"] for name in "ab"] == [first[name]["interaction"]["id"] for name in "ab"]
    assert second["a"]["replayed"] is second["b"]["replayed"] is True


async def test_another_request_under_the_same_key_is_refused(shared_api: Api) -> None:
    await act(shared_api, ONE, "k-4")
    other = payload(await act(shared_api, ONE.replace("one", "other"), "k-4"))

    assert (other["interaction"], [error["code"] for error in other["errors"]]) == (None, ["IDEMPOTENCY_KEY_REUSED"])


async def test_the_key_of_a_mutation_itself_comes_first(shared_api: Api) -> None:
    own = ONE.replace("input: {", 'input: {idempotencyKey: "own", ')
    first = payload(await act(shared_api, own, "k-5"))
    second = payload(await act(shared_api, own, "k-6"))

    assert second["replayed"] is True
    assert second["interaction"] == first["interaction"]


async def test_keys_of_two_callers_do_not_meet(shared_api: Api) -> None:
    token = shared_api.as_customer.token
    first, second = payload(await act(shared_api, ONE, "k-7")), payload(await act(shared_api, ONE, "k-7", token=token))

    assert second["replayed"] is False
    assert second["interaction"]["id"] != first["interaction"]["id"]


async def test_it_may_be_quoted_and_come_with_an_event_stream(shared_api: Api) -> None:
    first = payload(await act(shared_api, ONE, '"k-\\"8"'))
    streamed = await act(shared_api, ONE, 'k-"8', accept="text/event-stream")

    assert first["interaction"]["id"] in streamed.text
    assert '"replayed":true' in streamed.text


@pytest.mark.parametrize("keys", [[""], ["a" * 256], ["a b"], ["a\tb"], ["a", "b"], ['""']])
@pytest.mark.parametrize("accept", ["application/graphql-response+json", "text/event-stream"])
async def test_what_is_no_key_is_refused_before_anything_is_done(shared_api: Api, keys: list[str], accept: str) -> None:
    response = await act(shared_api, ONE, *keys, accept=accept)

    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    assert "Idempotency-Key" in response.json()["errors"][0]["message"]


async def test_to_a_query_it_says_nothing(shared_api: Api) -> None:
    assert "errors" not in (await act(shared_api, "{ cursor }", "a b")).json()


async def test_what_one_process_has_done_another_knows_at_once(api: Api, mongo_uri: str) -> None:
    """Reads are by majority: what a client was told is done is seen at whichever process it asks next."""
    async with opened(api.hub.settings, mongo_uri, role="another") as hub, serving(hub) as address, played(hub, address) as other:
        for number in range(25):
            here, there = (api, other) if number % 2 else (other, api)
            id = payload(await act(here, ONE))["interaction"]["id"]
            assert (await there.as_agent.read(id, "id"))["id"] == id
            await here.as_agent.done("reportProgress", id=id, message=str(number))
            assert (await there.as_agent.read(id, "progress { message }"))["progress"]["message"] == str(number)

        told = await asyncio.gather(*(act(one, ONE, "both", token=api.as_agent.token) for one in (api, other) for _ in range(4)))

    assert len({payload(response)["interaction"]["id"] for response in told}) == 1
    assert sorted(payload(response)["replayed"] for response in told) == [False] + 7 * [True]
