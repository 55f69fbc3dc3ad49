"""Parties are registered and brought up to date."""

from typing import Any

import pytest

from hub.domain.terms import Role
from tests.api import ERRORS, PARTY, Api

EMAIL = {"kind": "EMAIL", "address": "jean@example.com", "preferred": True}


async def test_a_party_is_registered_with_all_that_is_given(shared_api: Api) -> None:
    identifier = {"owner": "crm", "type": "account", "value": "registered"}

    payload = await shared_api.as_agent.upsert(
        name="  Jean Bartik ", preferredLanguage="en-GB", contactMedia=[EMAIL], externalIdentifier=identifier
    )

    party = payload["party"]
    assert (payload["errors"], payload["replayed"]) == ([], False)
    assert payload["cursor"]
    assert party == {
        "id": party["id"],
        "revision": 1,
        "kind": "INDIVIDUAL",
        "name": "Jean Bartik",
        "preferredLanguage": "en-GB",
        "contactMedia": [EMAIL],
        "externalIdentifiers": [identifier],
    }


async def test_absence_keeps_and_null_clears(shared_api: Api) -> None:
    made = (await shared_api.as_agent.upsert(name="Jean", preferredLanguage="en", contactMedia=[EMAIL]))["party"]

    kept = (await shared_api.as_agent.upsert(id=made["id"], name="Jean Bartik"))["party"]
    cleared = (await shared_api.as_agent.upsert(id=made["id"], name="Jean Bartik", preferredLanguage=None, contactMedia=None))["party"]

    assert (kept["name"], kept["preferredLanguage"], kept["contactMedia"], kept["revision"]) == ("Jean Bartik", "en", [EMAIL], 2)
    assert (cleared["preferredLanguage"], cleared["contactMedia"], cleared["revision"]) == (None, [], 3)
    assert (await shared_api.as_agent.ask(f'{{ party(id: "{made["id"]}") {{ preferredLanguage }} }}')).data["party"] == {
        "preferredLanguage": None
    }


async def test_what_is_so_already_changes_nothing(shared_api: Api) -> None:
    made = (await shared_api.as_agent.upsert(name="Jean", contactMedia=[EMAIL]))["party"]

    again = await shared_api.as_agent.upsert(id=made["id"], name="Jean", contactMedia=[EMAIL])

    assert (again["errors"], again["party"]) == ([], made)


async def test_a_party_is_known_by_its_external_identifier(shared_api: Api) -> None:
    identifier = {"owner": "crm", "value": "known"}
    made = (await shared_api.as_agent.upsert(name="Jean", externalIdentifier=identifier))["party"]

    named = (await shared_api.as_agent.upsert(name="Jean Bartik", externalIdentifier=identifier))["party"]
    second = (await shared_api.as_agent.upsert(id=made["id"], name="Jean Bartik", externalIdentifier=identifier | {"value": "too"}))[
        "party"
    ]

    assert (named["id"], named["revision"]) == (made["id"], 2)
    assert [one["value"] for one in second["externalIdentifiers"]] == ["known", "too"]


async def test_an_identifier_names_one_party_only(shared_api: Api) -> None:
    identifier = {"owner": "crm", "value": "taken"}
    first = (await shared_api.as_agent.upsert(name="Jean", externalIdentifier=identifier))["party"]
    other = (await shared_api.as_agent.upsert(name="Betty"))["party"]

    refused = (await shared_api.as_agent.upsert(id=other["id"], name="Betty", externalIdentifier=identifier))["errors"]

    assert [(error["code"], error["conflictingId"]) for error in refused] == [("CONFLICT", first["id"])]


async def test_a_stale_revision_is_a_conflict_that_names_the_present_one(shared_api: Api) -> None:
    made = (await shared_api.as_agent.upsert(name="Jean"))["party"]
    await shared_api.as_agent.upsert(id=made["id"], name="Jean Bartik", expectedRevision=1)

    payload = await shared_api.as_agent.upsert(id=made["id"], name="Jeanne", expectedRevision=1)

    assert payload["party"] is None
    assert [(error["code"], error["currentRevision"]) for error in payload["errors"]] == [("CONFLICT", 2)]


PAYLOAD = f"party {{ {PARTY} }} replayed {ERRORS}"


async def test_an_update_keeps_what_is_left_out_and_null_clears(shared_api: Api) -> None:
    agent, identifier = shared_api.as_agent, {"owner": "crm", "type": None, "value": "updated"}
    made = (await agent.upsert(name="Jean", preferredLanguage="en", contactMedia=[EMAIL], externalIdentifier=identifier))["party"]

    named = (await agent.payload("updateParty", PAYLOAD, id=made["id"], name=" Jean Bartik "))["party"]
    cleared = (await agent.payload("updateParty", PAYLOAD, id=made["id"], preferredLanguage=None, contactMedia=None))["party"]

    assert named == made | {"name": "Jean Bartik", "revision": 2}
    assert cleared == named | {"preferredLanguage": None, "contactMedia": [], "revision": 3}


@pytest.mark.parametrize("input", [{}, {"name": "Jean"}, {"contactMedia": [EMAIL], "preferredLanguage": None}])
async def test_an_update_to_what_is_so_already_changes_nothing(shared_api: Api, input: dict[str, Any]) -> None:
    made = (await shared_api.as_agent.upsert(name="Jean", contactMedia=[EMAIL]))["party"]

    same = await shared_api.as_agent.payload("updateParty", PAYLOAD, id=made["id"], **input)

    assert (same["errors"], same["party"]) == ([], made)


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({"name": None}, "BAD_USER_INPUT", ["input", "name"]),
        ({"contactMedia": [EMAIL] * 51}, "BAD_USER_INPUT", ["input", "contactMedia"]),
        ({"id": "par_" + "f" * 32}, "NOT_FOUND", ["input", "id"]),
        ({"name": "Jeanne", "expectedRevision": 7}, "CONFLICT", None),
    ],
)
async def test_an_update_that_cannot_be_is_refused(shared_api: Api, input: dict[str, Any], code: str, path: list[str] | None) -> None:
    made = (await shared_api.as_agent.upsert(name="Jean"))["party"]

    (error,) = (await shared_api.as_agent.payload("updateParty", PAYLOAD, **({"id": made["id"]} | input)))["errors"]

    assert (error["code"], error["path"], error["currentRevision"]) == (code, path, 1 if code == "CONFLICT" else None)


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({"id": "par_" + "0" * 32}, "NOT_FOUND", ["input", "id"]),
        ({"id": "nonsense"}, "NOT_FOUND", ["input", "id"]),
        ({"name": "   "}, "BAD_USER_INPUT", ["input", "name"]),
        ({"name": "x" * 501}, "BAD_USER_INPUT", ["input", "name"]),
        ({"preferredLanguage": "x" * 36}, "BAD_USER_INPUT", ["input", "preferredLanguage"]),
        ({"contactMedia": [EMAIL, EMAIL | {"address": ""}]}, "BAD_USER_INPUT", ["input", "contactMedia", "1", "address"]),
        ({"contactMedia": [EMAIL] * 51}, "BAD_USER_INPUT", ["input", "contactMedia"]),
        ({"externalIdentifier": {"owner": " ", "value": "x"}}, "BAD_USER_INPUT", ["input", "externalIdentifier", "owner"]),
    ],
)
async def test_what_no_party_can_be_is_refused_and_named(shared_api: Api, input: dict[str, Any], code: str, path: list[str]) -> None:
    payload = await shared_api.as_agent.upsert(**({"name": "Jean"} | input))

    assert payload["party"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER, Role.ANALYST, Role.PRIVACY_OFFICER])
async def test_who_keeps_no_parties_changes_none(shared_api: Api, role: Role) -> None:
    payload = await shared_api.usually(role).upsert(id=shared_api.customer, name="Mallory")

    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert payload["errors"][0]["requiresRoles"] == ["AGENT", "SUPERVISOR", "BACK_OFFICE", "SYSTEM"]


async def test_a_client_that_only_writes_does_not_read(shared_api: Api) -> None:
    writer = shared_api.as_role(Role.AGENT, shared_api.agent, ["party:write", "interaction:write"])
    text = f"""mutation($party: UpsertPartyInput!, $create: CreateInteractionInput!) {{
      upsertParty(input: $party) {{ party {{ id }} cursor {ERRORS} }}
      createInteraction(input: $create) {{ interaction {{ id }} cursor {ERRORS} }} }}"""

    answer = await writer.ask(text, party={"kind": "INDIVIDUAL", "name": "Jean"}, create={"direction": "INBOUND", "channel": "PHONE"})

    assert [payload["errors"] for payload in answer.data.values()] == [[], []]
    assert answer.data["upsertParty"]["party"] is None
    assert answer.data["createInteraction"]["interaction"] is None
    assert all(payload["cursor"] for payload in answer.data.values())
    assert [(held["type"], held["requiresScopes"]) for held in answer.body["extensions"]["redactions"]] == [
        ("InteractionPayload", [["interaction:read"]]),
        ("PartyPayload", [["party:read"]]),
    ]
