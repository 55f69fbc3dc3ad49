"""What happened to an interaction, as the domain tells it: one act, one event (a customer's note on PENDING: two)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.domain.parts import Attachment, Item, Note, Progress
from hub.domain.terms import Audience, ChannelType, EventType, Status

Value = str | int | datetime | Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, by its name in the schema, and the values before and after; of a list, what came and what went."""

    field: str
    was: Value
    now: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, and how the interaction stood right after it.

    `seq` counts every event of the interaction, `public_seq` the PUBLIC ones. `message` is what is said to the customer."""

    type: EventType
    at: datetime
    audience: Audience
    seq: int
    public_seq: int
    status: Status
    progress: Progress | None
    channel: ChannelType | None = None
    message: str | None = None
    note: Note | None = None
    item: Item | None = None
    attachment: Attachment | None = None
    changes: tuple[FieldChange, ...] = ()
    historical: bool = False
