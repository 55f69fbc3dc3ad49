"""Every field of the schema has a decision about who reads it: a right that is printed, or a place in this table.

Who adds a field adds it here, or gates it; a field in neither makes these tests fail."""

from collections.abc import Mapping
from typing import Final

import pytest

from hub.access import mandates
from tests.security.rights import OPERATIONS, ROOTS, fields, gated, right

OPEN: Final[Mapping[str, str]] = {
    "AllowedAct": "act allowed code requiresRoles requiredAcr",
    "ContactMedium": "kind address preferred",
    "EntityRef": "type entityId href name",
    "EventConnection": "edges nodes pageInfo cursor",
    "EventEdge": "cursor node",
    "EventPage": "nodes cursor hasMore reset",
    "ExternalIdentifier": "owner type value",
    "FeedFrame": "kind cursor event interactionId reason",
    "FieldChange": "field from to",
    "Interaction": "id revision direction kind topic reason description vertical priority status statusChangedAt question resolution"
    " allowedTransitions allowedActs startedAt endedAt createdAt updatedAt channels parties customer items relationships"
    " externalIdentifiers progress satisfaction redactions notes timeline",
    "InteractionChannel": "type name since",
    "InteractionConnection": "edges nodes pageInfo totalCount totalCountIsExact cursor",
    "InteractionEdge": "cursor node",
    "InteractionEvent": "id cursor sequence type at recordedAt actor actorRole channel message revision status progress note item"
    " interactionId redactions",
    "InteractionItem": "id type reason resolution vertical entity createdAt resolvedAt",
    "InteractionRelationship": "type interaction",  # one out of sight is left out
    "InteractionPayload": "cursor replayed claimCode errors",
    "Involvement": "role party since",
    "Note": "id text visibility channel author authorRole at",
    "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
    "Party": "id revision kind name preferredLanguage redactions",  # name and language: masked for whom the party is not in sight
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
    "UserError": "code message path currentRevision conflictingId allowedTransitions requiresRoles requiresScopes requiredAcr retryAfterMs",
    "Viewer": "id party roles scopes expiresAt",
}
"""Fields that whoever sees the object may read."""


@pytest.mark.parametrize(("type_name", "field"), [one for one in fields() if one[0] not in ROOTS], ids=lambda word: word)
def test_a_field_is_gated_or_open_on_purpose_and_never_both(type_name: str, field: str) -> None:
    assert (field in gated(type_name)) != (field in OPEN.get(type_name, "").split()), f"decide who reads {type_name}.{field}"


def test_the_table_names_nothing_that_is_gone() -> None:
    assert {(name, field) for name, open_fields in OPEN.items() for field in open_fields.split()} <= set(fields())


@pytest.mark.parametrize(("type_name", "field"), list(fields(*ROOTS)), ids=lambda word: word)
def test_a_root_prints_the_roles_and_the_scopes_of_its_mandate(type_name: str, field: str) -> None:
    printed, mandate = right(type_name, field), mandates.ROOTS[f"{type_name}.{field}"]

    assert (printed.roles, printed.own, printed.scopes) == (mandate.roles, mandate.own, mandate.scopes)


def test_every_root_is_asked_for_by_the_matrix_and_every_mandate_has_its_root() -> None:
    roots = {f"{type_name}.{field}" for type_name, field in fields(*ROOTS)}

    assert roots == set(OPERATIONS) == set(mandates.ROOTS)
