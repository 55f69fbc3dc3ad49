"""Parties as GraphQL sees them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from graphql import GraphQLResolveInfo

from hub.access.gates import FIELDS, MASKED
from hub.graph.context import Context, Document, Info
from hub.graph.enums import ContactMediumKind, EventType, PartyKind
from hub.graph.fields import asked, passes, stored, viewed
from hub.graph.filters import InteractionFilterInput, InteractionOrder, Ordered
from hub.graph.nodes import Node, PageInfo
from hub.graph.pages import Asked, interactions_page, is_exact, total
from hub.graph.party_roles import PartyRole
from hub.graph.redactions import Redaction, redacted
from hub.graph.scalars import Cursor
from hub.graph.timelines import party_timeline
from hub.store.searching import ANY

if TYPE_CHECKING:
    from hub.graph.events import EventConnection
    from hub.graph.interactions import InteractionConnection
Events = Annotated["EventConnection", strawberry.lazy("hub.graph.events")]
Interactions = Annotated["InteractionConnection", strawberry.lazy("hub.graph.interactions")]


@strawberry.type(description="One way to reach a party.")
class ContactMedium:
    kind: ContactMediumKind = stored("kind")
    address: str = stored("address")
    preferred: bool = stored("preferred")


@strawberry.type(description="The name that another system knows something by.")
class ExternalIdentifier:
    owner: str = stored("owner")
    type: str | None = stored("type")
    value: str = stored("value")


async def _interactions(
    root: strawberry.Parent[Any],
    info: Info,
    *,
    filter: InteractionFilterInput | None = None,
    order_by: InteractionOrder | None = None,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Any:
    if not passes(FIELDS["Party.interactions"], root, info):
        return None
    sought = filter.meant(info.context.viewer) if filter else ANY
    own = replace(sought, takes_part=(root["_id"],))
    return await interactions_page(info.context, own, order_by.meant() if order_by else Ordered(), Asked(first, after, last, before))


async def _timeline(
    root: strawberry.Parent[Any],
    info: Info,
    *,
    types: list[EventType] | None = None,
    first: int | None = None,
    after: Cursor | None = None,
    last: int | None = None,
    before: Cursor | None = None,
) -> Any:
    if not passes(FIELDS["Party.timeline"], root, info):
        return None
    return await party_timeline(info.context, root["_id"], types, Asked(first, after, last, before))


async def _roles(root: strawberry.Parent[Any], info: Info) -> Any:
    return await info.context.roles_of.load(root["_id"]) if passes(FIELDS["Party.roles"], root, info) else []


@strawberry.type(description="A person, an organization or a system that takes part in interactions.")
class Party(Node):
    revision: int = stored("seq", description="Grows with every change.")
    kind: PartyKind = stored("kind")
    name: str | None = stored(
        "name",
        mask=MASKED["Party.name"],
        description="Whole for staff and for oneself; initials of customers for a PARTNER; null for others.",
    )
    preferred_language: str | None = stored("preferredLanguage", mask=MASKED["Party.preferredLanguage"])
    contact_media: list[ContactMedium] | None = stored("contactMedia", gate=FIELDS["Party.contactMedia"], default=())
    external_identifiers: list[ExternalIdentifier] | None = stored(
        "externalIdentifiers", gate=FIELDS["Party.externalIdentifiers"], default=()
    )
    roles: list[PartyRole] = asked(
        _roles,
        "_id",
        gate=FIELDS["Party.roles"],
        depends_on="viewer",
        description="The party roles that are valid now, none where they may not be read; `partyRoles` gives all.",
    )
    interactions: Interactions | None = asked(
        _interactions, "_id", gate=FIELDS["Party.interactions"], depends_on="viewer", description="Those in sight in which it takes part."
    )
    timeline: Events | None = asked(
        _timeline, "_id", gate=FIELDS["Party.timeline"], depends_on="viewer", description="What happened where it takes part, oldest first."
    )
    redactions: list[Redaction] = redacted()

    @classmethod
    def is_type_of(cls, obj: Document, info: GraphQLResolveInfo[Context]) -> bool:
        info.context.trail.parties(obj["_id"])
        return True


@strawberry.type
class PartyEdge:
    cursor: str = stored("cursor")
    node: Party = stored("node")


@strawberry.type(description="A page of parties, the newest first.")
class PartyConnection:
    edges: list[PartyEdge] = stored("edges")
    nodes: list[Party] = viewed(lambda page, _: [edge["node"] for edge in page["edges"]])
    page_info: PageInfo = stored("pageInfo")
    total_count: int = viewed(total, description="Exact up to 10,000; 10,001 says: more than that, or more than there was time to count.")
    total_count_is_exact: bool = viewed(is_exact)
