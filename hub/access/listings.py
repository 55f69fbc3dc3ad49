"""Settings that are lists of tables: in a TOML file that people write, or as JSON in the variable itself, for containers."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from hub.errors import StartupError

LONGEST_NAME: Final = 255  # characters of a name

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """One such setting: its variable, what one of its tables is called, and the field that names it."""

    variable: str
    one: str
    named_by: str

    @property
    def many(self) -> str:
        """What the TOML file calls the list."""
        return self.one[:-1] + "ies" if self.one.endswith("y") else self.one + "s"

    def read(self, given: str, adapter: TypeAdapter[tuple[T, ...]]) -> tuple[T, ...]:
        """What is listed, checked. Raises StartupError with a sentence that names the table and the field, and quotes no value."""
        listed = self._listed(given)
        if not isinstance(listed, list) or not listed:
            raise StartupError(
                f"{self.variable} names no {self.one}: it is a JSON list of them, or the path of a TOML file with [[{self.many}]]."
            )
        try:
            return adapter.validate_python(listed)
        except ValidationError as error:
            raise StartupError(self._sentence(error, listed)) from None  # the cause would quote values

    def _listed(self, given: str) -> object:
        if given.lstrip().startswith(("[", "{")):
            try:
                return json.loads(given)
            except (ValueError, RecursionError):
                raise StartupError(f"{self.variable} begins like JSON and is none.") from None
        try:
            return tomllib.loads(Path(given).read_text()).get(self.many)
        except OSError as error:
            raise StartupError(f"{self.variable} names the file {given}, which cannot be read: {error.strerror or error}.") from None
        except ValueError as error:  # also of a file that is not in UTF-8
            why = error if isinstance(error, tomllib.TOMLDecodeError) else "it is not in UTF-8"
            raise StartupError(f"{self.variable} names the file {given}, which is no TOML: {why}.") from None

    def _sentence(self, error: ValidationError, listed: list[Any]) -> str:
        first = error.errors(include_url=False, include_input=False)[0]
        number, *where = first["loc"]
        one = listed[number] if isinstance(number, int) else None
        named = one.get(self.named_by) if isinstance(one, dict) else None
        name = named if isinstance(named, str) and 0 < len(named) <= LONGEST_NAME else f"number {int(number) + 1}"
        said = (
            str(first["ctx"]["error"]) if first["type"] == "value_error" else f"is not valid: {first['msg'][0].lower()}{first['msg'][1:]}"
        )
        place = ".".join(str(part) for part in where)
        return f"{self.variable}, {self.one} {name}: {place}{' ' if place else 'it '}{said}."
