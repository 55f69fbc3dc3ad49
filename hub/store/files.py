"""Files as GridFS keeps them (its specification, "Detailed Design"): chunks first, the file's own document last.

So a file that is there is whole. Written here and not with a driver's bucket, which holds 32 MB of chunks back before it
writes any: in memory is one chunk, on the way in and on the way out, with either driver. What has begun is listed in
`uploads` until it is known to belong to an interaction; what never does is swept.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bson import ObjectId

from hub.domain.media import Sniffer
from hub.errors import BadInput, Unavailable
from hub.store.mongo import Mongo, unit_of_work

FILES: Final = "attachments.files"
CHUNKS: Final = "attachments.chunks"
UPLOADS: Final = "uploads"
INTERACTIONS: Final = "interactions"
CHUNK: Final = 255 * 1024  # bytes, as GridFS has them by default: with its frame just under a quarter of a megabyte
SWEPT: Final = 100  # files at a time


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is whole."""

    id: str
    digest: str  # SHA-256, in hex


class Files:
    """The files of one hub."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def keep(self, parts: AsyncIterator[bytes], size: int, mime_type: str, interaction: str, now: datetime) -> Kept:
        """Write what comes. Raises BadInput where it is not of this size and kind; then, and where it is cut off, nothing of it is
        there, or what is will be swept."""
        id = ObjectId()
        with unit_of_work():
            await self._mongo[UPLOADS].insert_one({"_id": id, "interaction": interaction, "at": now})
        digest = hashlib.sha256()
        number, held = 0, bytearray()
        try:
            async for part in checked(parts, size, mime_type):
                digest.update(part)
                held += part
                while len(held) >= CHUNK:
                    await self._write(id, number, bytes(held[:CHUNK]))
                    number += 1
                    del held[:CHUNK]
            if held:
                await self._write(id, number, bytes(held))
        except Unavailable:
            raise
        except Exception:
            with contextlib.suppress(Unavailable):
                await self.drop(str(id))
            raise
        with unit_of_work():
            about = {"_id": id, "length": size, "chunkSize": CHUNK, "uploadDate": now, "metadata": {"interaction": interaction}}
            await self._mongo[FILES].insert_one(about)
        return Kept(str(id), digest.hexdigest())

    async def settled(self, id: str) -> None:
        """It belongs to an interaction from now on."""
        with unit_of_work():
            await self._mongo[UPLOADS].delete_one({"_id": ObjectId(id)})

    async def drop(self, id: str) -> None:
        """Take a file away, whole or not; last of all that it was begun."""
        with unit_of_work():
            await self._mongo[FILES].delete_one({"_id": ObjectId(id)})
            await self._mongo[CHUNKS].delete_many({"files_id": ObjectId(id)})
            await self._mongo[UPLOADS].delete_one({"_id": ObjectId(id)})

    async def read(self, id: str, size: int) -> AsyncIterator[bytes]:
        """Its bytes, a chunk at a time: no cursor waits for who reads slowly."""
        for number in range(-(-size // CHUNK)):
            with unit_of_work():
                found = await self._mongo[CHUNKS].find_one({"files_id": ObjectId(id), "n": number}, {"data": 1})
            if found is None:
                raise LookupError(f"chunk {number} of a file is gone")
            yield bytes(found["data"])

    async def sweep(self, before: datetime) -> int:
        """Take away what was begun before a moment and belongs to nothing; how many files these were."""
        dropped = 0
        while begun := await self._begun(before):
            for upload in begun:
                if await self._belongs(upload):
                    await self.settled(str(upload["_id"]))
                else:
                    await self.drop(str(upload["_id"]))
                    dropped += 1
        return dropped

    async def _write(self, id: ObjectId, number: int, data: bytes) -> None:
        with unit_of_work():
            await self._mongo[CHUNKS].insert_one({"files_id": id, "n": number, "data": data})

    async def _begun(self, before: datetime) -> list[dict[str, Any]]:
        with unit_of_work():
            return await self._mongo.page(UPLOADS, {"at": {"$lt": before}}, sort=[("at", 1)], limit=SWEPT)

    async def _belongs(self, upload: dict[str, Any]) -> bool:
        file = str(upload["_id"])
        either = {"$or": [{"attachments.file": file}, {"internalAttachments.file": file}]}
        with unit_of_work():
            return await self._mongo[INTERACTIONS].find_one({"_id": upload["interaction"], **either}, {"_id": 1}) is not None


async def checked(parts: AsyncIterator[bytes], size: int, mime_type: str) -> AsyncIterator[bytes]:
    """The same bytes. Raises BadInput as soon as they are not of this size and kind."""
    sniffer, seen = Sniffer(mime_type), 0
    async for part in parts:
        seen += len(part)
        if seen > size:
            raise BadInput(f"More came than the {size} bytes that were announced.")
        sniffer.look(part)
        yield part
    if seen < size:
        raise BadInput(f"Of {size} bytes that were announced {seen} came.")
    sniffer.end()


async def digest_of(parts: AsyncIterator[bytes], size: int, mime_type: str) -> str:
    """What `keep` would say of these bytes, without keeping them."""
    digest = hashlib.sha256()
    async for part in checked(parts, size, mime_type):
        digest.update(part)
    return digest.hexdigest()
