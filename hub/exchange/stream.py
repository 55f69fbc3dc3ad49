"""A stream of bytes, read piece by piece in a thread, so that a slow pipe holds up nothing else; knows how far it is."""

import asyncio
import re
from typing import IO, Final

from hub.exchange.lenient import Unreadable

CHUNK: Final = 256 * 1024  # bytes read at once

BOM: Final = b"\xef\xbb\xbf"
BLANK: Final = b" \t\r\n"
BEFORE: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")
BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")


class Stream:
    """What was read and not yet taken; `offset` bytes and `lines` line ends lie before it."""

    def __init__(self, stream: IO[bytes], offset: int = 0, lines: int = 0) -> None:
        """`offset` and `lines` say where to go on in a file that was read up to there."""
        if offset:
            stream.seek(offset)
        self._read = getattr(stream, "read1", stream.read)  # what there is, rather than all that was asked for
        self.buffer = bytearray()
        self.offset = offset
        self.lines = lines
        self.has_ended = False

    async def more(self) -> None:
        """Read on. Raises Unreadable where that fails."""
        try:
            chunk = await asyncio.to_thread(self._read, CHUNK)
        except OSError as error:
            raise Unreadable(f"reading it failed: {error.strerror or error}") from error
        self.has_ended = not chunk
        self.buffer += chunk

    def take(self, size: int) -> bytes:
        """The first `size` bytes, which are then gone."""
        taken = bytes(memoryview(self.buffer)[:size])
        self.pass_over(size)
        return taken

    def pass_over(self, size: int) -> None:
        """Let the first `size` bytes go."""
        self.lines += self.buffer.count(b"\n", 0, size)
        self.offset += size
        del self.buffer[:size]

    async def peek(self, size: int) -> bytes:
        """All that comes, up to `size` bytes; it stays to be read."""
        while len(self.buffer) < size and not self.has_ended:
            await self.more()
        return bytes(memoryview(self.buffer)[:size])

    async def opening(self) -> bytes:
        """The first byte that says something, which stays to be read; none where nothing does."""
        while True:
            found = BEFORE.match(self.buffer)
            self.pass_over(found.end() if found else 0)
            if self.has_ended or (self.buffer and not BOM.startswith(self.buffer)):
                return bytes(memoryview(self.buffer)[:1])
            await self.more()

    async def peek_line(self, most: int) -> bytes:
        """The next line, or a little more than `most` bytes of it; it stays to be read."""
        while not self.has_ended and b"\n" not in self.buffer and len(self.buffer) <= most:
            await self.more()
        end = self.buffer.find(b"\n")
        return bytes(memoryview(self.buffer)[: end if end >= 0 else len(self.buffer)])

    async def line(self, most: int) -> bytes | None:
        """The next line; one of more than `most` bytes is cut there, and the rest of it passed over. None at the end."""
        searched = 0
        while not (end := self.buffer.find(b"\n", searched) + 1):
            searched = len(self.buffer)
            if searched > most:
                return await self._cut(most)
            if self.has_ended:
                return self.take(searched) if searched else None
            await self.more()
        return self.take(end)

    async def _cut(self, most: int) -> bytes:
        beginning = self.take(most + 1)
        while not (end := self.buffer.find(b"\n") + 1) and not self.has_ended:
            self.pass_over(len(self.buffer))
            await self.more()
        self.pass_over(end or len(self.buffer))
        return beginning

    async def between(self) -> bytes:
        """Pass over blanks and commas; gives the last of them."""
        passed = b""
        while True:
            found = BETWEEN.match(self.buffer)
            passed = (passed + self.take(found.end() if found else 0))[-CHUNK:]
            if self.buffer or self.has_ended:
                return passed
            await self.more()
