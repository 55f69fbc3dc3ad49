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


async def test_an_events_interaction_is_the_present_one_however_long_the_stream_has_run(api: Api) -> None:
    interaction = await api.as_customer.create()

    async with api.as_customer.stream(EVENTS) as stream:
        await stream.frame()
        for percent in (10, 20, 30):
            await api.as_agent.done("reportProgress", id=interaction["id"], message="on", percent=percent)
        frames = await stream.frames(3)
        await api.as_agent.done("addNote", id=interaction["id"], text="x")
        last = await stream.frame()

    assert all(frame["event"]["interaction"]["revision"] >= frame["event"]["sequence"] for frame in frames)
    assert last["event"]["interaction"]["revision"] == last["event"]["sequence"] == 5


async def test_the_progress_of_one_interaction_is_its_public_events_also_for_staff(api: Api) -> None:
    before = await api.as_agent.cursor()
    interaction = await api.as_agent.create(customerId=api.customer)
    await api.as_agent.done("addNote", id=interaction["id"], text="between us", visibility="INTERNAL")
    await api.as_agent.create()

    async with api.as_agent.stream(PROGRESS, id=interaction["id"], after=before) as stream:
        replayed = await stream.frames(2)
        await api.as_agent.done("addNote", id=interaction["id"], text="between us", visibility="INTERNAL")
        await api.as_agent.done("closeInteraction", id=interaction["id"], resolution="Done")
        live = await stream.frame()

    assert [frame["event"] and frame["event"]["type"] for frame in [*replayed, live]] == ["CREATED", None, "CLOSED"]


async def test_a_stream_says_when_an_interaction_leaves_its_filter(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer)

    async with api.as_customer.stream(EVENTS, filter={"status": ["OPEN", "IN_PROGRESS"]}) as stream:
        await stream.frame()
        await api.as_agent.done("transitionInteraction", id=interaction["id"], to="IN_PROGRESS")
        await api.as_agent.done("transitionInteraction", id=interaction["id"], to="HELD", reason="a part")
        kept, left = await stream.frames(2)

    assert (kept["kind"], kept["event"]["status"]) == ("EVENT", "IN_PROGRESS")
    assert (left["kind"], left["interactionId"], left["event"]) == ("LEFT", interaction["id"], None)
    assert "filter" in left["reason"]


async def test_a_stream_goes_on_from_any_cursor_that_the_hub_gave(api: Api) -> None:
    created = await api.as_customer.act("createInteraction", direction="INBOUND", channel="PHONE")
    id = created["interaction"]["id"]
    await api.as_agent.done("addNote", id=id, text="one")
    event = (await api.as_customer.timeline(id))[0]

    for cursor in (created["cursor"], event["cursor"], event["id"]):
        async with api.as_customer.stream(EVENTS, after=cursor) as stream:
            frames = await stream.frames(2)

        assert [frame["kind"] for frame in frames] == ["EVENT", "CAUGHT_UP"]
        assert frames[0]["event"]["message"] == "one"


async def test_a_client_that_comes_back_with_its_last_cursor_misses_nothing_and_hears_nothing_twice(api: Api) -> None:
    interaction = await api.as_customer.create()
    heard: list[str] = []
    cursor = await api.as_customer.cursor()
    for number in range(6):
        await api.as_agent.done("addNote", id=interaction["id"], text=f"note {number}")
        async with api.as_customer.stream(EVENTS, after=cursor) as stream:
            await api.as_agent.done("addNote", id=interaction["id"], text=f"live {number}")
            while not heard or heard[-1] != f"live {number}":
                frame = await stream.frame()
                cursor = frame["cursor"]
                heard += [frame["event"]["message"]] if frame["kind"] == "EVENT" else []

    assert heard == [text for number in range(6) for text in (f"note {number}", f"live {number}")]
