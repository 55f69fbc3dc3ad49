"""TMF683's words, and those that other systems write in their place, as tables: looked up by their letters and digits alone."""

from collections.abc import Mapping
from typing import Final

from hub.domain.terms import ChannelType, Direction, InvolvementRole, PartyKind, RelationshipType, Role, Status

STANDARD: Final = frozenset({"open", "opened", "inProgress", "completed", "inbound", "outbound"})
"""Spelled so, a status or a direction is no repair (v4 and v5 say `open`, many systems `opened`)."""

STATUSES: Final[Mapping[str, Status]] = {
    **dict.fromkeys(("open", "opened", "new", "created", "initialized", "acknowledged", "submitted", "received"), Status.OPEN),
    **dict.fromkeys(("inprogress", "ongoing", "active", "started", "assigned", "working", "processing", "reopened"), Status.IN_PROGRESS),
    **dict.fromkeys(("held", "hold", "onhold", "pending", "paused", "suspended", "waiting"), Status.HELD),
    **dict.fromkeys(("resolved", "solved"), Status.RESOLVED),
    **dict.fromkeys(("completed", "complete", "closed", "close", "done", "finished", "ended"), Status.COMPLETED),
    **dict.fromkeys(("cancelled", "canceled", "abandoned", "aborted", "rejected", "withdrawn"), Status.CANCELLED),
}
"""Never PENDING, which asks the customer a question that no PartyInteraction carries."""

DIRECTIONS: Final[Mapping[str, Direction]] = {
    **dict.fromkeys(("inbound", "inbounds", "in", "incoming"), Direction.INBOUND),
    **dict.fromkeys(("outbound", "outbounds", "out", "outgoing"), Direction.OUTBOUND),
}

ROLES: Final[Mapping[str, InvolvementRole]] = {
    **dict.fromkeys(("customer", "subscriber", "accountholder", "owner", "buyer", "payer"), InvolvementRole.CUSTOMER),
    **dict.fromkeys(("user", "enduser", "caller", "contact"), InvolvementRole.USER),
    **dict.fromkeys(("initiator", "originator", "requester", "requestor"), InvolvementRole.INITIATOR),
    **dict.fromkeys(("agent", "csr", "employee", "salesagent", "callcenteragent", "salesperson"), InvolvementRole.AGENT),
    **dict.fromkeys(("supervisor", "manager", "teamleader"), InvolvementRole.SUPERVISOR),
    **dict.fromkeys(("backoffice", "technician"), InvolvementRole.BACK_OFFICE),
    **dict.fromkeys(("partner", "businesspartner", "dealer", "reseller", "supplier"), InvolvementRole.PARTNER),
    **dict.fromkeys(("guardian", "legalguardian"), InvolvementRole.GUARDIAN),
    "observer": InvolvementRole.OBSERVER,
    **dict.fromkeys(("system", "bot", "chatbot", "application"), InvolvementRole.SYSTEM),
}

RELATIONSHIPS: Final[Mapping[str, RelationshipType]] = {
    **dict.fromkeys(("parent", "parentinteraction", "childof", "partof"), RelationshipType.PARENT),
    **dict.fromkeys(("child", "childinteraction", "parentof"), RelationshipType.CHILD),
    **dict.fromkeys(("followup", "followupof", "followupinteraction", "follows", "continues"), RelationshipType.FOLLOW_UP),
    **dict.fromkeys(("handover", "handoverof", "handoverfrom", "transferredfrom"), RelationshipType.HANDOVER),
    **dict.fromkeys(("duplicate", "duplicateof", "duplicates"), RelationshipType.DUPLICATE_OF),
    **dict.fromkeys(("causedby", "cause"), RelationshipType.CAUSED_BY),
}
"""What the interaction that is referred to is to the one that refers."""

WRITES_AS: Final[Mapping[InvolvementRole, Role]] = {
    InvolvementRole.CUSTOMER: Role.CUSTOMER,
    InvolvementRole.USER: Role.CUSTOMER,
    InvolvementRole.INITIATOR: Role.CUSTOMER,
    InvolvementRole.AGENT: Role.AGENT,
    InvolvementRole.SUPERVISOR: Role.SUPERVISOR,
    InvolvementRole.BACK_OFFICE: Role.BACK_OFFICE,
    InvolvementRole.PARTNER: Role.PARTNER,
}
"""As what the author of a note wrote it; anybody else as SYSTEM."""

OWN: Final = frozenset({InvolvementRole.CUSTOMER, InvolvementRole.USER})
"""Whose own notes are PUBLIC."""

REFERENCES: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in ("PartyRef", "PartyRoleRef", "PartyOrPartyRole", "RelatedParty", "RelatedPartyRef", "RelatedPartyOrPartyRole")
}
"""Values of @type that say that it is a reference, not to what."""

PARTY_TYPES: Final[Mapping[str, str]] = {
    name.lower(): name for name in ("Individual", "Organization", "Customer", "PartyRole", "Supplier", "Partner", "System", "Party")
}

KINDS: Final[Mapping[str, PartyKind]] = {
    **dict.fromkeys(("organization", "organisation", "supplier", "partner", "businesspartner", "legalentity"), PartyKind.ORGANIZATION),
    **dict.fromkeys(("system", "application", "device", "bot", "logicalresource", "physicalresource"), PartyKind.SYSTEM),
}
"""By the type of a party; anything else is an INDIVIDUAL."""

CHANNEL_TYPES: Final[Mapping[str, ChannelType]] = {
    **dict.fromkeys(("phone", "telephone", "call", "callcenter", "callcentre", "voice", "ivr", "hotline"), ChannelType.PHONE),
    **dict.fromkeys(("web", "webselfservice", "selfservice", "selfcare", "website", "portal", "online"), ChannelType.WEB_SELF_SERVICE),
    **dict.fromkeys(("mobileapp", "mobile", "app"), ChannelType.MOBILE_APP),
    **dict.fromkeys(("email", "mail"), ChannelType.EMAIL),
    "sms": ChannelType.SMS,
    **dict.fromkeys(("chat", "livechat", "webchat", "messenger"), ChannelType.CHAT),
    **dict.fromkeys(("social", "socialmedia", "facebook", "instagram", "twitter"), ChannelType.SOCIAL),
    **dict.fromkeys(("store", "shop", "retail", "branch"), ChannelType.STORE),
    "kiosk": ChannelType.KIOSK,
    **dict.fromkeys(("device", "iot", "settopbox"), ChannelType.DEVICE),
    **dict.fromkeys(("partnerapi", "partner", "api"), ChannelType.PARTNER_API),
    **dict.fromkeys(("letter", "post", "fax"), ChannelType.LETTER),
    "other": ChannelType.OTHER,
}

PLACEHOLDERS: Final = frozenset({"todo", "tbd", "tba", "na", "xxx"})
NAMES: Final = ("name", "fullName", "tradingName", "partyName", "roleName")
