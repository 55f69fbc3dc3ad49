"""The hub as an OAuth issuer, through its public doors."""

import asyncio
import base64
from typing import Any

import httpx
import jwt
import pytest

from hub.access.client_secrets import digest
from hub.access.issuers import TokenVerifier
from hub.access.keys import Keyring
from hub.access.own_issuer import OwnIssuer
from hub.access.standing import Standings
from hub.access.viewers import SCOPES
from hub.access.withdrawn import Withdrawn
from hub.commands import clients as commands
from hub.domain.terms import Role
from hub.errors import Unauthenticated
from hub.store.documents import token_from
from hub.web.hub import now
from tests.api import Api, Caller
from tests.clients import Credentials, added, caller, granted
from tests.conftest import submit


def claims(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return said


async def test_a_client_gets_a_token_as_rfc_9068_wants_it(shared_api: Api) -> None:
    client = await added(shared_api)

    answer = await granted(shared_api, client)
    header = jwt.get_unverified_header(answer.json()["access_token"])
    said = claims(answer)

    assert (answer.status_code, answer.headers["cache-control"], answer.headers["pragma"]) == (200, "no-store", "no-cache")
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope", "party"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 900)
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
    assert said.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "roles", "scope", "party"}
    assert said["sub"] == said["client_id"] == client.id
    assert said["exp"] - said["iat"] == 900
    assert set(said["scope"].split()) == set(answer.json()["scope"].split())


async def test_its_token_opens_what_the_client_may_do(shared_api: Api) -> None:
    partner = await caller(shared_api, await added(shared_api))
    interaction = await partner.create(customerId=shared_api.customer)

    viewer = (await partner.ask("{ viewer { roles scopes party { id } } }")).data["viewer"]

    assert (viewer["roles"], viewer["party"]) == (["PARTNER"], {"id": shared_api.partner})
    assert (await partner.interaction(interaction["id"]))["id"] == interaction["id"]


async def test_a_client_asks_for_less_than_it_may(shared_api: Api) -> None:
    client = await added(shared_api)

    reader = await caller(shared_api, client, scope="interaction:read")

    assert (await reader.ask("{ viewer { scopes } }")).data["viewer"]["scopes"] == ["interaction:read"]
    assert (await reader.refused("createInteraction", direction="INBOUND", channel="PHONE"))["code"] == "FORBIDDEN"


async def test_a_system_s_client_needs_no_party(shared_api: Api) -> None:
    client = await added(shared_api, roles=[Role.SYSTEM], scopes=["interaction:write", "interaction:read"])

    answer = await granted(shared_api, client)
    system = Caller(shared_api.client, shared_api.address, answer.json()["access_token"])

    assert "party" not in answer.json()
    assert (await system.create(channel="DEVICE"))["parties"] == []


async def test_the_secret_may_stand_in_the_form(shared_api: Api) -> None:
    client = await added(shared_api)
    form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret}

    assert (await shared_api.client.post("/oauth/token", data=form)).status_code == 200


def basic(id: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{id}:{secret}".encode()).decode()}


FORM = {"content-type": "application/x-www-form-urlencoded"}
GRANT = "grant_type=client_credentials"


@pytest.mark.parametrize(
    ("headers", "body", "status", "error"),
    [
        (FORM, GRANT, 401, "invalid_client"),
        (FORM | basic("cli_" + "0" * 32, "wrong"), GRANT, 401, "invalid_client"),
        (FORM | {"authorization": "Basic %%%"}, GRANT, 401, "invalid_client"),
        (FORM | {"authorization": "Bearer x"}, GRANT, 401, "invalid_client"),
        (FORM | basic("x", "\udc80".encode(errors="surrogateescape").hex()), GRANT, 401, "invalid_client"),
        (FORM, f"{GRANT}&client_id=x&client_secret=%ff", 401, "invalid_client"),
        (FORM, f"{GRANT}&{GRANT}", 400, "invalid_request"),
        (FORM, "grant_type", 400, "invalid_request"),
        (FORM, b"\xff=\xff", 400, "invalid_request"),
        (FORM, "&".join(f"a{number}=1" for number in range(30)), 400, "invalid_request"),
        (FORM, "a=" + "b" * 9_000, 413, "invalid_request"),
        (FORM | basic("x", "y"), f"{GRANT}&client_secret=y", 400, "invalid_request"),
        ({"content-type": "application/json"}, '{"grant_type": "client_credentials"}', 400, "invalid_request"),
        ({}, "", 400, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_told_as_rfc_6749_says(
    shared_api: Api, headers: dict[str, str], body: str | bytes, status: int, error: str
) -> None:
    answer = await shared_api.client.post("/oauth/token", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"scope": "interaction:read metrics:read"}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
async def test_a_known_client_asks_for_what_it_cannot_have(shared_api: Api, form: dict[str, str], error: str) -> None:
    answer = await granted(shared_api, await added(shared_api), **form)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_unknown_disabled_and_wrong_look_the_same(shared_api: Api) -> None:
    known, disabled = await added(shared_api), await added(shared_api)
    await submit(shared_api.hub, commands.Disable(id=disabled.id))

    answers = [
        await granted(shared_api, client)
        for client in (Credentials(known.id, "wrong"), disabled, Credentials("cli_" + "f" * 32, known.secret), Credentials("", ""))
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


async def test_two_secrets_live_beside_each_other_and_no_third(shared_api: Api) -> None:
    first = await added(shared_api)

    async def works(secret: str) -> bool:
        return (await granted(shared_api, Credentials(first.id, secret))).status_code == 200

    async def rotated(secret: str) -> None:
        await submit(shared_api.hub, commands.Rotate(id=first.id, digest=digest(secret)))

    await rotated("second")
    both = [await works(secret) for secret in (first.secret, "second")]
    await rotated("third")

    assert both == [True, True]
    assert [await works(secret) for secret in (first.secret, "second", "third")] == [False, True, True]


async def test_secrets_are_kept_as_hashes_and_tokens_not_at_all(shared_api: Api) -> None:
    client = await added(shared_api)
    token = (await granted(shared_api, client)).json()["access_token"]

    for name in await shared_api.hub.mongo.database.list_collection_names():
        async for document in shared_api.hub.mongo[name].find():
            assert client.secret not in str(document)
            assert token not in str(document)
            assert token.split(".")[2] not in str(document)


async def test_what_a_disabled_client_holds_is_good_for_nothing(shared_api: Api) -> None:
    client = await added(shared_api)
    partner = await caller(shared_api, client)
    before = (await partner.ask("{ topics }")).status

    await submit(shared_api.hub, commands.Disable(id=client.id))

    assert (before, (await partner.ask("{ topics }")).status) == (200, 401)


async def test_keys_and_metadata_are_where_clients_look(shared_api: Api) -> None:
    metadata = (await shared_api.client.get("/.well-known/oauth-authorization-server")).json()
    jwks = (await shared_api.client.get(httpx.URL(metadata["jwks_uri"]).path)).json()
    token = (await granted(shared_api, await added(shared_api))).json()["access_token"]

    said = jwt.decode(
        token,
        jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(token)["kid"]].key,
        algorithms=["EdDSA"],
        audience="interaction-hub",
        issuer=metadata["issuer"],
    )

    assert said["roles"] == ["PARTNER"]
    assert metadata["scopes_supported"] == list(SCOPES)
    assert httpx.URL(metadata["token_endpoint"]).path == "/oauth/token"
    assert all(key.keys() == {"kty", "crv", "x", "use", "alg", "kid"} for key in jwks["keys"]), "a private part"


async def test_a_rotated_secret_goes_on_verifying_until_it_is_put_away(shared_api: Api) -> None:
    old, new = b"o" * 32, b"n" * 32
    standings = Standings(shared_api.hub.parties, shared_api.hub.party_roles)
    record = await shared_api.hub.mongo["tokens"].find_one({}) or {}
    token = OwnIssuer(Keyring(old)).sign(token_from(record))

    async def opens(keyring: Keyring) -> bool:
        try:
            await TokenVerifier([OwnIssuer(keyring)], standings, Withdrawn(), clock=now).verify(token)
        except Unauthenticated:
            return False
        return True

    assert [await opens(keyring) for keyring in (Keyring(old), Keyring(new, old), Keyring(new))] == [True, True, False]
    assert OwnIssuer(Keyring(new, old)).jwks["keys"][1:] == OwnIssuer(Keyring(old)).jwks["keys"]


# ---------------------------------------------------------------- visitors


async def test_a_visitor_opens_an_interaction_and_follows_it(api: Api) -> None:
    answer = await api.client.post("/oauth/visitor")
    visitor = Caller(api.client, api.address, answer.json()["access_token"], answer.json()["party"])

    interaction = await visitor.create(channel="WEB_SELF_SERVICE")
    async with visitor.stream(
        "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind event { type } } }", id=interaction["id"]
    ) as stream:
        first = await stream.heard(1)
        await api.as_agent.done("reportProgress", id=interaction["id"], message="we look")
        heard = await stream.heard(1)

    assert (answer.status_code, answer.json()["expires_in"], answer.headers["cache-control"]) == (200, 86_400, "no-store")
    assert interaction["customer"]["id"] == visitor.party
    assert (first, heard) == (["CAUGHT_UP"], ["PROGRESS_REPORTED"])


async def test_what_a_visitor_has_opened_is_the_customer_s_once_it_is_claimed(api: Api) -> None:
    answer = (await api.client.post("/oauth/visitor")).json()
    visitor = Caller(api.client, api.address, answer["access_token"], answer["party"])
    payload = await visitor.payload(
        "createInteraction", "interaction { id } claimCode errors { code }", direction="INBOUND", channel="WEB_SELF_SERVICE"
    )
    id = payload["interaction"]["id"]

    claimed = await api.as_customer.done("claimInteraction", id=id, claimCode=payload["claimCode"])

    assert claimed["customer"]["id"] == api.customer
    assert [event["type"] for event in await api.as_customer.timeline(id)] == ["CREATED", "CLAIMED"]
    assert await visitor.interaction(id) is None
    assert (await visitor.refused("addNote", id=id, text="still me"))["code"] == "NOT_FOUND"


async def test_two_visitors_are_two_parties(api: Api) -> None:
    parties = [(await api.client.post("/oauth/visitor")).json()["party"] for _ in range(2)]

    assert len(set(parties)) == 2
    assert [(await api.hub.mongo["parties"].find_one({"_id": party}) or {})["name"] for party in parties] == ["Visitor", "Visitor"]


async def test_an_address_gets_so_many_visitors_a_minute_and_leaves_no_more_behind(api: Api) -> None:
    most = api.hub.settings.visitors_per_minute
    before = await api.hub.mongo["parties"].count_documents({})

    answers = await asyncio.gather(*(api.client.post("/oauth/visitor") for _ in range(most + 5)))
    refused = [answer for answer in answers if answer.status_code == 429]

    assert len(refused) == 5
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert all(answer.json()["error"] == "slow_down" for answer in refused)
    assert await api.hub.mongo["parties"].count_documents({}) == before + most
