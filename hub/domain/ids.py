"""Ids: a prefix that says what it is, and the 32 hex digits of a UUIDv7 (RFC 9562, section 5.7), so that they sort by age."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final, NewType

InteractionId = NewType("InteractionId", str)
PartyId = NewType("PartyId", str)
PartyRoleId = NewType("PartyRoleId", str)
ItemId = NewType("ItemId", str)
NoteId = NewType("NoteId", str)
AttachmentId = NewType("AttachmentId", str)
TokenId = NewType("TokenId", str)
ClientId = NewType("ClientId", str)

INTERACTION: Final = "int_"
PARTY: Final = "par_"
PARTY_ROLE: Final = "rol_"
ITEM: Final = "itm_"
NOTE: Final = "not_"
ATTACHMENT: Final = "att_"
TOKEN: Final = "tok_"  # noqa: S105 - an id's prefix
CLIENT: Final = "cli_"

FORM: Final = re.compile(r"(?:int|par|rol|itm|not|att|tok|cli)_[0-9a-f]{32}")

Ids = Callable[[str], str]  # a prefix in, a fresh id out: handed in, so that tests choose it


def uuid7(at: datetime, chance: Callable[[int], int] = secrets.randbits) -> str:
    """The 32 hex digits of a UUIDv7 made at `at`; `chance(n)` gives n random bits."""
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    return f"{milliseconds:012x}7{chance(12):03x}{0x8000000000000000 | chance(62):016x}"


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` could be an id of this kind; a malformed id is treated as an unknown one."""
    return text.startswith(prefix) and FORM.fullmatch(text) is not None
