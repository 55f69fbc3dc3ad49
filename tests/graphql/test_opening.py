"""Interactions are opened: by whom, for whom, in one call where they are over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.ids import uuid7
from hub.domain.terms import Role
from tests.api import Api

NOW = datetime.now(UTC)


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def test_every_field_that_is_given_is_kept(api: Api) -> None:
    given: dict[str, Any] = {
        "direction": "OUTBOUND",
        "kind": "COMPLAINT",
        "topic": "mobile.coverage",
        "reason": "No signal",
        "channel": "EMAIL",
        "channelName": "care@example.com",
        "description": "Since Monday, in the whole street.",
        "vertical": "ASSURANCE",
        "priority": "HIGH",
        "startedAt": "2026-05-14T09:30:00+02:00",
    }
    text = """mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { errors { message } interaction {
      direction kind topic reason description vertical priority status startedAt endedAt externalIdentifiers { owner type value }
      channels { type name since } parties { role party { id } } customer { id }
      items { type reason resolution vertical resolvedAt entity { type entityId href name } } } } }"""
    item = {
        "type": "product",
        "reason": "slow",
        "vertical": "BILLING",
        "entity": {"type": "Product", "entityId": "7", "href": "/p/7", "name": "SIM"},
    }
    identifier = {"owner": "crm", "type": None, "value": "A-1"}
    more = {
        "customerId": api.customer,
        "parties": [{"partyId": api.partner, "role": "PARTNER"}],
        "items": [item],
        "externalIdentifier": identifier,
    }

    made = (await api.as_agent.ask(text, input=given | more)).data["createInteraction"]

    assert made["errors"] == []
    seen = made["interaction"]
    assert {name: seen[name] for name in given.keys() - {"channel", "channelName", "startedAt"}} == {
        name: value for name, value in given.items() if name not in {"channel", "channelName", "startedAt"}
    }
    assert seen["startedAt"] == "2026-05-14T07:30:00.000Z"
    assert seen["channels"] == [{"type": "EMAIL", "name": "care@example.com", "since": "2026-05-14T07:30:00.000Z"}]
    assert [(one["role"], one["party"]["id"]) for one in seen["parties"]] == [
        ("CUSTOMER", api.customer),
        ("PARTNER", api.partner),
        ("INITIATOR", api.agent),
    ]
    assert seen["customer"] == {"id": api.customer}
    assert seen["items"] == [item | {"resolution": None, "resolvedAt": None}]
    assert seen["externalIdentifiers"] == [identifier]
    assert (seen["status"], seen["endedAt"]) == ("OPEN", None)


async def test_who_leaves_everything_out_gets_the_usual(api: Api) -> None:
    opened = await api.as_customer.create()

    assert (opened["kind"], opened["priority"], opened["status"], opened["revision"]) == ("REQUEST", "NORMAL", "OPEN", 1)
    assert opened["customer"]["id"] == api.customer
    assert opened["startedAt"] == opened["createdAt"] == opened["updatedAt"]
    assert opened["progress"]["nextUpdateDueAt"] > opened["createdAt"]


@pytest.mark.parametrize(
    ("role", "involved"),
    [(Role.CUSTOMER, "CUSTOMER"), (Role.VISITOR, "CUSTOMER"), (Role.PARTNER, "PARTNER"), (Role.AGENT, "INITIATOR"), (Role.SYSTEM, None)],
)
async def test_the_opener_takes_part_as_its_role_says(api: Api, role: Role, involved: str | None) -> None:
    opened = await api.usually(role).create(channel="WEB_SELF_SERVICE")

    assert [one["role"] for one in opened["parties"]] == ([involved] if involved else [])


async def test_an_interaction_that_is_over_is_logged_in_one_call(api: Api) -> None:
    items = [{"type": "question"}, {"type": "bill", "resolution": "Corrected"}]
    logged = await api.as_agent.create(
        customerId=api.customer, startedAt=ago(hours=2), endedAt=ago(hours=1), resolution="Explained", items=items
    )

    assert (logged["status"], logged["resolution"], logged["revision"]) == ("COMPLETED", "Explained", 1)
    assert [item["resolvedAt"] is not None for item in logged["items"]] == [True, True]
    assert logged["progress"] is None
    assert [event["type"] for event in await api.as_agent.timeline(logged["id"])] == ["CREATED"]


async def test_a_customer_is_named_by_the_identifier_another_system_gave_it(api: Api) -> None:
    identifier = {"owner": "crm", "value": "4711"}
    party = (await api.as_agent.upsert(name="Jean Bartik", externalIdentifier=identifier))["party"]

    opened = await api.as_agent.create(customerRef=identifier, parties=[{"partyRef": identifier, "role": "USER"}])

    assert [(one["role"], one["party"]["id"]) for one in opened["parties"]][:2] == [("CUSTOMER", party["id"]), ("USER", party["id"])]


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"customerId": "par_" + "0" * 32}, ["input", "customerId"]),
        ({"customerId": "nonsense"}, ["input", "customerId"]),
        ({"customerRef": {"owner": "crm", "value": "nobody"}}, ["input", "customerRef"]),
        ({"parties": [{"role": "USER", "partyId": "par_" + "0" * 32}]}, ["input", "parties", "0"]),
    ],
)
async def test_a_party_that_nobody_knows_is_not_found_and_nothing_is_opened(api: Api, input: dict[str, Any], path: list[str]) -> None:
    refused = await api.as_agent.refused("createInteraction", direction="INBOUND", channel="PHONE", **input)

    assert (refused["code"], refused["path"]) == ("NOT_FOUND", path)
    assert (await api.as_agent.ask("{ interactions { totalCount } }")).data == {"interactions": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("input", "says"),
    [
        ({"customerRef": {"owner": "a", "value": "b"}, "customerId": "par_" + "0" * 32}, "customerId or by customerRef"),
        ({"parties": [{"role": "USER"}]}, "exactly one"),
        ({"parties": [{"role": "USER", "partyId": "x", "partyRef": {"owner": "a", "value": "b"}}]}, "exactly one"),
        ({"resolution": "Done"}, "endedAt"),
        ({"endedAt": "2026-01-01T00:00:00Z"}, "resolution"),
        ({"startedAt": "2026-01-02T00:00:00Z", "endedAt": "2026-01-01T00:00:00Z", "resolution": "Done"}, "before startedAt"),
        ({"startedAt": "2199-01-01T00:00:00Z"}, "future"),
        ({"endedAt": "2199-01-01T00:00:00Z", "resolution": "Done"}, "future"),
        ({"items": [{"type": "x"}] * 201}, "at most 200"),
        ({"id": "int_123"}, "int_"),
        ({"id": "par_" + "0" * 32}, "int_"),
    ],
)
async def test_what_cannot_be_opened_says_why(shared_api: Api, input: dict[str, Any], says: str) -> None:
    refused = await shared_api.as_agent.refused("createInteraction", **({"direction": "INBOUND", "channel": "PHONE"} | input))

    assert refused["code"] == "BAD_USER_INPUT"
    assert says in refused["message"]
    assert refused["path"][0] == "input"


async def test_a_client_made_id_is_kept_and_the_same_request_again_is_a_replay(api: Api) -> None:
    id = "int_" + uuid7(NOW)
    input = {"direction": "INBOUND", "channel": "MOBILE_APP", "id": id, "reason": "Offline"}

    first = await api.as_customer.act("createInteraction", **input)
    again = await api.as_customer.act("createInteraction", **input)

    assert first["interaction"]["id"] == id
    assert (first["replayed"], again["replayed"], again["errors"]) == (False, True, [])
    assert again["interaction"] == first["interaction"]
    assert len(await api.as_customer.timeline(id)) == 1


async def test_a_replay_shows_the_interaction_as_it_is_now(api: Api) -> None:
    input = {"direction": "INBOUND", "channel": "MOBILE_APP", "id": "int_" + uuid7(NOW)}
    await api.as_customer.act("createInteraction", **input)
    await api.as_agent.done("closeInteraction", id=input["id"], resolution="Done")

    again = await api.as_customer.act("createInteraction", **input)

    assert (again["replayed"], again["interaction"]["status"]) == (True, "COMPLETED")


async def test_a_client_made_id_that_is_taken_is_a_conflict_that_names_it_only_where_it_is_in_sight(api: Api) -> None:
    input = {"direction": "INBOUND", "channel": "MOBILE_APP", "id": "int_" + uuid7(NOW), "reason": "Mine"}
    await api.as_customer.act("createInteraction", **input)

    other_words = await api.as_customer.refused("createInteraction", **(input | {"reason": "Other"}))
    foreign = await api.as_other_customer.refused("createInteraction", **input)

    assert (other_words["code"], other_words["conflictingId"]) == ("CONFLICT", input["id"])
    assert (foreign["code"], foreign["conflictingId"]) == ("CONFLICT", None)


async def test_an_external_identifier_names_one_interaction_and_a_second_is_a_conflict(api: Api) -> None:
    identifier = {"owner": "crm", "type": "case", "value": "A-1"}
    first = await api.as_agent.create(externalIdentifier=identifier)

    staff = await api.as_agent.refused("createInteraction", direction="INBOUND", channel="PHONE", externalIdentifier=identifier)
    partner = await api.as_partner.refused("createInteraction", direction="INBOUND", channel="PHONE", externalIdentifier=identifier)

    assert (staff["code"], staff["conflictingId"]) == ("CONFLICT", first["id"])
    assert (partner["code"], partner["conflictingId"]) == ("CONFLICT", None)


@pytest.mark.parametrize(
    ("input", "code"),
    [
        ({"direction": "OUTBOUND"}, "BAD_USER_INPUT"),
        ({"endedAt": "2026-01-01T00:00:00Z", "resolution": "Done"}, "FORBIDDEN"),
        ({"externalIdentifier": {"owner": "a", "value": "b"}}, "FORBIDDEN"),
        ({"customerRef": {"owner": "a", "value": "b"}}, "FORBIDDEN"),
        ({"parties": [{"role": "USER", "partyId": "x"}]}, "FORBIDDEN"),
    ],
)
async def test_self_service_opens_for_itself_inbound_and_unfinished(shared_api: Api, input: dict[str, Any], code: str) -> None:
    refused = await shared_api.as_customer.refused("createInteraction", **({"direction": "INBOUND", "channel": "PHONE"} | input))

    assert refused["code"] == code


async def test_a_customer_opens_nothing_in_anothers_name(api: Api) -> None:
    refused = await api.as_customer.refused("createInteraction", direction="INBOUND", channel="PHONE", customerId=api.other_customer)

    assert refused["code"] == "FORBIDDEN"
    assert "AGENT" in refused["requiresRoles"]


async def test_a_visitor_uses_the_web(api: Api) -> None:
    refused = await api.usually(Role.VISITOR).refused("createInteraction", direction="INBOUND", channel="PHONE")

    assert refused["code"] == "BAD_USER_INPUT"
    assert "WEB_SELF_SERVICE" in refused["message"]


async def test_a_partner_opens_for_its_customer_and_takes_part(api: Api) -> None:
    opened = await api.as_partner.create(customerId=api.customer)

    assert [(one["role"], one["party"]["id"]) for one in opened["parties"]] == [("CUSTOMER", api.customer), ("PARTNER", api.partner)]
    assert (await api.as_customer.interaction(opened["id"]))["id"] == opened["id"]
