"""Which interactions a token reaches, whatever its roles would: a partner's, in one vertical and over one channel.

A filter only ever narrows. Of two that are laid over each other what both leave is left, so no order and no number of them
gives back what one has taken.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self

from hub.domain.terms import ChannelType, Direction, InteractionKind, Vertical
from hub.domain.texts import SHORT, text
from hub.errors import BadInput

MOST: Final = 100  # words of one dimension

Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """One of these words in each dimension that is named; None leaves a dimension open, and no word at all closes it."""

    vertical: Words | None = None
    channel: Words | None = None
    kind: Words | None = None
    topic: Words | None = None
    direction: Words | None = None

    @classmethod
    def of(cls, words: Mapping[str, Any], *path: str) -> Self:
        """As a token or a document holds it: lists of words by dimension. Raises BadInput, at `path`, for anything else."""
        if unknown := words.keys() - {field.name for field in fields(cls)}:
            raise BadInput(f"A filter has no {min(unknown)}.", *path, min(unknown))
        return cls(**{name: _read(name, found, *path, name) for name, found in words.items() if found is not None})

    @property
    def is_open(self) -> bool:
        """Whether it leaves everything as it is."""
        return self.vertical is self.channel is self.kind is self.topic is self.direction is None

    @property
    def words(self) -> dict[str, list[str]]:
        """What `of` reads, in an order that is always the same."""
        named: dict[str, Words | None] = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: sorted(words) for name, words in named.items() if words is not None}

    def over(self, other: "TokenFilter") -> "TokenFilter":
        """What both leave."""
        return TokenFilter(**{field.name: _both(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)})

    def is_within(self, other: "TokenFilter") -> bool:
        """Whether it leaves nothing that `other` does not leave."""
        return self.over(other) == self

    def holds(self, *, vertical: str | None, channels: Iterable[str], kind: str | None, topic: str | None, direction: str | None) -> bool:
        """Whether an interaction with these facts is left; of its channels one will do."""
        return (
            (self.vertical is None or vertical in self.vertical)
            and (self.channel is None or not self.channel.isdisjoint(channels))
            and (self.kind is None or kind in self.kind)
            and (self.topic is None or topic in self.topic)
            and (self.direction is None or direction in self.direction)
        )


OPEN: Final = TokenFilter()

_TERMS: Final[Mapping[str, type[StrEnum]]] = {"vertical": Vertical, "channel": ChannelType, "kind": InteractionKind, "direction": Direction}


def _read(name: str, found: Any, *path: str) -> Words:
    if not isinstance(found, list | tuple | frozenset) or not all(isinstance(word, str) for word in found):
        raise BadInput(f"{name} is a list of words.", *path)
    if len(found) > MOST:
        raise BadInput(f"{name} has {len(found)} entries; a filter takes at most {MOST}.", *path)
    if name not in _TERMS:
        return frozenset(text(word, *path, most=SHORT) for word in found)
    known: Collection[str] = [str(term) for term in _TERMS[name]]
    if unknown := [word for word in found if word not in known]:
        raise BadInput(f"There is no {name} {unknown[0][:SHORT]!r}.", *path)
    return frozenset(map(str, found))


def _both(one: Words | None, other: Words | None) -> Words | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
