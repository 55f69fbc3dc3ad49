"""Where an element of a JSON array ends, in bytes that come in pieces: looks at brackets and strings and at nothing else.

Whether an element is JSON is for a decoder to say. One that is not, and whose brackets do not meet, would take everything
after it along. Where the array is written a record to a line, or indented, the next line that begins as this element's
began is where the next one begins; but only once it is proven that something is wrong, so that what is right is never cut.
"""

import re
from typing import Final

NESTED: Final = re.compile(rb'["{}\[\]]')
FLAT: Final = re.compile(rb'[",\]\n]')
STRING: Final = re.compile(rb'["\\\n]')
CLOSING: Final = {b"{": b"}", b"[": b"]"}
QUOTE: Final = ord('"')

LEVELS: Final = 10_000  # brackets remembered; deeper ones are counted
TAIL: Final = 2_048  # bytes kept of what is passed over: the beginning of a line may stand astride
INDENT: Final = 1_000  # blanks before an element, beyond which it is nobody's layout


class Ending:
    """Where one element ends; `indent` are the blanks before it on its line, None where it does not begin one.

    The buffer begins with the element, and grows at its end from call to call."""

    def __init__(self, indent: bytes | None) -> None:
        self.is_broken = False
        self._indent = indent
        self._next: re.Pattern[bytes] | None = None
        self._position = 0
        self._open = bytearray()  # brackets, by their closing ones
        self._beyond = 0  # how many more are open
        self._in_string = False

    def find(self, buffer: bytearray) -> int | None:
        """How many bytes the element takes; None where its end is not there yet."""
        end = self._balanced(buffer)
        return self._recovered(buffer, end) if self.is_broken else end

    def give_up(self, buffer: bytearray) -> int | None:
        """It is too large, or everything is read: where the next one begins after all."""
        self._break(buffer)
        return self._recovered(buffer, None)

    def pass_over(self, buffer: bytearray) -> int:
        """How many bytes from the buffer's beginning are needed no more; they are taken as gone."""
        gone = max(0, self._position - TAIL)
        self._position -= gone
        return gone

    def _balanced(self, buffer: bytearray) -> int | None:
        if not self._position:
            self._open += CLOSING.get(bytes(buffer[:1]), b"")
            self._position = int(buffer[0] != QUOTE)
        while True:
            pattern = STRING if self._in_string else NESTED if self._open else FLAT
            found = pattern.search(buffer, self._position)
            if found is None:
                self._position = len(buffer)
                return None
            mark, self._position = found.group(), found.end()
            if mark == b"\\":
                if found.end() == len(buffer):
                    self._position = found.start()  # what it escapes is not there yet
                    return None
                self._position += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark == b"\n" and self._in_string:
                self._in_string = False  # no string of JSON holds one
                self._break(buffer)
            elif not self._open:
                return found.start()
            elif closing := CLOSING.get(mark):
                self._opens(closing)
            else:
                if not self._closes(mark):
                    self._break(buffer)
                if not self._open:
                    return found.end()

    def _opens(self, closing: bytes) -> None:
        if len(self._open) < LEVELS:
            self._open += closing
        else:
            self._beyond += 1

    def _closes(self, mark: bytes) -> bool:
        """Whether this is the bracket that was due."""
        if self._beyond:
            self._beyond -= 1
            return True
        return mark[0] == self._open.pop()

    def _break(self, buffer: bytearray) -> None:
        if not self.is_broken:
            self.is_broken = True
            self._next = _next_line(buffer, self._indent)

    def _recovered(self, buffer: bytearray, end: int | None) -> int | None:
        found = self._next.search(buffer, 0, len(buffer) if end is None else end) if self._next else None
        return found.start() if found else end


def _next_line(buffer: bytearray, indent: bytes | None) -> re.Pattern[bytes] | None:
    """How the line of the next element begins; None where a line within this one may begin so too."""
    if indent is None or len(indent) > INDENT:
        return None
    inside = re.match(rb"\{[ \t]*\r?\n([ \t]*)", buffer)
    if inside and len(inside.group(1)) <= len(indent):
        return None
    return re.compile(rb"\n" + re.escape(indent) + rb"(?:,[ \t]*)?(?=\{)")
