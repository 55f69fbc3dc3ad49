"""Who reads which field: the table of fields, beside the one of acts and roots in `hub.access.mandates`.

Every field of the schema stands here once: behind a gate, under a mask, or open to whoever sees its object. So does every
argument by which something is looked for. The schema is not built where a field has no decision, a decision no field, or a
field another gate than its own. Whoever may not read a field gets null, and is told which roles or scopes would do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hub.access.mandates import CUSTOMER, CUSTOMER_AND_PARTNER, DOERS, ROOTS, STAFF_AND_SYSTEM, STAFF_SYSTEM_AND_PRIVACY, ordered
from hub.access.viewers import STAFF, Viewer
from hub.domain.terms import Role
from hub.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may: one of `roles` (none: any), or of `own` on what is its own, with all scopes of one of the groups (none: no scope)."""

    roles: tuple[Role, ...] = ()
    own: tuple[Role, ...] = ()
    scopes: tuple[tuple[str, ...], ...] = ()

    def opens(self, viewer: Viewer, *, own: bool) -> bool:
        """Whether it opens for this viewer; `own`: the document is the viewer's own."""
        has_role = not self.roles or not viewer.roles.isdisjoint(self.roles) or (own and not viewer.roles.isdisjoint(self.own))
        return has_role and (not self.scopes or any(viewer.scopes.issuperset(group) for group in self.scopes))


def _as(root: str) -> Gate:
    """A client that may not ask for a thing at the root does not get at it by a join either."""
    return Gate(scopes=ROOTS[root].scopes)


FIELDS: Final[Mapping[str, Gate]] = {
    "Interaction.statusReason": Gate(STAFF_AND_SYSTEM),
    "Interaction.internalNotes": Gate(STAFF),
    "Interaction.internalAttachments": Gate(STAFF),
    "Interaction.assignee": Gate(STAFF_AND_SYSTEM),
    "Interaction.escalationLevel": Gate(STAFF),
    "AttachmentPayload.interaction": _as("Query.interaction"),
    "InteractionEvent.changes": Gate((*STAFF, Role.PRIVACY_OFFICER)),  # and of these, each under the gate of the field that it names
    "InteractionEvent.interaction": _as("Query.interaction"),
    "InteractionPayload.interaction": _as("Query.interaction"),
    "Involvement.partyRole": _as("Query.partyRoles"),
    "Party.contactMedia": Gate(STAFF_SYSTEM_AND_PRIVACY, CUSTOMER, ROOTS["Query.party"].scopes),
    "Party.externalIdentifiers": Gate(STAFF_SYSTEM_AND_PRIVACY, CUSTOMER_AND_PARTNER, ROOTS["Query.party"].scopes),
    "Party.roles": _as("Query.partyRoles"),
    "Party.interactions": _as("Query.interactions"),
    "Party.timeline": _as("Query.interactions"),
    "PartyPayload.party": _as("Query.party"),
    "PartyRolePayload.partyRole": _as("Query.partyRoles"),
}
"""Fields behind a gate."""

MASKED: Final[Mapping[str, Gate]] = {
    "Party.name": Gate(STAFF_SYSTEM_AND_PRIVACY),
    "Party.preferredLanguage": Gate(STAFF_SYSTEM_AND_PRIVACY),
}
"""Fields of a party that others than these see only of themselves; of who takes part in the same thing, as initials or not at all."""

ARGUMENTS: Final[Mapping[str, Gate]] = {
    # What one may not read one may not ask by either.
    "InteractionFilter.assigneeId": FIELDS["Interaction.assignee"],
    "InteractionFilter.unassigned": FIELDS["Interaction.assignee"],
    "InteractionFilter.escalated": FIELDS["Interaction.escalationLevel"],
    "EventFilter.assigneeId": FIELDS["Interaction.assignee"],
    "Query.party.externalIdentifier": FIELDS["Party.externalIdentifiers"],
    # Self-service opens for itself, unfinished; a partner names its customer, and nobody else.
    "CreateInteractionInput.parties": Gate(STAFF_AND_SYSTEM),
    "CreateInteractionInput.endedAt": Gate(DOERS),
    "CreateInteractionInput.externalIdentifier": Gate(DOERS),
}
"""Arguments behind a gate, by the input or the root that they belong to; to give one is refused by its name."""

OPEN: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "AllowedAct": "act allowed code requiresRoles requiredAcr",
        "Attachment": "id name mimeType size visibility by byRole at url downloadUrl",
        "AttachmentPayload": "upload cursor replayed errors",
        "AttachmentUpload": "attachmentId url expiresAt",
        "ContactMedium": "kind address preferred",
        "EntityRef": "type entityId href name",
        "EventConnection": "edges nodes pageInfo cursor",
        "EventEdge": "cursor node",
        "EventFilter": "interactionIds partyId types status kind topic vertical channel priority",
        "EventPage": "nodes cursor hasMore reset",
        "ExternalIdentifier": "owner type value",
        "FeedFrame": "kind cursor event interactionId reason",
        "FieldChange": "field from to",
        "Interaction": "id revision direction kind topic reason description vertical priority status statusChangedAt question resolution"
        " allowedTransitions allowedActs startedAt endedAt createdAt updatedAt channels parties customer items relationships"
        " externalIdentifiers notes attachments progress satisfaction timeline redactions",
        "InteractionChannel": "type name since",
        "InteractionConnection": "edges nodes pageInfo totalCount totalCountIsExact cursor",
        "InteractionEdge": "cursor node",
        "InteractionEvent": "id cursor sequence type at recordedAt actor actorRole channel message revision status progress note item"
        " attachment interactionId redactions",
        "InteractionFilter": "ids status direction kind topic vertical priority channel partyId overdue entity externalIdentifier"
        " createdAt updatedAt endedAt text",
        "InteractionItem": "id type reason resolution vertical entity createdAt resolvedAt",
        "InteractionPayload": "cursor replayed claimCode errors",
        "InteractionRelationship": "type interaction",  # one out of sight is left out
        "Involvement": "role party since",
        "Note": "id text visibility channel author authorRole at",
        "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
        "Party": "id revision kind redactions",
        "PartyConnection": "edges nodes pageInfo totalCount totalCountIsExact",
        "PartyEdge": "cursor node",
        "PartyPayload": "cursor replayed errors",
        "PartyRole": "id name party status statusReason validFrom validTo",
        "PartyRoleConnection": "edges nodes pageInfo totalCount",
        "PartyRoleEdge": "cursor node",
        "PartyRolePayload": "cursor replayed errors",
        "Progress": "percent stage message expectedCompletionAt updatedAt nextUpdateDueAt overdue",
        "Redaction": "field requiresRoles requiresScopes",
        "Satisfaction": "score comment at",
        "Token": "id party roles scopes filter client issuedAt expiresAt revokedAt",  # whoever sees it: its party, and an ADMIN
        "TokenConnection": "edges nodes pageInfo totalCount",
        "TokenEdge": "cursor node",
        "TokenFilter": "vertical channel kind topic direction",
        "TokenPayload": "token record replayed errors",
        "UserError": "code message path currentRevision conflictingId allowedTransitions requiresRoles requiresScopes requiredAcr"
        " retryAfterMs",
        "Viewer": "id party roles scopes expiresAt rateLimit",
        "RateLimit": "limit remaining resetAt",
    }.items()
}
"""Fields that whoever sees the object may read, by type, and what whoever may search may search by."""


def change_gate(field: str) -> Gate | None:
    """The gate of a change: that of the field of an interaction that it names, where it has one."""
    return FIELDS.get(f"Interaction.{field}")


def check_argument(viewer: Viewer, name: str, what: str) -> None:
    """Pass, or raise Forbidden where this viewer may not give this argument; `what` begins the sentence, in the client's words.

    As at a root, `own` roles may: what they look for is among their own, as `Visibility` leaves nothing else in sight."""
    gate = ARGUMENTS[name]
    role, scope = replace(gate, scopes=()).opens(viewer, own=True), Gate(scopes=gate.scopes).opens(viewer, own=True)
    if not (role and scope):
        raise Forbidden(what, roles=() if role else ordered({*gate.roles, *gate.own}), scopes=() if scope else gate.scopes)
