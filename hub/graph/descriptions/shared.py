"""What is said of a part by its name alone, wherever it stands: pages, payloads, and what every input and every page takes."""

from collections.abc import Mapping
from typing import Final

ENDINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "Edge": {
        "": "One row of a page, and the cursor at which it stands.",
        "cursor": "Opaque; give it as `after` or `before` to go on from this row.",
        "node": "The row itself.",
    },
    "Connection": {
        "edges": "The rows with their cursors, in order.",
        "nodes": "The rows alone, in the same order as `edges`.",
        "pageInfo": "Whether there is more on either side, and the cursors to ask for it.",
        "totalCount": "How many there are over all pages: exact to 10,000, else 10,001.",
        "totalCountIsExact": "False where `totalCount` says only that there are more.",
    },
    "Payload": {
        "": "What a mutation did, or why it did nothing: a refusal is in `errors`, never in the answer's own.",
        "cursor": "Where the journal stood after this; null where nothing was done. Follow from here and miss nothing.",
        "replayed": "True: the same request, with the same idempotency key, was done before; this is its outcome, as it is now.",
        "errors": "Why nothing was done, each with a code; empty where it was done.",
    },
}
"""By how a type's name ends; "" is the type itself."""

FIELDS: Final[Mapping[str, str]] = {
    "idempotencyKey": "Made by the client, at most 255 characters: the same request under the same key is done once, for 30 days. "
    "The key with another request is IDEMPOTENCY_KEY_REUSED.",
    "expectedRevision": "The `revision` that was looked at; where there is a newer one by now, nothing is done and the code is CONFLICT.",
    "redactions": "The selected fields that were held back from this viewer.",
}
"""Of a field of any type or input."""

ARGUMENTS: Final[Mapping[str, str]] = {
    "input": "What is to be done, and to what; its `idempotencyKey` makes it safe to send again.",
    "first": "How many rows at most, from the beginning or after `after`: 1 to 100; 20 where neither `first` nor `last` is given.",
    "last": "How many rows at most, from the end or before `before`: 1 to 100; not together with `first`.",
    "after": "A row's cursor or `pageInfo.endCursor`: the page begins right after it.",
    "before": "A row's cursor or `pageInfo.startCursor`: the page ends right before it.",
    "types": "Events of these types alone; null: of all.",
    "filter": "What must hold of each row; null: all that is in sight.",
    "orderBy": "By what the rows are ordered; null: the newest first.",
}
"""Of an argument of any field."""
