"""How far a token may reach that a viewer asks for: never further than the one that it asks with. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from hub.access.mandates import ordered
from hub.access.trust import LONGEST_LIFE
from hub.access.viewers import SCOPES, Viewer
from hub.domain.ids import TOKEN, is_id
from hub.domain.issued_tokens import Rights
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.errors import BadInput, Forbidden, Unauthenticated, listed

ISSUABLE: Final = frozenset({Role.VISITOR, Role.PARTNER, Role.SYSTEM})
"""Roles that the hub gives by itself. Those of staff come from an OIDC issuer alone."""

DEEPEST: Final = 5  # tokens that one may have been passed on through


def rights(viewer: Viewer) -> Rights:
    """All that this viewer could pass on, for as long as it has it itself. Raises Unauthenticated where no token stands behind it."""
    if viewer.expires_at is None:
        raise Unauthenticated
    roles = viewer.roles & ISSUABLE
    return Rights(
        roles=roles,
        scopes=viewer.scopes,
        narrowed=viewer.narrowed,
        backed=tuple(sorted((role, name) for role, name in viewer.backed if role in roles)),
        expires_at=viewer.expires_at,
    )


def narrowed(own: Rights, *, roles: Collection[Role], scopes: Collection[str], filter: TokenFilter, seconds: int, now: datetime) -> Rights:
    """What is asked for, as far as it lies within `own`. It ends when `own` does, at the latest.

    Raises BadInput for what nobody could have, and Forbidden, with the role or the scope, for more than `own` holds."""
    if not roles:
        raise BadInput("A token needs at least one role.", "input", "roles")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise BadInput(f"There is no scope {unknown[0][:64]!r}; there are {listed(SCOPES, 'and')}.", "input", "scopes")
    if not 1 <= seconds <= LONGEST_LIFE:
        raise BadInput(f"A token lives from 1 to {LONGEST_LIFE} seconds (24 hours).", "input", "expiresInSeconds")
    if wider := set(roles) - own.roles:
        raise Forbidden("Passing on a role", roles=ordered(wider))
    if missing := sorted(set(scopes) - own.scopes):
        raise Forbidden("Passing on a scope", scopes=[missing])
    return Rights(
        roles=frozenset(roles),
        scopes=frozenset(scopes),
        narrowed=own.narrowed.over(filter),
        backed=tuple((role, name) for role, name in own.backed if role in roles),
        expires_at=min(own.expires_at, now.replace(microsecond=0) + timedelta(seconds=seconds)),
    )


def via(viewer: Viewer) -> tuple[str, ...]:
    """The tokens that one issued to this viewer rests on. Raises BadInput for one that was passed on too often."""
    tokens = tuple(sorted(id for id in viewer.rests_on if is_id(id, TOKEN)))
    if len(tokens) > DEEPEST:
        raise BadInput(f"A token is passed on at most {DEEPEST} times; ask with one that is nearer to the first.")
    return tokens
