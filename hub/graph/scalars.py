"""The scalars of the schema: what they look like on the wire, and what is refused."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

Cursor = NewType("Cursor", str)
Json = NewType("Json", object)


def parse_timestamp(value: Any) -> datetime:
    """An ISO 8601 moment with its offset, as UTC in whole milliseconds; GraphQLError for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
                return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        except (ValueError, OverflowError):
            pass
    raise GraphQLError('DateTime is an ISO 8601 moment with its offset, such as "2026-05-14T09:30:00Z".')


def format_timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, milliseconds, with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("Cursor is a string that this hub gave.")
    return value


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime", description="ISO 8601, UTC, with Z.", serialize=format_timestamp, parse_value=parse_timestamp
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="Opaque; one kind for connections of events, mutations, subscriptions, SSE ids and exports.",
        serialize=str,
        parse_value=_text,
    ),
    Json: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=lambda value: value, parse_value=lambda value: value),
}
