"""Bytes in, operations out, and back: what HTTP and WebSocket share."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from hub.errors import BadInput
from hub.graph.documents import Asked

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


def operation(request: Any) -> Asked:
    """What a request asks for (GraphQL over HTTP, "Request Parameters" and "Persisted Documents"); BadInput says what is wrong."""
    if not isinstance(request, dict):
        raise BadInput("A request is a JSON object with a `query`; batches are not taken.")
    text, variables, name = request.get("query"), request.get("variables"), request.get("operationName")
    document_id, sha256 = request.get("documentId"), _hash(request.get("extensions"))
    if not isinstance(document_id, str | None):
        raise BadInput("`documentId` is a string.", "documentId")
    if not isinstance(text, str) and (text is not None or (document_id is None and sha256 is None)):
        raise BadInput("`query` is missing: the text of a GraphQL document.", "query")
    if not isinstance(variables, dict | None):
        raise BadInput("`variables` is a JSON object.", "variables")
    if not isinstance(name, str | None):
        raise BadInput("`operationName` is a string.", "operationName")
    return Asked(text, variables, name, document_id, sha256)


def _hash(extensions: Any) -> str | None:
    """The hash of Apollo's automatic persisted queries, version 1."""
    if not isinstance(extensions, dict | None):
        raise BadInput("`extensions` is a JSON object.", "extensions")
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1 or not isinstance(sha256 := persisted.get("sha256Hash"), str):
        raise BadInput('`persistedQuery` is {"version": 1, "sha256Hash": "..."}.', "extensions", "persistedQuery")
    return sha256


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
