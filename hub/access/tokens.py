"""The issuer of a hub in local mode: mints tokens on the command line, with the key of the data directory."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.access.claims import LONGEST_CLAIM
from hub.access.issuers import Issuer
from hub.access.jwks import Key, KeySet
from hub.access.mandates import SCOPES_OF
from hub.access.sources import FixedKeys
from hub.access.trust import LONGEST_LIFE, Trust
from hub.access.viewers import ACTING, PARTY_BOUND, SCOPES
from hub.domain.ids import PARTY, PartyId, is_id, uuid7
from hub.domain.terms import Role
from hub.errors import BadInput, listed

LOCAL_ISSUER: Final = "urn:interaction-hub:local"
AUDIENCE: Final = "interaction-hub"
CLIENT: Final = "hub"  # the client_id of what the command line mints
USUAL_LIFE: Final = timedelta(hours=1)

Clock = Callable[[], datetime]


class LocalIssuer:
    """Mints EdDSA tokens; `issuer` is what verifies them."""

    def __init__(self, key: Ed25519PrivateKey, *, audience: str = AUDIENCE, clock: Clock) -> None:
        self._key = key
        self._audience = audience
        self._clock = clock
        keys = KeySet((Key.of(key.public_key()),))
        roles = {role.value: role for role in Role}
        self.issuer: Final = Issuer(
            Trust(issuer=LOCAL_ISSUER, audience=audience, algorithms=("EdDSA",), keys=keys, roles=roles), FixedKeys(keys)
        )

    def mint(
        self,
        roles: Collection[Role],
        *,
        party: PartyId | None = None,
        scopes: Collection[str] | None = None,
        ttl: timedelta = USUAL_LIFE,
        acr: str | None = None,
    ) -> str:
        """A token for these roles; without `scopes`, with every scope that they can use. Raises BadInput."""
        _check_order(roles, party, scopes, ttl, acr)
        now = self._clock()
        issued = int(now.timestamp())
        granted = scopes if scopes is not None else {scope for role in roles for scope in SCOPES_OF[role]}
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": self._audience,
            "sub": party or f"local:{min(roles, key=ACTING.index).lower()}",
            "client_id": CLIENT,
            "iat": issued,
            "exp": issued + int(ttl.total_seconds()),
            "jti": f"tok_{uuid7(now)}",
            "roles": [role.value for role in Role if role in roles],
            "scope": " ".join(scope for scope in SCOPES if scope in granted),
        }
        more = {name: value for name, value in (("party", party), ("acr", acr)) if value is not None}
        return jwt.encode(claims | more, self._key, algorithm="EdDSA", headers={"typ": "at+jwt"})


def _check_order(roles: Collection[Role], party: PartyId | None, scopes: Collection[str] | None, ttl: timedelta, acr: str | None) -> None:
    if not roles:
        raise BadInput("A token needs at least one role.", "role")
    if party is None and (bound := [role for role in Role if role in PARTY_BOUND.intersection(roles)]):
        raise BadInput(f"A token for {listed(bound, 'and')} needs a party: name it with `--party`.", "party")
    if party is not None and not is_id(party, PARTY):
        raise BadInput("A party's id is `par_` and 32 lower-case hex digits.", "party")
    if unknown := [scope for scope in scopes or () if scope not in SCOPES]:
        raise BadInput(f"There is no scope {listed(unknown)}; there are {listed(SCOPES, 'and')}.", "scope")
    if acr is not None and not (0 < len(acr) <= LONGEST_CLAIM and acr.isprintable()):
        raise BadInput(f"An acr is a text of at most {LONGEST_CLAIM} printable characters.", "acr")
    if not 1 <= ttl.total_seconds() <= LONGEST_LIFE:
        raise BadInput(f"A token lives from 1 to {LONGEST_LIFE} seconds (24 hours).", "ttl")
