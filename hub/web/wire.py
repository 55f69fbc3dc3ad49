"""Bytes in, operations out, and back: what HTTP and WebSocket share."""

from collections.abc import Mapping
from typing import Any

import orjson

from hub.errors import BadInput
from hub.graph.execution import Operation


def decoded(body: bytes | str) -> Any:
    """The JSON value; BadInput for what is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"This is not JSON in well-formed UTF-8: {error}.") from None


def encoded(answer: Mapping[str, Any]) -> bytes:
    """An answer as JSON."""
    return orjson.dumps(answer)


def operation(request: Any) -> Operation:
    """The operation that a request asks for (GraphQL over HTTP, section "Request Parameters"); BadInput says what is wrong."""
    if not isinstance(request, dict):
        raise BadInput("A request is a JSON object with a `query`; batches are not taken.")
    text, variables, name = request.get("query"), request.get("variables"), request.get("operationName")
    if not isinstance(text, str):
        raise BadInput("`query` is missing: the text of a GraphQL document.", "query")
    if not isinstance(variables, dict | None):
        raise BadInput("`variables` is a JSON object.", "variables")
    if not isinstance(name, str | None):
        raise BadInput("`operationName` is a string.", "operationName")
    if not isinstance(request.get("extensions"), dict | None):
        raise BadInput("`extensions` is a JSON object.", "extensions")
    return Operation(text, variables, name)


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header, None where there is none; any other scheme gives a token that nobody verifies."""
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else header
