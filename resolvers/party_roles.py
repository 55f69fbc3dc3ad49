"""Queries and mutations of party roles: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.graph.context import Info
from hub.graph.pages import Asked, party_roles_page
from hub.graph.party_inputs import EndPartyRoleInput, GrantPartyRoleInput
from hub.graph.party_roles import PartyRoleConnection
from hub.graph.payloads import PartyRolePayload, submit
from hub.graph.roots import admit, root


@strawberry.type
class PartyRoleQueries:
    @root("Query.partyRoles", description="Party roles in sight, planned, valid and ended ones, the newest first.")
    @staticmethod
    async def party_roles(
        info: Info, party_id: strawberry.ID | None = None, name: str | None = None, first: int | None = None, after: str | None = None
    ) -> PartyRoleConnection | None:
        admit(info, "Query.partyRoles")
        page: Any = await party_roles_page(info.context, party_id, name, Asked(first, after))
        return page


@strawberry.type
class PartyRoleMutations:
    @root("Mutation.grantPartyRole", description="Let a party hold a role, for a time or until it is ended.")
    @staticmethod
    async def grant_party_role(info: Info, input: GrantPartyRoleInput) -> PartyRolePayload:
        return await submit(info, input)

    @root("Mutation.endPartyRole", description="Let a role count no longer, from now on.")
    @staticmethod
    async def end_party_role(info: Info, input: EndPartyRoleInput) -> PartyRolePayload:
        return await submit(info, input)
