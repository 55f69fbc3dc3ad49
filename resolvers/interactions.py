"""Queries and mutations of interactions: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.graph.context import Info
from hub.graph.filters import InteractionFilterInput, InteractionOrder, Ordered
from hub.graph.inputs import (
    AddAttachmentInput,
    AddChannelInput,
    AddItemInput,
    AddNoteInput,
    AddPartyInput,
    AssignInteractionInput,
    ClaimInteractionInput,
    CloseInteractionInput,
    CreateInteractionInput,
    EscalateInteractionInput,
    LinkInteractionsInput,
    RateInteractionInput,
    RemovePartyInput,
    ReportProgressInput,
    ResolveItemInput,
    TransitionInteractionInput,
    UpdateInteractionInput,
)
from hub.graph.interactions import Interaction, InteractionConnection
from hub.graph.pages import Asked, interactions_page
from hub.graph.payloads import AttachmentPayload, InteractionPayload, submit
from hub.graph.roots import admit, root
from hub.store.searching import ANY


@strawberry.type
class InteractionQueries:
    @root("Query.interaction", description="One interaction; null when it is unknown or out of sight.")
    @staticmethod
    async def interaction(info: Info, id: strawberry.ID) -> Interaction | None:
        admit(info, "Query.interaction")
        found: Any = await info.context.interactions.find(info.context.visibility, id, info.context.projection("Interaction"))
        return found

    @root(
        "Query.interactions", description="The interactions in sight that the filter asks for, the newest first unless ordered otherwise."
    )
    @staticmethod
    async def interactions(
        info: Info,
        *,
        filter: InteractionFilterInput | None = None,
        order_by: InteractionOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> InteractionConnection | None:
        admit(info, "Query.interactions")
        sought = filter.meant(info.context.viewer) if filter else ANY
        ordered = order_by.meant() if order_by else Ordered()
        page: Any = await interactions_page(info.context, sought, ordered, Asked(first, after, last, before))
        return page

    @root("Query.topics", description="The company's list of topics; empty where it has none, and any topic will do.")
    @staticmethod
    def topics(info: Info) -> list[str]:
        admit(info, "Query.topics")
        return list(info.context.rules.topics)


@strawberry.type
class InteractionMutations:
    @root("Mutation.createInteraction", description="Open an interaction; with endedAt and resolution, log one that is over.")
    @staticmethod
    async def create_interaction(info: Info, input: CreateInteractionInput) -> InteractionPayload:
        return await submit(info, input, asking=info.context.claims.open)

    @root("Mutation.transitionInteraction", description="Move an interaction to another state; `allowedTransitions` says which.")
    @staticmethod
    async def transition_interaction(info: Info, input: TransitionInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.closeInteraction", description="Resolve and complete in one act, and tell everyone who takes part.")
    @staticmethod
    async def close_interaction(info: Info, input: CloseInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.reportProgress", description="Tell how it is going, and promise the next update.")
    @staticmethod
    async def report_progress(info: Info, input: ReportProgressInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.addNote", description="Add a note; a customer's public note on a PENDING interaction moves it on.")
    @staticmethod
    async def add_note(info: Info, input: AddNoteInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.addAttachment", description="Add a reference to a file, or ask where to upload one: it is there when its bytes are.")
    @staticmethod
    async def add_attachment(info: Info, input: AddAttachmentInput) -> AttachmentPayload:
        return await submit(info, input, asking=info.context.attaching.ask)

    @root("Mutation.updateInteraction", description="Put right what an interaction is about.")
    @staticmethod
    async def update_interaction(info: Info, input: UpdateInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.addItem", description="Add a matter, open or resolved.")
    @staticmethod
    async def add_item(info: Info, input: AddItemInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.resolveItem", description="Resolve a matter.")
    @staticmethod
    async def resolve_item(info: Info, input: ResolveItemInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.addParty", description="Let a party take part, and so see it from now on.")
    @staticmethod
    async def add_party(info: Info, input: AddPartyInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.removeParty", description="End one role of a party; without any it no longer sees the interaction.")
    @staticmethod
    async def remove_party(info: Info, input: RemovePartyInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.addChannel", description="Note that it goes on over another channel.")
    @staticmethod
    async def add_channel(info: Info, input: AddChannelInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.assignInteraction", description="Put it into the hands of a person or a team; an AGENT: into its own, or out of them.")
    @staticmethod
    async def assign_interaction(info: Info, input: AssignInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.escalateInteraction", description="Lift it one level.")
    @staticmethod
    async def escalate_interaction(info: Info, input: EscalateInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.linkInteractions", description="Say what another interaction is to this one; PARENT and CHILD show on both.")
    @staticmethod
    async def link_interactions(info: Info, input: LinkInteractionsInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.unlinkInteractions", description="Take that back.")
    @staticmethod
    async def unlink_interactions(info: Info, input: LinkInteractionsInput) -> InteractionPayload:
        return await submit(info, input, input.taken_back)

    @root("Mutation.rateInteraction", description="Say how content the customer is with how it was closed; once for each closing.")
    @staticmethod
    async def rate_interaction(info: Info, input: RateInteractionInput) -> InteractionPayload:
        return await submit(info, input)

    @root("Mutation.claimInteraction", description="Take the place of the visitor that one was, with the code that it was given.")
    @staticmethod
    async def claim_interaction(info: Info, input: ClaimInteractionInput) -> InteractionPayload:
        return await submit(info, input, asking=info.context.claims.claim)
