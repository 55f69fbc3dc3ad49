"""The hub as an issuer: tokens for partners, systems and visitors, signed with keys that are derived from its secret.

So every process of one database signs with the same key, a rotated secret rotates it, and the secret before goes on
verifying for as long as it is handed in. What the hub says of itself is believed further than what others say: filters,
the tokens that one rests on, and roles that must be backed.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.access.claims import Claimed
from hub.access.issuers import Issuer
from hub.access.issuing import ISSUABLE
from hub.access.jwks import Key, KeySet
from hub.access.keys import Keyring
from hub.access.sources import FixedKeys
from hub.access.tokens import AUDIENCE
from hub.access.trust import Trust
from hub.access.viewers import SCOPES
from hub.domain.ids import CLIENT, is_id
from hub.domain.issued_tokens import IssuedToken
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.errors import BadInput

USUAL_NAME: Final = "urn:interaction-hub"  # the issuer's name where HUB_URL gives it none: the same for all processes of a database
PURPOSE: Final = "tokens"


class OwnIssuer(Issuer):
    """Signs tokens (RFC 9068), and believes them when they come back."""

    def __init__(self, keyring: Keyring, name: str = USUAL_NAME, *, audience: str = AUDIENCE) -> None:
        private = [Ed25519PrivateKey.from_private_bytes(seed) for seed in keyring.seeds(PURPOSE)]
        self._key = private[0]
        self.jwks: Final = {"keys": [_jwk(key) for key in private]}
        self._kid: Final = self.jwks["keys"][0]["kid"]
        keys = KeySet(tuple(Key.of(key.public_key(), kid=jwk["kid"]) for key, jwk in zip(private, self.jwks["keys"], strict=True)))
        roles = {role.value: role for role in ISSUABLE}
        super().__init__(Trust(issuer=name, audience=audience, algorithms=("EdDSA",), keys=keys, roles=roles), FixedKeys(keys))

    def sign(self, token: IssuedToken) -> str:
        """The token that is remembered so."""
        rights = token.rights
        said = {
            "iss": self.trust.issuer,
            "aud": self.trust.audience,
            "sub": token.subject,
            "client_id": token.client,
            "iat": int(token.issued_at.timestamp()),
            "exp": int(rights.expires_at.timestamp()),
            "jti": token.id,
            "roles": [role.value for role in Role if role in rights.roles],
            "scope": " ".join(scope for scope in SCOPES if scope in rights.scopes),
        }
        seldom = {
            "party": token.party,
            "filter": rights.narrowed.words,
            "via": list(token.via),
            "backed": {role.value: name for role, name in rights.backed},
        }
        said |= {name: value for name, value in seldom.items() if value}
        return jwt.encode(said, self._key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": self._kid})

    def believed(self, said: Mapping[str, Any], now: datetime) -> Claimed:
        claimed = super().believed(said, now)
        viewer = claimed.viewer
        client = {viewer.client} if viewer.client is not None and is_id(viewer.client, CLIENT) else set[str]()
        own = replace(
            viewer,
            narrowed=_filter(said),
            rests_on=frozenset({said["jti"], *said.get("via", ())} | client),
            backed=tuple((Role(role), str(name)) for role, name in _object(said, "backed").items()),
        )
        return replace(claimed, viewer=own)


def _filter(said: Mapping[str, Any]) -> TokenFilter:
    try:
        return TokenFilter.of(_object(said, "filter"))
    except BadInput as error:  # of a hub that knows more words than this one
        raise ValueError("not a filter") from error


def _object(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name, {})
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no object")
    return found


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    """The public half (RFC 8037, section 2), known by its thumbprint (RFC 7638, section 3)."""
    needed = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(key.public_key().public_bytes_raw())}
    thumbprint = sha256(orjson.dumps(needed, option=orjson.OPT_SORT_KEYS)).digest()
    return {**needed, "use": "sig", "alg": "EdDSA", "kid": _encoded(thumbprint)}


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
