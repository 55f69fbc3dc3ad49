"""The lines that an import tells: on the screen as many as a person reads, in a file all of them."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from hub.exchange.lenient import Unreadable

SHOWN: Final = 100  # lines told one by one; those of a long file are counted by kind at its end
HELD_BACK: Final = "Further lines are held back: the summary counts them, and --report FILE writes them all."


class Reports:
    """Tells a line, and writes it to the file where there is one."""

    def __init__(self, tell: Callable[[str], None], file: IO[str] | None = None) -> None:
        self._tell = tell
        self._file = file
        self._told = 0

    def __call__(self, line: str) -> None:
        if self._file is not None:
            self._file.write(f"{line}\n")
            self._file.flush()  # an import that is cut has written what it told
        self._told += 1
        if self._told <= SHOWN:
            self._tell(line)
        elif self._told == SHOWN + 1:
            self._tell(HELD_BACK)


@contextlib.contextmanager
def reporting(path: Path | None, tell: Callable[[str], None], *, source: str, goes_on: bool) -> Iterator[Reports]:
    """Reports into the file at `path`: after what is there already where the import `goes_on`, else in its place.

    Raises Unreadable, before anything is imported, where it cannot be written, and where it is what is imported."""
    if path is None:
        yield Reports(tell)
        return
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise Unreadable(f"{path} is what is imported: name another file for the report.")
    with contextlib.ExitStack() as closing:
        try:
            file = closing.enter_context(path.open("a" if goes_on else "w", encoding="utf-8"))
        except OSError as error:
            raise Unreadable(f"The report cannot be written to {path}: {(error.strerror or str(error)).lower()}.") from None
        yield Reports(tell, file)
