"""What mutations answer: the thing as it is now, where the journal stood, and every refusal as data."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry

from hub.access.mandates import ROOTS
from hub.commands.asking import Request, ask
from hub.errors import InternalError, Refused
from hub.graph.context import Context, Info
from hub.graph.enums import ErrorCode, InteractionStatus, Role
from hub.graph.faults import log_fault
from hub.graph.fields import stored
from hub.graph.interactions import Interaction
from hub.graph.parties import Party
from hub.graph.party_roles import PartyRole
from hub.graph.scalars import Cursor


@strawberry.type(description="Why something was not done, and what would do.")
class UserError:
    code: ErrorCode = stored("code")
    message: str = stored("message")
    path: list[str] | None = stored("path")
    current_revision: int | None = stored("current_revision")
    conflicting_id: strawberry.ID | None = stored("conflicting_id")
    allowed_transitions: list[InteractionStatus] | None = stored("allowed_transitions")
    requires_roles: list[Role] | None = stored("requires_roles")
    requires_scopes: list[list[str]] | None = stored("requires_scopes")
    retry_after_ms: int | None = stored("retry_after_ms")


@strawberry.type
class InteractionPayload:
    interaction: Interaction | None = stored(
        "document",
        scopes=ROOTS["Query.interaction"].scopes,
        description="As it is now; null where nothing was done, or out of sight.",
    )
    cursor: Cursor | None = stored("cursor", description="Where the journal stood after this: follow from here and miss nothing.")
    replayed: bool = stored("replayed", description="The same request was done before; this is its outcome, as it is now.")
    errors: list[UserError] = stored("errors")


@strawberry.type
class PartyPayload:
    party: Party | None = stored("document", scopes=ROOTS["Query.party"].scopes)
    cursor: Cursor | None = stored("cursor")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


@strawberry.type
class PartyRolePayload:
    party_role: PartyRole | None = stored("document", scopes=ROOTS["Query.partyRoles"].scopes)
    cursor: Cursor | None = stored("cursor")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


async def submit(info: Info, input: Any, meant: Callable[[], Request] | None = None) -> Any:
    """Ask for what an input means (`input.meant()`), and wrap the outcome: the document that payloads view."""
    context: Context = info.context
    try:
        request: Request = (meant or input.meant)()
        done = await ask(context.journal, context.viewer, request, input.idempotency_key, context.trail.changed)
    except Refused as refusal:
        return _refused(refusal)
    except Exception as fault:
        log_fault(fault, info.field_name)
        return _refused(InternalError())
    context.refresh()  # what was done is looked at from after it: a role that was granted now has begun
    cursor = context.journal.cursors.cursor(done.position)
    return {"document": done.document, "cursor": cursor, "replayed": done.replayed, "errors": []}


def _refused(refusal: Refused) -> Mapping[str, Any]:
    return {"document": None, "cursor": None, "replayed": False, "errors": [user_error(refusal)]}


ATTRIBUTES = ("path", "current_revision", "conflicting_id", "allowed_transitions", "requires_roles", "requires_scopes", "retry_after_ms")


def user_error(refusal: Refused) -> Mapping[str, Any]:
    """The document that `UserError` views."""
    return {"code": refusal.code, "message": refusal.message} | {name: getattr(refusal, name) for name in ATTRIBUTES}
