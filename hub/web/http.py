"""GraphQL over HTTP: POST, JSON in, JSON out, errors too (graphql.github.io/graphql-over-http, draft of 2025)."""

from typing import Any, Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hub.errors import BadInput, Refused, Unauthenticated
from hub.graph.execution import NotRun
from hub.web.hub import Hub
from hub.web.wire import bearer, decoded, encoded, operation, refusal

BODY: Final = 64 * 1024  # bytes; the largest query an app sends has some 10 KiB
JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
METHODS: Final = "POST"


async def graphql(request: Request) -> Response:
    """One operation over HTTP. With `application/graphql-response+json`, a request that did not run is a 4xx."""
    if request.method != METHODS:
        return _failed(405, BadInput("GraphQL is asked by POST here."), JSON, allow=METHODS)
    media = _accepted(request.headers.get("accept"))
    if media is None:
        return _failed(406, BadInput(f"This answers in {GRAPHQL} or {JSON}."), JSON)
    if not _is_json(request.headers.get("content-type")):
        return _failed(415, BadInput(f"Send {JSON}, in UTF-8."), media)
    hub: Hub = request.app.state.hub
    try:
        viewer = hub.viewer(bearer(request.headers.get("authorization")))
        asked = operation(decoded(await _body(request)))
        if hub.executor.kind(asked) is OperationType.SUBSCRIPTION:
            raise BadInput("A subscription is followed over the WebSocket at this path.", "query")
        answer = await hub.executor.run(asked, hub.context(viewer))
    except NotRun as failure:
        return Response(encoded({"errors": failure.errors}), 400 if media == GRAPHQL else 200, media_type=media)
    except TooLarge as refused:
        return _failed(413, refused, media)
    except Unauthenticated as refused:
        return _failed(401, refused, media, **{"www-authenticate": "Bearer"})
    except Refused as refused:
        return _failed(400, refused, media)
    except ClientDisconnect:
        return Response(status_code=499)
    return Response(encoded(answer), media_type=media)


class TooLarge(BadInput):
    """More bytes than any operation needs."""

    def __init__(self) -> None:
        super().__init__(f"A request has at most {BODY} bytes.")


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length") or 0) > BODY:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            raise TooLarge
    return bytes(body)


def _failed(status: int, refused: Refused, media: str, **headers: str) -> Response:
    return Response(encoded({"errors": [refusal(refused)]}), status, headers=headers, media_type=media)


def _is_json(content_type: str | None) -> bool:
    media, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    return media.strip().lower() == JSON and charset in {"", "utf-8", "utf8"}


def _accepted(accept: str | None) -> str | None:
    """The media type to answer in: the first of ours that the client names; JSON for clients that take anything."""
    offered: dict[str, Any] = {GRAPHQL: GRAPHQL, JSON: JSON, "application/*": JSON, "*/*": JSON}
    named = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    return next((offered[media] for media in named if media in offered), None)
