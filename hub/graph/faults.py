"""Failures as GraphQL tells them: a code, a sentence, and nothing of how the hub is built."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from hub.errors import ErrorCode, InternalError, Refused
from hub.graph.signals import identified, tell

log = structlog.get_logger("hub.graph")

EXTENSIONS = {
    "allowed_transitions": "allowedTransitions",
    "requires_roles": "requiresRoles",
    "requires_scopes": "requiresScopes",
    "required_acr": "requiredAcr",
    "retry_after_ms": "retryAfterMs",
}


def formatted(error: GraphQLError) -> dict[str, Any]:
    """One error as it is sent. What is not in the hub's own tree is logged once with its cause and told as INTERNAL_ERROR."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:  # the document itself is at fault: graphql-core's sentence is for its author
        shown: dict[str, Any] = {
            "message": str(error.message),
            "extensions": {"code": ErrorCode.BAD_USER_INPUT, **(error.extensions or {}), **identified()},
        }
        tell(shown["extensions"]["code"])
    else:
        if not isinstance(cause, Refused):
            log_fault(cause, ".".join(str(key) for key in error.path or ()))
            cause = InternalError()
        shown = told(cause)
    if error.locations:
        shown["locations"] = [{"line": location.line, "column": location.column} for location in error.locations]
    if error.path:
        shown["path"] = error.path
    return shown


def formatted_all(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Each error as it is sent."""
    return [formatted(error) for error in errors]


def remembered(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same errors for another request, which has an id of its own."""
    for error in errors:
        tell(error["extensions"]["code"])
    return [error | {"extensions": error["extensions"] | identified()} for error in errors]


def log_fault(cause: BaseException, where: str) -> None:
    """A fault of ours, once, with its cause and the request id that its client is told."""
    log.error("internal_error", where=where, exc_info=cause, request_id=identified().get("requestId"))


def told(refusal: Refused) -> dict[str, Any]:
    """A refusal as a GraphQL error, wherever it arose."""
    details = {shown: value for name, shown in EXTENSIONS.items() if (value := getattr(refusal, name)) is not None}
    tell(refusal.code)
    return {"message": refusal.message, "extensions": {"code": refusal.code, **details, **identified()}}
