"""What a viewer may do to an interaction as it stands: the same tables that decide when it is tried."""

from collections.abc import Iterator, Mapping
from typing import Any

import strawberry

from hub.access.mandates import ACTS, Act, allows, may_move, require
from hub.access.policies import About, acts_by
from hub.access.viewers import Viewer
from hub.commands.handling import assigns_at_all
from hub.domain import claiming, lifecycle, ratings
from hub.domain.ids import PartyId
from hub.domain.terms import InteractionAct as InteractionActName
from hub.domain.terms import InvolvementRole, Status
from hub.domain.terms import Role as RoleName
from hub.errors import AuthenticationRequired, Forbidden, Refused
from hub.errors import ErrorCode as Code
from hub.graph.context import Context, Document
from hub.graph.enums import ErrorCode, InteractionAct, Role
from hub.graph.fields import stored


@strawberry.type(description="Whether something may be done now, by this viewer; if not, with which code it would be refused.")
class AllowedAct:
    act: InteractionAct = stored("act")
    allowed: bool = stored("allowed")
    code: ErrorCode | None = stored("code")
    requires_roles: list[Role] | None = stored("requires_roles")
    required_acr: list[str] | None = stored("required_acr", description="With AUTHENTICATION_REQUIRED: any one of these will do.")


def transitions(document: Document, context: Context) -> list[Status]:
    """The moves that are legal now, cut to what this viewer may do."""
    viewer, status = context.viewer, Status(document["status"])
    acting = _acts_by(document, viewer)
    if not allows(viewer, ACTS[Act.TRANSITION], own=bool(acting)) or _login_lacks(InteractionActName.TRANSITION, acting, document, context):
        return []
    legal = lifecycle.moves(status, ended_at=document.get("endedAt"), now=context.now, window=context.rules.reopen_window)
    return [to for to in legal if may_move(viewer, status, to)]


def acts(document: Document, context: Context) -> list[Mapping[str, Any]]:
    """Every act, whether it is allowed or not."""
    return [{"act": act, "allowed": not refused, **refused} for act, refused in _judged(document, context)]


def _judged(document: Document, context: Context) -> Iterator[tuple[InteractionActName, Mapping[str, Any]]]:
    acting = _acts_by(document, context.viewer)
    for act in InteractionActName:
        try:
            for owned in (True, bool(acting)):  # as when it is tried: the role comes first, then whose it is
                require(context.viewer, ACTS[Act(act)], act, own=owned)
            if act is InteractionActName.ASSIGN and not assigns_at_all(context.viewer):
                raise Forbidden(act, roles=[RoleName.SUPERVISOR])
        except Refused as refusal:
            yield act, {"code": refusal.code, "requires_roles": refusal.requires_roles}
            continue
        if act is InteractionActName.CLAIM:  # which is done by whoever does not take part yet, as what the visitor does
            yield act, _claim(document, context)
        elif (refused := _login_lacks(act, acting, document, context)) is not None:
            yield act, refused
        else:
            code = _hindrance(act, document, context)
            yield act, {"code": code} if code else {}


def _claim(document: Document, context: Context) -> Mapping[str, Any]:
    """What would come of the right claim code."""
    visitor = document.get("visitor")
    if visitor not in document["visibleTo"] or not claiming.is_in_time(document["createdAt"], context.now):
        return {"code": Code.NOT_FOUND}
    return _login_lacks(InteractionActName.CLAIM, _involvements(document, visitor), document, context) or {}


def _login_lacks(
    act: InteractionActName, acting: frozenset[InvolvementRole], document: Document, context: Context
) -> Mapping[str, Any] | None:
    """How a policy would refuse this act to a login like the viewer's."""
    try:
        context.policies.require(context.viewer, Act(act), act, About.document(document, acting))
    except AuthenticationRequired as refusal:
        return {"code": refusal.code, "required_acr": refusal.required_acr}
    return None


def _hindrance(act: InteractionActName, document: Document, context: Context) -> Code | None:
    """Why an act that this viewer has a right to would be refused all the same."""
    if Status(document["status"]) not in lifecycle.TAKES[act]:
        return Code.ILLEGAL_TRANSITION
    if act is InteractionActName.TRANSITION and not transitions(document, context):
        return Code.ILLEGAL_TRANSITION
    if act is InteractionActName.RATE and ratings.is_rated(document.get("endedAt"), document.get("satisfaction", {}).get("at")):
        return Code.CONFLICT
    return None


def _acts_by(document: Document, viewer: Viewer) -> frozenset[InvolvementRole]:
    return acts_by(viewer, _involvements(document, viewer.party))


def _involvements(document: Document, party: PartyId | None) -> frozenset[InvolvementRole]:
    return frozenset(InvolvementRole(one["role"]) for one in document["parties"] if one["party"] == party)
