"""The head of the journal: how far it goes, of which life it is, and how far back it is kept."""

import contextlib
import secrets
from dataclasses import dataclass

from bson import Int64
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from hub.store.mongo import Mongo, unit_of_work

HEAD = "journal"


@dataclass(frozen=True, slots=True)
class Head:
    """`position` of the last entry (0: none yet), `epoch` of this journal, `floor`: cursors at or below it are too old."""

    position: int
    epoch: int
    floor: int
    key: bytes  # of event ids; never rotated, so that an id stays what it is


async def read(mongo: Mongo, *, anew: bool = False) -> Head:
    """The head as a majority has it; `anew`, from a primary that proves to be one.

    A primary just elected may for a moment read behind what its predecessor acknowledged. After an answer that is read
    `anew`, nothing that is read later is behind it.
    """
    heads = mongo["heads"].with_options(read_concern=ReadConcern("linearizable")) if anew else mongo["heads"]
    with unit_of_work():
        found = await heads.find_one({"_id": HEAD})
    if found is None:
        return await _first(mongo)
    return Head(int(found["position"]), int(found["epoch"]), int(found["floor"]), bytes(found["key"]))


async def _first(mongo: Mongo) -> Head:
    """A journal is born: 64 random bits tell its cursors from those of any other."""
    document = {
        "_id": HEAD,
        "position": Int64(0),
        "epoch": Int64(secrets.randbits(63)),
        "floor": Int64(-1),
        "key": secrets.token_bytes(64),
    }
    with unit_of_work(), contextlib.suppress(DuplicateKeyError):  # another process was first
        await mongo["heads"].insert_one(document)
    return await read(mongo)
