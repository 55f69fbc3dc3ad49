"""What no role may read by the table is in no answer either: internal texts, and the names of others."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api
from tests.security.met import objects
from tests.security.world import Who, World

PARTY: Final = "__typename id name preferredLanguage redactions { field }"
JOINS: Final = f"customer {{ {PARTY} }} parties {{ party {{ {PARTY} }} }} notes {{ text author {{ {PARTY} }} }} assignee {{ {PARTY} }}"
INTERACTION: Final = f"statusReason internalNotes {{ text }} {JOINS}"
EVENT: Final = (
    f"message changes {{ field from to }} actor {{ {PARTY} }} note {{ text author {{ {PARTY} }} }} interaction {{ {INTERACTION} }}"
)
DOORS: Final = (
    f"query($id: ID!) {{ interaction(id: $id) {{ {INTERACTION} }} }}",
    f"query($id: ID!) {{ interaction(id: $id) {{ timeline(first: 100) {{ nodes {{ {EVENT} }} }} }} }}",
    f"query {{ interactions(first: 5) {{ nodes {{ {INTERACTION} }} }} }}",
    f"query {{ events(first: 100) {{ nodes {{ {EVENT} }} }} }}",
    f"query {{ viewer {{ party {{ {PARTY} }} }} }}",
)
STREAM: Final = f"subscription($after: Cursor) {{ interactionEvents(after: $after) {{ kind event {{ {EVENT} }} }} }}"
SEES: Final = frozenset(Role) - {Role.ANALYST, Role.ADMIN}


async def told(world: World, role: Role) -> AsyncIterator[Any]:
    """Everything that a role is told of the world, by whatever door."""
    who = Who(role)
    for text in DOORS:
        yield (await world.caller(who).ask(text, **world.variables(who, text))).data
    after = await world.api.as_agent.cursor()
    await world.touched(f"seen by {role}")
    async with world.caller(who).stream(STREAM, after=after) as stream:
        while (frame := await stream.frame())["kind"] == "EVENT":
            yield frame


@pytest.mark.parametrize("role", sorted(SEES))
async def test_what_is_internal_is_told_to_whom_it_is_for_and_in_no_text_to_anyone_else(world: World, role: Role) -> None:
    everything = str([answer async for answer in told(world, role)])

    secrets = {"between us", "a part is missing", "too long by far"}

    assert {secret for secret in secrets if secret in everything} == {
        Role.AGENT: secrets,
        Role.SUPERVISOR: secrets,
        Role.BACK_OFFICE: secrets,
        Role.SYSTEM: {"a part is missing"},
    }.get(role, set())


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
    world: World, role: Role, expected: dict[str, set[str | None]]
) -> None:
    met_as: dict[str, set[str | None]] = {}
    cast = {str(world.api.customer): "customer", str(world.api.partner): "partner", str(world.api.agent): "agent"}

    for party in [found async for answer in told(world, role) for found in objects(answer)]:
        met_as.setdefault(cast[party["id"]], set()).add(party["name"])
        is_masked = {"name", "preferredLanguage"} <= {redaction["field"] for redaction in party["redactions"]}
        assert is_masked == (party["preferredLanguage"] is None)

    assert met_as == expected


async def test_staff_that_takes_no_part_stays_nameless_to_others(shared_api: Api) -> None:
    interaction = await shared_api.as_partner.create(customerId=shared_api.customer)
    await shared_api.as_agent.done("addNote", id=interaction["id"], text="from a colleague")

    for role in (Role.CUSTOMER, Role.PARTNER):
        event = (await shared_api.usually(role).timeline(interaction["id"]))[-1]

        assert (event["actor"], event["actorRole"]) == (None, "AGENT")
        assert (event["note"]["author"], event["note"]["authorRole"]) == (None, "AGENT")
