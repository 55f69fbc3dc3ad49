"""Queries and mutations of interactions: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.graph.context import Info
from hub.graph.inputs import AddNoteInput, CloseInteractionInput, CreateInteractionInput, ReportProgressInput, TransitionInteractionInput
from hub.graph.interactions import Interaction, InteractionConnection
from hub.graph.pages import interactions_page
from hub.graph.payloads import InteractionPayload, submit
from hub.graph.roots import admit, root


@strawberry.type
class InteractionQueries:
    @root("Query.interaction", description="One interaction; null when it is unknown or out of sight.")
    @staticmethod
    async def interaction(info: Info, id: strawberry.ID) -> Interaction | None:
        admit(info, "Query.interaction")
        found: Any = await info.context.interactions.find(info.context.visibility, id)
        return found

    @root("Query.interactions", description="The interactions in sight, newest first.")
    @staticmethod
    async def interactions(info: Info, first: int | None = None, after: str | None = None) -> InteractionConnection | None:
        admit(info, "Query.interactions")
        page: Any = await interactions_page(info.context, first, after)
        return page


@strawberry.type
class InteractionMutations:
    @root("Mutation.createInteraction", description="Open an interaction; with endedAt and resolution, log one that is over.")
    @staticmethod
    async def create_interaction(info: Info, input: CreateInteractionInput) -> InteractionPayload:
        return await submit(info, input)

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
