"""Clients of the token endpoint, as tests use them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from hub.access.client_secrets import digest
from hub.access.mandates import SCOPES_OF
from hub.commands import clients
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.journal.log import Actor
from tests.api import Api, Caller

ISSUED = """
  token replayed record { id party { id } roles scopes expiresAt revokedAt filter { vertical channel topic direction } }
  errors { code message path requiresRoles requiresScopes }
"""


@dataclass(frozen=True)
class Credentials:
    """A client's id, and the secret that was shown once."""

    id: str
    secret: str


async def added(
    api: Api,
    *,
    party: str | None = None,
    roles: Sequence[Role] = (Role.PARTNER,),
    scopes: Sequence[str] | None = None,
    filter: Mapping[str, Sequence[str]] | None = None,
    lifetime: int = 900,
) -> Credentials:
    """A client of the cast's partner."""
    secret = secrets.token_urlsafe(32)
    command = clients.Add(
        name="till",
        party_id=(party or api.partner) if Role.PARTNER in roles else party,
        digest=digest(secret),
        roles=roles,
        scopes=sorted(SCOPES_OF[roles[0]]) if scopes is None else scopes,
        lifetime=lifetime,
        filter=TokenFilter.of(filter or {}),
    )
    committed = await api.hub.journal.committer.submit(command, Actor(None, Role.SYSTEM))
    return Credentials(committed.about.id, secret)


async def granted(api: Api, client: Credentials, **form: Any) -> httpx.Response:
    """What the token endpoint answers this client."""
    given = {"grant_type": "client_credentials"} | form
    return await api.client.post("/oauth/token", data=given, auth=(client.id, client.secret))


async def caller(api: Api, client: Credentials, **form: Any) -> Caller:
    """A caller with a token that this client was given."""
    answer = await granted(api, client, **form)
    assert answer.status_code == 200, answer.text
    return Caller(api.client, api.address, answer.json()["access_token"], answer.json().get("party"))


async def passed_on(by: Caller, **given: Any) -> dict[str, Any]:
    """The payload of issueToken."""
    wanted = {"roles": ["PARTNER"], "scopes": ["interaction:read"]} | given
    payload: dict[str, Any] = await by.payload("issueToken", ISSUED, **wanted)
    return payload


async def holder(by: Caller, **given: Any) -> tuple[Caller, str]:
    """A caller with a token that was passed on to it, and that token's id."""
    payload = await passed_on(by, **given)
    assert payload["errors"] == []
    return Caller(by.client, by.address, payload["token"], by.party), payload["record"]["id"]


async def revoked(by: Caller, id: str) -> dict[str, Any]:
    """The payload of revokeToken."""
    payload: dict[str, Any] = await by.payload("revokeToken", "token replayed record { id revokedAt } errors { code path }", id=id)
    return payload
