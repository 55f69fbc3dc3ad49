"""What mutations answer: the thing as it is now, where the journal stood, and every refusal as data."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import strawberry

from hub.access.gates import FIELDS
from hub.access.viewers import Viewer
from hub.commands.asking import Done, Heard, Request, ask
from hub.errors import InternalError, Refused
from hub.graph.context import Context, Info
from hub.graph.enums import ErrorCode, InteractionStatus, Role
from hub.graph.faults import log_fault
from hub.graph.fields import stored, viewed
from hub.graph.interactions import Interaction
from hub.graph.parties import Party
from hub.graph.party_roles import PartyRole
from hub.graph.scalars import Cursor
from hub.graph.signals import tell
from hub.journal.opening import Journal


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
    required_acr: list[str] | None = stored("required_acr", description="Log in anew: any one of these will do.")
    retry_after_ms: int | None = stored("retry_after_ms")


@strawberry.type
class InteractionPayload:
    interaction: Interaction | None = stored(
        "document",
        gate=FIELDS["InteractionPayload.interaction"],
        description="As it is now; null where nothing was done, or out of sight.",
    )
    cursor: Cursor | None = stored("cursor", description="Where the journal stood after this: follow from here and miss nothing.")
    replayed: bool = stored("replayed", description="The same request was done before; this is its outcome, as it is now.")
    claim_code: str | None = stored(
        "claimCode", description="What a VISITOR has opened a CUSTOMER claims with this, within 24 hours. Given once: a replay has null."
    )
    errors: list[UserError] = stored("errors")


@strawberry.type(description="Where to bring the bytes of an attachment: with PUT, as the announced content-type, without a token.")
class AttachmentUpload:
    attachment_id: strawberry.ID = viewed(lambda upload, _: upload.attachment, description="Its id, once its bytes are here.")
    url: str = viewed(lambda upload, _: upload.url, description="Of this one file. Where HUB_URL is not set, relative to the hub.")
    expires_at: datetime = viewed(lambda upload, _: upload.until)


@strawberry.type
class AttachmentPayload:
    interaction: Interaction | None = stored("document", gate=FIELDS["AttachmentPayload.interaction"])
    upload: AttachmentUpload | None = stored(
        "upload", description="Null for a reference, which is there at once, and for an upload that is done."
    )
    cursor: Cursor | None = stored("cursor")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


@strawberry.type
class PartyPayload:
    party: Party | None = stored("document", gate=FIELDS["PartyPayload.party"])
    cursor: Cursor | None = stored("cursor")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


@strawberry.type
class PartyRolePayload:
    party_role: PartyRole | None = stored("document", gate=FIELDS["PartyRolePayload.partyRole"])
    cursor: Cursor | None = stored("cursor")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


Asking = Callable[[Journal, Viewer, Request, str | None, Heard | None], Awaitable[Done]]


async def submit(info: Info, input: Any, meant: Callable[[], Request] | None = None, *, asking: Asking = ask) -> Any:
    """Ask for what an input means (`input.meant()`), and wrap the outcome: the document that payloads view."""
    context: Context = info.context
    try:
        request: Request = (meant or input.meant)()
        key = context.key(input.idempotency_key, str(info.path.key))
        done = await asking(context.journal, context.viewer, request, key, context.trail.changed)
    except Refused as refusal:
        return _refused(refusal)
    except Exception as fault:
        log_fault(fault, info.field_name)
        return _refused(InternalError())
    context.refresh()  # what was done is looked at from after it: a role that was granted now has begun
    cursor = context.journal.cursors.cursor(done.position)
    told = {"cursor": cursor, "replayed": done.replayed, "claimCode": done.claim_code, "upload": done.upload}
    return {"document": done.document, **told, "errors": []}


def _refused(refusal: Refused) -> Mapping[str, Any]:
    tell(refusal.code)
    return {"document": None, "cursor": None, "replayed": False, "errors": [user_error(refusal)]}


ATTRIBUTES = (
    "path",
    "current_revision",
    "conflicting_id",
    "allowed_transitions",
    "requires_roles",
    "requires_scopes",
    "required_acr",
    "retry_after_ms",
)


def user_error(refusal: Refused) -> Mapping[str, Any]:
    """The document that `UserError` views."""
    return {"code": refusal.code, "message": refusal.message} | {name: getattr(refusal, name) for name in ATTRIBUTES}
