"""Who may do what: one table for acts and root fields, walked by `allows` and `require`, printed in schema.graphql and the README.

Who reads which field is in `hub.access.gates`.

A right is roles x scopes x rows. Roles and scopes are here; rows are in `hub.access.visibility`. `own` roles may act only
on what is their own: the caller knows whether it is, and says so. At the root of a query that is always said, because
`Visibility` then leaves nothing else in sight.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.access import viewers
from hub.access.viewers import PARTY_BOUND, Scope, Viewer
from hub.domain.terms import Role, Status
from hub.errors import Forbidden, Unauthenticated

STAFF: Final = viewers.STAFF
STAFF_AND_SYSTEM: Final = (*STAFF, Role.SYSTEM)
STAFF_SYSTEM_AND_PRIVACY: Final = (*STAFF, Role.SYSTEM, Role.PRIVACY_OFFICER)
DOERS: Final = (*STAFF, Role.PARTNER, Role.SYSTEM)  # who works on an interaction, not only in it
CUSTOMER: Final = (Role.CUSTOMER,)
CUSTOMER_AND_PARTNER: Final = (Role.CUSTOMER, Role.PARTNER)

EVERYONE: Final = frozenset(Role)  # as a mandate's roles: any valid token will do, also one without a role that we know


class Act(StrEnum):
    """What can be done to an interaction or a party; where the contract's `InteractionAct` has it, by the same name."""

    OPEN = "OPEN"
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
    UPSERT_PARTY = "UPSERT_PARTY"
    GRANT_PARTY_ROLE = "GRANT_PARTY_ROLE"
    ISSUE_TOKEN = "ISSUE_TOKEN"  # noqa: S105 - an act's name
    REVOKE_TOKEN = "REVOKE_TOKEN"  # noqa: S105 - an act's name


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who has a right: one of `roles`, or of `own` for what is its own, with all scopes of one of the groups (none: no scope)."""

    roles: frozenset[Role]
    own: frozenset[Role]
    scopes: tuple[tuple[Scope, ...], ...]


def _mandate(roles: Collection[Role], own: Collection[Role], *scopes: Scope) -> Mandate:
    """`scopes`: any one of them will do."""
    return Mandate(frozenset(roles), frozenset(own), tuple((scope,) for scope in scopes))


ACTS: Final[Mapping[Act, Mandate]] = {
    # A partner opens for its customers and always takes part itself; a customer or visitor opens for itself alone.
    Act.OPEN: _mandate((*STAFF_AND_SYSTEM, Role.PARTNER), (Role.VISITOR, Role.CUSTOMER), "interaction:write"),
    Act.UPDATE: _mandate(STAFF_AND_SYSTEM, (Role.PARTNER,), "interaction:write"),
    Act.TRANSITION: _mandate(STAFF_AND_SYSTEM, CUSTOMER_AND_PARTNER, "interaction:write"),  # a customer: only CUSTOMER_MOVES
    Act.CLOSE: _mandate(STAFF_AND_SYSTEM, (Role.PARTNER,), "interaction:write"),
    Act.REPORT_PROGRESS: _mandate(STAFF_AND_SYSTEM, (Role.PARTNER,), "interaction:write"),
    Act.ADD_NOTE: _mandate(STAFF, PARTY_BOUND, "interaction:write"),
    Act.ADD_INTERNAL_NOTE: _mandate(STAFF, (), "interaction:write"),
    Act.ADD_ATTACHMENT: _mandate(STAFF, CUSTOMER, "interaction:write"),  # visitors and partners say it in a note
    Act.ADD_INTERNAL_ATTACHMENT: _mandate(STAFF, (), "interaction:write"),
    Act.ADD_ITEM: _mandate(STAFF_AND_SYSTEM, (Role.PARTNER,), "interaction:write"),  # and resolve one
    Act.ADD_PARTY: _mandate(STAFF, (), "interaction:write"),  # and remove one
    Act.ADD_CHANNEL: _mandate(STAFF_AND_SYSTEM, (Role.PARTNER,), "interaction:write"),
    Act.ASSIGN: _mandate((Role.AGENT, Role.SUPERVISOR), (), "interaction:write"),  # an agent: to itself
    Act.ESCALATE: _mandate(STAFF, (), "interaction:write"),
    Act.LINK: _mandate(STAFF, (), "interaction:write"),  # and unlink
    Act.RATE: _mandate(STAFF, CUSTOMER, "interaction:write"),  # staff write down what the customer says
    Act.CLAIM: _mandate(CUSTOMER, (), "interaction:write"),  # what a visitor opened; the code says which
    Act.UPSERT_PARTY: _mandate(STAFF_AND_SYSTEM, (), "party:write"),
    Act.GRANT_PARTY_ROLE: _mandate((Role.SUPERVISOR, Role.ADMIN), (), "party:write"),  # and end one
    Act.ISSUE_TOKEN: _mandate((Role.PARTNER,), (), "token:issue"),  # for its own party, never wider than the one it asks with
    Act.REVOKE_TOKEN: _mandate((Role.ADMIN,), (Role.PARTNER,), "token:issue"),
}

KEEPERS: Final = (*STAFF_SYSTEM_AND_PRIVACY, Role.ADMIN)  # who grants roles sees which there are

ROOTS: Final[Mapping[str, Mandate]] = {
    "Query.viewer": _mandate(EVERYONE, ()),
    "Query.cursor": _mandate(EVERYONE, ()),
    "Query.topics": _mandate(EVERYONE, ()),
    "Query.node": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "interaction:read", "party:read"),  # and what the thing itself needs
    "Query.nodes": _mandate(EVERYONE, ()),  # what may not be read is null
    "Query.interaction": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "interaction:read"),
    "Query.interactions": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "interaction:read"),
    "Query.events": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "interaction:read"),
    # Also for oneself: scopes narrow a client, and one that was not given `party:read` has no business with addresses.
    "Query.party": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "party:read"),
    "Query.parties": _mandate(STAFF, (), "party:read"),
    "Query.partyRoles": _mandate(KEEPERS, PARTY_BOUND, "party:read"),
    "Query.tokens": _mandate((Role.PARTNER, Role.ADMIN), (), "token:issue"),  # a partner: its own party's
    "Mutation.createInteraction": ACTS[Act.OPEN],
    "Mutation.updateInteraction": ACTS[Act.UPDATE],
    "Mutation.transitionInteraction": ACTS[Act.TRANSITION],
    "Mutation.closeInteraction": ACTS[Act.CLOSE],
    "Mutation.reportProgress": ACTS[Act.REPORT_PROGRESS],
    "Mutation.addNote": ACTS[Act.ADD_NOTE],  # its internal notes: ADD_INTERNAL_NOTE
    "Mutation.addAttachment": ACTS[Act.ADD_ATTACHMENT],  # its internal ones: ADD_INTERNAL_ATTACHMENT
    "Mutation.addItem": ACTS[Act.ADD_ITEM],
    "Mutation.resolveItem": ACTS[Act.ADD_ITEM],
    "Mutation.addParty": ACTS[Act.ADD_PARTY],
    "Mutation.removeParty": ACTS[Act.ADD_PARTY],
    "Mutation.addChannel": ACTS[Act.ADD_CHANNEL],
    "Mutation.assignInteraction": ACTS[Act.ASSIGN],
    "Mutation.escalateInteraction": ACTS[Act.ESCALATE],
    "Mutation.linkInteractions": ACTS[Act.LINK],
    "Mutation.unlinkInteractions": ACTS[Act.LINK],
    "Mutation.rateInteraction": ACTS[Act.RATE],
    "Mutation.claimInteraction": ACTS[Act.CLAIM],
    "Mutation.upsertParty": ACTS[Act.UPSERT_PARTY],
    "Mutation.updateParty": ACTS[Act.UPSERT_PARTY],
    "Mutation.grantPartyRole": ACTS[Act.GRANT_PARTY_ROLE],
    "Mutation.endPartyRole": ACTS[Act.GRANT_PARTY_ROLE],
    "Mutation.issueToken": ACTS[Act.ISSUE_TOKEN],
    "Mutation.revokeToken": ACTS[Act.REVOKE_TOKEN],
    # One scope is enough to follow: an event carries what it tells, and a wall board or a push relay should hold no more.
    "Subscription.interactionEvents": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "event:subscribe"),
    "Subscription.interactionProgress": _mandate(STAFF_SYSTEM_AND_PRIVACY, PARTY_BOUND, "event:subscribe"),
}

KINDS: Final[Mapping[str, str]] = {
    "Interaction": "Query.interaction",
    "Party": "Query.party",
    "PartyRole": "Query.partyRoles",
    "Token": "Query.tokens",
    "InteractionEvent": "Query.events",
}
"""The root under whose mandate a thing of a kind is read by its id."""

CUSTOMER_MOVES: Final[frozenset[tuple[Status, Status]]] = frozenset(
    {
        (Status.OPEN, Status.CANCELLED),  # cancel
        (Status.IN_PROGRESS, Status.CANCELLED),
        (Status.PENDING, Status.CANCELLED),
        (Status.HELD, Status.CANCELLED),
        (Status.RESOLVED, Status.COMPLETED),  # confirm a resolution
        (Status.RESOLVED, Status.IN_PROGRESS),  # reopen; the window is the domain's
        (Status.COMPLETED, Status.IN_PROGRESS),
    }
)


def _scopes_of(role: Role) -> frozenset[str]:
    mandates = [mandate for mandate in (*ACTS.values(), *ROOTS.values()) if role in mandate.roles | mandate.own]
    return frozenset(scope for mandate in mandates for group in mandate.scopes for scope in group)


SCOPES_OF: Final[Mapping[Role, frozenset[str]]] = {role: _scopes_of(role) for role in Role}  # all that a role can use


def ordered(roles: Collection[Role]) -> tuple[Role, ...]:
    """Roles in the order in which the contract lists them."""
    return tuple(role for role in Role if role in roles)


def allows(viewer: Viewer, mandate: Mandate, *, own: bool = False) -> bool:
    """Whether this viewer has the right; `own`: what it is about is the viewer's own."""
    return not viewer.is_anonymous and _has_role(viewer, mandate, own) and _has_scope(viewer, mandate)


def require(viewer: Viewer, mandate: Mandate, what: str, *, own: bool = False) -> None:
    """Pass, or raise Unauthenticated for nobody and Forbidden for others, with the roles or scopes that are missing.

    `what` begins the sentence, in the client's words: "addNote"."""
    if viewer.is_anonymous:
        raise Unauthenticated
    role, scope = _has_role(viewer, mandate, own), _has_scope(viewer, mandate)
    if role and scope:
        return
    roles = ordered(mandate.roles | mandate.own if own else mandate.roles)
    raise Forbidden(what, roles=() if role else roles, scopes=() if scope else mandate.scopes)


def may_move(viewer: Viewer, was: Status, to: Status) -> bool:
    """Whether one of the viewer's roles may make this move on an interaction within its TRANSITION mandate."""
    return not viewer.roles.isdisjoint(DOERS) or (Role.CUSTOMER in viewer.roles and (was, to) in CUSTOMER_MOVES)


def _has_role(viewer: Viewer, mandate: Mandate, own: bool) -> bool:
    if mandate.roles == EVERYONE:
        return True
    if viewer.party is None:
        return not (viewer.roles - PARTY_BOUND).isdisjoint(mandate.roles)
    return not viewer.roles.isdisjoint(mandate.roles) or (own and not viewer.roles.isdisjoint(mandate.own))


def _has_scope(viewer: Viewer, mandate: Mandate) -> bool:
    return not mandate.scopes or any(viewer.scopes.issuperset(group) for group in mandate.scopes)
