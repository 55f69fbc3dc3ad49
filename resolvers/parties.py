"""Queries and mutations of parties: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.access.gates import check_argument
from hub.domain.texts import SHORT, optional
from hub.errors import BadInput
from hub.graph.context import Info
from hub.graph.enums import PartyKind
from hub.graph.inputs import ExternalIdentifierInput
from hub.graph.pages import Asked, parties_page
from hub.graph.parties import Party, PartyConnection
from hub.graph.party_inputs import UpdatePartyInput, UpsertPartyInput
from hub.graph.payloads import PartyPayload, submit
from hub.graph.roots import admit, root
from hub.store.parties import PartyFilter
from hub.store.searching import words_of


@strawberry.type
class PartyQueries:
    @root("Query.party", description="One party, by its id or by an external identifier; null when it is unknown or out of sight.")
    @staticmethod
    async def party(
        info: Info, id: strawberry.ID | None = None, external_identifier: ExternalIdentifierInput | None = None
    ) -> Party | None:
        admit(info, "Query.party")
        parties, visibility, projection = info.context.parties, info.context.visibility, info.context.projection("Party")
        if (id is None) == (external_identifier is None):
            raise BadInput("A party is asked for by id or by externalIdentifier, by exactly one of them.", "id")
        if external_identifier is not None:
            check_argument(info.context.viewer, "Query.party.externalIdentifier", "Asking by externalIdentifier")
        found: Any = (
            await parties.find_external(visibility, external_identifier.meant("externalIdentifier"), projection)
            if external_identifier
            else await parties.find(visibility, id or "", projection)
        )
        return found

    @root("Query.parties", description="Parties by words of their names, by a whole address or number, by kind; the newest first.")
    @staticmethod
    async def parties(
        info: Info,
        *,
        text: str | None = None,
        contact: str | None = None,
        kind: PartyKind | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> PartyConnection | None:
        admit(info, "Query.parties")
        sought = PartyFilter(
            words=None if text is None else words_of(text, "text"),
            contact=optional(contact, "contact", most=SHORT),
            kind=None if kind is None else str(kind),
        )
        page: Any = await parties_page(info.context, sought, Asked(first, after, last, before))
        return page


@strawberry.type
class PartyMutations:
    @root("Mutation.upsertParty", description="Register a party, or bring a known one up to date.")
    @staticmethod
    async def upsert_party(info: Info, input: UpsertPartyInput) -> PartyPayload:
        return await submit(info, input)

    @root("Mutation.updateParty", description="Bring a known party up to date.")
    @staticmethod
    async def update_party(info: Info, input: UpdatePartyInput) -> PartyPayload:
        return await submit(info, input)
