"""Bytes of attachments, in and out: PUT and GET at addresses that GraphQL hands out, each for one file and one viewer.

The address is the right: no token comes with it, and whoever made it is looked at as it is now, not as it was then.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from math import ceil
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub.access.gates import FIELDS
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.commands.attachments import Download, Ticket, attach
from hub.domain import attachments
from hub.domain.attachments import Announced
from hub.errors import BadInput, Conflict, NoLongerOpen, Refused, Unauthenticated, Unavailable
from hub.graph.faults import told
from hub.graph.trails import Trail
from hub.store.files import digest_of
from hub.web.hub import Hub, now

TAKES: Final = 600.0  # seconds for all the bytes: 10 MiB at 17 KB/s, a phone at the edge of its network
SILENCE: Final = 30.0  # seconds in which nothing at all may come
SEND_WAIT: Final = 120.0  # seconds in which a client may read nothing, as of a stream of events
ABREAST: Final = 64  # uploads at once in one process: each holds some 300 KB
FIELDS_OF: Final = ("attachments", "internalAttachments")
NEEDED: Final = (*FIELDS_OF, "visibleTo", "vertical", "channels", "kind", "topic", "direction")
SAFE: Final = {
    "cross-origin-resource-policy": "cross-origin",  # the address is the right, and a frontend shows photos
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class WrongKind(BadInput):
    """Not the media type that was announced."""


class TooSlow(BadInput):
    """The bytes do not come."""


async def door(request: Request) -> Response:
    """One file: brought with PUT, fetched with GET."""
    try:
        return await (_taken(request) if request.method == "PUT" else _given(request))
    except (NoLongerOpen, Unauthenticated):
        return _refused(403, NoLongerOpen())
    except WrongKind as refused:
        return _refused(415, refused)
    except TooSlow as refused:
        return _refused(408, refused)
    except Conflict as refused:
        return _refused(409, refused)
    except Unavailable as refused:
        return _refused(503, refused, **{"retry-after": str(ceil((refused.retry_after_ms or 1000) / 1000))})
    except BadInput as refused:
        return _refused(400, refused)
    except Refused as refused:  # a right that was lost since, or a stronger login that is asked for since
        return _refused(403, refused)
    except ClientDisconnect:
        return Response(status_code=499)


class Bytes(Response):
    """A file as it is read: a chunk is in memory, and the next one is fetched when that is gone."""

    def __init__(self, parts: AsyncIterator[bytes], headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises TimeoutError where the client does not read: then the connection is closed."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for part in self._parts:
            async with asyncio.timeout(SEND_WAIT):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _taken(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    uploads: asyncio.Semaphore = request.app.state.uploads
    opened = hub.attaching.addresses.uploads.opened(request.path_params["sealed"], now())
    ticket, viewer = Ticket.of(opened.about), await hub.tokens.present(opened.viewer)
    announced = ticket.announced
    _check_headers(request, announced)
    document = await _seen(hub, viewer, ticket.interaction)
    if (known := _of(document, announced.id)) is not None:
        return _done(hub, ticket, await _same(_parts(request), announced, known))
    if sum(len(document.get(field, ())) for field in FIELDS_OF) >= attachments.MOST:
        raise attachments.no_room()
    if uploads.locked():
        raise Unavailable("Too many files come at once.")
    trail = _trail(hub, viewer, "addAttachment")
    async with uploads:
        kept = await hub.files.keep(_parts(request), announced.size, announced.mime_type, ticket.interaction, now())
        try:
            committed = await attach(hub.journal, viewer, ticket, kept, trail.changed)
        except Unavailable:  # it may be committed all the same: then it is found to belong, else it is swept
            raise
        except Refused:
            await hub.files.drop(kept.id)
            raise
    if committed.replayed:  # the same bytes came twice at once
        await hub.files.drop(kept.id)
        known = _of(await _seen(hub, viewer, ticket.interaction), announced.id)
        if known is None or known["digest"] != kept.digest:
            raise attachments.other_bytes()
        return _done(hub, ticket, committed.position)
    with contextlib.suppress(Unavailable):
        await hub.files.settled(kept.id)
    return _done(hub, ticket, committed.position, is_new=True)


async def _given(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    opened = hub.attaching.addresses.downloads.opened(request.path_params["sealed"], now())
    wanted, viewer = Download.of(opened.about), await hub.tokens.present(opened.viewer)
    document = await _seen(hub, viewer, wanted.interaction)
    found = _of(document, wanted.attachment, is_internal_open=FIELDS["Interaction.internalAttachments"].opens(viewer, own=True))
    if found is None or "file" not in found:
        raise NoLongerOpen
    trail = _trail(hub, viewer, "downloadUrl")
    trail.interaction(document)
    await trail.leave()
    about = {"content-type": found["mimeType"], "content-length": str(found["size"]), "content-disposition": _saved_as(found["name"])}
    if request.method == "HEAD":
        return Response(headers=SAFE | about)
    return Bytes(hub.files.read(found["file"], found["size"]), SAFE | about)


async def _seen(hub: Hub, viewer: Viewer, id: str) -> dict[str, Any]:
    document = await hub.interactions.find(Visibility.of(viewer), id, dict.fromkeys(NEEDED, 1))
    if document is None:
        raise NoLongerOpen
    return document


def _of(document: Mapping[str, Any], id: str, *, is_internal_open: bool = True) -> dict[str, Any] | None:
    fields = FIELDS_OF if is_internal_open else FIELDS_OF[:1]
    return next((one for field in fields for one in document.get(field, ()) if one["id"] == id), None)


def _check_headers(request: Request, announced: Announced) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != announced.mime_type or request.headers.get("content-encoding", "identity") != "identity":
        raise WrongKind(f"This address takes {announced.mime_type}, as it was announced, and not compressed.")
    if (length := request.headers.get("content-length")) is not None and int(length) != announced.size:
        raise BadInput(f"This address takes {announced.size} bytes, as they were announced, and not {length}.")


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises TooSlow, and ClientDisconnect where it is cut off."""
    loop, stream = asyncio.get_running_loop(), request.stream()
    until = loop.time() + TAKES
    while True:
        try:
            async with asyncio.timeout_at(min(until, loop.time() + SILENCE)):
                part = await anext(stream, None)
        except TimeoutError:
            raise TooSlow("The bytes come too slowly; begin again.") from None
        if part is None:
            return
        yield part


async def _same(parts: AsyncIterator[bytes], announced: Announced, known: Mapping[str, Any]) -> int | None:
    """Pass where the bytes are those that are here already. Raises Conflict."""
    if await digest_of(parts, announced.size, announced.mime_type) != known.get("digest"):
        raise attachments.other_bytes()
    return None


def _trail(hub: Hub, viewer: Viewer, operation: str) -> Trail:
    """What it leaves in the audit. Raises Unavailable where nothing more can be recorded."""
    trail = Trail(hub.journal.audit, viewer, now)
    trail.follow(operation, is_sensitive=False)
    return trail


def _done(hub: Hub, ticket: Ticket, position: int | None, *, is_new: bool = False) -> Response:
    one = ticket.announced
    attachment = {"id": one.id, "name": one.name, "mimeType": one.mime_type, "size": one.size, "visibility": one.visibility}
    cursor = None if position is None else hub.journal.cursors.cursor(position)
    told = {"interactionId": ticket.interaction, "attachment": attachment, "cursor": cursor, "replayed": not is_new}
    return JSONResponse(told, 201 if is_new else 200, SAFE)


def _saved_as(name: str) -> str:
    """So that it is saved and never shown, under its name (RFC 6266, section 4.3) or what of it is ASCII."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() and letter not in '"\\/' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=utf-8''{quote(name, safe='')}"


def _refused(status: int, refused: Refused, **headers: str) -> Response:
    return JSONResponse({"errors": [told(refused)]}, status, SAFE | headers)


ROUTES: Final = [Route("/attachments/{sealed}", door, methods=["GET", "PUT"])]
