"""The hub as an OAuth issuer: tokens for clients (RFC 6749, section 4.4) and for visitors, its keys and its metadata (RFC 8414)."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.client_secrets import matches
from hub.access.viewers import SCOPES
from hub.commands.tokens import Admit, IssueToClient
from hub.domain.clients import Client
from hub.domain.issued_tokens import IssuedToken, Rights
from hub.domain.terms import Role
from hub.errors import HubError, Refused, Unauthenticated, Unavailable
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.store.documents import token_from
from hub.web.hub import Hub, now
from hub.web.throttle import Throttle

BODY: Final = 8 * 1024  # bytes of a token request
NEVER_STORED: Final = {"cache-control": "no-store", "pragma": "no-cache"}  # RFC 6749, section 5.1
PUBLIC: Final = {"cache-control": "public, max-age=300"}
VISITOR: Final = "visitor"  # the client_id of what visitors get
VISITOR_LIFE: Final = timedelta(hours=24)  # as long as what it opened can be claimed
VISITOR_SCOPES: Final = frozenset({"interaction:read", "interaction:write", "event:subscribe"})

log = structlog.get_logger("hub.web")


class NotGranted(HubError):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, error: str, why: str, status: int = 400, **headers: str) -> None:
        super().__init__(why)
        self.error = error
        self.status = status
        self.headers = headers


async def token(request: Request) -> Response:
    """A token for a client that shows its secret: by HTTP Basic, or in the form."""
    hub: Hub = request.app.state.hub
    try:
        form = await _form(request)
        client = await _authenticated(hub, request.headers.get("authorization"), form)
        if "grant_type" not in form:
            raise NotGranted("invalid_request", "grant_type is missing.")
        if form["grant_type"] != "client_credentials":
            raise NotGranted("unsupported_grant_type", "The one grant_type here is client_credentials.")
        scopes = form["scope"].split() if form.get("scope") else None
        if scopes is not None and not client.scopes.issuperset(scopes):
            raise NotGranted("invalid_scope", "The client may ask for these scopes: " + " ".join(sorted(client.scopes)))
        return await _issued(hub, IssueToClient(client=client.id, scopes=scopes), client.roles)
    except NotGranted as refused:
        return _refused(refused)
    except Unauthenticated:
        return _refused(_unknown_client())
    except Refused as refused:
        return _unavailable(refused)
    except ClientDisconnect:
        return Response(status_code=499)


async def visitor(request: Request) -> Response:
    """A token for somebody whom nobody knows: a fresh party under a pseudonym, which may open an interaction and follow it."""
    hub: Hub = request.app.state.hub
    visitors: Throttle = request.app.state.visitors
    if not hub.settings.visitors_per_minute:
        return _refused(NotGranted("access_denied", "This hub admits no visitors.", 403))
    wait = visitors.wait(request.client.host if request.client else "", datetime.now(UTC))
    if wait is not None:
        why = f"Too many visitors from this address; come again in {wait} s."
        return _refused(NotGranted("slow_down", why, 429, **{"retry-after": str(wait)}))
    rights = Rights(roles=frozenset({Role.VISITOR}), scopes=VISITOR_SCOPES, expires_at=now().replace(microsecond=0) + VISITOR_LIFE)
    try:
        return await _issued(hub, Admit(rights=rights, client=VISITOR), rights.roles)
    except Refused as refused:
        return _unavailable(refused)


async def jwks(request: Request) -> Response:
    """The public keys (RFC 7517)."""
    hub: Hub = request.app.state.hub
    return JSONResponse(hub.own_issuer.jwks, headers=PUBLIC)


async def metadata(request: Request) -> Response:
    """What a client needs to know of the issuer (RFC 8414, section 2). Its name is an address where HUB_URL says which."""
    hub: Hub = request.app.state.hub
    base = hub.settings.url or str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "issuer": hub.own_issuer.trust.issuer,
            "token_endpoint": f"{base}/oauth/token",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "scopes_supported": list(SCOPES),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        },
        headers=PUBLIC,
    )


ROUTES: Final = [
    Route("/oauth/token", token, methods=["POST"]),
    Route("/oauth/visitor", visitor, methods=["POST"]),
    Route("/.well-known/jwks.json", jwks),
    Route("/.well-known/oauth-authorization-server", metadata),
]


async def _issued(hub: Hub, command: Command, roles: frozenset[Role]) -> Response:
    """Remembered first, signed then: a token that nobody can take back is never out."""
    acting = next(iter(sorted(roles)))
    committed = await hub.journal.committer.submit(command, Actor(None, acting))
    record = token_from(committed.document or {})
    return JSONResponse(_answer(hub, record), headers=NEVER_STORED)


def _answer(hub: Hub, record: IssuedToken) -> Mapping[str, Any]:
    lifetime = record.rights.expires_at - record.issued_at.replace(microsecond=0)
    answer = {
        "access_token": hub.own_issuer.sign(record),
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "scope": " ".join(scope for scope in SCOPES if scope in record.rights.scopes),
    }
    return answer if record.party is None else answer | {"party": record.party}


async def _form(request: Request) -> dict[str, str]:
    """The parameters of the body; one that is sent twice is none (RFC 6749, section 3.2)."""
    media = (request.headers.get("content-type") or "").split(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise NotGranted("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            raise NotGranted("invalid_request", f"A token request has at most {BODY} bytes.", 413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except ValueError:
        raise NotGranted("invalid_request", "The body is no form in UTF-8.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise NotGranted("invalid_request", "A parameter is sent twice.")
    return form


async def _authenticated(hub: Hub, header: str | None, form: Mapping[str, str]) -> Client:
    """The client that shows one of its secrets. Unknown, disabled and wrong look the same and take the same."""
    id, secret = _credentials(header, form)
    client = await hub.clients.find(id)
    is_its_own = matches(secret, [one.digest for one in client.secrets] if client else [])
    if client is None or client.disabled_at is not None or not is_its_own:
        raise _unknown_client()
    return client


def _credentials(header: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """Id and secret (RFC 6749, section 2.3.1): in one way, not in two."""
    if header is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = header.partition(" ")
    if "client_secret" in form:
        raise NotGranted("invalid_request", "Show the secret in one way: in the header or in the form.")
    if scheme.lower() != "basic":
        raise _unknown_client()
    try:
        id, _, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        raise _unknown_client() from None
    return unquote_plus(id), unquote_plus(secret)


def _unknown_client() -> NotGranted:
    return NotGranted(
        "invalid_client", "The client is unknown, or this is not its secret.", 401, **{"www-authenticate": 'Basic realm="interaction-hub"'}
    )


def _refused(refused: NotGranted) -> Response:
    said = {"error": refused.error, "error_description": str(refused)}
    return JSONResponse(said, refused.status, NEVER_STORED | refused.headers)


def _unavailable(refused: Refused) -> Response:
    """What the committer refuses: it cannot say now, or it made an error."""
    wait = {"retry-after": str(-(-(refused.retry_after_ms or 1000) // 1000))} if isinstance(refused, Unavailable) else {}
    return _refused(NotGranted("temporarily_unavailable" if wait else "server_error", refused.message, 503 if wait else 500, **wait))
