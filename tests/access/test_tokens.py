import hmac
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from hub.access import tokens
from hub.access.mandates import SCOPES_OF
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.errors import BadInput, Unauthenticated
from tests.access.issuing import START, Clock, at_once, by_hand, part, verifier

ANNA = PartyId("par_" + "a" * 32)
KEY = Ed25519PrivateKey.generate()


class LocalIssuer(tokens.LocalIssuer):
    """With the verifier of a hub in local mode."""

    def __init__(self, key: Ed25519PrivateKey, *, audience: str = tokens.AUDIENCE, clock: Clock) -> None:
        super().__init__(key, audience=audience, clock=clock)
        self.verifier = verifier(self.issuer, clock=clock)

    def verify(self, token: str) -> Viewer:
        return at_once(self.verifier.verify(token))


@pytest.fixture
def issuer(clock: Clock) -> LocalIssuer:
    return LocalIssuer(KEY, clock=clock)


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that verify; a change to None takes one away."""
    seconds = int(START.timestamp())
    good = {
        "iss": "urn:interaction-hub:local",
        "aud": "interaction-hub",
        "sub": "local:agent",
        "iat": seconds,
        "exp": seconds + 3600,
        "jti": "tok_1",
        "roles": ["AGENT"],
        "scope": "interaction:read",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(payload: dict[str, Any], key: Any = KEY, algorithm: str = "EdDSA", **headers: Any) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers={"typ": "at+jwt"} | headers)


def accepted(issuer: LocalIssuer, token: str) -> bool:
    return issuer.verify(token).roles == {Role.AGENT}


def refused(issuer: LocalIssuer, token: str) -> bool:
    """Whether it is refused, twice, so that what is remembered counts too."""
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            issuer.verify(token)
    return True


def test_a_minted_token_gives_the_viewer_it_was_minted_for(issuer: LocalIssuer) -> None:
    token = issuer.mint([Role.CUSTOMER], party=ANNA, scopes=["interaction:read"], ttl=timedelta(minutes=5))

    viewer = issuer.verify(token)

    assert viewer == Viewer(
        issuer="urn:interaction-hub:local",
        subject=ANNA,
        client="hub",
        token_id=viewer.token_id,
        party=ANNA,
        roles=frozenset({Role.CUSTOMER}),
        scopes=frozenset({"interaction:read"}),
        expires_at=START + timedelta(minutes=5),
    )
    assert viewer.token_id
    assert viewer.token_id.startswith("tok_")


def test_staff_needs_no_party_and_gets_every_scope_of_its_roles(issuer: LocalIssuer) -> None:
    viewer = issuer.verify(issuer.mint([Role.AGENT, Role.SUPERVISOR]))

    assert viewer.subject == "local:supervisor"
    assert viewer.party is None
    assert viewer.scopes == SCOPES_OF[Role.AGENT] | SCOPES_OF[Role.SUPERVISOR]
    assert viewer.expires_at == START + timedelta(hours=1)


def test_no_scopes_at_all_can_be_asked_for(issuer: LocalIssuer) -> None:
    assert issuer.verify(issuer.mint([Role.AGENT], scopes=[])).scopes == frozenset()


@pytest.mark.parametrize("role", [Role.VISITOR, Role.CUSTOMER, Role.PARTNER])
def test_a_role_that_acts_for_a_party_is_not_minted_without_one(issuer: LocalIssuer, role: Role) -> None:
    with pytest.raises(BadInput, match=f"{role} needs a party: name it with `--party`"):
        issuer.mint([role])


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(hours=24, seconds=1), timedelta(days=365)])
def test_a_token_is_not_minted_for_no_time_or_more_than_a_day(issuer: LocalIssuer, ttl: timedelta) -> None:
    with pytest.raises(BadInput, match="from 1 to 86400 seconds"):
        issuer.mint([Role.AGENT], ttl=ttl)


def test_a_token_may_live_a_whole_day(issuer: LocalIssuer, clock: Clock) -> None:
    token = issuer.mint([Role.AGENT], ttl=timedelta(hours=24))
    clock.now = START + timedelta(hours=23, minutes=59)

    assert issuer.verify(token).roles == {Role.AGENT}


@pytest.mark.parametrize(
    "order",
    [{"roles": []}, {"roles": [Role.CUSTOMER], "party": "anna"}, {"roles": [Role.AGENT], "scopes": ["interaction:raed"]}],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(issuer: LocalIssuer, order: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        issuer.mint(**order)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_a_token_signed_with_the_key_verifies(issuer: LocalIssuer, typ: str) -> None:
    assert issuer.verify(signed(claims(), typ=typ)).roles == {Role.AGENT}


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at", "", None, 7, ["at+jwt"]])
def test_another_type_of_token_is_refused(issuer: LocalIssuer, typ: object) -> None:
    assert refused(issuer, by_hand({"alg": "EdDSA", "typ": typ}, claims(), KEY.sign))


def test_a_token_without_a_type_is_refused(issuer: LocalIssuer) -> None:
    assert refused(issuer, by_hand({"alg": "EdDSA"}, claims(), KEY.sign))


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", ""])
def test_an_unsigned_token_is_refused(issuer: LocalIssuer, alg: str) -> None:
    assert refused(issuer, by_hand({"alg": alg, "typ": "at+jwt"}, claims(), lambda body: b""))


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        (Encoding.Raw, PublicFormat.Raw),
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ],
    ids=["raw", "pem", "der", "openssh"],
)
@pytest.mark.parametrize("alg", ["HS256", "EdDSA"])
def test_the_public_key_is_no_password(issuer: LocalIssuer, encoding: Encoding, form: PublicFormat, alg: str) -> None:
    public = KEY.public_key().public_bytes(encoding, form)

    forged = by_hand({"alg": alg, "typ": "at+jwt"}, claims(), lambda body: hmac.digest(public, body, sha256))

    assert refused(issuer, forged)


def test_another_key_of_the_same_kind_is_refused(issuer: LocalIssuer) -> None:
    assert refused(issuer, signed(claims(), Ed25519PrivateKey.generate()))


def test_another_algorithm_is_refused_though_its_signature_is_good(issuer: LocalIssuer) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert refused(issuer, signed(claims(), other, "RS256"))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
        {"x5c": ["AA"]},
        {"zip": "DEF"},
        {"kid": 7},
    ],
    ids=str,
)
def test_a_header_that_asks_for_more_is_refused(issuer: LocalIssuer, header: dict[str, Any]) -> None:
    assert refused(issuer, by_hand({"alg": "EdDSA", "typ": "at+jwt"} | header, claims(), KEY.sign))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "sub", "jti"])
def test_each_required_claim_is_required(issuer: LocalIssuer, name: str) -> None:
    assert accepted(issuer, signed(claims()))

    assert refused(issuer, signed(claims(**{name: None})))
    assert refused(issuer, by_hand({"alg": "EdDSA", "typ": "at+jwt"}, claims() | {name: None}, KEY.sign))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://issuer.example"},
        {"iss": ["urn:interaction-hub:local"]},
        {"aud": "another-hub"},
        {"aud": ["another-hub", "a-third"]},
        {"aud": []},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"sub": "\ud800"},
        {"sub": "x" * 256},
        {"jti": ""},
        {"jti": 7},
        {"client_id": ""},
        {"client_id": {"$gt": ""}},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"iat": float("-inf")},
        {"iat": "now"},
        {"nbf": int(START.timestamp()) + 60},
        {"nbf": "later"},
        {"iat": int(START.timestamp()) + 60},
        {"exp": int(START.timestamp())},
        {"exp": int(START.timestamp()) + 86401},
        {"exp": int(START.timestamp()) + 10, "iat": int(START.timestamp()) - 86400},
        {"roles": 7},
        {"roles": {"AGENT": True}},
        {"scope": {"interaction:read": True}},
        {"scope": 7},
        {"acr": 2},
        {"acr": ""},
        {"party": "anna"},
        {"party": ""},
        {"party": "int_" + "a" * 32},
        {"party": ANNA + "\n"},
        {"party": [ANNA, ANNA]},
        {"party": {"$gt": ""}},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_signed_token_with_a_wrong_claim_is_refused(issuer: LocalIssuer, change: dict[str, Any]) -> None:
    assert refused(issuer, by_hand({"alg": "EdDSA", "typ": "at+jwt"}, claims(**change), KEY.sign))


def test_an_issuer_a_little_ahead_of_us_is_forgiven(issuer: LocalIssuer) -> None:
    assert accepted(issuer, signed(claims(iat=int(START.timestamp()) + 4)))


def test_one_of_several_audiences_may_be_ours(issuer: LocalIssuer) -> None:
    assert accepted(issuer, signed(claims(aud=["another-hub", "interaction-hub"])))


def test_a_token_expires_on_its_second_also_when_it_is_remembered(issuer: LocalIssuer, clock: Clock) -> None:
    token = issuer.mint([Role.AGENT], ttl=timedelta(seconds=10))
    assert accepted(issuer, token)

    clock.now = START + timedelta(seconds=9, milliseconds=999)
    assert accepted(issuer, token)

    clock.now = START + timedelta(seconds=10)
    assert refused(issuer, token)


def test_a_token_of_another_hub_is_refused(issuer: LocalIssuer, clock: Clock) -> None:
    assert refused(issuer, LocalIssuer(Ed25519PrivateKey.generate(), clock=clock).mint([Role.AGENT]))
    assert refused(issuer, LocalIssuer(KEY, audience="another-hub", clock=clock).mint([Role.AGENT]))


def test_a_huge_token_is_refused_though_its_signature_is_good(issuer: LocalIssuer) -> None:
    assert accepted(issuer, signed(claims(filler="x" * 4_000)))

    assert refused(issuer, signed(claims(filler="x" * 40_000)))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "ünïcode", "\ud800", "\0", "Bearer x", "x" * 40_000],
    ids=lambda token: repr(token[:12]),
)
def test_what_is_no_token_is_refused(issuer: LocalIssuer, token: str) -> None:
    assert refused(issuer, token)


@pytest.mark.parametrize("header", [b"[" * 5_000, b"[]", b"null", b"7", b"\xff", b'{"alg": {}}', b'{"alg": ["EdDSA"], "typ": "at+jwt"}'])
def test_a_header_that_is_none_is_refused(issuer: LocalIssuer, header: bytes) -> None:
    assert refused(issuer, by_hand(header, claims(), KEY.sign))


@pytest.mark.parametrize("payload", [b"[" * 5_000, b"[]", b"null", b"\xff", b""])
def test_a_signed_payload_that_is_none_is_refused(issuer: LocalIssuer, payload: bytes) -> None:
    assert refused(issuer, by_hand({"alg": "EdDSA", "typ": "at+jwt"}, payload, KEY.sign))


THREE_PARTS = st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda parts: b".".join(map(part, parts)).decode())


@given(st.text(max_size=200) | THREE_PARTS)
def test_no_text_whatever_raises_anything_else(token: str) -> None:
    with pytest.raises(Unauthenticated):
        LocalIssuer(KEY, clock=Clock()).verify(token)


def test_a_token_changed_in_any_part_is_refused_also_when_the_true_one_is_remembered(issuer: LocalIssuer) -> None:
    header, payload, signature = signed(claims()).split(".")
    assert accepted(issuer, f"{header}.{payload}.{signature}")

    assert refused(issuer, f"{header}.{part(claims(roles=['ADMIN'])).decode()}.{signature}")
    assert refused(issuer, f"{header}.{payload}.{signature[:-4]}AAAA")
    assert refused(issuer, f"{header}.{payload}")


def test_every_refusal_is_the_same_sentence(issuer: LocalIssuer) -> None:
    sentences = set()
    for token in ("x", signed(claims(exp=1)), signed(claims(), Ed25519PrivateKey.generate())):
        with pytest.raises(Unauthenticated) as refusal:
            issuer.verify(token)
        sentences.add(refusal.value.message)

    assert len(sentences) == 1


def test_roles_and_scopes_that_we_do_not_know_are_ignored(issuer: LocalIssuer) -> None:
    known = issuer.verify(signed(claims(roles=["AGENT", "EMPEROR", 7, None, {}, "agent"], scope="interaction:read openid  profile")))

    assert known.roles == {Role.AGENT}
    assert known.scopes == {"interaction:read"}


@pytest.mark.parametrize("roles", [["EMPEROR"], [], None])
def test_a_token_without_a_role_that_we_know_gives_a_viewer_without_roles(issuer: LocalIssuer, roles: object) -> None:
    viewer = issuer.verify(signed(claims(roles=roles)))

    assert viewer.roles == frozenset()
    assert not viewer.is_anonymous


@pytest.mark.parametrize("role", [Role.VISITOR, Role.CUSTOMER, Role.PARTNER])
def test_a_token_that_should_name_a_party_and_does_not_sees_no_rows(issuer: LocalIssuer, role: Role) -> None:
    sight = Visibility.of(issuer.verify(signed(claims(roles=[role]))))

    assert not sight.sees({"visibleTo": [ANNA]})
    assert not sight.sees({"visibleTo": [None]})
    assert not sight.sees({})


def test_a_verified_token_is_remembered_and_the_longest_unused_gives_way(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.issuers.REMEMBERED", 2)
    issuer = LocalIssuer(KEY, clock=clock)
    first, second, third = (issuer.mint([Role.AGENT]) for _ in range(3))
    seen_first, seen_second = issuer.verify(first), issuer.verify(second)

    issuer.verify(first)
    issuer.verify(third)

    assert issuer.verify(first) is seen_first
    assert issuer.verify(second) is not seen_second
    assert issuer.verify(second) == seen_second


@pytest.mark.parametrize("acr", ["p", "phr", "a" * 255])
def test_an_acr_is_minted_as_it_is(issuer: LocalIssuer, acr: str) -> None:
    assert jwt.decode(issuer.mint([Role.AGENT], acr=acr), options={"verify_signature": False})["acr"] == acr


@pytest.mark.parametrize("acr", ["", "a" * 256, "a\nb"])
def test_what_is_no_acr_is_not_minted(issuer: LocalIssuer, acr: str) -> None:
    with pytest.raises(BadInput, match="at most 255 printable"):
        issuer.mint([Role.AGENT], acr=acr)


@pytest.mark.parametrize("seconds", [1, 86_400])
def test_a_token_is_minted_for_a_second_and_for_a_day(issuer: LocalIssuer, seconds: int) -> None:
    said = jwt.decode(issuer.mint([Role.AGENT], ttl=timedelta(seconds=seconds)), options={"verify_signature": False})

    assert said["exp"] - said["iat"] == seconds
