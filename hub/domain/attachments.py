"""Photos, bills and other files of an interaction: kept here, or elsewhere under an address.

One that is kept here is added when all of its bytes are: until then it is announced only, and nobody sees it.
"""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from hub.domain import media
from hub.domain.events import Event
from hub.domain.ids import AttachmentId
from hub.domain.interactions import Interaction
from hub.domain.parts import Attachment
from hub.domain.rules import Rules
from hub.domain.terms import Audience, EventType, NoteVisibility
from hub.domain.texts import text
from hub.errors import BadInput, Conflict

MOST: Final = 100  # per interaction, internal ones with them
NAME: Final = 255  # characters, as file systems have them
ADDRESS: Final = 2_000  # characters of an address that any browser opens
UNSEEN: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they turn the end of a name around: exe.gpj


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A file that is to come: what it will be called, and what its bytes must be."""

    id: AttachmentId
    name: str
    mime_type: str
    size: int
    visibility: NoteVisibility


def file_name(given: str, *path: str) -> str:
    """A name under which a file can be saved. Raises BadInput."""
    name = text(given, *path, most=NAME)
    if any(unicodedata.category(letter) == "Cc" or letter in UNSEEN for letter in name):
        raise BadInput(f"{path[-1]} holds a control character; leave it out.", *path)
    return name


def address(given: str, *path: str) -> str:
    """Where a file is, elsewhere: https, with a host, without a user. Raises BadInput."""
    found = text(given, *path, most=ADDRESS)
    try:
        parts = urlsplit(found)
        is_good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and (parts.port or 443) > 0
    except ValueError:  # a port that is none, half of an IPv6 address
        is_good = False
    if not is_good or not found.isprintable() or " " in found:
        raise BadInput(f"{path[-1]} is an address such as https://files.example.com/1, without a user and a password.", *path)
    return found


def check_upload(mime_type: str | None, size: int | None, rules: Rules) -> tuple[str, int]:
    """The kind and the size of a file that is to come, where both are taken. Raises BadInput."""
    if not rules.attachment_bytes:
        raise BadInput("This hub keeps no files; give the url of one that is kept elsewhere.", "input", "url")
    if mime_type is None or size is None:
        missing = "mimeType" if mime_type is None else "size"
        raise BadInput("Give a url, or mimeType and size of a file that you will upload.", "input", missing)
    kind = media.media_type(mime_type, "input", "mimeType")
    if kind not in rules.attachment_types:
        raise BadInput(f"This hub takes {', '.join(rules.attachment_types)}.", "input", "mimeType")
    if not 0 < size <= rules.attachment_bytes:
        raise BadInput(f"size lies between 1 and {rules.attachment_bytes} bytes.", "input", "size")
    return kind, size


def check_room(interaction: Interaction) -> None:
    """Raises BadInput where there are as many as an interaction has."""
    if len(interaction.attachments) + len(interaction.internal_attachments) >= MOST:
        raise no_room()


def no_room() -> BadInput:
    """There are as many as an interaction has."""
    return BadInput(f"An interaction has at most {MOST} attachments; open a follow-up.", "input", "id")


def other_bytes() -> Conflict:
    """One address brings one file."""
    return Conflict("Other bytes were uploaded to this address before; ask for another one.")


def attach(interaction: Interaction, attachment: Attachment, *, at: datetime) -> tuple[Interaction, Event | None]:
    """With an attachment more. The same one again is no event. Raises BadInput where there is no room, and Conflict where
    something else came under its id."""
    known = attached(interaction, attachment.id)
    if known is not None:
        if known.digest != attachment.digest:
            raise other_bytes()
        return interaction, None
    check_room(interaction)
    at = max(at, interaction.updated_at)
    attachment = replace(attachment, at=at)
    public = attachment.visibility is NoteVisibility.PUBLIC
    changed = (
        replace(interaction, attachments=(*interaction.attachments, attachment))
        if public
        else replace(interaction, internal_attachments=(*interaction.internal_attachments, attachment))
    )
    audience = Audience.PUBLIC if public else Audience.INTERNAL
    return changed.recorded(EventType.ATTACHMENT_ADDED, at, audience=audience, attachment=attachment)


def attached(interaction: Interaction, id: str) -> Attachment | None:
    """The attachment of this id."""
    return next((one for one in (*interaction.attachments, *interaction.internal_attachments) if one.id == id), None)
