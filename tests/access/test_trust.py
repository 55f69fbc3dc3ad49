"""HUB_ISSUERS: what can be said in it, and one sentence for each thing that is wrong, which names the issuer and never a key."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.access.trust import configured, is_trustworthy, path
from hub.domain.terms import Role
from hub.errors import StartupError
from tests.access.issuing import Pair

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
ONE = {"issuer": "https://id.example", "audience": "hub", "algorithms": ["ES256"], "roles": {"agent": "AGENT"}}
PAIR = Pair.made("one")


def sentence(given: object) -> str:
    with pytest.raises(StartupError) as refused:
        configured(given if isinstance(given, str) else json.dumps(given))
    assert refused.value.__cause__ is None
    return str(refused.value)


def test_the_usual_needs_four_lines() -> None:
    (trust,) = configured(json.dumps([ONE]))

    assert (trust.issuer, trust.audience, trust.algorithms) == ("https://id.example", "hub", ("ES256",))
    assert trust.roles == {"agent": Role.AGENT}
    assert (trust.claims.roles, trust.claims.scopes, trust.claims.party) == (("roles",), ("scope",), ("party",))
    assert (trust.jwks_url, trust.keys, trust.parties, trust.backed, trust.lifetime) == (None, None, None, {}, 86_400)
    with pytest.raises(ValidationError):
        trust.lifetime = 1


def test_what_the_readme_shows_is_read_as_it_says(tmp_path: Path) -> None:
    (shown,) = [block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[issuers]]" in block]
    (tmp_path / "issuers.toml").write_text(shown)

    staff, customers = configured(str(tmp_path / "issuers.toml"))

    assert staff.claims.roles == ("realm_access", "roles")
    assert staff.roles == {"care-agent": Role.AGENT, "care-lead": Role.SUPERVISOR}
    assert customers.claims.roles == ("https://example.com/roles",)
    assert customers.parties is not None
    assert (customers.parties.owner, customers.parties.type) == ("crm", "customer-number")
    assert customers.backed == {Role.CUSTOMER: "customer"}


def test_json_and_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "issuers.toml").write_text(
        '[[issuers]]\nissuer = "https://id.example"\naudience = "hub"\nalgorithms = ["ES256"]\nroles = {agent = "AGENT"}\n'
    )

    assert configured(str(tmp_path / "issuers.toml")) == configured(json.dumps([ONE]))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("roles", ("roles",)),
        ("realm_access.roles", ("realm_access", "roles")),
        (r"https://example\.com/roles", ("https://example.com/roles",)),
        (r"a\\.b", ("a\\", "b")),
        (r"a\\\.b", ("a\\.b",)),
    ],
)
def test_a_path_is_dotted_and_a_dot_in_a_name_is_escaped(text: str, names: tuple[str, ...]) -> None:
    assert path(text) == names


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a\\b", "a\\"])
def test_a_path_with_an_empty_name_or_a_stray_backslash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has a"):
        path(text)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://id.example/keys", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://localhost/keys", True),
        ("http://[::1]/keys", True),
        ("http://id.example/keys", False),
        ("http://127.0.0.1.evil.example/keys", False),
        ("http://localhost@evil.example/keys", False),
        ("https://user:password@id.example/keys", False),
        ("https://id.example/keys#x", False),
        ("file:///keys", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_keys_come_over_tls_or_from_this_machine(url: str, fits: bool) -> None:
    assert is_trustworthy(url) is fits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"audience": None}, "audience is not valid: input should be a valid string."),
        ({"audience": ""}, "audience is not valid: string should have at least 1 character."),
        ({"algorithms": []}, "algorithms is not valid: tuple should have at least 1 item after validation, not 0."),
        ({"algorithms": ["HS256"]}, "algorithms.0 is not valid: input should be 'RS256', 'PS256', 'ES256' or 'EdDSA'."),
        ({"algorithms": ["none"]}, "algorithms.0 is not valid: input should be 'RS256', 'PS256', 'ES256' or 'EdDSA'."),
        ({"jwks_url": "http://id.example/keys"}, "jwks_url must begin with https://; http:// is for loopback only."),
        ({"roles": {}}, "roles is not valid: dictionary should have at least 1 item after validation, not 0."),
        ({"claims": {"roles": "a..b"}}, "claims.roles has an empty name between its dots."),
        ({"claims": {"role": "a"}}, "claims.role is not valid: extra inputs are not permitted."),
        ({"secret": "x"}, "secret is not valid: extra inputs are not permitted."),
        ({"lifetime": 86_401}, "lifetime is not valid: input should be less than or equal to 86400."),
        ({"parties": {"type": "x"}}, "parties.owner is not valid: field required."),
        ({"keys": []}, "keys must be a list of public JWKs."),
        ({"keys": [PAIR.jwk, {"kty": "oct", "k": "c2VjcmV0"}]}, "keys cannot use key 2: it is no public JWK of kty RSA, EC or OKP."),
        ({"keys": [PAIR.jwk | {"d": "c2VjcmV0"}]}, "keys cannot use key 1: it is a private key, which belongs to the issuer alone."),
        ({"keys": [PAIR.jwk | {"x": "c2VjcmV0"}]}, "keys cannot use key 1: it cannot be read."),
        ({"keys": [PAIR.jwk], "algorithms": ["RS256"]}, "it has a key in keys that is of no use for RS256."),
        (
            {"keys": [PAIR.jwk], "jwks_url": "https://id.example/keys"},
            "it has both keys and jwks_url; one of them says where its keys are.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_is_said_with_the_issuer_and_the_field(change: dict[str, Any], said: str) -> None:
    told = sentence([ONE | {"issuer": "https://other.example"}, ONE | change])

    assert told == f"HUB_ISSUERS, issuer https://id.example: {said}"
    assert "c2VjcmV0" not in told
    assert PAIR.jwk["x"] not in told


def test_an_issuer_that_is_no_address_needs_its_keys_or_where_they_are() -> None:
    named = ONE | {"issuer": "urn:ours"}

    assert sentence([named]) == (
        "HUB_ISSUERS, issuer urn:ours: it needs keys or jwks_url: its name is no https:// address at which they could be discovered."
    )
    assert configured(json.dumps([named | {"keys": [PAIR.jwk]}]))


def test_an_issuer_without_a_name_is_told_by_its_number() -> None:
    assert sentence([ONE, {"audience": "hub"}]) == "HUB_ISSUERS, issuer number 2: issuer is not valid: field required."
    assert sentence([7]).startswith("HUB_ISSUERS, issuer number 1: it is not valid: ")


@pytest.mark.parametrize("given", ["[]", "{}", '{"issuers": []}', str(Path(__file__).parent.parent.parent / "pyproject.toml")])
def test_no_issuer_is_not_local_mode_but_a_mistake(given: str) -> None:
    assert sentence(given).startswith("HUB_ISSUERS names no issuer: ")


def test_an_issuer_that_is_named_twice_is_refused() -> None:
    assert sentence([ONE, ONE]) == "HUB_ISSUERS names https://id.example twice."


def test_what_cannot_be_read_is_told_by_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "no.toml").write_text("issuers = [")
    (tmp_path / "latin.toml").write_bytes(b'a = "\xff"')

    assert sentence('[{"issuer": ') == "HUB_ISSUERS begins like JSON and is none."
    assert sentence("[" * 100_000) == "HUB_ISSUERS begins like JSON and is none."
    assert (
        sentence(str(tmp_path / "none"))
        == f"HUB_ISSUERS names the file {tmp_path / 'none'}, which cannot be read: No such file or directory."
    )
    assert sentence(str(tmp_path / "no.toml")).startswith(f"HUB_ISSUERS names the file {tmp_path / 'no.toml'}, which is no TOML: ")
    assert sentence(str(tmp_path / "latin.toml")).endswith("which is no TOML: it is not in UTF-8.")
