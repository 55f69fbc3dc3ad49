"""The rights that schema.graphql prints, read back from it, and one way to ask for each of its root fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import DirectiveNode, EnumValueNode, GraphQLObjectType, GraphQLSchema, ListValueNode, StringValueNode, build_schema

from hub.domain.terms import Role
from hub.schema import sdl

SCHEMA: Final[GraphQLSchema] = build_schema(sdl())
ROOTS: Final = ("Query", "Mutation", "Subscription")


@dataclass(frozen=True)
class Right:
    """What a field's directives say; None where there is no such directive."""

    roles: frozenset[str] | None
    own: frozenset[str]
    scopes: tuple[tuple[str, ...], ...] | None

    def opens(self, role: Role, *, own: bool) -> bool:
        return self.roles is None or role in self.roles or (own and role in self.own)


def _words(directive: DirectiveNode, name: str) -> list[Any]:
    for argument in directive.arguments or ():
        if argument.name.value == name and isinstance(argument.value, ListValueNode):
            return list(argument.value.values)
    return []


def right(type_name: str, field: str) -> Right:
    """The right to a field."""
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    node = kind.fields[field].ast_node
    assert node is not None
    directives = {directive.name.value: directive for directive in node.directives or ()}
    of_roles, of_scopes = directives.get("requiresRole"), directives.get("requiresScopes")

    def roles(name: str) -> frozenset[str]:
        return frozenset(value.value for value in _words(of_roles, name) if isinstance(value, EnumValueNode)) if of_roles else frozenset()

    scopes = tuple(
        tuple(word.value for word in group.values if isinstance(word, StringValueNode))
        for group in (_words(of_scopes, "scopes") if of_scopes else ())
        if isinstance(group, ListValueNode)
    )
    return Right(roles("roles") if of_roles else None, roles("own"), scopes if of_scopes else None)


def fields(*types: str) -> Iterator[tuple[str, str]]:
    """Every field of these types; of every type of ours without any."""
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and (name in types or not types):
            yield from ((name, field) for field in kind.fields)


def gated(type_name: str) -> Mapping[str, Right]:
    """The fields of a type that are not open to whoever sees the object."""
    rights = {field: right(type_name, field) for _, field in fields(type_name)}
    return {field: found for field, found in rights.items() if found.roles is not None or found.scopes is not None}


def payload(field: str) -> str:
    return f"{field} cursor replayed errors {{ code message path requiresRoles requiresScopes conflictingId currentRevision }}"


OPERATIONS: Final[Mapping[str, str]] = {
    "Query.viewer": "query { viewer { roles } }",
    "Query.cursor": "query { cursor }",
    "Query.topics": "query { topics }",
    "Query.node": "query($id: ID!) { node(id: $id) { id } }",
    "Query.nodes": "query($id: ID!) { nodes(ids: [$id]) { id } }",
    "Query.interaction": "query($id: ID!) { interaction(id: $id) { id } }",
    "Query.interactions": "query { interactions { totalCount } }",
    "Query.party": "query($party: ID!) { party(id: $party) { id } }",
    "Query.parties": "query { parties { totalCount } }",
    "Query.partyRoles": "query { partyRoles { totalCount } }",
    "Query.events": "query { events { cursor } }",
    "Query.tokens": "query { tokens { totalCount } }",
    "Mutation.issueToken": "mutation { issueToken(input: {roles: [PARTNER], scopes: [\"token:issue\"]}) { %s } }",
    "Mutation.revokeToken": "mutation { revokeToken(input: {id: \"tok_x\"}) { %s } }",
    "Mutation.createInteraction": "mutation { createInteraction(input: {direction: INBOUND, channel: WEB_SELF_SERVICE}) { %s } }",
    "Mutation.transitionInteraction": "mutation($id: ID!) { transitionInteraction(input: {id: $id, to: CANCELLED, reason: \"x\"}) { %s } }",
    "Mutation.closeInteraction": "mutation($id: ID!) { closeInteraction(input: {id: $id, resolution: \"x\"}) { %s } }",
    "Mutation.reportProgress": "mutation($id: ID!) { reportProgress(input: {id: $id, message: \"x\"}) { %s } }",
    "Mutation.addNote": "mutation($id: ID!) { addNote(input: {id: $id, text: \"x\"}) { %s } }",
    "Mutation.addAttachment": "mutation($id: ID!) { addAttachment(input: {id: $id, name: \"x\", url: \"https://x.example/1\"}) { %s } }",
    "Mutation.updateInteraction": "mutation($id: ID!) { updateInteraction(input: {id: $id, reason: \"x\"}) { %s } }",
    "Mutation.addItem": "mutation($id: ID!) { addItem(input: {id: $id, item: {type: \"x\"}}) { %s } }",
    "Mutation.resolveItem": "mutation($id: ID!) { resolveItem(input: {id: $id, itemId: \"itm_x\", resolution: \"x\"}) { %s } }",
    "Mutation.addParty": "mutation($id: ID!, $agent: ID) { addParty(input: {id: $id, involvement: {role: USER, partyId: $agent}}) { %s } }",
    "Mutation.removeParty": "mutation($id: ID!, $agent: ID!) { removeParty(input: {id: $id, partyId: $agent, role: USER}) { %s } }",
    "Mutation.addChannel": "mutation($id: ID!) { addChannel(input: {id: $id, channel: CHAT}) { %s } }",
    "Mutation.assignInteraction": "mutation($id: ID!, $agent: ID!) { assignInteraction(input: {id: $id, assigneeId: $agent}) { %s } }",
    "Mutation.escalateInteraction": "mutation($id: ID!) { escalateInteraction(input: {id: $id, reason: \"x\"}) { %s } }",
    "Mutation.linkInteractions": "mutation($id: ID!) { linkInteractions(input: {id: $id, type: PARENT, otherId: \"int_x\"}) { %s } }",
    "Mutation.unlinkInteractions": "mutation($id: ID!) { unlinkInteractions(input: {id: $id, type: PARENT, otherId: \"int_x\"}) { %s } }",
    "Mutation.rateInteraction": "mutation($id: ID!) { rateInteraction(input: {id: $id, score: 5}) { %s } }",
    "Mutation.claimInteraction": "mutation($id: ID!) { claimInteraction(input: {id: $id, claimCode: \"x\"}) { %s } }",
    "Mutation.updateParty": "mutation($party: ID!) { updateParty(input: {id: $party, preferredLanguage: \"en\"}) { %s } }",
    "Mutation.grantPartyRole": "mutation($party: ID!) { grantPartyRole(input: {partyId: $party, name: \"x\"}) { %s } }",
    "Mutation.endPartyRole": "mutation { endPartyRole(input: {id: \"rol_x\"}) { %s } }",
    "Mutation.upsertParty": "mutation { upsertParty(input: {kind: INDIVIDUAL, name: \"x\"}) { %s } }",
    "Subscription.interactionEvents": "subscription { interactionEvents { kind } }",
    "Subscription.interactionProgress": "subscription($id: ID!) { interactionProgress(interactionId: $id) { kind } }",
}  # fmt: skip
"""One valid operation for each root field; a root without one makes the tests fail."""


def operation(root: str) -> str:
    """The text that asks for a root field."""
    if not root.startswith("Mutation."):
        return OPERATIONS[root]
    if root in {"Mutation.issueToken", "Mutation.revokeToken"}:
        return OPERATIONS[root] % payload("record { id }").replace("cursor ", "")
    thing = {"upsertParty": "party", "updateParty": "party", "grantPartyRole": "partyRole", "endPartyRole": "partyRole"}
    return OPERATIONS[root] % payload(f"{thing.get(root.partition('.')[2], 'interaction')} {{ id }}")
