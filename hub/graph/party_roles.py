"""Party roles as GraphQL sees them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from graphql import GraphQLResolveInfo

from hub.domain import party_roles
from hub.graph.context import Context, Document
from hub.graph.fields import joined, stored, viewed
from hub.graph.nodes import Node, PageInfo
from hub.graph.pages import total

if TYPE_CHECKING:
    from hub.graph.parties import Party
Holder = Annotated["Party", strawberry.lazy("hub.graph.parties")]


def _status(role: Document, context: Context) -> str:
    return str(party_roles.status(role["validFrom"], role.get("validTo"), context.now))


@strawberry.type(description="A role that a party holds in the company's life, for a time (TMF669).")
class PartyRole(Node):
    name: str = stored("name", description="What the company calls it: customer, guardian, supplier.")
    party: Holder | None = joined(lambda role: (role["party"], ""), "party")
    status: str = viewed(_status, "validFrom", "validTo", description="PLANNED, ACTIVE or ENDED; only an ACTIVE one counts.")
    status_reason: str | None = stored("statusReason")
    valid_from: datetime | None = stored("validFrom")
    valid_to: datetime | None = stored("validTo", description="Without this moment itself.")

    @classmethod
    def is_type_of(cls, obj: Document, info: GraphQLResolveInfo[Context]) -> bool:
        info.context.trail.parties(obj["party"])
        return True


@strawberry.type
class PartyRoleEdge:
    cursor: str = stored("cursor")
    node: PartyRole = stored("node")


@strawberry.type(description="A page of party roles, the newest first.")
class PartyRoleConnection:
    edges: list[PartyRoleEdge] = stored("edges")
    nodes: list[PartyRole] = viewed(lambda page, _: [edge["node"] for edge in page["edges"]])
    page_info: PageInfo = stored("pageInfo")
    total_count: int = viewed(total, description="Exact up to 10,000; 10,001 says: more than that.")
