"""GraphQL over HTTP: JSON in, JSON out, errors too (graphql.github.io/graphql-over-http, draft of 2025). GET is for queries.

Who accepts `text/event-stream` gets the answers as events, and may follow with GET, as a browser's EventSource does."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hub.access.bearers import Bearer
from hub.access.viewers import Viewer
from hub.errors import BadInput, RateLimited, Refused, Unauthenticated, Unavailable
from hub.graph.execution import NotRun, Operation
from hub.graph.faults import told
from hub.web.hub import Hub
from hub.web.leaving import while_there
from hub.web.lines import Lines
from hub.web.observing import Observing
from hub.web.sse import EVENTS, LAST_EVENT, Events
from hub.web.wire import IDEMPOTENCY_KEY, bearer, decoded, encoded, idempotency_key, operation

BODY: Final = 64 * 1024  # bytes; the largest query an app sends has some 10 KiB
JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
OFFERED: Final = {GRAPHQL: GRAPHQL, JSON: JSON, EVENTS: EVENTS, "application/*": JSON, "*/*": JSON}
NEVER_STORED: Final = {"cache-control": "no-store", "vary": "accept, authorization"}  # also what came with GET
QUALITY: Final = re.compile(r"[01](\.[0-9]{0,3})?")


async def graphql(request: Request) -> Response:
    """One operation over HTTP. With `application/graphql-response+json`, a request that did not run is a 4xx."""
    media = _accepted(request.headers.get("accept"))
    if media is None:
        return _failed(406, BadInput(f"This answers in {GRAPHQL}, {JSON} or {EVENTS}."), JSON)
    try:
        if media == EVENTS and request.method != "HEAD":
            return await _events(request)
        return await _answered(request, media)
    except NotRun as failure:
        return _response(200 if media == JSON else 400, {"errors": failure.errors}, JSON if media == EVENTS else media)
    except WrongMethod as refused:
        return _failed(405, refused, media, allow="POST")
    except WrongMedia as refused:
        return _failed(415, refused, media)
    except TooLarge as refused:
        return _failed(413, refused, media)
    except Unauthenticated as refused:
        return _failed(401, refused, media, **{"www-authenticate": "Bearer"})
    except RateLimited as refused:
        return _failed(429, refused, media, **{"retry-after": str(ceil((refused.retry_after_ms or 1000) / 1000))})
    except Unavailable as refused:
        return _failed(503, refused, media, **{"retry-after": str(ceil((refused.retry_after_ms or 1000) / 1000))})
    except Refused as refused:
        return _failed(400, refused, media)
    except ClientDisconnect:
        return Response(status_code=499)


async def _answered(request: Request, media: str) -> Response:
    hub: Hub = request.app.state.hub
    asked, viewer = await _asked(request)
    kind = hub.executor.kind(asked, viewer)
    if kind is OperationType.SUBSCRIPTION:
        raise BadInput(f"A subscription is followed over the WebSocket at this path, or by who accepts {EVENTS}.", "query")
    context = hub.context(Bearer(viewer))
    if kind is OperationType.MUTATION:  # is done to its end, also for a client that is gone
        _check_acts(request)
        context.idempotency_key = idempotency_key(request.headers.getlist(IDEMPOTENCY_KEY))
        return _response(200, await hub.executor.run(asked, context), media)
    async with while_there(request):
        return _response(200, await hub.executor.run(asked, context), media)


async def _events(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    lines: Lines = request.app.state.lines
    observing: Observing = request.app.state.observing
    if lines.is_draining:
        observing.turned_away("events", "draining")
        raise Unavailable("This process ends; another takes over.", retry_after_ms=1000)
    if wait := lines.wait():
        observing.turned_away("events", "rate")
        raise Unavailable("Too many come at once.", retry_after_ms=ceil(1000 * wait))
    asked, viewer = await _asked(request)
    kind = hub.executor.kind(asked, viewer)  # what is no good is refused before the stream begins

    token = bearer(request.headers.get("authorization"))

    async def present() -> Viewer:
        return await hub.viewer(token)

    context = hub.context(held := Bearer(viewer, present))
    if kind is OperationType.MUTATION:
        _check_acts(request)
        context.idempotency_key = idempotency_key(request.headers.getlist(IDEMPOTENCY_KEY))
    if (last := request.headers.get(LAST_EVENT)) is not None:
        context.resumed = hub.journal.cursors.read(last)
    return Events(hub, lines, asked, held, context)


async def _asked(request: Request) -> tuple[Operation, Viewer]:
    """What is asked for, and by whom."""
    hub: Hub = request.app.state.hub
    if request.method == "POST":
        _check_media(request)
    viewer = await hub.viewer(bearer(request.headers.get("authorization")))
    asked = operation(decoded(await _body(request)) if request.method == "POST" else _parameters(request))
    return await hub.documents.operation(asked, viewer), viewer


def _check_acts(request: Request) -> None:
    if request.method != "POST":
        raise WrongMethod("A mutation comes with POST.")


def _parameters(request: Request) -> dict[str, Any]:
    """What POST has as members of an object: `variables` and `extensions` are JSON in the address (GraphQL over HTTP, "GET")."""
    asked: dict[str, Any] = dict(request.query_params)
    return asked | {name: decoded(asked[name]) for name in ("variables", "extensions") if name in asked}


def _check_media(request: Request) -> None:
    if not _is_json(request.headers.get("content-type")):
        raise WrongMedia(f"Send {JSON}, in UTF-8.")


class WrongMethod(BadInput):
    """This is not asked for in this way."""


class WrongMedia(BadInput):
    """The body is of a kind that is not read here."""


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
    return _response(status, {"errors": [told(refused)]}, JSON if media == EVENTS else media, **headers)


def _response(status: int, answer: Mapping[str, Any], media: str, **headers: str) -> Response:
    return Response(encoded(answer), status, headers=NEVER_STORED | headers | {"content-type": f"{media}; charset=utf-8"})


def _is_json(content_type: str | None) -> bool:
    media, *parameters = (word.strip().lower() for word in (content_type or "").split(";"))
    charsets = {word.removeprefix("charset=").strip('"') for word in parameters if word.startswith("charset=")}
    return media == JSON and charsets <= {"utf-8", "utf8"}


def _accepted(accept: str | None) -> str | None:
    """The media type to answer in: the one of ours that the client likes best, the first it names of several; JSON for any."""
    liked: dict[str, float] = {}
    for media, quality in map(_preference, (accept or "*/*").split(",")):
        if media in OFFERED:
            liked.setdefault(OFFERED[media], quality)
    best = max(liked, key=liked.__getitem__, default=None)
    return best if best and liked[best] else None


def _preference(part: str) -> tuple[str, float]:
    """A media type and how much it is wanted, from 0 to 1 (RFC 9110, section 12.4.2); what cannot be read counts as 1."""
    media, *parameters = (word.strip().lower() for word in part.split(";"))
    given = next((parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")), "1")
    return media, float(given) if QUALITY.fullmatch(given) else 1.0
