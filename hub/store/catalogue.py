"""Every collection, with its validator and its indexes, and why each index is there. Applied at start, idempotently.

A version reads and writes what its successor does: validators name what must be there and leave the rest open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import IndexModel, timeout
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from hub.domain.lifecycle import OPEN
from hub.domain.terms import Audience, Direction, InteractionKind, PartyKind, Role, Status, SubjectKind
from hub.errors import StartupError
from hub.store.mongo import UNIT, Mongo, brief

Keys = tuple[tuple[str, Any], ...]

NAMESPACE_EXISTS: Final = 48
OPTIONS_CONFLICT: Final = 85
BUILD: Final = 3_600.0  # seconds for the indexes of one collection: a new one over a million interactions takes a minute or two
NO_LANGUAGE: Final = "noLanguage"  # a field that no document has: what a client calls `language` must not choose how words are read


@dataclass(frozen=True, slots=True)
class Index:
    """Ascending or descending keys, or words (TEXT); `only` is a partial filter; with `expires` a document goes when it is old
    enough. No index holds two lists, and at most four keys of an interaction change with an event."""

    keys: Keys
    unique: bool = False
    only: Mapping[str, Any] | None = None
    expires: bool = False
    name: str | None = None  # needed by the second of two with the same keys


@dataclass(frozen=True, slots=True)
class Collection:
    """What must be in a document, and how it is found."""

    required: Mapping[str, Any]
    indexes: tuple[Index, ...] = ()


def _words_of(*fields: str) -> Index:
    """Words in any language: none is left out, none is cut down to its stem."""
    return Index(tuple((field, "text") for field in fields))


def _words(words: Any) -> dict[str, Any]:
    return {"enum": [str(word) for word in words]}


TEXT: Final = {"bsonType": "string"}
DATE: Final = {"bsonType": "date"}
WHOLE: Final = {"bsonType": ["int", "long"]}
LIST: Final = {"bsonType": "array"}
BYTES: Final = {"bsonType": "binData"}

IDENTIFIED: Final = Index(
    (("externalIdentifiers.owner", 1), ("externalIdentifiers.type", 1), ("externalIdentifiers.value", 1)),
    unique=True,
    only={"externalIdentifiers": {"$exists": True}},
)

COLLECTIONS: Final[Mapping[str, Collection]] = {
    "interactions": Collection(
        {
            "_id": TEXT,
            "seq": WHOLE,
            "publicSeq": WHOLE,
            "status": _words(Status),
            "kind": _words(InteractionKind),
            "direction": _words(Direction),
            "priority": WHOLE,
            "parties": LIST,
            "visibleTo": LIST,
            "channels": LIST,
            "startedAt": DATE,
            "createdAt": DATE,
            "updatedAt": DATE,
            "publicUpdatedAt": DATE,
        },
        (
            Index((("createdAt", -1), ("_id", -1))),  # the desk's page, newest first
            Index((("updatedAt", -1), ("_id", -1))),
            Index((("visibleTo", 1), ("createdAt", -1), ("_id", -1))),  # a customer's or a partner's page
            Index((("visibleTo", 1), ("publicUpdatedAt", -1), ("_id", -1))),  # in the order that others than staff may know
            Index((("status", 1), ("createdAt", -1), ("_id", -1))),
            Index((("nextUpdateDueAt", 1), ("_id", 1)), only={"status": {"$in": sorted(OPEN)}}),  # promises falling due
            Index((("priority", 1), ("_id", 1))),  # what is most urgent
            Index((("priority", 1), ("_id", 1)), only={"status": {"$in": sorted(OPEN)}}, name="priority_open"),  # ... and still to be done
            Index((("assignee", 1), ("createdAt", -1), ("_id", -1)), only={"assignee": {"$exists": True}}),  # whose desk it lies on
            Index(  # ... and of that, what is still to be done: a desk of some years has thousands, and dozens of these
                (("assignee", 1), ("createdAt", -1), ("_id", -1)),
                only={"assignee": {"$exists": True}, "status": {"$in": sorted(OPEN)}},
                name="assignee_open",
            ),
            Index((("items.entity.entityId", 1), ("_id", 1)), only={"items.entity.entityId": {"$exists": True}}),  # about an order, a bill
            _words_of("reason", "description", "notes.text"),  # internal notes lie elsewhere, and are not found
            IDENTIFIED,
        ),
    ),
    "parties": Collection(
        {"_id": TEXT, "seq": WHOLE, "kind": _words(PartyKind), "name": TEXT, "createdAt": DATE, "updatedAt": DATE},
        (IDENTIFIED, _words_of("name"), Index((("addresses", 1), ("_id", -1)), only={"addresses": {"$exists": True}})),  # who calls
    ),
    "partyRoles": Collection(
        {"_id": TEXT, "seq": WHOLE, "party": TEXT, "name": TEXT, "called": TEXT, "validFrom": DATE, "createdAt": DATE, "updatedAt": DATE},
        (Index((("party", 1), ("_id", -1))), Index((("called", 1), ("_id", -1)))),
    ),
    "clients": Collection(
        {"_id": TEXT, "seq": WHOLE, "name": TEXT, "roles": LIST, "scopes": LIST, "lifetime": WHOLE, "createdAt": DATE, "updatedAt": DATE},
    ),
    "tokens": Collection(
        {"_id": TEXT, "seq": WHOLE, "subject": TEXT, "client": TEXT, "roles": LIST, "issuedAt": DATE, "expiresAt": DATE},
        (
            Index((("party", 1), ("_id", -1))),  # those of a partner
            Index((("revokedAt", 1),), only={"revokedAt": {"$exists": True}}),  # what a hub that starts must know
            Index((("expiresAt", 1),), expires=True),
        ),
    ),
    "journal": Collection(
        {
            "_id": {"bsonType": "long"},
            "subject": {"bsonType": "object", "required": ["kind", "id"], "properties": {"kind": _words(SubjectKind), "id": TEXT}},
            "seq": WHOLE,
            "audience": _words(Audience),
            "visibleTo": LIST,
            "type": TEXT,
            "at": DATE,
            "recordedAt": DATE,
            "actorRole": _words(Role),
        },
        (
            Index((("subject.id", 1), ("_id", 1))),  # a timeline
            Index((("visibleTo", 1), ("_id", 1))),  # a customer's replay
            Index((("left", 1), ("_id", 1)), only={"left": {"$exists": True}}),  # ... which also says what it lost
        ),
    ),
    "personal": Collection({"_id": {"bsonType": "long"}, "subject": TEXT, "salt": BYTES}, (Index((("subject", 1), ("_id", 1))),)),
    "idempotency": Collection(
        {"_id": BYTES, "request": BYTES, "subject": {"bsonType": "object"}, "at": DATE}, (Index((("at", 1),), expires=True),)
    ),
    "audit": Collection(
        {"from": DATE, "to": DATE, "parties": LIST, "records": LIST},
        (Index((("parties", 1), ("_id", 1))), Index((("to", 1),), expires=True)),  # about whom; and what is too old
    ),
    "attachments.files": Collection({"length": WHOLE, "chunkSize": WHOLE, "uploadDate": DATE}),  # as GridFS has them
    "attachments.chunks": Collection({"files_id": {}, "n": WHOLE, "data": BYTES}, (Index((("files_id", 1), ("n", 1)), unique=True),)),
    "uploads": Collection({"interaction": TEXT, "at": DATE}, (Index((("at", 1),)),)),  # begun, and not yet known to belong to anything
    "documents": Collection({"_id": TEXT, "sha256": TEXT, "type": TEXT, "name": TEXT, "text": TEXT, "loadedAt": DATE}),  # the trusted ones
    "heads": Collection({"_id": TEXT}),
    "leases": Collection({"_id": TEXT}),
}


async def apply(mongo: Mongo, *, idempotency_days: int = 30, audit_days: int = 365) -> None:
    """Make what is missing and bring validators up to date; StartupError where the database does not let us."""
    days = {"idempotency": idempotency_days, "audit": audit_days}
    try:
        with timeout(4 * UNIT):
            there = await mongo.database.command({"listCollections": 1, "cursor": {"batchSize": 1_000}})
            validators = {found["name"]: found["options"].get("validator", {}) for found in there["cursor"]["firstBatch"]}
            for name, collection in COLLECTIONS.items():
                await _validate(mongo, name, collection, validators.get(name))
        with timeout(BUILD):  # a deadline for requests would stop a build at every start, to begin anew at the next
            for name, collection in COLLECTIONS.items():
                await _index(mongo, name, collection.indexes, days.get(name, 0) * 86_400)
    except PyMongoError as error:
        raise StartupError(f"The hub cannot prepare its collections: {brief(error)}") from error


async def _validate(mongo: Mongo, name: str, collection: Collection, there: Mapping[str, Any] | None) -> None:
    """Make the collection, or bring its validator up to date. One that is right is left alone: `collMod` halts its writers."""
    validator = {"$jsonSchema": {"bsonType": "object", "required": list(collection.required), "properties": dict(collection.required)}}
    if there is None:
        try:
            await mongo.database.create_collection(name, validator=validator)
        except (CollectionInvalid, OperationFailure) as error:  # another process made it a moment ago
            if getattr(error, "code", NAMESPACE_EXISTS) not in {None, NAMESPACE_EXISTS}:
                raise
    elif there != validator:
        await mongo.database.command("collMod", name, validator=validator)


async def _index(mongo: Mongo, name: str, indexes: Sequence[Index], seconds: int) -> None:
    """Make the indexes, of one look at the documents, or give one that is there the lifetime that its documents have now."""
    if not indexes:
        return
    try:
        await mongo[name].create_indexes([_model(index, seconds) for index in indexes])
    except OperationFailure as error:
        expiring = next((index for index in indexes if index.expires), None)
        if error.code != OPTIONS_CONFLICT or expiring is None:
            raise
        await mongo.database.command("collMod", name, index={"keyPattern": dict(expiring.keys), "expireAfterSeconds": seconds})


def _model(index: Index, seconds: int) -> IndexModel:
    options: dict[str, Any] = {} if index.name is None else {"name": index.name}
    if index.unique:
        options["unique"] = True
    if index.only is not None:
        options["partialFilterExpression"] = dict(index.only)
    if index.expires:
        options["expireAfterSeconds"] = seconds
    if any(how == "text" for _, how in index.keys):
        options |= {"default_language": "none", "language_override": NO_LANGUAGE}
    return IndexModel(list(index.keys), **options)
