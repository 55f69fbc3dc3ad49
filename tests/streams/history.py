"""A life of interactions in which every kind of event comes up, and selections over what is told of it."""

import random
from dataclasses import dataclass

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.schema import executable
from tests.api import Api, Caller


@dataclass(frozen=True)
class Lived:
    """From where on it is told, and what it was about. The `witness` saw the customer's interaction for a while."""

    before: str
    interaction: str
    witness: PartyId


async def lived(api: Api) -> Lived:
    """Everything that can happen to an interaction, happens."""
    before = await api.as_agent.cursor()
    agent, supervisor = api.as_agent, api.as_role(Role.SUPERVISOR)
    witness = PartyId((await agent.upsert(name="Wanda Witness"))["party"]["id"])
    id = (await api.as_customer.create(topic="fibre", reason="No light"))["id"]
    other = (await agent.create(customerId=api.other_customer))["id"]
    for role, party in (("PARTNER", api.partner), ("OBSERVER", api.other_customer), ("OBSERVER", witness)):
        await agent.done("addParty", id=id, involvement={"role": role, "partyId": party})
    await agent.done("addNote", id=id, text="We have your report.")
    await agent.done("addNote", id=id, text="Angry.", visibility="INTERNAL")
    await api.as_customer.done("addNote", id=id, text="Thanks!")
    await supervisor.done("assignInteraction", id=id, assigneeId=api.agent)
    await agent.done("escalateInteraction", id=id, reason="Third time")
    await agent.done("reportProgress", id=id, message="Half way", stage="Dispatch", percent=50)
    await agent.done("updateInteraction", id=id, priority="URGENT", description="A long story", vertical="ASSURANCE")
    await agent.done("addChannel", id=id, channel="CHAT", name="Website")
    item = (await agent.done("addItem", id=id, item={"type": "FAULT", "reason": "Port"}))["items"][0]["id"]
    await api.as_partner.done("reportProgress", id=id, message="On our way", percent=75)
    await agent.done("linkInteractions", id=id, type="PARENT", otherId=other)
    await agent.done("transitionInteraction", id=id, to="PENDING", question="When are you at home?")
    await api.as_customer.done("addNote", id=id, text="At noon")
    await agent.done("resolveItem", id=id, itemId=item, resolution="New port")
    await agent.done("removeParty", id=id, partyId=witness, role="OBSERVER")
    await agent.done("closeInteraction", id=id, resolution="Light again")
    await api.as_customer.done("rateInteraction", id=id, score=5, comment="Well done")
    return Lived(before, id, witness)


def viewers(api: Api, past: Lived) -> list[Caller]:
    """One of each kind that follows interactions; of agents and customers several, with the same rights."""
    everyone = (Role.AGENT, Role.SUPERVISOR, Role.BACK_OFFICE, Role.SYSTEM, Role.PRIVACY_OFFICER)
    own = [api.as_agent, api.as_customer, api.as_other_customer, api.as_role(Role.CUSTOMER, past.witness), api.as_partner]
    return [*own, *map(api.as_role, everyone)]


def selection(chance: random.Random, of: GraphQLObjectType | None = None, depth: int = 4) -> str:
    """Some fields of a type, of a frame if it is not said, and of what has fields some of these."""
    kind = of or executable().type_map["FeedFrame"]
    assert isinstance(kind, GraphQLObjectType)
    chosen = ["__typename"]
    for name, field in kind.fields.items():
        inside = get_named_type(field.type)
        answers_to = f"a{chance.randrange(100)}: {name}" if chance.random() < 0.1 else name
        if chance.random() < 0.5:
            continue
        if is_leaf_type(inside):
            chosen.append(answers_to)
        elif depth and isinstance(inside, GraphQLObjectType) and not inside.name.endswith(("Connection", "Page")):
            whole = f"{answers_to} {{ {selection(chance, inside, depth - 1)} }}"
            chosen.append(f"... on {kind.name} {{ {whole} }}" if chance.random() < 0.1 else whole)
    return " ".join(chosen)
