"""What is rendered once is what each would have been told alone, and nobody is told what another's rights open."""

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from graphql import parse

from hub.access.bearers import Bearer
from hub.domain.terms import Role
from hub.graph import streams
from hub.graph.execution import Executor, Operation
from hub.graph.selections import Selections
from hub.graph.streams import Stream
from hub.journal.frames import FrameKind
from hub.schema import executable
from tests.api import Api, Caller
from tests.streams.history import Lived, lived, selection, viewers

SEEDS = 40  # selections in one run: each read by ten viewers


@pytest.fixture(scope="module")
async def past(shared_api: Api) -> Lived:
    return await lived(shared_api)


@dataclass(frozen=True)
class Followed:
    """A stream, and whose."""

    stream: Stream
    bearer: Bearer
    rendering: Any


@contextlib.asynccontextmanager
async def followed(api: Api, caller: Caller, text: str, past: Lived) -> AsyncIterator[Followed]:
    """A subscription to everything since `past`, without a transport."""
    bearer = Bearer(await api.hub.viewer(caller.token))
    context = api.hub.context(bearer)
    stream = await api.hub.executor.stream(Operation(text, {"after": past.before}), context)
    async with contextlib.aclosing(stream):
        yield Followed(stream, bearer, context.rendering())


async def frames(followed: Followed) -> AsyncIterator[Any]:
    async for frame in followed.stream._source:
        yield frame
        if frame.kind is FrameKind.CAUGHT_UP:
            return


def document(wanted: str) -> str:
    return f"subscription($after: Cursor) {{ interactionEvents(after: $after) {{ {wanted} }} }}"


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_is_shared_is_what_each_would_be_told_alone(shared_api: Api, past: Lived, seed: int) -> None:
    """Each viewer's own execution of the same events, byte by byte; also of the renderings that others of its rights have made."""
    text = document(selection(random.Random(seed)))
    told = 0

    for caller in viewers(shared_api, past):
        async with followed(shared_api, caller, text, past) as one:
            if one.rendering is None:
                continue
            async for frame in frames(one):
                alone = orjson.dumps(await one.stream.answer(frame))
                assert one.rendering.text(frame) == alone
                assert one.rendering._rendered(frame) == alone
                told += 1

    assert told > 20 or not is_shareable(text)


async def test_what_one_has_rendered_serves_all_with_the_same_rights_and_nobody_else(shared_api: Api, past: Lived) -> None:
    text = document("kind cursor event { id type sequence message changes { field } progress { percent } redactions { field } }")
    callers = viewers(shared_api, past)
    async with contextlib.AsyncExitStack() as open:
        all_of_them = [await open.enter_async_context(followed(shared_api, caller, text, past)) for caller in callers]
        rights = [(one.bearer.viewer.roles, one.bearer.viewer.scopes) for one in all_of_them]

        for one, same in zip(all_of_them, rights, strict=True):
            for other, others in zip(all_of_them, rights, strict=True):
                assert (one.rendering is other.rendering) == (same == others)


@pytest.mark.parametrize("field", ["actor { id }", "interaction { id }", "note { author { id } }"])
async def test_what_depends_on_who_looks_is_rendered_for_each(shared_api: Api, past: Lived, field: str) -> None:
    async with followed(shared_api, shared_api.as_customer, document(f"event {{ {field} }}"), past) as one:
        assert one.rendering is None


async def test_the_texts_that_are_kept_for_who_comes_back_are_few_and_short(
    shared_api: Api, past: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "REPLAYED_BYTES", 1_000)
    texts = []
    async with followed(shared_api, shared_api.as_agent, document("kind cursor event { id type at sequence }"), past) as one:
        async for frame in frames(one):
            texts.append(one.rendering.text(frame))
            assert sum(map(len, one.rendering._kept.values())) <= 1_000
        kept = list(one.rendering._kept.values())

    assert 1 <= len(kept) < 10 < len(texts)
    assert kept[-1] in texts[-2:]


async def test_two_viewers_of_one_rendering_are_told_the_same_if_they_are_swapped(shared_api: Api, past: Lived) -> None:
    """The customer, and a witness of the same for a while: what both are told, each would be told in the other's place."""
    text = document("kind interactionId event { id type sequence at message changes { field } note { text } redactions { field } }")
    told: dict[str, dict[int, bytes]] = {}
    for name, caller in (("customer", shared_api.as_customer), ("other", shared_api.as_other_customer)):
        async with followed(shared_api, caller, text, past) as one:
            told[name] = {
                frame.position: orjson.dumps(await one.stream.answer(frame)) async for frame in frames(one) if frame.kind is FrameKind.EVENT
            }
    both = told["customer"].keys() & told["other"].keys()

    assert len(both) > 10
    assert {position: told["customer"][position] for position in both} == {position: told["other"][position] for position in both}


async def test_the_ordinary_way_can_be_switched_to(shared_api: Api, past: Lived) -> None:
    text = document("kind event { id }")
    context = shared_api.hub.context(Bearer(await shared_api.hub.viewer(shared_api.as_agent.token)))
    plain = Executor(executable(), "", shared_api.hub.executor.budgets, deadline=20, renders_once=False)

    async with contextlib.aclosing(await plain.stream(Operation(text, {"after": past.before}), context)) as stream:
        assert context.rendering() is None
        async for frame, answer in stream:
            assert orjson.loads(answer)["data"]["interactionEvents"]["kind"] == str(frame.kind)
            if frame.kind is FrameKind.CAUGHT_UP:
                break


async def test_where_a_stream_begins_and_what_it_asks_for_make_no_other_rendering(shared_api: Api, past: Lived) -> None:
    text = """subscription($after: Cursor, $filter: EventFilter, $more: Boolean!) { interactionEvents(after: $after, filter: $filter) {
      kind event { id message @include(if: $more) } } }"""

    async def rendering(**variables: Any) -> Any:
        context = shared_api.hub.context(Bearer(await shared_api.hub.viewer(shared_api.as_role(Role.AGENT).token)))
        stream = await shared_api.hub.executor.stream(Operation(text, variables), context)
        await stream.aclose()
        return context.rendering()

    one = await rendering(more=True)
    same = [await rendering(more=True, after=past.before), await rendering(more=True, filter={"types": ["CLOSED"]})]
    other = await rendering(more=False)

    assert all(another is one for another in same)
    assert other is not one


def is_shareable(text: str) -> bool:
    parsed = parse(text)
    return Selections(executable(), parsed).is_shareable(parsed.definitions[0])  # type: ignore[arg-type]
