"""The domain's words as GraphQL enums: same names, same values. Import them from here, so that they are known to GraphQL."""

import strawberry

from hub.domain.terms import (
    ChannelType,
    ContactMediumKind,
    Direction,
    EventType,
    InteractionAct,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    PartyKind,
    Priority,
    RelationshipType,
    Role,
    Status,
    Vertical,
)
from hub.errors import ErrorCode
from hub.journal.frames import FrameKind

__all__ = [
    "ChannelType",
    "ContactMediumKind",
    "Direction",
    "ErrorCode",
    "EventType",
    "FeedFrameKind",
    "InteractionAct",
    "InteractionKind",
    "InteractionStatus",
    "InvolvementRole",
    "NoteVisibility",
    "PartyKind",
    "Priority",
    "RelationshipType",
    "Role",
    "Vertical",
]

InteractionStatus = Status
FeedFrameKind = FrameKind

strawberry.enum(Role, description="What a viewer may be; comes from the token and opens fields and acts.")
strawberry.enum(PartyKind)
strawberry.enum(ContactMediumKind)
strawberry.enum(Direction, description="Who began: INBOUND the customer, OUTBOUND the company.")
strawberry.enum(InteractionKind)
strawberry.enum(Vertical, description="The vertical process groups of eTOM operations.")
strawberry.enum(Priority)
strawberry.enum(Status, name="InteractionStatus")
strawberry.enum(ChannelType)
strawberry.enum(InvolvementRole, description="As what a party takes part in one interaction.")
strawberry.enum(RelationshipType, description="What another interaction is to this one.")
strawberry.enum(InteractionAct, description="What can be done to an interaction that is there.")
strawberry.enum(NoteVisibility)
strawberry.enum(EventType)
strawberry.enum(ErrorCode, description="Why something was refused: in `UserError.code` and in `extensions.code`.")
strawberry.enum(
    FrameKind,
    name="FeedFrameKind",
    description="CAUGHT_UP: replay has ended. CHECKPOINT: only foreign events passed for a while. LEFT: this interaction went out of"
    " sight or out of the filter. RESET: the cursor is too old; read anew.",
)
