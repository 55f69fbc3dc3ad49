"""A token that is taken back while an answer is made: the answer is not told, over either transport."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from hub.commands import clients as commands
from tests import clients
from tests.api import Api, Caller
from tests.conftest import submit
from tests.streams.test_sse import listening

ASKED = "{ viewer { roles } }"


class Slow:
    """An executor whose answers are made, and then wait to be told."""

    def __init__(self, api: Api, patch: pytest.MonkeyPatch) -> None:
        self.made, self.go = asyncio.Event(), asyncio.Event()
        run = api.hub.executor.run

        async def slowly(*given: Any) -> Any:
            answer = await run(*given)
            self.made.set()
            await self.go.wait()
            return answer

        patch.setattr(api.hub.executor, "run", slowly)

    async def answers_after(self, api: Api, client: str) -> None:
        """Its client is disabled in between."""
        await self.made.wait()
        await submit(api.hub, commands.Disable(id=client))
        self.go.set()


async def holder(api: Api) -> tuple[Caller, str]:
    client = await clients.added(api)
    return await clients.caller(api, client), client.id


async def test_a_socket_closes_in_place_of_the_answer(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, client = await holder(shared_api)
    slow = Slow(shared_api, monkeypatch)
    async with caller.socket() as stream:
        await stream.subscribe("1", ASKED)
        await slow.answers_after(shared_api, client)

        with pytest.raises(ConnectionClosed) as closed:
            await stream.receive()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_an_event_stream_ends_in_place_of_the_answer(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, client = await holder(shared_api)
    slow = Slow(shared_api, monkeypatch)
    async with listening(caller, ASKED) as stream:
        await slow.answers_after(shared_api, client)

        assert await stream.next() is None
