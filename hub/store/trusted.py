"""The documents that an operator trusts, as they are kept: loaded from the manifests of clients, to be run by their ids.

Whoever runs them holds the list of ids, and reads it anew when its mark has changed: the mark changes last of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from pymongo import ReplaceOne

from hub.errors import BadInput
from hub.store.mongo import Mongo, unit_of_work

COLLECTION: Final = "documents"
HEADS: Final = "heads"
MARK: Final = "documents"
MOST: Final = 10_000  # documents: an app has some hundreds, and each of its releases that is still out there changes a few
LOOKING: Final = 2.0  # seconds for the mark: others wait behind, and what was known before will do
LOADING: Final = 60.0  # seconds for as many


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """One operation with its fragments. `sha256` is that of the text, in lower-case hex; `type` and `name` are the operation's."""

    id: str
    sha256: str
    type: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a manifest's documents."""

    added: int
    replaced: int
    known: int


class TrustedDocuments:
    """The trusted documents of one hub. For its entrance and for operators: no viewer reads them."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def mark(self) -> str | None:
        """Another one after every change; None where nothing was ever loaded."""
        with unit_of_work(LOOKING):
            found = await self._mongo.by_ids(HEADS, [MARK])
        return found[MARK]["mark"] if found else None

    async def hashes(self) -> dict[str, str]:
        """The SHA-256 of every document's text, by the document's id."""
        with unit_of_work():
            found = await self._mongo.page(COLLECTION, {}, projection={"sha256": 1})
        return {one["_id"]: one["sha256"] for one in found}

    async def find(self, id: str) -> TrustedDocument | None:
        """The document with this id."""
        with unit_of_work():
            found = (await self._mongo.by_ids(COLLECTION, [id])).get(id)
        return None if found is None else TrustedDocument(id, found["sha256"], found["type"], found["name"], found["text"])

    async def all(self) -> list[Mapping[str, Any]]:
        """Each without its text, by name."""
        with unit_of_work():
            return list(await self._mongo.page(COLLECTION, {}, projection={"text": 0}, sort=[("name", 1), ("loadedAt", 1), ("_id", 1)]))

    async def load(self, documents: Sequence[TrustedDocument], at: datetime) -> Loaded:
        """Keep these too, each in the place of the one with its id. Raises BadInput where that makes too many."""
        with unit_of_work(LOADING):
            known = await self.hashes()
            changed = [one for one in documents if known.get(one.id) != one.sha256]
            added = sum(one.id not in known for one in changed)
            if len(known) + added > MOST:
                raise BadInput(f"That would make {len(known) + added} trusted documents, and at most {MOST} are kept: remove old ones.")
            if changed:
                written = [ReplaceOne({"_id": one.id}, _stored(one, at), upsert=True) for one in changed]
                await self._mongo[COLLECTION].bulk_write(written, ordered=False)
            await self._change_mark()  # also for what was there: an earlier load may have ended before it
        return Loaded(added, len(changed) - added, len(documents) - len(changed))

    async def remove(self, ids: Sequence[str]) -> None:
        """Trust these no longer. Raises BadInput, and removes none, where one of them is unknown."""
        with unit_of_work(LOADING):
            known = await self._mongo.by_ids(COLLECTION, ids, projection={"_id": 1})
            for id in ids:
                if id not in known:
                    raise BadInput(f"No trusted document has the id {id}; `hub documents list` shows them.")
            await self._mongo[COLLECTION].delete_many({"_id": {"$in": list(ids)}})
            await self._change_mark()

    async def _change_mark(self) -> None:
        await self._mongo[HEADS].update_one({"_id": MARK}, {"$set": {"mark": uuid4().hex}}, upsert=True)


def _stored(document: TrustedDocument, at: datetime) -> dict[str, Any]:
    named = {"sha256": document.sha256, "type": document.type, "name": document.name, "text": document.text}
    return {"_id": document.id, **named, "loadedAt": at}
