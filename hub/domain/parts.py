"""What an interaction is made of: its channels, who takes part, its items, notes and attachments, how it is going and how it went."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.ids import AttachmentId, InteractionId, ItemId, NoteId, PartyId, PartyRoleId
from hub.domain.terms import ChannelType, InvolvementRole, NoteVisibility, RelationshipType, Role, Vertical


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel the interaction has used, since when."""

    type: ChannelType
    since: datetime
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Involvement:
    """A party that takes part, as what, since when; `party_role` is the role in the company's life under which it does."""

    party: PartyId
    role: InvolvementRole
    since: datetime
    party_role: PartyRoleId | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """What another interaction is to this one."""

    type: RelationshipType
    interaction: InteractionId


@dataclass(frozen=True, slots=True)
class EntityRef:
    """What an item is about, in the system that keeps it: an order, a bill, a device."""

    type: str
    entity_id: str
    href: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One matter of an interaction; open until it has a resolution."""

    id: ItemId
    type: str
    created_at: datetime
    reason: str | None = None
    resolution: str | None = None
    vertical: Vertical | None = None
    entity: EntityRef | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    id: NoteId
    text: str
    visibility: NoteVisibility
    at: datetime
    author: PartyId | None
    author_role: Role
    channel: ChannelType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file, kept here (then `file` names it in the store and `digest` is its SHA-256) or elsewhere, at `url`."""

    id: AttachmentId
    name: str
    visibility: NoteVisibility
    at: datetime
    by: PartyId | None
    by_role: Role
    mime_type: str | None = None
    size: int | None = None  # bytes
    url: str | None = None
    file: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How it is going, as last reported; `next_update_due_at` is the promise that stood then."""

    updated_at: datetime
    percent: int | None = None
    stage: str | None = None
    message: str | None = None
    expected_completion_at: datetime | None = None
    next_update_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How content the customer was with the last closing: 1 to 5."""

    score: int
    at: datetime
    comment: str | None = None
