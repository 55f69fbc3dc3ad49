"""An object of somebody else's JSON, read leniently: what was read of it, what is left, what had to be repaired.

Whatever is read as it stands leaves `left`; whatever was repaired, cut or not understood stays there, whole.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from hub.domain.texts import SHORT
from hub.errors import HubError

DEEPEST: Final = 100  # levels: what MongoDB itself takes, and far beyond what anyone means
SHOWN: Final = 40  # characters of a foreign value that a sentence repeats

UNSAFE: Final = re.compile("[\x00\ud800-\udfff]")  # NUL and halves of surrogate pairs: no screen and no driver could hold them
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

Word = TypeVar("Word")


class Unreadable(HubError):
    """Input that cannot be read at all; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What was not as it should be, where, and what was done about it."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class Source:
    """An object and where it stands; `repairs` is one list for a whole document."""

    def __init__(self, found: Mapping[str, object], path: str, repairs: list[Repair]) -> None:
        self.found = found
        self.left = dict(found)
        self._path = path
        self._repairs = repairs
        self._inside: dict[str, Source | list[Source | None]] = {}

    def repair(self, name: str, what: str) -> None:
        """Note that attribute `name` was not as it should be."""
        self._repairs.append(Repair(f"{self._path}.{name}" if self._path else name, what))

    def leave(self, name: str) -> None:
        """Leave an attribute that was read after all."""
        if name in self.found:
            self.left[name] = self.found[name]

    def keep(self, name: str, what: str) -> None:
        """Leave an attribute that was read after all, and say why."""
        self.leave(name)
        self.repair(name, what)

    def keep_all(self) -> None:
        """Leave all of it, though it was read."""
        self.left, self._inside = dict(self.found), {}

    def text(self, name: str, most: int = SHORT) -> str | None:
        """A text without surrounding space, cut to `most` characters; None where there is none."""
        value = self.found.get(name)
        if isinstance(value, str) and len(trimmed := value.strip()) <= most:
            self.left.pop(name, None)
            return trimmed or None
        if isinstance(value, str):
            self.repair(name, f"has {len(trimmed)} characters and was cut to {most}; the whole text is kept in extra")
            return trimmed[:most].strip()
        if isinstance(value, int | float) and len(written := json.dumps(value)) <= most:
            self.repair(name, f'is {_kind(value)}, not a text; read as "{shown(written)}"')
            return written
        self._pass_over(name, "a text")
        return None

    def identity(self, name: str) -> str | None:
        """A text that must not be cut: one too long is stood for by its digest."""
        value = self.found.get(name)
        if isinstance(value, str) and len(value.strip()) > SHORT:
            self.repair(name, f"is longer than {SHORT} characters; its digest stands for it, and the whole is kept in extra")
            return digest(value.strip())
        return self.text(name)

    def moment(self, name: str, now: datetime) -> datetime | None:
        """A date as UTC, truncated to milliseconds, not after `now`; None where there is none."""
        value = self.found.get(name)
        if not isinstance(value, str):
            self._pass_over(name, "a date")
            return None
        try:
            parsed = datetime.fromisoformat(value.strip())
            moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.repair(name, f'"{shown(value)}" is no date; kept in extra')
            return None
        if moment > now:
            self.repair(name, f'"{shown(value)}" lies in the future; the time of the import was taken, and the date is kept in extra')
            return now
        if parsed.tzinfo is None:
            self.repair(name, f'"{shown(value)}" names no time zone; read as UTC')
        else:
            self.left.pop(name, None)
        return to_milliseconds(moment)

    def inside(self, name: str) -> "Source | None":
        """The object in this attribute; None where there is none."""
        value = self.found.get(name)
        if not isinstance(value, dict):
            self._pass_over(name, "an object")
            return None
        self._inside[name] = child = self._child(value, name)
        return child

    def entries(self, name: str, most: int | None = None) -> Sequence["Source"]:
        """The objects in this list, at most `most`; what else is there stays where it is."""
        value = self.found.get(name)
        if isinstance(value, dict):
            self.repair(name, "is an object, not a list; read as a list of one")
            value = [value]
        if not isinstance(value, list):
            self._pass_over(name, "a list")
            return ()
        if most is not None and len(value) > most:
            self.repair(name, f"has {len(value)} entries; the first {most} were read, the others are kept in extra")
        read = [self._entry(one, name, place) if most is None or place < most else None for place, one in enumerate(value)]
        self._inside[name] = read
        return [entry for entry in read if entry is not None]

    def rest(self) -> dict[str, object]:
        """What is left, without nulls and without objects of which everything was read; lists keep their places."""
        left = dict(self.left)
        for name, inside in self._inside.items():
            if isinstance(inside, Source):
                left[name] = inside.rest()
            else:
                found = self.found[name]
                values = found if isinstance(found, list) else [found]
                rests = [value if source is None else source.rest() for source, value in zip(inside, values, strict=True)]
                left[name] = rests if any(rests) else []
        return {name: value for name, value in left.items() if value not in (None, {}, [])}

    def _child(self, value: Mapping[str, object], name: str) -> "Source":
        return Source(value, f"{self._path}.{name}" if self._path else name, self._repairs)

    def _entry(self, value: object, name: str, place: int) -> "Source | None":
        if isinstance(value, dict):
            return self._child(value, f"{name}[{place}]")
        if value is not None:
            self.repair(f"{name}[{place}]", f"is {_kind(value)}, not an object; kept in extra")
        return None

    def _pass_over(self, name: str, wanted: str) -> None:
        value = self.found.get(name)
        if value is not None:
            self.repair(name, f"is {_kind(value)}, not {wanted}; kept in extra")


def clean(value: object, path: str, repairs: list[Repair], depth: int = 0) -> object:
    """The value with U+FFFD for every NUL and every half of a surrogate pair. Raises Unreadable where it is too deep."""
    if depth > DEEPEST:
        raise Unreadable(f"it is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        return _well_formed(value, path, repairs)
    if isinstance(value, dict):
        return {
            _well_formed(name, path, repairs): clean(inside, f"{path}.{name}" if path else name, repairs, depth + 1)
            for name, inside in value.items()
        }
    if isinstance(value, list):
        return [clean(inside, f"{path}[{place}]", repairs, depth + 1) for place, inside in enumerate(value)]
    return value


def _well_formed(value: str, path: str, repairs: list[Repair]) -> str:
    replaced, count = UNSAFE.subn(REPLACEMENT, value)
    if count:
        repairs.append(
            Repair(shown(path, 200), f"{count} NUL or unpaired surrogate character{'s were' if count > 1 else ' was'} replaced by U+FFFD")
        )
    return replaced


def to_milliseconds(moment: datetime) -> datetime:
    """What a database keeps of it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def words(text: str) -> list[str]:
    """The words of a text or of a camelCase name, in lower case."""
    return re.findall(r"[a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower())


def spelled(text: str) -> str:
    """The letters and digits of a word however it is spelled: "In-Progress" as "inprogress"."""
    return "".join(words(text))


def looked_up(text: str, table: Mapping[str, Word]) -> Word | None:
    """What a table says about a word, however it is spelled."""
    return table.get(spelled(text))


def digest(value: object) -> str:
    """A stable identifier made of content."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def shown(value: str, most: int = SHOWN) -> str:
    """A foreign value as a sentence may repeat it: one line, not long, nothing that a terminal obeys."""
    printable = "".join(character if character.isprintable() else REPLACEMENT for character in value[: most + 1])
    return printable if len(printable) <= most else f"{printable[:most]}..."


def _kind(value: object) -> str:
    match value:
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
