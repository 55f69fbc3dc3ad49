"""The trade's words: one list for the domain, the store and the SDL (TMF683, TMF669, eTOM 1.3.5).

Each member's name is its value, so what is stored, sent and shown is the same word.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a viewer may be; comes from the token and opens fields and acts."""

    VISITOR = "VISITOR"
    CUSTOMER = "CUSTOMER"
    AGENT = "AGENT"
    SUPERVISOR = "SUPERVISOR"
    BACK_OFFICE = "BACK_OFFICE"
    PARTNER = "PARTNER"
    ANALYST = "ANALYST"
    SYSTEM = "SYSTEM"
    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    ADMIN = "ADMIN"


class PartyKind(StrEnum):
    INDIVIDUAL = "INDIVIDUAL"
    ORGANIZATION = "ORGANIZATION"
    SYSTEM = "SYSTEM"


class ContactMediumKind(StrEnum):
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    SMS = "SMS"
    POSTAL = "POSTAL"
    SOCIAL = "SOCIAL"
    PUSH = "PUSH"


class Direction(StrEnum):
    """Who began: INBOUND, the customer; OUTBOUND, the company."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class InteractionKind(StrEnum):
    QUERY = "QUERY"
    COMPLAINT = "COMPLAINT"
    REQUEST = "REQUEST"
    ORDER = "ORDER"
    NOTIFICATION = "NOTIFICATION"
    FEEDBACK = "FEEDBACK"


class Vertical(StrEnum):
    """The vertical process groups of eTOM operations."""

    FULFILLMENT = "FULFILLMENT"
    ASSURANCE = "ASSURANCE"
    BILLING = "BILLING"


class Priority(StrEnum):
    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"

    @property
    def rank(self) -> int:
        """0 for LOW to 3 for URGENT: what is stored, so that an index can order by it."""
        return PRIORITIES.index(self)


PRIORITIES = tuple(Priority)


class Status(StrEnum):
    """Where an interaction stands; `hub.domain.lifecycle` says which moves there are."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    PENDING = "PENDING"
    HELD = "HELD"
    RESOLVED = "RESOLVED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class ChannelType(StrEnum):
    PHONE = "PHONE"
    WEB_SELF_SERVICE = "WEB_SELF_SERVICE"
    MOBILE_APP = "MOBILE_APP"
    EMAIL = "EMAIL"
    SMS = "SMS"
    CHAT = "CHAT"
    SOCIAL = "SOCIAL"
    STORE = "STORE"
    KIOSK = "KIOSK"
    DEVICE = "DEVICE"
    PARTNER_API = "PARTNER_API"
    LETTER = "LETTER"
    OTHER = "OTHER"


class InvolvementRole(StrEnum):
    """As what a party takes part in one interaction."""

    CUSTOMER = "CUSTOMER"
    INITIATOR = "INITIATOR"
    USER = "USER"
    AGENT = "AGENT"
    SUPERVISOR = "SUPERVISOR"
    BACK_OFFICE = "BACK_OFFICE"
    PARTNER = "PARTNER"
    GUARDIAN = "GUARDIAN"
    OBSERVER = "OBSERVER"
    SYSTEM = "SYSTEM"


class RelationshipType(StrEnum):
    """What another interaction is to this one: its PARENT, its CHILD, what it is a FOLLOW_UP of, and so on."""

    PARENT = "PARENT"
    CHILD = "CHILD"
    FOLLOW_UP = "FOLLOW_UP"
    HANDOVER = "HANDOVER"
    DUPLICATE_OF = "DUPLICATE_OF"
    CAUSED_BY = "CAUSED_BY"


class InteractionAct(StrEnum):
    """What can be done to an interaction that is there. Acts appear here as they come to be."""

    UPDATE = "UPDATE"
    TRANSITION = "TRANSITION"
    CLOSE = "CLOSE"
    REPORT_PROGRESS = "REPORT_PROGRESS"
    ADD_NOTE = "ADD_NOTE"
    ADD_INTERNAL_NOTE = "ADD_INTERNAL_NOTE"
    ADD_ATTACHMENT = "ADD_ATTACHMENT"
    ADD_INTERNAL_ATTACHMENT = "ADD_INTERNAL_ATTACHMENT"
    ADD_ITEM = "ADD_ITEM"
    ADD_PARTY = "ADD_PARTY"
    ADD_CHANNEL = "ADD_CHANNEL"
    ASSIGN = "ASSIGN"
    ESCALATE = "ESCALATE"
    LINK = "LINK"
    RATE = "RATE"
    CLAIM = "CLAIM"


class NoteVisibility(StrEnum):
    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"


class Audience(StrEnum):
    """Whom an entry of the journal is for: those who take part, staff, or no viewer at all."""

    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"
    SYSTEM = "SYSTEM"


class EventType(StrEnum):
    """What happened to an interaction. Types appear here as the acts that write them come to be."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    STATUS_CHANGED = "STATUS_CHANGED"
    PROGRESS_REPORTED = "PROGRESS_REPORTED"
    NOTE_ADDED = "NOTE_ADDED"
    ATTACHMENT_ADDED = "ATTACHMENT_ADDED"
    ITEM_ADDED = "ITEM_ADDED"
    ITEM_RESOLVED = "ITEM_RESOLVED"
    PARTY_ADDED = "PARTY_ADDED"
    PARTY_REMOVED = "PARTY_REMOVED"
    CHANNEL_ADDED = "CHANNEL_ADDED"
    ASSIGNED = "ASSIGNED"
    ESCALATED = "ESCALATED"
    LINKED = "LINKED"
    UNLINKED = "UNLINKED"
    SATISFACTION_RATED = "SATISFACTION_RATED"
    CLAIMED = "CLAIMED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"


class SubjectKind(StrEnum):
    """What an entry of the journal is about."""

    INTERACTION = "interaction"
    PARTY = "party"
    PARTY_ROLE = "partyRole"
    TOKEN = "token"  # noqa: S105 - a kind of subject
    CLIENT = "client"
