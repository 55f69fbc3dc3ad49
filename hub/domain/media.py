"""Kinds of files: which ones are taken unless a company says otherwise, and whether bytes are of the kind that they claim to be."""

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Final

from hub.errors import BadInput

HEAD: Final = 16  # bytes by which a kind is known
FORM: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")  # RFC 6838, section 4.2, half as long
TEXT: Final = "text/plain"
NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # controls that no text has; tabs, line ends and ESC it may have


def _begins(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(heads)


MAGIC: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/gif": _begins(b"GIF87a", b"GIF89a"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "image/heic": lambda head: head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"},
    "application/pdf": _begins(b"%PDF-"),
}
"""How the bytes of a kind begin (the WHATWG's MIME Sniffing Standard; ISO/IEC 23008-12 for HEIC)."""

USUAL: Final = (*MAGIC, TEXT)
"""The kinds that are taken unless HUB_ATTACHMENT_TYPES says otherwise: none that a browser would run."""


def media_type(given: str, *path: str) -> str:
    """A media type in small letters, without parameters. Raises BadInput for what is none."""
    found = given.strip().lower()
    if not FORM.fullmatch(found):
        raise BadInput(f"{path[-1]} is a media type such as image/jpeg, without parameters.", *path)
    return found


class Sniffer:
    """Looks at bytes as they come by. Raises BadInput as soon as they cannot be of the declared kind; others than ours it lets pass."""

    def __init__(self, declared: str) -> None:
        self._declared = declared
        self._head = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def look(self, part: bytes) -> None:
        """The next bytes."""
        if self._declared == TEXT:
            self._read(part, is_last=False)
        elif len(self._head) < HEAD:
            self._head += part[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._judge()

    def end(self) -> None:
        """There are no more."""
        if self._declared == TEXT:
            self._read(b"", is_last=True)
        elif len(self._head) < HEAD:
            self._judge()

    def _read(self, part: bytes, *, is_last: bool) -> None:
        try:
            self._decoder.decode(part, final=is_last)
        except UnicodeDecodeError:
            raise self._refused() from None
        if NOT_TEXT.search(part):
            raise self._refused()

    def _judge(self) -> None:
        is_one = MAGIC.get(self._declared)
        if is_one is not None and not is_one(self._head):
            raise self._refused()

    def _refused(self) -> BadInput:
        what = "text in UTF-8" if self._declared == TEXT else self._declared
        return BadInput(f"These bytes are no {what}; ask for another upload with the kind that they have.")
