"""A fault of ours is logged with its cause and told without it, on every door."""

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from hub.web.app import app
from tests.api import Api

TOLD = {"message": "The hub made an error; it has been logged.", "code": "INTERNAL_ERROR"}
ADD = 'mutation($id: ID!) { addNote(input: {id: $id, text: "x"}) { errors { message code } } }'
BROKEN = "query($id: ID!) { interaction(id: $id) { id statusChangedAt } viewer { roles } }"


async def broken(api: Api) -> str:
    """The id of an interaction that lacks what every interaction has: something that no code of ours writes."""
    id = str((await api.as_agent.create())["id"])
    await api.hub.mongo["interactions"].update_one({"_id": id}, {"$unset": {"statusChangedAt": ""}})
    return id


async def test_a_broken_document_costs_one_field_and_tells_nothing(shared_api: Api) -> None:
    id = await broken(shared_api)

    with capture_logs() as logs:
        answer = await shared_api.as_agent.ask(BROKEN, id=id)

    (error,) = answer.body["errors"]
    assert answer.body["data"] == {"interaction": None, "viewer": {"roles": ["AGENT"]}}
    assert {"message": error["message"], "code": error["extensions"]["code"]} == TOLD
    assert error["extensions"].keys() == {"code"}
    (line,) = (line for line in logs if line["log_level"] == "error")
    assert (line["event"], line["where"]) == ("internal_error", "interaction.statusChangedAt")
    assert line["request_id"] == answer.request_id


async def test_a_command_that_breaks_is_told_in_its_payload(shared_api: Api) -> None:
    id = await broken(shared_api)

    with capture_logs(processors=[merge_contextvars]) as logs:
        answer = await shared_api.as_agent.ask(ADD, id=id)

    (refused,) = answer.data["addNote"]["errors"]
    assert refused == TOLD
    (line,) = (line for line in logs if line["log_level"] == "error")
    assert (line["event"], line["command"]) == ("command_failed", "Asked")
    assert line["exc_info"]
    assert line["request_id"] == answer.request_id


async def test_a_stream_tells_of_a_fault_and_goes_on(shared_api: Api) -> None:
    id = await broken(shared_api)
    text = "subscription { interactionEvents { event { interaction { statusChangedAt } message } } }"
    async with shared_api.as_agent.stream("query($id: ID!) { interaction(id: $id) { statusChangedAt } }", id=id) as stream:
        answered = [await stream.receive() for _ in range(2)]
        await stream.subscribe("2", text)
        caught_up = await stream.receive()

    assert [message["type"] for message in answered] == ["next", "complete"]
    assert answered[0]["payload"]["errors"][0]["extensions"].keys() == {"code", "requestId"}
    assert answered[0]["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert caught_up["type"] == "next"


async def test_a_fault_in_what_many_are_told_is_logged_once_under_the_one_id_that_all_are_told(shared_api: Api) -> None:
    caller, after = shared_api.as_agent, await shared_api.as_agent.cursor()
    id = (await shared_api.as_agent.create())["id"]
    entry = shared_api.hub.journal.feed.tail.last(id)
    assert entry is not None
    del entry["at"]  # something that no code of ours does
    text = "subscription($after: Cursor) { interactionEvents(after: $after) { event { at } } }"

    with capture_logs() as logs:
        async with caller.stream(text, after=after) as one, caller.stream(text, after=after) as other:
            told = [(await stream.receive())["payload"]["errors"] for stream in (one, other)]

    ids = {errors[0]["extensions"]["requestId"] for errors in told}
    assert [(line["event"], {line["request_id"]}) for line in logs if line["log_level"] == "error"] == [("internal_error", ids)]


async def test_a_route_that_breaks_is_a_500_in_json(shared_api: Api) -> None:
    async def breaks(_: Request) -> Response:
        raise RuntimeError("a secret of ours")

    application = app(shared_api.hub)
    application.router.routes.append(Route("/breaks", breaks))
    transport = httpx.ASGITransport(application)
    with capture_logs() as logs:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            response = await client.get("/breaks", headers={"x-request-id": "mine"})

    assert (response.status_code, response.headers["x-request-id"]) == (500, "mine")
    assert response.json() == {"errors": [{"message": TOLD["message"], "extensions": {"code": TOLD["code"], "requestId": "mine"}}]}
    assert [(line["event"], line["request_id"]) for line in logs] == [("internal_error", "mine")]
    assert "a secret of ours" in str(logs[0]["exc_info"])
