"""Where the import of a file stands, kept beside the data so that one that was cut goes on instead of beginning anew.

It is written when everything before it is committed, in one step, and says which file, which owner and which journal it is
about: with any other, it is as if it were not there.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import RelationshipType
from hub.exchange.lenient import Unreadable
from hub.exchange.linking import Waiting
from hub.exchange.records import Form, Position
from hub.exchange.tally import Kind

DIRECTORY: Final = "imports"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a file was imported, at which position of the journal, and what came of it up to there."""

    position: Position
    journal: int
    counts: Mapping[str, int]
    kinds: tuple[Kind, ...] = ()
    waiting: tuple[Waiting, ...] = ()


class Checkpoints:
    """The checkpoint of one file."""

    def __init__(self, data_dir: Path, source: Path, *, owner: str | None, strict: bool, epoch: int) -> None:
        """`epoch` tells one journal from another. Raises Unreadable where the file cannot be looked at."""
        try:
            stat = source.stat()
        except (OSError, ValueError) as error:
            why = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
            raise Unreadable(f"{source} cannot be read: {why}.") from None
        about = [str(source.resolve()), stat.st_size, stat.st_mtime_ns, owner, strict, epoch]
        name = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        self.path = data_dir / DIRECTORY / f"{name}.json"

    def read(self, reached: int) -> Checkpoint | None:
        """Where it was cut; None where it never was. `reached`: how far the journal goes; one that goes less far than it did
        is an older copy, which lacks what was imported."""
        try:
            found = orjson.loads(self.path.read_bytes())
            checkpoint = _read(found) if found["version"] == VERSION else None
        except (OSError, ValueError, KeyError, TypeError):  # none, or not whole
            return None
        return checkpoint if checkpoint and checkpoint.journal <= reached else None

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep it in place of the one before, in one step."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(orjson.dumps({"version": VERSION, **asdict(checkpoint)}))
        draft.replace(self.path)

    def remove(self) -> None:
        """It is done, or is to begin anew."""
        with suppress(FileNotFoundError):
            self.path.unlink()


def _read(found: dict[str, Any]) -> Checkpoint:
    position = found["position"]
    return Checkpoint(
        position=Position(**{**position, "form": Form(position["form"])}),
        journal=int(found["journal"]),
        counts={str(name): int(count) for name, count in found["counts"].items()},
        kinds=tuple(Kind(**kind) for kind in found["kinds"]),
        waiting=tuple(_waiting(one) for one in found["waiting"]),
    )


def _waiting(found: dict[str, Any]) -> Waiting:
    return Waiting(**{**found, "type": RelationshipType(found["type"]), "other": ExternalIdentifier(**found["other"])})
