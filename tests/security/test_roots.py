"""Role x scope x root field, through every transport: what the schema prints is what holds."""

from typing import Any, Final

import pytest

from hub.access.mandates import EVERYONE
from hub.access.viewers import SCOPES
from hub.domain.terms import Role
from tests.api import Api, Caller
from tests.security.rights import OPERATIONS, operation, right

ANYONE: Final = {"Query.viewer", "Query.cursor", "Query.topics", "Query.nodes"}


async def told(caller: Caller, root: str, **variables: Any) -> dict[str, Any] | None:
    """The error that refuses this root to this caller, None where it is let in."""
    if root.startswith("Subscription."):
        async with caller.stream(operation(root), **variables) as stream:
            message = await stream.receive()
        if message["type"] == "next":
            return None
        (error,) = message["payload"]
        return {"code": error["extensions"]["code"], **error["extensions"]}
    answer = await caller.ask(operation(root), **variables)
    errors: list[dict[str, Any]] = [{"code": error["extensions"]["code"], **error["extensions"]} for error in answer.body.get("errors", ())]
    if root.startswith("Mutation."):
        assert not errors, "a mutation tells its refusals in its payload"
        (payload,) = answer.data.values()
        errors = payload["errors"]
        assert not errors or (payload.get("cursor"), payload["replayed"]) == (None, False)
    assert len(errors) <= 1
    return errors[0] if errors else None


def about(api: Api, root: str, interaction: str) -> dict[str, str]:
    known = {"id": interaction, "party": api.customer, "agent": api.agent}
    return {name: id for name, id in known.items() if f"${name}" in OPERATIONS[root]}


def named(root: str) -> tuple[str, str]:
    type_name, _, field = root.partition(".")
    return type_name, field


@pytest.mark.parametrize("root", OPERATIONS)
async def test_a_root_opens_for_the_roles_it_prints_and_for_no_other(shared_api: Api, root: str) -> None:
    printed = right(*named(root))
    for role in Role:
        caller = shared_api.usually(role, list(SCOPES))
        interaction = (
            await shared_api.as_agent.create(customerId=shared_api.customer, parties=[{"role": "PARTNER", "partyId": shared_api.partner}])
        )["id"]

        refused = await told(caller, root, **about(shared_api, root, interaction))

        if printed.opens(role, own=True):
            assert refused is None or refused["code"] in {"NOT_FOUND", "ILLEGAL_TRANSITION", "CONFLICT"}, (role, refused)
        else:
            assert refused is not None, role
            assert refused["code"] == "FORBIDDEN", (role, refused)
            assert printed.roles is not None
            assert printed.roles <= set(refused["requiresRoles"]) <= printed.roles | printed.own


@pytest.mark.parametrize("root", sorted(OPERATIONS.keys() - ANYONE))
async def test_a_root_needs_its_scope_and_no_other(shared_api: Api, root: str) -> None:
    printed = right(*named(root))
    assert printed.scopes
    needed = {scope for group in printed.scopes for scope in group}
    role = next(role for role in (Role.AGENT, Role.SUPERVISOR, Role.PARTNER, Role.CUSTOMER) if printed.opens(role, own=True))
    interaction = (await shared_api.as_agent.create())["id"]
    variables = about(shared_api, root, interaction)

    without = await told(shared_api.usually(role, [scope for scope in SCOPES if scope not in needed]), root, **variables)
    with_each = [await told(shared_api.usually(role, list(group)), root, **variables) for group in printed.scopes]

    assert without is not None
    assert (without["code"], without["requiresScopes"]) == ("FORBIDDEN", [list(group) for group in printed.scopes])
    assert not without.get("requiresRoles")
    assert all(refused is None or refused["code"] in {"NOT_FOUND", "ILLEGAL_TRANSITION", "CONFLICT"} for refused in with_each)


@pytest.mark.parametrize("root", OPERATIONS)
async def test_nobody_gets_nothing(shared_api: Api, root: str) -> None:
    interaction = (await shared_api.as_agent.create())["id"]

    refused = await told(shared_api.anonymous, root, **about(shared_api, root, interaction))

    assert refused is not None
    assert refused["code"] == "UNAUTHENTICATED"


INTROSPECTIONS: Final = (
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ hidden: __schema { queryType { name } } __typename }",
    '{ ...F } fragment F on Query { ... { __type(name: "Query") { name } } }',
)


@pytest.mark.parametrize("text", INTROSPECTIONS)
async def test_nobody_learns_the_schema(shared_api: Api, text: str) -> None:
    answer = await shared_api.anonymous.ask(text)
    async with shared_api.anonymous.stream(text) as stream:
        message = await stream.receive()

    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert "data" not in answer.body
    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


@pytest.mark.parametrize("text", ["{ __typename }", "{ a: __typename b: __typename }", "mutation { __typename }"])
async def test_nobody_hears_that_there_is_a_hub(shared_api: Api, text: str) -> None:
    answer = await shared_api.anonymous.ask(text)

    assert set(answer.data.values()) <= {"Query", "Mutation"}


async def test_a_refused_root_leaves_its_neighbours_alive(shared_api: Api) -> None:
    text = "{ viewer { roles } interactions { totalCount } events { cursor } party(id: \"x\") { id } }"  # fmt: skip

    answer = await shared_api.as_role(Role.ANALYST).ask(text)

    assert answer.status == 200
    assert answer.body["data"] == {"viewer": {"roles": ["ANALYST"]}, "interactions": None, "events": None, "party": None}
    assert answer.codes == ["FORBIDDEN"] * 3
    assert all("AGENT" in error["extensions"]["requiresRoles"] for error in answer.body["errors"])


def test_every_role_is_somebody() -> None:
    assert right("Query", "viewer").roles == EVERYONE
