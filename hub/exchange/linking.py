"""Relationships that an import has read: made once both interactions are there, whichever of them came first.

One that refers to what is not there yet waits for the end of the import, together with at most `WAITING` others; one beyond
that is told at once. Importing the same again makes it all the same, for then both are there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.commands.imports import FindInteraction, ImportRelationship
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import RelationshipType
from hub.errors import NotFound, Refused, Unavailable
from hub.journal.batch import Committed
from hub.journal.desk import Command

WAITING: Final = 100_000  # relationships whose other end is not there yet: some 40 MB
ABREAST: Final = 128  # made at a time
ABSENT: Final = "is to an interaction that is not there; kept in extra"

Answer = Callable[[Command], Awaitable[Committed | Refused]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A relationship as it was read at `place`, `path`: of the interaction `own` to the one that carries `other`."""

    place: str
    path: str
    own: str
    type: RelationshipType
    other: ExternalIdentifier


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A relationship that could not be made, and why."""

    waiting: Waiting
    why: str


class Links:
    """The relationships of one import."""

    def __init__(self, answer: Answer, waiting: Sequence[Waiting] = ()) -> None:
        self._answer = answer
        self._made = 0
        self._fresh: list[Waiting] = []
        self._waiting = list(waiting)

    def add(self, wanted: Waiting) -> None:
        """One of an interaction that is there."""
        self._fresh.append(wanted)

    def taken(self) -> int:
        """How many were made, of those that were not there before, since this was asked last."""
        made, self._made = self._made, 0
        return made

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """All that is not made yet."""
        return (*self._waiting, *self._fresh)

    async def make(self) -> list[Unlinked]:
        """Make what came since; what cannot be made yet waits. Gives what cannot wait. Raises Unavailable, and nothing is lost."""
        absent, unlinked = await self._tried(self._fresh)
        room = WAITING - len(self._waiting)
        self._waiting += absent[:room]
        self._fresh = []
        return unlinked + [Unlinked(one, ABSENT) for one in absent[room:]]

    async def finish(self) -> list[Unlinked]:
        """Make all that waits, for nothing more comes. Gives what could not be made. Raises Unavailable, and nothing is lost."""
        absent, unlinked = await self._tried(self.waiting)
        self._waiting, self._fresh = [], []
        return unlinked + [Unlinked(one, ABSENT) for one in absent]

    async def _tried(self, wanted: Sequence[Waiting]) -> tuple[list[Waiting], list[Unlinked]]:
        """What is not there yet, and what is refused for another reason."""
        absent: list[Waiting] = []
        unlinked: list[Unlinked] = []
        for begin in range(0, len(wanted), ABREAST):
            some = wanted[begin : begin + ABREAST]
            for one, answer in zip(some, await asyncio.gather(*map(self._one, some)), strict=True):
                match answer:
                    case Unavailable():
                        raise answer
                    case NotFound():
                        absent.append(one)
                    case Refused():
                        unlinked.append(Unlinked(one, f"{str(answer).rstrip('.')}; kept in extra"))
                    case _:
                        self._made += not answer.replayed
        return absent, unlinked

    async def _one(self, wanted: Waiting) -> Committed | Refused:
        other = await self._answer(FindInteraction(wanted.other))
        if isinstance(other, Refused):
            return other
        return await self._answer(ImportRelationship(id=wanted.own, type=wanted.type, other_id=other.about.id))
