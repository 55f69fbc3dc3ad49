"""The hub's own tokens: what is remembered of one is what it says, and what it says is believed when it comes back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import pytest

from hub.access.issuers import TokenVerifier
from hub.access.keys import Keyring
from hub.access.own_issuer import USUAL_NAME, OwnIssuer
from hub.access.standing import Standings
from hub.access.viewers import Viewer
from hub.access.withdrawn import Withdrawn
from hub.domain.ids import PartyId, TokenId
from hub.domain.issued_tokens import IssuedToken, Rights
from hub.domain.terms import Role
from hub.domain.token_filters import TokenFilter
from hub.errors import Unauthenticated

NOW: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)
PARTY: Final = PartyId("par_" + "a" * 32)
TOKEN: Final = TokenId("tok_" + "1" * 32)
PARENT: Final = "tok_" + "2" * 32
CLIENT: Final = "cli_" + "3" * 32
RIGHTS: Final = Rights(
    roles=frozenset({Role.PARTNER}),
    scopes=frozenset({"interaction:read", "token:issue"}),
    narrowed=TokenFilter.of({"vertical": ["BILLING"], "topic": ["b", "a"]}),
    backed=((Role.PARTNER, "Supplier"),),
    expires_at=NOW + timedelta(minutes=15),
)


def remembered(**given: Any) -> IssuedToken:
    fields: dict[str, Any] = {"id": TOKEN, "party": PARTY, "subject": CLIENT, "client": CLIENT, "rights": RIGHTS, "via": (PARENT,)} | given
    return IssuedToken(seq=1, issued_at=NOW, **fields)


@pytest.fixture(scope="module")
def own() -> OwnIssuer:
    return OwnIssuer(Keyring(b"s" * 32))


class Register:
    """Parties that hold these roles."""

    def __init__(self, *held: str) -> None:
        self.held = frozenset(held)

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        return self.held

    async def known_as(self, identifier: object) -> PartyId | None:
        raise AssertionError("its party stands in it")


async def verified(own: OwnIssuer, token: str, withdrawn: Withdrawn | None = None, held: str = "supplier", now: datetime = NOW) -> Viewer:
    register = Register(held)
    verifier = TokenVerifier([own], Standings(register, register), withdrawn or Withdrawn(), clock=lambda: now)
    return await verifier.verify(token)


async def test_what_is_remembered_is_what_its_bearer_may_do(own: OwnIssuer) -> None:
    viewer = await verified(own, own.sign(remembered()))

    assert viewer == Viewer(
        issuer=USUAL_NAME,
        subject=CLIENT,
        client=CLIENT,
        token_id=TOKEN,
        party=PARTY,
        roles=RIGHTS.roles,
        scopes=RIGHTS.scopes,
        expires_at=RIGHTS.expires_at,
        narrowed=RIGHTS.narrowed,
        rests_on=frozenset({TOKEN, PARENT, CLIENT}),
        backed=RIGHTS.backed,
    )


async def test_a_plain_one_says_no_more_than_it_must(own: OwnIssuer) -> None:
    plain = replace(RIGHTS, narrowed=TokenFilter(), backed=())
    token = own.sign(remembered(party=None, client="visitor", via=(), rights=replace(plain, roles=frozenset({Role.SYSTEM}))))
    said = jwt.decode(token, options={"verify_signature": False})
    viewer = await verified(own, token)

    assert said.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "roles", "scope"}
    assert (viewer.party, viewer.rests_on, viewer.narrowed.is_open) == (None, frozenset({TOKEN}), True)


@pytest.mark.parametrize("gone", [TOKEN, PARENT, CLIENT])
async def test_with_what_it_rests_on_it_is_over(own: OwnIssuer, gone: str) -> None:
    withdrawn = Withdrawn()
    withdrawn.add(gone, None, NOW)

    with pytest.raises(Unauthenticated):
        await verified(own, own.sign(remembered()), withdrawn)


async def test_a_role_that_nothing_backs_any_more_is_gone(own: OwnIssuer) -> None:
    token = own.sign(remembered())

    assert (await verified(own, token, held="SUPPLIER".casefold())).roles == {Role.PARTNER}
    assert (await verified(own, token, held="customer")).roles == frozenset()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.VISITOR, Role.PARTNER, Role.SYSTEM}))
async def test_not_even_its_own_signature_makes_anybody_staff(own: OwnIssuer, role: Role) -> None:
    viewer = await verified(own, own.sign(remembered(rights=replace(RIGHTS, roles=frozenset({role}), backed=()))))

    assert viewer.roles == frozenset()


async def test_it_ends_when_it_is_to_end(own: OwnIssuer) -> None:
    token = own.sign(remembered())

    assert (await verified(own, token, now=NOW + timedelta(minutes=14, seconds=59))).token_id == TOKEN
    with pytest.raises(Unauthenticated):
        await verified(own, token, now=NOW + timedelta(minutes=15))


async def test_a_name_of_its_own_is_what_its_tokens_say(own: OwnIssuer) -> None:
    named = OwnIssuer(Keyring(b"s" * 32), "https://hub.example.com", audience="there")
    token = named.sign(remembered())
    said = jwt.decode(token, options={"verify_signature": False})

    assert (said["iss"], said["aud"]) == ("https://hub.example.com", "there")
    assert (await verified(named, token)).issuer == "https://hub.example.com"
    with pytest.raises(Unauthenticated):
        await verified(own, token)


@pytest.mark.parametrize("said", [{"filter": "x"}, {"filter": {"vertical": "x"}}, {"via": 7}, {"backed": [1]}, {"backed": {"NOBODY": "x"}}])
async def test_what_a_forger_says_beside_it_is_no_fault_of_ours(own: OwnIssuer, said: Mapping[str, Any]) -> None:
    good = jwt.decode(own.sign(remembered()), options={"verify_signature": False})
    forged = jwt.encode({**good, **said}, "x" * 64, algorithm="HS512", headers={"typ": "at+jwt"})
    header = jwt.encode({**good, **said}, OwnIssuer(Keyring(b"o" * 32))._key, algorithm="EdDSA", headers={"typ": "at+jwt"})

    for token in (forged, header):
        with pytest.raises(Unauthenticated):
            await verified(own, token)


JUNK: Final[tuple[object, ...]] = ("x", ["x"], None, 7)


@pytest.mark.parametrize(
    "said",
    [
        *[{name: junk} for name in ("filter", "backed") for junk in JUNK],
        {"via": 7},
        {"via": None},
        {"via": [{}]},
        {"filter": {"vertical": "BILLING"}},
        {"filter": {"vertical": ["OF_A_LATER_HUB"]}},
        {"filter": {"of_a_later_hub": []}},
        {"filter": {"topic": [7]}},
        {"backed": {"NOBODY": "x"}},
    ],
)
async def test_what_it_cannot_read_it_does_not_believe_though_it_has_signed_it(own: OwnIssuer, said: Mapping[str, Any]) -> None:
    good = jwt.decode(own.sign(remembered()), options={"verify_signature": False})
    signed = jwt.encode({**good, **said}, own._key, algorithm="EdDSA", headers={"typ": "at+jwt"})

    with pytest.raises(Unauthenticated):
        await verified(own, signed)


def test_a_rotated_secret_is_published_behind_the_one_in_use() -> None:
    old, new = Keyring(b"o" * 32), Keyring(b"n" * 32, b"o" * 32)
    keys = OwnIssuer(new).jwks["keys"]

    assert [key["kid"] for key in keys] == [OwnIssuer(Keyring(b"n" * 32)).jwks["keys"][0]["kid"], OwnIssuer(old).jwks["keys"][0]["kid"]]
    assert jwt.get_unverified_header(OwnIssuer(new).sign(remembered()))["kid"] == keys[0]["kid"]


def test_a_key_is_published_as_rfc_8037_and_rfc_7638_want_it() -> None:
    (key,) = OwnIssuer(Keyring(b"s" * 32)).jwks["keys"]

    assert key.keys() == {"kty", "crv", "x", "use", "alg", "kid"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    assert (len(key["x"]), len(key["kid"])) == (43, 43)
