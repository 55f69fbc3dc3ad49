"""JSON Web Key Sets: what is a key of ours, and what it may do."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from hub.access.jwks import Key, key_set, read
from tests.access.issuing import Pair

RSA, EC, ED = Pair.made("rsa", "RS256"), Pair.made("ec", "ES256"), Pair.made("ed", "EdDSA")
WEAK: list[dict[str, Any]] = [
    RSAAlgorithm.to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key(), as_dict=True),
    ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True),
    ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256K1()).public_key(), as_dict=True),
    OKPAlgorithm.to_jwk(Ed448PrivateKey.generate().public_key(), as_dict=True),
]


def bare(pair: Pair) -> dict[str, Any]:
    return {name: value for name, value in pair.jwk.items() if name not in {"alg", "use"}}


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (bare(RSA), {"RS256", "PS256"}),
        (bare(RSA) | {"alg": "PS256"}, {"PS256"}),
        (bare(EC), {"ES256"}),
        (bare(ED), {"EdDSA"}),
        (bare(ED) | {"key_ops": ["verify"]}, {"EdDSA"}),
    ],
)
def test_a_key_verifies_what_its_kind_can_and_no_more_than_it_says(jwk: dict[str, Any], algorithms: set[str]) -> None:
    assert read(jwk).algorithms == algorithms


@pytest.mark.parametrize(
    "jwk",
    [
        *WEAK,
        bare(EC) | {"alg": "RS256"},
        bare(RSA) | {"alg": "HS256"},
        bare(EC) | {"alg": 7},
        bare(EC) | {"kid": 7},
        bare(EC) | {"use": "enc"},
        bare(EC) | {"use": None},
        bare(EC) | {"key_ops": ["sign"]},
        bare(EC) | {"key_ops": 7},
        bare(EC) | {"d": "AA"},
        bare(RSA) | {"d": "AQAB"},
        bare(EC) | {"y": bare(EC)["x"]},
        bare(EC) | {"x": 7},
        bare(EC) | {"crv": []},
        bare(RSA) | {"n": ""},
        bare(RSA) | {"e": "AA"},
        bare(ED) | {"x": "AA"},
        {"kty": "oct", "k": "AA", "alg": "HS256"},
        {"kty": ["EC"]},
        {"kty": "EC"},
        {},
        [],
        None,
        "EC",
    ],
)
def test_what_is_no_key_of_ours_is_left_out_and_the_others_stay(jwk: object) -> None:
    keys = key_set({"keys": [bare(RSA), jwk, bare(ED)]})

    assert [key.kid for key in keys.keys] == ["rsa", "ed"]


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": {}}, {"keys": [{}] * 101}], ids=lambda value: str(value)[:20])
def test_what_is_no_set_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"^it (is no JWK Set|has more than 100 keys)$"):
        key_set(document)


def test_a_key_is_found_by_its_name_and_algorithm_and_never_by_trying() -> None:
    other = Pair.made("other", "ES256")
    keys = key_set({"keys": [RSA.jwk, EC.jwk, other.jwk, EC.jwk]})

    assert keys.find("ec", "ES256") == read(EC.jwk)
    assert keys.find("ec", "RS256") is None
    assert keys.find("none", "ES256") is None
    assert keys.find(None, "RS256") == read(RSA.jwk)
    assert keys.find(None, "ES256") is None
    assert keys.fitting(("ES256", "EdDSA")) == 2


def test_two_keys_of_one_name_for_one_algorithm_are_none() -> None:
    twin = Pair("ec", "ES256", Pair.made("x", "ES256").private)

    assert key_set({"keys": [EC.jwk, twin.jwk]}).find("ec", "ES256") is None


def test_a_key_shows_nothing_of_its_bits_but_what_all_may_know() -> None:
    assert isinstance(read(EC.jwk), Key)
    assert read(EC.jwk) != read(EC.jwk | {"kid": "x"})
    assert "private" not in repr(read(EC.jwk)).lower()


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_a_key_of_no_use_says_so(curve: ec.EllipticCurve) -> None:
    with pytest.raises(ValueError, match="of no use for"):
        Key.of(ec.generate_private_key(curve).public_key())


def test_a_key_of_no_use_says_so_also_where_it_names_an_algorithm() -> None:
    with pytest.raises(ValueError, match="of no use for"):
        Key.of(ec.generate_private_key(ec.SECP384R1()).public_key(), algorithm="ES256")
