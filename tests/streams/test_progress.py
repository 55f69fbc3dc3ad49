"""Streams over graphql-transport-ws: attach, replay, follow."""

from tests.api import Api

EVENTS = """subscription($after: Cursor, $filter: EventFilter) { interactionEvents(after: $after, filter: $filter) {
  kind cursor reason interactionId event { id type sequence status message interaction { revision } } } }"""
PROGRESS = """subscription($id: ID!, $after: Cursor) { interactionProgress(interactionId: $id, after: $after) {
  kind cursor event { type sequence message progress { percent } } } }"""


async def test_a_stream_says_that_it_is_caught_up_and_then_what_happens(api: Api) -> None:
    interaction = await api.as_customer.create()

    async with api.as_customer.stream(PROGRESS, id=interaction["id"]) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await api.as_agent.act("reportProgress", id=interaction["id"], message="Half way", percent=50)
        frame = await stream.frame()

    assert frame["kind"] == "EVENT"
    assert frame["event"]["type"] == "PROGRESS_REPORTED"
    assert frame["event"]["progress"] == {"percent": 50}


async def test_a_stream_resumes_after_its_cursor_and_misses_nothing(api: Api) -> None:
    before = await api.as_customer.cursor()
    interaction = await api.as_customer.create()
    for percent in range(3):
        await api.as_agent.act("reportProgress", id=interaction["id"], message=f"step {percent}", percent=percent)

    async with api.as_customer.stream(EVENTS, after=before) as stream:
        frames = await stream.frames(5)

    assert [frame["kind"] for frame in frames] == ["EVENT"] * 4 + ["CAUGHT_UP"]
    assert [frame["event"]["sequence"] for frame in frames[:4]] == [1, 2, 3, 4]
