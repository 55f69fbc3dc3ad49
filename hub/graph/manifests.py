"""The lists of operations that clients' build tools write, read as trusted documents: all of a list is good, or none of it.

Two formats: `apollo-persisted-query-manifest` (operations with id, name, type and body), and that of graphql-codegen (a text
for each hash). Each text is held against the schema and its limits as if a client had sent it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, validate

from hub.errors import BadInput
from hub.graph.documents import hashed
from hub.graph.limits import parsed
from hub.graph.trusted import HASH
from hub.store.trusted import TrustedDocument

APOLLO: Final = "apollo-persisted-query-manifest"
ID: Final = re.compile(r"[!-~]{1,128}")  # what can be written into an address and a line of a list
ANONYMOUS: Final = "anonymous"  # the name of what has none
TOLD: Final = 5  # documents that are no good, of which it is told why
FORMATS: Final = f"A manifest is JSON: one of the format {APOLLO}, or an object with a text for each hash, as graphql-codegen writes it."

Entry = tuple[str, str, Mapping[str, Any]]  # id, text, and what else is said of it


def read(content: bytes | str, schema: GraphQLSchema) -> list[TrustedDocument]:
    """The documents of a manifest. Raises BadInput, with the reasons, where it is none or one of them is no good."""
    documents: dict[str, TrustedDocument] = {}
    reasons: list[str] = []
    for id, text, said in _entries(content):
        try:
            document = _document(id, text, said, schema)
        except BadInput as refused:
            reasons.append(f"{id[:128]!r}: {refused.message}")
            continue
        if documents.setdefault(id, document) != document:
            reasons.append(f"{id!r}: two documents have this id.")
    if reasons:
        more = f" And {len(reasons) - TOLD} more." if len(reasons) > TOLD else ""
        raise BadInput(f"Nothing was loaded: {len(reasons)} of the documents cannot be trusted. {' '.join(reasons[:TOLD])}{more}")
    return list(documents.values())


def _entries(content: bytes | str) -> Iterator[Entry]:
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise BadInput(FORMATS) from None
    if not isinstance(manifest, dict) or not manifest:
        raise BadInput(FORMATS)
    if "format" in manifest or "operations" in manifest:
        yield from _of_apollo(manifest)
    elif all(isinstance(text, str) for text in manifest.values()):
        yield from ((id, text, {}) for id, text in manifest.items())
    else:
        raise BadInput(FORMATS)


def _of_apollo(manifest: Mapping[str, Any]) -> Iterator[Entry]:
    if manifest.get("format") != APOLLO or manifest.get("version") != 1:
        raise BadInput(f"Of Apollo's manifests the format {APOLLO}, version 1, is read.")
    operations = manifest.get("operations")
    if not isinstance(operations, list) or not operations:
        raise BadInput("The manifest has no operations.")
    for one in operations:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not isinstance(one.get("body"), str):
            raise BadInput("Each of the manifest's operations has an id and a body.")
        yield one["id"], one["body"], one


def _document(id: str, text: str, said: Mapping[str, Any], schema: GraphQLSchema) -> TrustedDocument:
    """One document, as it would be run. Raises BadInput."""
    own = hashed(text)
    if not ID.fullmatch(id):
        raise BadInput("An id has 1 to 128 printable characters of ASCII, without spaces.")
    if id.startswith(HASH) and id != HASH + own:
        raise BadInput(f"The id is not the SHA-256 of the text, which is {own}.")
    operation = _operation(_valid(text, schema))
    type, name = operation.operation.value, operation.name.value if operation.name else ANONYMOUS
    if said.get("type", type) != type:
        raise BadInput(f"Its operation is a {type}, and the manifest says otherwise.")
    if said.get("name", name) != name:
        raise BadInput(f"Its operation is called {name}, and the manifest says otherwise.")
    return TrustedDocument(id, own, type, name, text)


def _valid(text: str, schema: GraphQLSchema) -> DocumentNode:
    try:
        document = parsed(text)
    except GraphQLError as error:
        raise BadInput(error.message) from None
    if errors := validate(schema, document, max_errors=1):
        raise BadInput(errors[0].message)
    return document


def _operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        raise BadInput(f"A trusted document has one operation, and this has {len(operations)}.")
    return operations[0]
