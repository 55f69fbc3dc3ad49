"""A partner passes on what it may do: less, for a while, and takes it back."""

from datetime import datetime
from typing import Any

import jwt
import pytest

from hub.commands import clients as commands
from hub.domain.terms import Role
from hub.errors import Unauthenticated
from hub.web import hub as putting_together
from tests import clients
from tests.api import Api, Caller
from tests.conftest import submit


@pytest.fixture(scope="module")
async def partner(shared_api: Api) -> Caller:
    """The cast's partner, with a token that its client was given."""
    return await clients.caller(shared_api, await clients.added(shared_api))


async def opened(api: Api, **given: Any) -> str:
    """An interaction of the partner's."""
    return str((await api.as_partner.create(customerId=api.customer, **given))["id"])


async def seen(caller: Caller) -> set[str]:
    text = "{ interactions(first: 100) { nodes { id } totalCount } }"
    page = (await caller.ask(text)).data["interactions"]
    assert page["totalCount"] == len(page["nodes"])
    return {node["id"] for node in page["nodes"]}


async def test_a_token_reads_one_vertical_for_fifteen_minutes(shared_api: Api, partner: Caller) -> None:
    bill, line = await opened(shared_api, vertical="BILLING"), await opened(shared_api, vertical="ASSURANCE")

    payload = await clients.passed_on(partner, filter={"vertical": ["BILLING"]})
    narrow = Caller(partner.client, partner.address, payload["token"], partner.party)
    lives = (
        datetime.fromisoformat(payload["record"]["expiresAt"]).timestamp()
        - jwt.decode(payload["token"], options={"verify_signature": False})["iat"]
    )

    assert 890 <= lives <= 900, "no longer than the token that it was asked for with"
    assert payload["record"]["filter"] == {"vertical": ["BILLING"], "channel": None, "topic": None, "direction": None}
    assert await seen(narrow) & {bill, line} == {bill}
    assert await seen(partner) >= {bill, line}
    assert (await narrow.interaction(bill))["id"] == bill
    assert await narrow.interaction(line) is None
    assert (await narrow.refused("addNote", id=bill, text="x"))["requiresScopes"] == [["interaction:write"]]


@pytest.mark.parametrize(
    ("filter", "given"),
    [
        ({"kind": ["COMPLAINT"]}, {"kind": "COMPLAINT"}),
        ({"topic": ["roaming"]}, {"topic": "roaming"}),
        ({"channel": ["STORE", "KIOSK"]}, {"channel": "KIOSK"}),
        ({"direction": "OUTBOUND"}, {"direction": "OUTBOUND"}),
        ({"vertical": ["BILLING"], "kind": ["ORDER"]}, {"vertical": "BILLING", "kind": "ORDER"}),
    ],
)
async def test_every_dimension_of_a_filter_holds_at_every_door(
    shared_api: Api, partner: Caller, filter: dict[str, Any], given: dict[str, Any]
) -> None:
    inside, outside = await opened(shared_api, **given), await opened(shared_api)
    narrow, _ = await clients.holder(partner, filter=filter, scopes=["interaction:read", "event:subscribe", "party:read"])
    both = "query($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }"
    events = "query($ids: [ID!]) { events(filter: {interactionIds: $ids}) { nodes { interactionId } } }"
    mine = "{ viewer { party { interactions(first: 100) { nodes { id } } timeline(last: 50) { nodes { interactionId } } } } }"

    party = (await narrow.ask(mine)).data["viewer"]["party"]

    assert await seen(narrow) & {inside, outside} == {inside}
    assert (await narrow.ask(both, a=inside, b=outside)).data["nodes"] == [{"id": inside}, None]
    assert {one["interactionId"] for one in (await narrow.ask(events, ids=[inside, outside])).data["events"]["nodes"]} == {inside}
    assert {one["id"] for one in party["interactions"]["nodes"]} & {inside, outside} == {inside}
    assert {one["interactionId"] for one in party["timeline"]["nodes"]} & {inside, outside} == {inside}
    assert await narrow.timeline(inside)


async def test_a_narrow_token_makes_nothing_outside_of_its_filter_and_moves_nothing_out(shared_api: Api, partner: Caller) -> None:
    inside = await opened(shared_api, vertical="BILLING")
    narrow, _ = await clients.holder(partner, filter={"vertical": ["BILLING"]}, scopes=["interaction:read", "interaction:write"])

    made = await narrow.create(vertical="BILLING", customerId=shared_api.customer)
    outside = await narrow.refused("createInteraction", direction="INBOUND", channel="PHONE", vertical="ASSURANCE")
    moved = await narrow.refused("updateInteraction", id=inside, vertical="FULFILLMENT")

    assert made["id"] in await seen(narrow)
    assert (outside["code"], moved["code"]) == ("FORBIDDEN", "FORBIDDEN")
    assert await shared_api.as_agent.read(inside, "vertical revision") == {"vertical": "BILLING", "revision": 1}


async def test_what_is_moved_out_of_a_filter_leaves_the_stream_live_and_on_replay(shared_api: Api, partner: Caller) -> None:
    inside, before = await opened(shared_api, vertical="BILLING"), await partner.cursor()
    narrow, _ = await clients.holder(partner, filter={"vertical": ["BILLING"]}, scopes=["event:subscribe"])
    text = """subscription($after: Cursor, $id: ID!) { interactionEvents(after: $after, filter: {interactionIds: [$id]}) {
      kind interactionId event { type } } }"""

    async with narrow.stream(text, after=before, id=inside) as stream:
        assert await stream.heard(1) == ["CAUGHT_UP"]
        await shared_api.as_agent.done("addNote", id=inside, text="still here")
        await shared_api.as_agent.done("updateInteraction", id=inside, vertical="ASSURANCE")
        await shared_api.as_agent.done("addNote", id=inside, text="not for them")
        await shared_api.as_agent.done("updateInteraction", id=inside, vertical="BILLING")
        live = await stream.heard(3)
    async with narrow.stream(text, after=before, id=inside) as stream:
        replayed = await stream.heard(4)

    assert live == ["NOTE_ADDED", "LEFT", "UPDATED"]
    assert replayed == ["NOTE_ADDED", "LEFT", "UPDATED", "CAUGHT_UP"]


async def test_it_is_shown_once(shared_api: Api, partner: Caller) -> None:
    first, again = [await clients.passed_on(partner, idempotencyKey="once") for _ in range(2)]

    assert first["token"] is not None
    assert (again["token"], again["replayed"], again["record"]["id"]) == (None, True, first["record"]["id"])


async def test_each_of_a_client_s_tokens_can_be_looked_at_by_its_party_and_by_an_admin_alone(shared_api: Api, partner: Caller) -> None:
    _, id = await clients.holder(partner)
    text = "query($id: ID!) { tokens(first: 100) { nodes { id } } node(id: $id) { id ... on Token { party { id } client } } }"
    other = shared_api.as_role(Role.PARTNER, shared_api.other_customer)

    own, admins, others = [await caller.ask(text, id=id) for caller in (partner, shared_api.as_role(Role.ADMIN), other)]

    assert id in {node["id"] for node in own.data["tokens"]["nodes"]}
    assert own.data["node"]["party"] == {"id": shared_api.partner}
    assert id in {node["id"] for node in admins.body["data"]["tokens"]["nodes"]}
    assert others.data == {"tokens": {"nodes": []}, "node": None}


async def test_a_token_for_another_party_is_refused(shared_api: Api, partner: Caller) -> None:
    payload = await clients.passed_on(partner, partyId=shared_api.customer)

    assert payload["token"] is None
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert (await clients.passed_on(partner, partyId=shared_api.partner))["errors"] == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.CUSTOMER, Role.SYSTEM])
async def test_nobody_but_a_partner_passes_anything_on(shared_api: Api, role: Role) -> None:
    caller = shared_api.as_role(role, shared_api.customer, ["token:issue", "interaction:read"])

    for roles in ([role], ["PARTNER"], ["AGENT"]):
        payload = await clients.passed_on(caller, roles=roles)

        assert payload["token"] is None
        assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
        assert payload["errors"][0]["requiresRoles"] == ["PARTNER"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"roles": []}, "BAD_USER_INPUT", ["input", "roles"]),
        ({"scopes": ["everything"]}, "BAD_USER_INPUT", ["input", "scopes"]),
        ({"expiresInSeconds": 0}, "BAD_USER_INPUT", ["input", "expiresInSeconds"]),
        ({"expiresInSeconds": 86_401}, "BAD_USER_INPUT", ["input", "expiresInSeconds"]),
        ({"filter": {"topic": [""]}}, "BAD_USER_INPUT", ["input", "filter", "topic"]),
        ({"filter": {"topic": ["x"] * 101}}, "BAD_USER_INPUT", ["input", "filter", "topic"]),
        ({"roles": ["PARTNER", "AGENT"]}, "FORBIDDEN", None),
        ({"scopes": ["metrics:read"]}, "FORBIDDEN", None),
        ({"idempotencyKey": ""}, "BAD_USER_INPUT", ["input", "idempotencyKey"]),
    ],
)
async def test_what_cannot_be_had_is_said(partner: Caller, given: dict[str, Any], code: str, path: list[str] | None) -> None:
    payload = await clients.passed_on(partner, **given)

    assert (payload["token"], payload["record"]) == (None, None)
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]


async def test_what_was_passed_on_is_passed_on_no_wider(partner: Caller) -> None:
    narrow, _ = await clients.holder(partner, filter={"vertical": ["BILLING"]}, scopes=["interaction:read", "token:issue"])

    narrower, _ = await clients.holder(narrow, filter={"vertical": ["ASSURANCE", "BILLING"]}, expiresInSeconds=86_400)
    wider = await clients.passed_on(narrow, scopes=["interaction:write"])

    said = (await narrower.ask("{ viewer { scopes expiresAt } }")).data["viewer"]
    assert said["scopes"] == ["interaction:read"]
    assert said["expiresAt"] <= (await partner.ask("{ viewer { expiresAt } }")).data["viewer"]["expiresAt"]
    assert jwt.decode(narrower.token or "", options={"verify_signature": False})["filter"] == {"vertical": ["BILLING"]}
    assert wider["errors"][0]["requiresScopes"] == [["interaction:write"]]


async def test_a_token_that_is_taken_back_takes_with_it_what_it_was_passed_on_as(partner: Caller) -> None:
    narrow, id = await clients.holder(partner, scopes=["interaction:read", "token:issue"])
    child, _ = await clients.holder(narrow)
    before = [(await caller.ask("{ topics }")).status for caller in (narrow, child)]

    payload = await clients.revoked(partner, id)

    assert before == [200, 200]
    assert payload["record"]["revokedAt"]
    assert [(await caller.ask("{ topics }")).status for caller in (narrow, child, partner)] == [401, 401, 200]
    assert (await clients.revoked(partner, id))["record"] == payload["record"], "again is no harm"


async def test_an_admin_takes_back_any_token_and_another_partner_none_but_its_own(shared_api: Api, partner: Caller) -> None:
    narrow, id = await clients.holder(partner)
    other = shared_api.as_role(Role.PARTNER, shared_api.other_customer)

    refused, unknown = await clients.revoked(other, id), await clients.revoked(other, "tok_" + "0" * 32)
    still = (await narrow.ask("{ topics }")).status
    await clients.revoked(shared_api.as_role(Role.ADMIN), id)

    assert refused == unknown
    assert refused["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    assert (still, (await narrow.ask("{ topics }")).status) == (200, 401)


async def test_a_hub_that_starts_knows_what_was_taken_back(shared_api: Api, partner: Caller, mongo_uri: str) -> None:
    narrow, id = await clients.holder(partner)
    client = await clients.added(shared_api)
    disabled = await clients.caller(shared_api, client)
    await clients.revoked(partner, id)
    await submit(shared_api.hub, commands.Disable(id=client.id))

    async with putting_together.opened(shared_api.hub.settings, mongo_uri, role="another") as another:
        for caller in (narrow, disabled):
            with pytest.raises(Unauthenticated):
                await another.viewer(caller.token)
        assert (await another.viewer(partner.token)).party == shared_api.partner
