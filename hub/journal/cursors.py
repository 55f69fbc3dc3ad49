"""Cursors and event ids: a place in the journal, sealed so that nobody makes one up or reads one.

A cursor belongs to no viewer: rights are checked when it is read from.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.access.keys import Keyring, Seal
from hub.errors import CursorInvalid
from hub.journal.head import Head

PLACE: Final = struct.Struct(">Qq")  # epoch, position
EVENT: Final = "evt_"


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to `position`, of the journal with this `epoch`."""

    epoch: int
    position: int


class Cursors:
    """Makes and reads the cursors and event ids of one journal."""

    def __init__(self, keyring: Keyring, head: Head) -> None:
        self._epoch = head.epoch
        self._seal = Seal(keyring, "cursor")
        self._events = AESSIV(head.key)

    def cursor(self, position: int) -> str:
        """The opaque cursor of a position."""
        return self._seal.seal(PLACE.pack(self._epoch, position))

    def event_id(self, position: int) -> str:
        """The id of the event at a position, unique over every hub."""
        return EVENT + _encoded(self._events.encrypt(PLACE.pack(self._epoch, position), None))

    def read(self, cursor: str) -> Place:
        """The place a cursor, or an event's id, stands for; CursorInvalid for anything else."""
        packed = self._event(cursor.removeprefix(EVENT)) if cursor.startswith(EVENT) else self._seal.open(cursor)
        if len(packed) != PLACE.size:
            raise CursorInvalid
        return Place(*PLACE.unpack(packed))

    def is_ours(self, place: Place) -> bool:
        """Whether the place is of this journal, not of one that was there before."""
        return place.epoch == self._epoch

    def _event(self, text: str) -> bytes:
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            packed = self._events.decrypt(sealed, None)
        except (InvalidTag, ValueError, binascii.Error):
            raise CursorInvalid from None
        if _encoded(sealed) != text:  # the last letter has bits to spare: only the one spelling that we give is taken
            raise CursorInvalid
        return packed


def _encoded(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
