"""The console's ready-made operations fit the schema, and do with demo data what they say, for each role that is offered them."""

from typing import Final

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from hub.domain.terms import Role
from hub.exchange.demo import Demo, demo
from hub.web.hub import now
from tests.api import Api, Caller
from tests.conftest import submit
from tests.web.operations import FILE, Ready, filled, ready

READY: Final = ready()


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((FILE.parents[3] / "schema.graphql").read_text())


@pytest.fixture(scope="module")
async def cast(shared_api: Api) -> Demo:
    return await demo(lambda command: submit(shared_api.hub, command), now=now())


def test_every_operation_fits_the_schema_and_has_a_name_of_its_own(schema: GraphQLSchema) -> None:
    assert validate(schema, parse(FILE.read_text())) == []
    assert len({operation.title for operation in READY}) == len(READY) == len(parse(FILE.read_text()).definitions)


@pytest.mark.parametrize("role", Role)
def test_every_role_is_offered_something(role: Role) -> None:
    assert any(role in operation.roles for operation in READY)


# in the order of the file: an operation finds what an earlier one has left
@pytest.mark.parametrize(("operation", "role"), [(each, role) for each in READY for role in each.roles], ids=str)
async def test_it_runs_with_demo_data(shared_api: Api, cast: Demo, operation: Ready, role: Role) -> None:
    caller = acting(shared_api, cast, role)
    variables = await filled(operation.variables, caller)

    if operation.text.startswith("subscription"):
        async with caller.stream(operation.text, **variables) as stream:
            assert (await stream.frame())["kind"] == "CAUGHT_UP"
        return
    answer = await caller.ask(operation.text, **variables)

    assert answer.status == 200
    for root in answer.data.values():
        assert root is not None
        assert not isinstance(root, dict) or not root.get("errors"), root


def acting(api: Api, cast: Demo, role: Role) -> Caller:
    """The one for whom `hub serve --demo` prints a token of this role."""
    parties = {
        Role.VISITOR: cast.customer,
        Role.CUSTOMER: cast.customer,
        Role.AGENT: cast.agent,
        Role.SUPERVISOR: cast.supervisor,
        Role.PARTNER: cast.partner,
    }
    return api.as_role(role, parties.get(role))
