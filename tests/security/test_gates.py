"""Role x gated field x door: a gate holds wherever its object is met, and says so in the same way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api, Caller
from tests.security.rights import gated

REDACTED: Final = "__typename redactions { field requiresRoles requiresScopes }"
PARTY: Final = f"id name preferredLanguage contactMedia {{ address }} externalIdentifiers {{ value }} {REDACTED}"
JOINS: Final = f"customer {{ {PARTY} }} parties {{ role party {{ {PARTY} }} }} notes {{ authorRole author {{ {PARTY} }} }}"
INTERACTION: Final = f"id statusReason internalNotes {{ text }} assignee {{ {PARTY} }} escalationLevel {JOINS} {REDACTED}"
RELATED: Final = f"relationships {{ type interaction {{ {INTERACTION} }} }}"
EVENT: Final = (
    f"id type message changes {{ field from to }} actorRole actor {{ {PARTY} }} note {{ text author {{ {PARTY} }} }} "
    f"interaction {{ {INTERACTION} }} {REDACTED}"
)
DOORS: Final = {
    "interaction": f"query($id: ID!) {{ interaction(id: $id) {{ {INTERACTION} }} }}",
    "node": f"query($id: ID!) {{ node(id: $id) {{ ... on Interaction {{ {INTERACTION} {RELATED} }} }} }}",
    "nodes": f"""query($id: ID!, $party: ID!) {{ interactions: nodes(ids: [$id]) {{ ... on Interaction {{ {INTERACTION} }} }}
      parties: nodes(ids: [$party]) {{ ... on Party {{ {PARTY} }} }} }}""",
    "parties": f"query {{ parties {{ nodes {{ {PARTY} }} edges {{ node {{ {PARTY} }} }} }} }}",
    "a party's": f"""query($party: ID!) {{ party(id: $party) {{ interactions {{ nodes {{ {INTERACTION} }} }}
      timeline(last: 5) {{ nodes {{ {EVENT} }} }} }} }}""",
    "its roles": f"""query($party: ID!) {{ party(id: $party) {{ roles {{ party {{ {PARTY} }} }} }}
      partyRoles {{ nodes {{ party {{ {PARTY} }} }} }} }}""",
    "searched": f"""query {{ interactions(filter: {{status: [HELD]}}, orderBy: {{field: UPDATED_AT}}, last: 5)
      {{ nodes {{ {INTERACTION} }} }} }}""",
    "interactions": f"query {{ interactions {{ nodes {{ {INTERACTION} }} edges {{ node {{ {INTERACTION} }} }} }} }}",
    "timeline": f"query($id: ID!) {{ interaction(id: $id) {{ timeline {{ nodes {{ {EVENT} }} edges {{ node {{ {EVENT} }} }} }} }} }}",
    "events": f"query {{ events {{ nodes {{ {EVENT} }} }} }}",
    "party": f"query($party: ID!) {{ party(id: $party) {{ {PARTY} }} }}",
    "viewer": f"query {{ viewer {{ party {{ {PARTY} }} }} }}",
    "addNote": f'mutation($id: ID!) {{ addNote(input: {{id: $id, text: "seen"}}) {{ interaction {{ {INTERACTION} }} }} }}',
    "reportProgress": f'mutation($id: ID!) {{ reportProgress(input: {{id: $id, message: "seen"}}) {{ interaction {{ {INTERACTION} }} }} }}',
    "upsertParty": f"""mutation($customer: ID!) {{ upsertParty(input: {{id: $customer, kind: INDIVIDUAL, name: "Ada Hopper"}})
      {{ party {{ {PARTY} }} }} }}""",
}
STREAM: Final = f"subscription($after: Cursor) {{ interactionEvents(after: $after) {{ kind event {{ {EVENT} }} }} }}"
SEES: Final = frozenset(Role) - {Role.ANALYST, Role.ADMIN}


@dataclass(frozen=True)
class Case:
    """An interaction in which everybody takes part and everything is filled in."""

    api: Api
    id: str
    before: str


@pytest.fixture(scope="module")
async def case(shared_api: Api) -> Case:
    api = shared_api
    before = await api.as_agent.cursor()
    identifier = {"owner": "crm", "type": "account"}
    for party, name in ((api.customer, "Ada Hopper"), (api.partner, "Northlight Stores"), (api.agent, "Alan Church")):
        await api.as_agent.upsert(id=party, name=name, preferredLanguage="en", externalIdentifier=identifier | {"value": name})
    interaction = await api.as_agent.create(customerId=api.customer, parties=[{"role": "PARTNER", "partyId": api.partner}])
    id = interaction["id"]
    await api.as_customer.done("addNote", id=id, text="from the customer")
    await api.as_agent.done("addNote", id=id, text="from the agent")
    await api.as_agent.done("addNote", id=id, text="between us", visibility="INTERNAL")
    await api.as_agent.done("transitionInteraction", id=id, to="HELD", reason="a part is missing")
    await api.as_agent.done("assignInteraction", id=id, assigneeId=api.agent)
    await api.as_agent.done("escalateInteraction", id=id, reason="too long by far")
    other = await api.as_agent.create(customerId=api.customer, parties=[{"role": "PARTNER", "partyId": api.partner}])
    await api.as_agent.done("linkInteractions", id=id, type="PARENT", otherId=other["id"])
    supervisor = api.as_role(Role.SUPERVISOR)
    for party in (api.customer, api.partner, api.agent):
        granted = await supervisor.ask(
            'mutation($id: ID!) { grantPartyRole(input: {partyId: $id, name: "x"}) { errors { code } } }', id=party
        )
        assert granted.data["grantPartyRole"]["errors"] == []
    return Case(api, id, before)


def objects(answer: Any) -> Iterator[dict[str, Any]]:
    """Every object in an answer that reports redactions."""
    if isinstance(answer, dict):
        if "__typename" in answer:
            yield answer
        for value in answer.values():
            yield from objects(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from objects(value)


def check(found: dict[str, Any], caller: Caller, role: Role) -> None:
    """Each gated field of an object is there or null, and reported, as its printed right says."""
    own = found["__typename"] != "Party" or found["id"] == caller.party
    redactions = {redaction["field"]: redaction for redaction in found["redactions"]}
    for field, printed in gated(found["__typename"]).items():
        if field not in found:
            continue
        if printed.opens(role, own=own):
            assert field not in redactions, (role, found)
            assert found[field] is not None or field in {"statusReason", "assignee"}, (role, field, found)
        else:
            assert not found[field], (role, field, found)  # null, or nothing where the contract has a list
            assert frozenset(redactions[field]["requiresRoles"]) == (printed.roles or frozenset())


async def met(case: Case, caller: Caller, door: str) -> tuple[Any, list[dict[str, Any]]]:
    """What a door answers, and the redactions it reports for all of it."""
    known = {"id": case.id, "party": caller.party or case.api.customer, "customer": case.api.customer}
    variables = {name: value for name, value in known.items() if f"${name}:" in DOORS[door]}
    answer = await caller.ask(DOORS[door], **variables)
    return answer.body.get("data"), answer.body.get("extensions", {}).get("redactions", [])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("door", DOORS)
async def test_a_gate_holds_at_every_door(case: Case, role: Role, door: str) -> None:
    caller = case.api.usually(role)

    data, reported = await met(case, caller, door)

    found = list(objects(data))
    for one in found:
        check(one, caller, role)
    assert {(one["__typename"], redaction["field"]) for one in found for redaction in one["redactions"]} == {
        (held["type"], held["field"]) for held in reported if held["type"] not in {"InteractionPayload", "PartyPayload"}
    }
    if door in {"interaction", "interactions", "timeline", "events"}:
        assert bool(found) == (role in SEES)


@pytest.mark.parametrize("role", sorted(SEES))
async def test_a_gate_holds_in_a_stream_replayed_and_live(case: Case, role: Role) -> None:
    caller = case.api.usually(role)
    found: list[dict[str, Any]] = []
    async with caller.stream(STREAM, after=case.before) as stream:
        while (frame := await stream.frame())["kind"] == "EVENT":
            found.append(frame)
        await case.api.as_agent.done("addNote", id=case.id, text="live")
        found.append(await stream.frame())

    assert {event["event"]["type"] for event in found} >= {"CREATED", "NOTE_ADDED", "STATUS_CHANGED"}
    for one in objects(found):
        check(one, caller, role)


@pytest.mark.parametrize("role", sorted(SEES))
async def test_what_is_internal_is_told_to_whom_it_is_for_and_in_no_text_to_anyone_else(case: Case, role: Role) -> None:
    caller = case.api.usually(role)
    everything = [str((await met(case, caller, door))[0]) for door in ("interaction", "interactions", "timeline", "events")]
    async with caller.stream(STREAM, after=case.before) as stream:
        while (frame := await stream.frame())["kind"] == "EVENT":
            everything.append(str(frame))

    secrets = {"between us", "a part is missing", "too long by far"}
    told = {secret for secret in secrets if any(secret in text for text in everything)}

    assert told == {
        Role.AGENT: secrets,
        Role.SUPERVISOR: secrets,
        Role.BACK_OFFICE: secrets,
        Role.SYSTEM: {"a part is missing"},
    }.get(role, set())


async def names(case: Case, role: Role) -> dict[str, set[str | None]]:
    """The names under which a role meets each party of the cast, at every door."""
    caller = case.api.usually(role)
    met_as: dict[str, set[str | None]] = {"customer": set(), "partner": set(), "agent": set()}
    cast = {str(case.api.customer): "customer", str(case.api.partner): "partner", str(case.api.agent): "agent"}
    answers: list[Any] = [(await met(case, caller, door))[0] for door in ("interaction", "interactions", "timeline", "events", "viewer")]
    async with caller.stream(STREAM, after=case.before) as stream:
        while (frame := await stream.frame())["kind"] == "EVENT":
            answers.append(frame)
    for one in objects(answers):
        if one["__typename"] == "Party":
            met_as[cast[one["id"]]].add(one["name"])
            masked = {"name", "preferredLanguage"} <= {redaction["field"] for redaction in one["redactions"]}
            assert masked == (one["preferredLanguage"] is None)
    return met_as


ADA, STORES, ALAN = "Ada Hopper", "Northlight Stores", "Alan Church"


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.CUSTOMER, {"customer": {ADA}, "partner": {None}, "agent": {None}}),
        (Role.VISITOR, {"customer": {ADA}, "partner": {None}, "agent": {None}}),
        (Role.PARTNER, {"customer": {"A. H."}, "partner": {STORES}, "agent": {None}}),
        (Role.AGENT, {"customer": {ADA}, "partner": {STORES}, "agent": {ALAN}}),
        (Role.SYSTEM, {"customer": {ADA}, "partner": {STORES}, "agent": {ALAN}}),
        (Role.PRIVACY_OFFICER, {"customer": {ADA}, "partner": {STORES}, "agent": {ALAN}}),
    ],
)
async def test_names_are_whole_masked_or_missing_wherever_a_party_is_met(
    case: Case, role: Role, expected: dict[str, set[str | None]]
) -> None:
    assert await names(case, role) == expected


async def test_staff_that_takes_no_part_stays_nameless_to_others(shared_api: Api) -> None:
    interaction = await shared_api.as_partner.create(customerId=shared_api.customer)
    await shared_api.as_agent.done("addNote", id=interaction["id"], text="from a colleague")

    for role in (Role.CUSTOMER, Role.PARTNER):
        event = (await shared_api.usually(role).timeline(interaction["id"]))[-1]

        assert (event["actor"], event["actorRole"]) == (None, "AGENT")
        assert (event["note"]["author"], event["note"]["authorRole"]) == (None, "AGENT")


async def test_a_client_without_the_scope_for_parties_gets_no_addresses_by_a_join(case: Case) -> None:
    reader = case.api.as_role(Role.AGENT, case.api.agent, ["interaction:read"])

    data, _ = await met(case, reader, "interaction")

    customer = data["interaction"]["customer"]
    assert (customer["name"], customer["contactMedia"], customer["externalIdentifiers"]) == (ADA, None, None)
    assert [redaction["requiresScopes"] for redaction in customer["redactions"]] == [[["party:read"]]] * 2


async def test_a_client_without_the_scope_for_parties_gets_no_roles_by_a_join_either(case: Case) -> None:
    reader = case.api.as_role(Role.AGENT, case.api.agent, ["interaction:read"])
    text = "query($id: ID!) { interaction(id: $id) { customer { roles { name } redactions { field } } parties { partyRole { name } } } }"

    answer = await reader.ask(text, id=case.id)

    assert answer.data["interaction"]["customer"] == {"roles": [], "redactions": [{"field": "roles"}]}
    assert {one["partyRole"] for one in answer.data["interaction"]["parties"]} == {None}


async def test_a_client_that_only_follows_gets_no_interaction_with_an_event(case: Case) -> None:
    follower = case.api.as_role(Role.AGENT, case.api.agent, ["event:subscribe"])
    async with follower.stream(STREAM, after=case.before) as stream:
        frame = await stream.frame()

    assert frame["event"]["interaction"] is None
    assert {"field": "interaction", "requiresRoles": [], "requiresScopes": [["interaction:read"]]} in frame["event"]["redactions"]
