"""What a viewer may do to an interaction as it stands: the same tables that decide when it is tried."""

from collections.abc import Iterator, Mapping
from typing import Any

import strawberry

from hub.access.mandates import ACTS, Act, allows, may_move, require
from hub.access.viewers import Viewer
from hub.commands.acting import READS_ONLY
from hub.commands.handling import assigns_at_all
from hub.domain import lifecycle, ratings
from hub.domain.terms import InteractionAct as InteractionActName
from hub.domain.terms import Role as RoleName
from hub.domain.terms import Status
from hub.errors import ErrorCode as Code
from hub.errors import Forbidden, Refused
from hub.graph.context import Context, Document
from hub.graph.enums import ErrorCode, InteractionAct, Role
from hub.graph.fields import is_own, stored


@strawberry.type(description="Whether something may be done now, by this viewer; if not, with which code it would be refused.")
class AllowedAct:
    act: InteractionAct = stored("act")
    allowed: bool = stored("allowed")
    code: ErrorCode | None = stored("code")
    requires_roles: list[Role] | None = stored("requires_roles")


def transitions(document: Document, context: Context) -> list[Status]:
    """The moves that are legal now, cut to what this viewer may do."""
    viewer, status = context.viewer, Status(document["status"])
    if not allows(viewer, ACTS[Act.TRANSITION], own=_may_act(document, viewer)):
        return []
    legal = lifecycle.moves(status, ended_at=document.get("endedAt"), now=context.now, window=context.rules.reopen_window)
    return [to for to in legal if may_move(viewer, status, to)]


def acts(document: Document, context: Context) -> list[Mapping[str, Any]]:
    """Every act, whether it is allowed or not."""
    return [{"act": act, "allowed": not refused, **refused} for act, refused in _judged(document, context)]


def _judged(document: Document, context: Context) -> Iterator[tuple[InteractionActName, Mapping[str, Any]]]:
    own = _may_act(document, context.viewer)
    for act in InteractionActName:
        try:
            for owned in (True, own):  # as when it is tried: the role comes first, then whose it is
                require(context.viewer, ACTS[Act(act)], act, own=owned)
            if act is InteractionActName.ASSIGN and not assigns_at_all(context.viewer):
                raise Forbidden(act, roles=[RoleName.SUPERVISOR])
        except Refused as refusal:
            yield act, {"code": refusal.code, "requires_roles": refusal.requires_roles}
        else:
            code = _hindrance(act, document, context)
            yield act, {"code": code} if code else {}


def _hindrance(act: InteractionActName, document: Document, context: Context) -> Code | None:
    """Why an act that this viewer has a right to would be refused all the same."""
    if Status(document["status"]) not in lifecycle.TAKES[act]:
        return Code.ILLEGAL_TRANSITION
    if act is InteractionActName.TRANSITION and not transitions(document, context):
        return Code.ILLEGAL_TRANSITION
    if act is InteractionActName.RATE and ratings.is_rated(document.get("endedAt"), document.get("satisfaction", {}).get("at")):
        return Code.CONFLICT
    return None


def _may_act(document: Document, viewer: Viewer) -> bool:
    return is_own(document, viewer) and any(one["party"] == viewer.party and one["role"] not in READS_ONLY for one in document["parties"])
