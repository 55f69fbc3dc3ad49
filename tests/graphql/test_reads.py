"""What an operation costs the database: how many commands, of which fields, by which indexes. Counted where the driver sends."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest
from pymongo import monitoring

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import opened
from tests import clients
from tests.api import Api, Caller
from tests.conftest import played, serving
from tests.security.test_foreign import ACTS, UNKNOWN, mutation
from tests.security.test_foreign import READS as READ_BY_ID

READS: Final = frozenset({"find", "getMore", "aggregate", "count", "distinct"})
BEHIND: Final = frozenset({"heads", "leases"})  # what the committer and the feed look at by themselves

JOINED: Final = "customer { id name } assignee { id name } parties { role party { id name } }"
PAGE: Final = f"query($first: Int) {{ interactions(first: $first) {{ nodes {{ id status reason {JOINED} }} }} }}"
SEARCH: Final = (
    "query($filter: InteractionFilter, $orderBy: InteractionOrder) { interactions(filter: $filter, orderBy: $orderBy) { nodes { id } } }"
)

Command = Mapping[str, Any]


class Overheard(monitoring.CommandListener):
    """The reading commands that the driver sends while somebody listens, in order."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        command, name = event.command, event.command_name
        collection = command["collection"] if name == "getMore" else command.get(name)
        is_poll = collection == "journal" and command.get("filter", {}).keys() == {"_id"}
        if name in READS and collection not in BEHIND and not is_poll:
            self.commands.append(command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Counted when it began."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Counted when it began."""

    @contextmanager
    def listening(self) -> Iterator[list[Command]]:
        heard: list[Command] = []
        self.commands = heard
        yield heard

    def finds(self, collection: str) -> list[Command]:
        return [command for command in self.commands if command.get("find") == collection]


@pytest.fixture(scope="module")
def overheard() -> Overheard:
    """Hears every client that is made from now on."""
    listener = Overheard()
    monitoring.register(listener)
    return listener


@pytest.fixture(scope="module")
async def api(overheard: Overheard, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    settings = Settings.load(data_dir=tmp_path_factory.mktemp("overheard"), port=0, mongo_database="overheard")
    async with opened(settings, mongo_uri, role="overheard") as hub, serving(hub) as address, played(hub, address) as api:
        supervisor = api.as_role(Role.SUPERVISOR)
        for number in range(60):
            customer = (await api.as_agent.upsert(name=f"Customer {number}"))["party"]["id"]
            partner = [{"role": "PARTNER", "partyId": api.partner}]
            made = await api.as_agent.create(customerId=customer, parties=partner, reason=f"reason {number}", topic="t")
            await supervisor.done("assignInteraction", id=made["id"], assigneeId=api.agent)
        yield api


async def cost(overheard: Overheard, caller: Caller, text: str, **variables: Any) -> list[Command]:
    with overheard.listening() as heard:
        answer = await caller.ask(text, **variables)
        assert answer.data is not None
        return list(heard)


async def test_a_claim_in_vain_costs_the_same_whatever_is_wrong_with_it(api: Api, overheard: Overheard) -> None:
    visitor = PartyId((await api.as_agent.upsert(name="A visitor"))["party"]["id"])
    theirs = (await api.as_role(Role.VISITOR, visitor).create(channel="WEB_SELF_SERVICE"))["id"]
    ordinary, unknown = (await api.as_agent.create(customerId=api.customer))["id"], "int_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
    code, text = (
        api.hub.guard.codes.code,
        "mutation($input: ClaimInteractionInput!) { claimInteraction(input: $input) { errors { code } } }",
    )
    heard: list[str] = []

    for id, claim_code in ((theirs, code(unknown)), (unknown, code(unknown)), (ordinary, code(ordinary)), (theirs, "x")):
        asked = await cost(overheard, api.as_other_customer, text, input={"id": id, "claimCode": claim_code})
        heard.append(shapes(asked, id))

    assert heard == [heard[0]] * 4
    assert "interactions" in heard[0]


def shapes(commands: list[Command], id: str) -> str:
    """What is read, whatever the id; sorted, as what is read at once leaves in no set order."""
    told = {"find", "aggregate", "filter", "pipeline", "projection", "sort", "limit"}
    return "\n".join(sorted(str({name: command[name] for name in command if name in told}).replace(id, "the id") for command in commands))


@pytest.mark.parametrize("asked", [*READ_BY_ID, *ACTS])
async def test_what_is_out_of_sight_costs_the_same_commands_as_what_never_was(api: Api, overheard: Overheard, asked: str) -> None:
    text = READ_BY_ID.get(asked) or mutation(asked)
    theirs = (await api.as_partner.create(customerId=api.other_customer, vertical="ASSURANCE"))["id"]
    narrow, _ = await clients.holder(
        api.as_partner, filter={"vertical": ["BILLING"]}, scopes=["interaction:read", "interaction:write", "party:read"]
    )

    for caller in (api.as_customer, narrow):
        one, other = [shapes(await cost(overheard, caller, text, id=id), id) for id in (theirs, UNKNOWN)]

        assert one == other


@pytest.mark.parametrize("first", [1, 10, 50])
async def test_a_page_with_its_joins_takes_at_most_three_commands_whatever_its_size(api: Api, overheard: Overheard, first: int) -> None:
    heard = await cost(overheard, api.as_agent, PAGE, first=first)

    assert [command.get("find") for command in heard] == ["interactions", "parties"]


async def test_what_joins_cost_depends_on_how_deep_they_go_and_not_on_how_many_rows_there_are(api: Api, overheard: Overheard) -> None:
    ids = [node["id"] for node in (await api.as_agent.ask("{ interactions(first: 6) { nodes { id } } }")).data["interactions"]["nodes"]]
    for other in ids[1:]:
        await api.as_agent.done("linkInteractions", id=ids[0], type="CHILD", otherId=other)
    text = """query($first: Int) { interactions(first: $first) { nodes { relationships { type interaction { reason customer { id } } }
      customer { roles { name } } parties { partyRole { name } party { roles { name } } } } } }"""

    few = await cost(overheard, api.as_agent, text, first=30)
    many = await cost(overheard, api.as_agent, text, first=60)

    assert max(len(few), len(many)) <= 6  # two levels of three collections


async def test_only_what_is_selected_is_read(api: Api, overheard: Overheard) -> None:
    async def projected(text: str, collection: str = "interactions") -> set[str]:
        await cost(overheard, api.as_agent, text)
        (found,) = overheard.finds(collection)
        return set(found["projection"])

    row = {"_id", "visibleTo"}  # and what it is judged by
    assert await projected("{ interactions { nodes { id } } }") == row | {"createdAt"}
    assert await projected("{ interactions { edges { node { ...F } } } } fragment F on Node { id ... on Interaction { topic } }") == row | {
        "createdAt",
        "topic",
    }
    assert await projected('{ interaction(id: "int_x") { why: reason progress { percent } } }') == row | {"reason", "progress"}
    assert await projected('{ node(id: "int_x") { ... on Interaction { priority } ... on Party { preferredLanguage } } }') == row | {
        "priority"
    }
    party = {"_id", "name", "kind"}
    assert await projected("{ interactions { nodes { customer { name } } } }", "parties") == party
    assert await projected("{ parties { nodes { contactMedia { address } } } }", "parties") == party | {"contactMedia"}


async def test_a_total_is_counted_only_where_it_is_asked_for_and_once(api: Api, overheard: Overheard) -> None:
    without = await cost(overheard, api.as_agent, "{ interactions { nodes { id } } }")
    twice = await cost(overheard, api.as_agent, "{ interactions { totalCount again: totalCount totalCountIsExact } }")

    assert [next(iter(command)) for command in without] == ["find"]
    assert sorted(next(iter(command)) for command in twice) == ["aggregate", "find"]


def stages(plan: Any) -> list[str]:
    if isinstance(plan, list):
        return [stage for one in plan for stage in stages(one)]
    if not isinstance(plan, dict):
        return []
    own = [plan["stage"]] if "stage" in plan else []
    return own + [stage for value in plan.values() for stage in stages(value)]


async def scans(api: Api, commands: list[Command]) -> list[list[str]]:
    """How each find is answered."""
    plans = []
    for command in commands:
        asked = {name: command[name] for name in ("find", "filter", "sort", "limit", "projection") if name in command}
        explained = await api.hub.mongo.database.command("explain", asked, verbosity="queryPlanner")
        plans.append(stages(explained["queryPlanner"]["winningPlan"]))
    return plans


OPEN: Final = ["OPEN", "IN_PROGRESS"]
FILTERS: Final[Mapping[str, dict[str, Any]]] = {
    "nothing": {},
    "ids": {"ids": ["int_x"]},
    "status": {"status": OPEN},
    "party": {"partyId": "par_x"},
    "assignee": {"assigneeId": "par_x"},
    "desk": {"unassigned": True, "status": OPEN},
    "topic": {"topic": ["t"], "kind": ["REQUEST"], "channel": ["PHONE"]},
    "entity": {"entity": {"type": "bill", "entityId": "x"}},
    "identifier": {"externalIdentifier": {"owner": "crm", "value": "x"}},
    "overdue": {"overdue": True},
    "span": {"createdAt": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}},
    "text": {"text": "reason"},
}


@pytest.mark.parametrize("by", ["CREATED_AT", "UPDATED_AT", "NEXT_UPDATE_DUE_AT", "PRIORITY"])
@pytest.mark.parametrize("name", FILTERS)
async def test_no_search_reads_every_document(api: Api, overheard: Overheard, name: str, by: str) -> None:
    callers = (api.as_agent, api.as_customer, api.as_partner)
    open_to = callers if name not in {"assignee", "desk"} else callers[:1]
    for caller in open_to:
        heard = await cost(overheard, caller, SEARCH, filter=FILTERS[name], orderBy={"field": by})

        assert heard
        for plan in await scans(api, heard):
            assert "COLLSCAN" not in plan, (name, by, plan)


OTHERS: Final[Mapping[str, str]] = {
    "parties": "{ parties { nodes { name } } }",
    "parties by text": '{ parties(text: "customer") { nodes { name } } }',
    "parties by contact": '{ parties(contact: "x@example.com") { nodes { name } } }',
    "parties by kind": "{ parties(kind: ORGANIZATION) { nodes { name } } }",
    "party roles": "{ partyRoles { nodes { name } } }",
    "party roles of one": '{ partyRoles(partyId: "par_x") { nodes { name } } }',
    "party roles of a name": '{ partyRoles(name: "x") { nodes { name } } }',
    "a party's": "query($id: ID!) { party(id: $id) { roles { name } interactions { nodes { id } } timeline { nodes { type } } } }",
    "a party by name": '{ party(externalIdentifier: {owner: "crm", value: "x"}) { name } }',
    "history": "{ interactions(first: 1) { nodes { timeline(types: [CREATED], last: 5) { nodes { type } } } } }",
    "nodes": "query($id: ID!) { nodes(ids: [$id]) { id } }",
}


@pytest.mark.parametrize("name", OTHERS)
async def test_nothing_else_reads_every_document_either(api: Api, overheard: Overheard, name: str) -> None:
    variables = {"id": api.customer} if "$id" in OTHERS[name] else {}

    heard = await cost(overheard, api.as_agent, OTHERS[name], **variables)

    assert heard
    for plan in await scans(api, heard):
        assert "COLLSCAN" not in plan, (name, plan)
