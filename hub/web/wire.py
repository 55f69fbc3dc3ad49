"""Bytes in, operations out, and back: what HTTP and WebSocket share."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from hub.errors import BadInput
from hub.graph.execution import Operation

IDEMPOTENCY_KEY: Final = "idempotency-key"
KEY: Final = re.compile(r"[!-~]{1,255}")
QUOTED: Final = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"')  # a string of a structured field (RFC 8941, section 3.3.3)


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


def idempotency_key(given: Sequence[str]) -> str | None:
    """The key in a request's Idempotency-Key headers: a string, quoted or not (draft-ietf-httpapi-idempotency-key-header).

    Raises BadInput for several, and for what is no key."""
    if not given:
        return None
    key = given[0].strip()
    if QUOTED.fullmatch(key):
        key = re.sub(r"\\(.)", r"\1", key[1:-1])
    if len(given) > 1 or not KEY.fullmatch(key):
        raise BadInput("Idempotency-Key is one string of 1 to 255 visible ASCII characters.", "Idempotency-Key")
    return key


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header, None where there is none; any other scheme gives a token that nobody verifies."""
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else header
