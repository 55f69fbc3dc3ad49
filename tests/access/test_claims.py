"""From claims to viewers: where issuers put roles, scopes and parties, and what these are worth here."""

from datetime import timedelta
from typing import Any

import pytest

from hub.access.claims import LEEWAY, LONGEST_CLAIM, Claimed, algorithm, claimed, found, verified
from hub.access.trust import Trust, path
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import Role
from tests.access.issuing import AUDIENCE, START, Pair, claims

ANNA = PartyId("par_" + "a" * 32)
NAME = "https://id.example"
ROLES = {"agent": "AGENT", "lead": "SUPERVISOR", "team-lead": "SUPERVISOR"}


def trust(**changes: Any) -> Trust:
    return Trust.model_validate({"issuer": NAME, "audience": AUDIENCE, "algorithms": ["ES256"], "roles": ROLES} | changes)


def of(trust: Trust, **changes: Any) -> Claimed:
    return claimed(claims(NAME, **changes), trust, START)


@pytest.mark.parametrize(
    ("where", "said", "values"),
    [
        ("roles", {"roles": ["a", "b"]}, ["a", "b"]),
        ("roles", {"roles": "a"}, ["a"]),
        ("roles", {}, []),
        ("roles", {"roles": []}, []),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, ["a"]),
        ("realm_access.roles", {"realm_access": ["x"]}, []),
        ("realm_access.roles", {"realm_access": None}, []),
        ("resource_access.hub.roles", {"resource_access": {"hub": {"roles": ["a"]}, "other": {"roles": ["b"]}}}, ["a"]),
        ("memberships.role", {"memberships": [{"role": "a"}, {"role": ["b", "c"]}, {"other": "d"}, "e"]}, ["a", "b", "c"]),
        (r"https://example\.com/roles", {"https://example.com/roles": ["a"], "https://example": {"com/roles": ["b"]}}, ["a"]),
        ("https://example.com/roles", {"https://example.com/roles": ["a"], "https://example": {"com/roles": ["b"]}}, ["b"]),
    ],
    ids=str,
)
def test_a_path_leads_through_objects_and_lists(where: str, said: dict[str, Any], values: list[str]) -> None:
    assert found(said, path(where)) == values


@pytest.mark.parametrize("value", [{"agent": True}, 7, True, None], ids=str)
def test_what_is_neither_text_nor_list_is_no_claim(value: object) -> None:
    with pytest.raises(TypeError):
        found({"roles": value}, ("roles",))


def test_roles_are_worth_what_the_hub_says_and_not_what_they_are_called() -> None:
    assert of(trust(), roles=["agent", "team-lead"]).viewer.roles == {Role.AGENT, Role.SUPERVISOR}
    assert of(trust(), roles=["AGENT", "ADMIN", "SUPERVISOR", "Agent", " agent", 7, None, {}]).viewer.roles == frozenset()
    assert of(trust(), roles=None).viewer.roles == frozenset()


@pytest.mark.parametrize("scopes", ["openid interaction:read party:read", ["interaction:read", "party:read x"]], ids=str)
def test_scopes_are_words_or_a_list_and_only_ours_count(scopes: object) -> None:
    assert of(trust(claims={"scopes": "scp"}), scp=scopes).viewer.scopes == {"interaction:read", "party:read"}


def test_a_party_is_an_id_of_ours_where_nothing_else_is_said() -> None:
    assert (of(trust(), party=ANNA).viewer.party, of(trust(), party=ANNA).identifier) == (ANNA, None)
    assert of(trust()).viewer.party is None
    for wrong in ("4711", "", [ANNA, ANNA], {"id": ANNA}, 7):
        with pytest.raises((ValueError, TypeError)):
            of(trust(), party=wrong)


def test_a_party_by_a_foreign_name_is_still_to_be_found_even_if_it_looks_like_an_id() -> None:
    foreign = trust(claims={"party": "customer.number"}, parties={"owner": "crm", "type": "customer-number"})

    for number in ("4711", ANNA):
        known = of(foreign, customer={"number": number}, party=ANNA)
        assert known.viewer.party is None
        assert known.identifier == ExternalIdentifier("crm", number, "customer-number")
    assert of(foreign, party=ANNA).identifier is None
    for wrong in ("", "x" * 256, "a\0b", ["1", "2"], 4711, {"$gt": ""}):
        with pytest.raises((ValueError, TypeError)):
            of(foreign, customer={"number": wrong})


def test_how_strongly_one_logged_in_is_what_the_issuer_calls_it() -> None:
    assert of(trust(), acr="urn:mace:incommon:iap:silver").viewer.acr == "urn:mace:incommon:iap:silver"
    assert of(trust()).viewer.acr is None


def test_the_client_is_client_id_or_azp() -> None:
    assert of(trust(), client_id="app", azp="other").viewer.client == "app"
    assert of(trust(), client_id=None, azp="other").viewer.client == "other"
    assert of(trust(), client_id=None).viewer.client is None


@pytest.mark.parametrize(("life", "fits"), [(900, True), (901, False)])
def test_no_token_lives_longer_than_its_issuer_may_let_it(life: int, fits: bool) -> None:
    short, expires = trust(lifetime=900), int(START.timestamp()) + life

    if fits:
        assert of(short, exp=expires).expires_at.timestamp() == expires
    else:
        with pytest.raises(ValueError, match="too long a life"):
            of(short, exp=expires)


def test_a_clock_that_is_ahead_by_as_much_as_is_forgiven_is_forgiven() -> None:
    now = int(START.timestamp())

    for name in ("iat", "nbf"):
        assert of(trust(), **{name: now + LEEWAY}).viewer.subject == "user-1"
    for name in ("iat", "nbf"):
        with pytest.raises(ValueError, match="not its time"):
            of(trust(), **{name: now + LEEWAY + 1})


def test_it_ends_at_its_last_second_and_lives_as_long_as_is_allowed() -> None:
    now = int(START.timestamp())

    assert of(trust(lifetime=600), iat=now, exp=now + 600).expires_at == START + timedelta(seconds=600)
    for wrong in ({"exp": now}, {"iat": now, "exp": now + 601}):
        with pytest.raises(ValueError, match="too long a life"):
            of(trust(lifetime=600), **wrong)


@pytest.mark.parametrize("value", [str(int(START.timestamp()) + 60), [1], {}], ids=str)
def test_a_date_is_a_number(value: object) -> None:
    with pytest.raises(TypeError):
        of(trust(), exp=value)


def test_a_claim_has_so_many_characters_and_no_more() -> None:
    assert of(trust(), sub="s" * LONGEST_CLAIM).viewer.subject == "s" * LONGEST_CLAIM
    for wrong in ("s" * (LONGEST_CLAIM + 1), "", "a\nb"):
        with pytest.raises(ValueError, match="not a short text"):
            of(trust(), sub=wrong)


def test_time_is_told_by_our_clock_and_not_by_the_library_s() -> None:
    pair = Pair.made("k")
    long_ago = claims(NAME, iat=1, nbf=1, exp=2)

    assert verified(pair.sign(long_ago), pair.private.public_key(), "ES256", trust()) == long_ago


def test_a_subject_of_one_letter_is_one() -> None:
    assert of(trust(), sub="s").viewer.subject == "s"


def test_a_header_may_have_all_that_is_known_and_nothing_else() -> None:
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": "k", "x5t": "x", "x5t#S256": "x"}

    assert algorithm(whole, trust()) == "ES256"
    with pytest.raises(ValueError, match="not used here"):
        algorithm(whole | {"crit": []}, trust())


def test_the_library_does_not_look_ahead_either() -> None:
    pair, far = Pair.made("k"), int(START.timestamp()) + 10**9
    to_come = claims(NAME, iat=far, nbf=far, exp=far + 60)

    assert verified(pair.sign(to_come), pair.private.public_key(), "ES256", trust()) == to_come
