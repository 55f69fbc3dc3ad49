"""Operations that nobody thought of, asked in every role of a real hub: no fault of ours, and no answer but what the schema promises."""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest
from graphql import FieldNode, GraphQLSchema, SelectionNode, build_schema, get_operation_ast, print_ast

from hub.domain.terms import Role
from hub.schema import sdl
from tests.api import Api, Caller
from tests.generated import drawn, tamed
from tests.proofs import write_down
from tests.shapes import violations

FRESH: Final = 20  # operations after which there is something new to act on


@pytest.fixture(scope="module")
def printed() -> GraphQLSchema:
    return build_schema(sdl())


class World:
    """What there is to ask about, by what takes it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.interactions: list[str] = []
        self.items: list[str] = []
        self.roles: list[str] = []
        self.tokens: list[str] = []

    async def grow(self) -> None:
        """One more interaction of the cast, with all that one can have; and more to take away."""
        agent, api = self.api.as_agent, self.api
        parties = [{"role": "PARTNER", "partyId": api.partner}]
        items = [{"type": "SIM"}, {"type": "bill", "resolution": "paid"}]
        opened = await agent.create(customerId=api.customer, parties=parties, items=items, reason="no signal", description="since noon")
        await agent.done("addNote", id=opened["id"], text="seen", visibility="INTERNAL")
        await agent.done("reportProgress", id=opened["id"], message="on it", percent=10)
        self.interactions.append(opened["id"])
        self.items.append(opened["items"][0]["id"])
        granted = await api.as_role(Role.SUPERVISOR).role("grantPartyRole", partyId=api.customer, name=f"role {len(self.roles)}")
        self.roles.append(granted["partyRole"]["id"])
        issued = await api.as_partner.payload("issueToken", "record { id }", roles=["PARTNER"], scopes=["interaction:read"])
        self.tokens.append(issued["record"]["id"])

    @property
    def known(self) -> dict[str, list[str]]:
        cast = [self.api.customer, self.api.other_customer, self.api.agent, self.api.partner]
        parties: list[str] = [*cast]
        latest = self.interactions[-3:]
        anything = [*latest, *parties, *self.roles[-1:], *self.tokens[-1:]]
        return {
            "interaction": latest,
            **dict.fromkeys(("partyId", "customerId", "assigneeId", "party", "parties", "upsertParty", "updateParty"), parties),
            **dict.fromkeys(("node", "nodes"), anything),
            **dict.fromkeys(("endPartyRole", "partyRoleId"), self.roles[-2:]),
            "itemId": self.items[-3:],
            "revokeToken": self.tokens[-2:],
        }


class Findings:
    """What became of the operations."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.answered = Counter[str]()  # by kind of operation: those that ran
        self.refused = Counter[str]()  # by code: those that did not
        self.done = Counter[str]()  # mutations that did something
        self.codes = Counter[str]()  # of what ran: told in errors and payloads
        self.asked = Counter[str]()

    def judge(self, schema: GraphQLSchema, document: Any, role: Role, status: int, body: dict[str, Any]) -> None:
        operation = get_operation_ast(document)
        assert operation is not None
        kind, root = operation.operation.value, _root(operation.selection_set.selections[0])
        told = [error.get("extensions", {}).get("code") for error in body.get("errors", ())]
        payload = (body.get("data") or {}).get(root) if kind == "mutation" else None
        told_in_data = [error["code"] for error in payload["judged"]] if payload else []
        self.asked[root] += 1
        if "data" in body:
            self.answered[kind] += 1
            self.codes.update(told + told_in_data)
        else:
            self.refused.update(told)
        if payload and not told_in_data:
            self.done[root] += 1
        faults = [f"HTTP {status}"] if status >= 500 else []
        faults += ["INTERNAL_ERROR"] if "INTERNAL_ERROR" in told + told_in_data else []
        for fault in [*faults, *violations(schema, document, body)]:
            self.wrong.append(f"{role}: {fault}\n{print_ast(document)}")


def _root(selection: SelectionNode) -> str:
    assert isinstance(selection, FieldNode)
    return selection.name.value


async def asked(api: Api, schema: GraphQLSchema, count: int) -> Findings:
    """So many operations, one after the other."""
    operations = await asyncio.to_thread(drawn, schema, count)
    callers: dict[Role, Caller] = {role: api.usually(role) for role in Role}
    world, findings = World(api), Findings()
    for number, (role, text) in enumerate(operations):
        if number % FRESH == 0:
            await world.grow()
        document = tamed(schema, text, world.known)
        answer = await callers[role].ask(print_ast(document))
        findings.judge(schema, document, role, answer.status, answer.body)
    return findings


async def test_500_generated_operations_meet_no_fault_and_have_answers_of_their_shape(shared_api: Api, printed: GraphQLSchema) -> None:
    findings = await asked(shared_api, printed, 500)

    assert findings.wrong == []
    assert findings.answered.total() > 400
    assert findings.done.total() > 50
    assert len(findings.asked) > 0.9 * len(roots(printed))


def roots(schema: GraphQLSchema) -> set[str]:
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    return {*schema.query_type.fields, *schema.mutation_type.fields}


@pytest.mark.prove
async def test_20000_generated_operations_meet_no_fault(shared_api: Api, printed: GraphQLSchema) -> None:
    findings = await asked(shared_api, printed, 20_000)

    ran, wrong = findings.answered, findings.wrong
    write_down(
        "generated",
        "Operations that nobody thought of",
        "Valid operations made by hypothesis-graphql from `schema.graphql`, one root field each, asked over HTTP in every role of a real\n"
        "hub; most ids are ones that there are. Judged are faults of ours and the shape of each answer (tests/shapes.py).",
        [
            f"{findings.asked.total()} operations over {len(findings.asked)} root fields: {ran['query']} queries and {ran['mutation']}",
            f"mutations ran, {findings.refused.total()} were refused before. {findings.done.total()} mutations did something.",
            "",
            "| | times |",
            "|---|---|",
            f"| INTERNAL_ERROR, or HTTP 5xx, or an answer of another shape | {len(wrong)} |",
            *(f"| ran, and told {code} | {count} |" for code, count in findings.codes.most_common()),
            *(f"| refused as {code} | {count} |" for code, count in findings.refused.most_common()),
            *(f"| done: {name} | {count} |" for name, count in findings.done.most_common()),
        ],
    )
    assert wrong == []
    assert ran.total() > 16_000
    assert roots(printed) == findings.asked.keys()
