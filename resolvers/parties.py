"""Queries and mutations of parties: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.errors import BadInput
from hub.graph.context import Info
from hub.graph.inputs import ExternalIdentifierInput, UpsertPartyInput
from hub.graph.parties import Party
from hub.graph.payloads import PartyPayload, submit
from hub.graph.roots import admit, root


@strawberry.type
class PartyQueries:
    @root("Query.party", description="One party, by its id or by an external identifier; null when it is unknown or out of sight.")
    @staticmethod
    async def party(
        info: Info, id: strawberry.ID | None = None, external_identifier: ExternalIdentifierInput | None = None
    ) -> Party | None:
        admit(info, "Query.party")
        parties, visibility = info.context.parties, info.context.visibility
        if (id is None) == (external_identifier is None):
            raise BadInput("A party is asked for by id or by externalIdentifier, by exactly one of them.", "id")
        found: Any = (
            await parties.find_external(visibility, external_identifier.meant("externalIdentifier"))
            if external_identifier
            else await parties.find(visibility, id or "")
        )
        return found


@strawberry.type
class PartyMutations:
    @root("Mutation.upsertParty", description="Register a party, or bring a known one up to date.")
    @staticmethod
    async def upsert_party(info: Info, input: UpsertPartyInput) -> PartyPayload:
        return await submit(info, input)
