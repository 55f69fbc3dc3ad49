"""A world in which everything is filled in, and who looks at it: what is null in it was held back."""

from dataclasses import dataclass

from hub.access.gates import Gate
from hub.access.mandates import Mandate
from hub.access.viewers import SCOPES
from hub.domain.terms import Role
from tests.api import Api, Caller


@dataclass(frozen=True)
class Who:
    """A role, and the scopes that its token holds: all of them, unless it says otherwise."""

    role: Role
    scopes: tuple[str, ...] = SCOPES

    def __str__(self) -> str:
        return self.role if self.scopes == SCOPES else f"{self.role} {' '.join(self.scopes)}"

    def may(self, right: Gate | Mandate, *, own: bool = True) -> bool:
        """The tests' own reading of an entry."""
        return self.is_named(right, own=own) and self.holds(right)

    def is_named(self, right: Gate | Mandate, *, own: bool = True) -> bool:
        return not right.roles or self.role in right.roles or (own and self.role in right.own)

    def holds(self, right: Gate | Mandate) -> bool:
        return not right.scopes or any(set(group) <= set(self.scopes) for group in right.scopes)


@dataclass(frozen=True)
class World:
    """Two interactions in which everybody takes part and everything is filled in."""

    api: Api
    known: dict[str, str]  # the second interaction, and an event of it that tells everyone of changes
    roles: dict[str, str]  # the party role of each party

    def caller(self, who: Who) -> Caller:
        cast = {Role.CUSTOMER: self.api.customer, Role.VISITOR: self.api.customer, Role.PARTNER: self.api.partner}
        return self.api.as_role(who.role, cast.get(who.role, self.api.agent), list(who.scopes))

    def variables(self, who: Who, text: str, after: str = "") -> dict[str, str]:
        """Those that a document takes."""
        party = str(self.caller(who).party)
        known = self.known | {"after": after, "party": party, "role": self.roles[party], "name": f"for {who}"}
        return {name: value for name, value in known.items() if f"${name}:" in text}

    async def touched(self, reason: str) -> None:
        """What is for staff alone happens to the second interaction, then what everyone hears of; both change a field."""
        for assignee in (None, self.api.agent):
            await self.api.as_agent.done("assignInteraction", id=self.known["id"], assigneeId=assignee)
        await self.api.as_agent.done("updateInteraction", id=self.known["id"], reason=reason)


async def filled(api: Api) -> World:
    """The world on an empty hub."""
    agent = api.as_agent
    roles: dict[str, str] = {}
    for party, name in ((api.customer, "Ada Hopper"), (api.partner, "Northlight Stores"), (api.agent, "Alan Church")):
        identifier = {"owner": "crm", "type": "account", "value": name}
        await agent.upsert(id=party, name=name, preferredLanguage="en", externalIdentifier=identifier)
        roles[party] = (await api.as_role(Role.SUPERVISOR).role("grantPartyRole", partyId=party, name="held"))["partyRole"]["id"]
    parties = [{"role": "CUSTOMER", "partyRoleId": roles[api.customer]}, {"role": "PARTNER", "partyRoleId": roles[api.partner]}]
    first, second = [await opened(api, parties, number) for number in range(2)]
    await agent.done("linkInteractions", id=second, type="PARENT", otherId=first)
    for id in (first, second):
        await worked_on(api, id)
    rated = next(event["id"] for event in await agent.timeline(second) if event["type"] == "SATISFACTION_RATED")
    return World(api, {"id": second, "event": rated}, roles)


async def opened(api: Api, parties: list[dict[str, str]], number: int) -> str:
    entity = {"type": "order", "entityId": "7", "href": "https://example.com/7", "name": "Order 7"}
    interaction = await api.as_agent.create(
        parties=parties,
        items=[{"type": "delivery", "reason": "late", "resolution": "sent", "vertical": "FULFILLMENT", "entity": entity}],
        externalIdentifier={"owner": "crm", "type": "case", "value": str(number)},
        vertical="FULFILLMENT",
        **{name: f"the {name} of the customer" for name in ("topic", "reason", "description", "channelName")},
    )
    return str(interaction["id"])


async def worked_on(api: Api, id: str) -> None:
    agent = api.as_agent
    await agent.done("reportProgress", id=id, message="on the way", stage="packed", percent=10, expectedCompletionAt="2030-01-01T00:00:00Z")
    await agent.done("closeInteraction", id=id, resolution="sent again")
    await api.as_customer.done("rateInteraction", id=id, score=4, comment="took long")
    await agent.done("transitionInteraction", id=id, to="IN_PROGRESS", reason="not yet there")
    await api.as_customer.done("addNote", id=id, text="from the customer", channel="MOBILE_APP")
    await agent.done("addNote", id=id, text="between us", visibility="INTERNAL")
    url = "https://files.example.com/1"
    await api.as_customer.done("addAttachment", id=id, name="a photo of it", url=url)
    await agent.done("addAttachment", id=id, name="between us.txt", url=url, visibility="INTERNAL")
    await agent.done("assignInteraction", id=id, assigneeId=api.agent)
    await agent.done("escalateInteraction", id=id, reason="too long by far")
    await agent.done("transitionInteraction", id=id, to="HELD", reason="a part is missing")
