"""The lines that an import tells: on the screen as many as a person reads, in a file all of them."""

from collections.abc import Callable
from typing import IO, Final

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
