"""HUB_ACCESS_POLICIES: where a stronger login is asked for, of whom, and one sentence for each thing that is wrong."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from hub.access.mandates import Act
from hub.access.policies import About, Policies, Policy, acts_by, configured
from hub.access.viewers import PARTY_BOUND, STAFF, Viewer
from hub.domain.terms import InteractionKind, InvolvementRole, Role, Vertical
from hub.errors import AuthenticationRequired, StartupError

README: Final = (Path(__file__).parent.parent.parent / "README.md").read_text()
CUSTOMER, GUARDIAN = frozenset({InvolvementRole.CUSTOMER}), frozenset({InvolvementRole.GUARDIAN})
ABOUT: Final = About(InteractionKind.COMPLAINT, "bills", Vertical.BILLING, CUSTOMER)

MakeViewer = Callable[..., Viewer]


def asked(policies: Policies, viewer: Viewer, act: Act = Act.ADD_NOTE, about: About = ABOUT) -> list[str] | None:
    """Which acr would do; None where the viewer passes as it is."""
    try:
        policies.require(viewer, act, "it", about)
    except AuthenticationRequired as refusal:
        return list(refusal.required_acr or ())
    return None


def policies(*given: dict[str, Any]) -> Policies:
    return Policies(configured(json.dumps([{"acr": "phr"} | one for one in given])), ["mfa"])


def test_any_one_acr_of_a_policy_will_do_and_no_other(viewer: MakeViewer) -> None:
    demanding, customer = policies({"acr": ["phr", "phrh"]}), viewer(Role.CUSTOMER)

    assert asked(demanding, customer) == ["phr", "phrh"]
    assert asked(demanding, replace(customer, acr="pwd")) == ["phr", "phrh"]
    assert asked(demanding, replace(customer, acr="phrh")) is None


@pytest.mark.parametrize(
    ("given", "covers"),
    [
        ({}, True),
        ({"kind": "COMPLAINT"}, True),
        ({"kind": ["ORDER", "QUERY"]}, False),
        ({"topic": ["x", "bills"]}, True),
        ({"topic": "bill"}, False),
        ({"vertical": "BILLING"}, True),
        ({"vertical": "ASSURANCE"}, False),
        ({"involvement": ["CUSTOMER", "USER"]}, True),
        ({"involvement": "USER"}, False),
        ({"acts": ["OPEN", "ADD_NOTE"]}, True),
        ({"acts": "RATE"}, False),
        ({"kind": "COMPLAINT", "topic": "bills", "vertical": "BILLING", "involvement": "CUSTOMER", "acts": "ADD_NOTE"}, True),
        ({"kind": "COMPLAINT", "topic": "bills", "vertical": "FULFILLMENT"}, False),
    ],
    ids=str,
)
def test_all_that_a_policy_gives_must_hold(viewer: MakeViewer, given: dict[str, Any], covers: bool) -> None:
    assert asked(policies(given), viewer(Role.CUSTOMER)) == (["phr"] if covers else None)


def test_what_has_no_topic_is_covered_by_no_policy_for_topics(viewer: MakeViewer) -> None:
    assert (
        asked(policies({"topic": "bills"}, {"vertical": "BILLING"}), viewer(Role.CUSTOMER), about=About("ORDER", None, None, CUSTOMER))
        is None
    )


@pytest.mark.parametrize("role", Role)
def test_customers_and_visitors_are_asked_partners_where_they_are_named_and_who_works_here_never(viewer: MakeViewer, role: Role) -> None:
    usual, named = policies({}), policies({"roles": ["PARTNER", "CUSTOMER"]})

    assert (asked(usual, viewer(role)) is not None) == (role in {Role.CUSTOMER, Role.VISITOR})
    assert (asked(named, viewer(role)) is not None) == (role in {Role.CUSTOMER, Role.PARTNER})


def test_a_partner_that_is_a_customer_too_is_asked_as_either(viewer: MakeViewer) -> None:
    assert asked(policies({}), viewer(Role.PARTNER, Role.CUSTOMER)) == ["phr"]
    assert asked(policies({"roles": "PARTNER"}), viewer(Role.PARTNER, Role.CUSTOMER)) == ["phr"]


@pytest.mark.parametrize("role", [*STAFF, Role.SYSTEM])
def test_who_works_here_and_is_a_customer_too_acts_as_who_works_here(viewer: MakeViewer, role: Role) -> None:
    assert asked(policies({}), viewer(role, Role.CUSTOMER)) is None


def test_of_several_policies_each_must_be_satisfied_and_what_satisfies_all_is_named(viewer: MakeViewer) -> None:
    both, customer = policies({"acr": ["a", "b"]}, {"acr": ["b", "c"]}), viewer(Role.CUSTOMER)

    assert asked(both, customer) == ["b"]
    assert asked(both, replace(customer, acr="a")) == ["b"]
    assert asked(both, replace(customer, acr="b")) is None
    assert asked(policies({"acr": "a"}, {"acr": "c"}), customer) == ["a"]


def test_a_guardian_is_asked_wherever_no_policy_for_guardians_speaks(viewer: MakeViewer) -> None:
    customer, guarding = viewer(Role.CUSTOMER), replace(ABOUT, acts_by=GUARDIAN)
    own = policies({"involvement": "GUARDIAN", "acts": ["ADD_NOTE"]}, {"involvement": "CUSTOMER", "acr": "no"})

    assert asked(Policies(), customer, about=guarding) == ["phr", "phrh", "https://refeds.org/profile/mfa"]
    assert asked(Policies((), ["mfa"]), customer, about=guarding) == ["mfa"]
    assert asked(own, customer, about=guarding) == ["phr"]
    assert asked(own, customer, Act.RATE, guarding) == ["mfa"]
    assert asked(policies({"involvement": "GUARDIAN", "roles": "PARTNER"}), customer, about=guarding) == ["mfa"]
    assert asked(policies({"topic": "bills"}), replace(customer, acr="phr"), about=guarding) == ["mfa"]


def involved(words: str) -> frozenset[InvolvementRole]:
    return frozenset(map(InvolvementRole, words.split()))


@pytest.mark.parametrize(
    ("role", "takes_part", "acts"),
    [
        (Role.CUSTOMER, "CUSTOMER", "CUSTOMER"),
        (Role.CUSTOMER, "OBSERVER", ""),
        (Role.CUSTOMER, "", ""),
        (Role.CUSTOMER, "GUARDIAN", "GUARDIAN"),
        (Role.CUSTOMER, "GUARDIAN OBSERVER", "GUARDIAN"),
        (Role.CUSTOMER, "GUARDIAN USER", "USER"),
        (Role.CUSTOMER, "CUSTOMER USER OBSERVER", "CUSTOMER USER"),
        (Role.PARTNER, "GUARDIAN", ""),
        (Role.VISITOR, "GUARDIAN", ""),
        (Role.AGENT, "GUARDIAN", ""),
    ],
)
def test_by_which_involvement_one_acts(viewer: MakeViewer, role: Role, takes_part: str, acts: str) -> None:
    assert acts_by(viewer(role), involved(takes_part)) == involved(acts)


def test_a_partner_that_is_a_customer_too_is_no_guardian(viewer: MakeViewer) -> None:
    assert acts_by(viewer(Role.CUSTOMER, Role.PARTNER), GUARDIAN) == frozenset()
    assert acts_by(viewer(), GUARDIAN) == frozenset()


def test_json_and_toml_say_the_same_and_one_word_is_a_list_of_one(tmp_path: Path) -> None:
    (tmp_path / "policies.toml").write_text('[[policies]]\nkind = "ORDER"\nacr = ["phr"]\n')

    assert configured(str(tmp_path / "policies.toml")) == configured('[{"kind": ["ORDER"], "acr": "phr"}]')


def test_what_the_readme_shows_is_read_as_it_says(tmp_path: Path) -> None:
    (shown,) = [block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[policies]]" in block]
    (tmp_path / "policies.toml").write_text(shown)

    bills, complaints = configured(str(tmp_path / "policies.toml"))

    assert (bills.vertical, bills.acts, bills.roles) == ((Vertical.BILLING,), (Act.OPEN, Act.ADD_NOTE), (Role.VISITOR, Role.CUSTOMER))
    assert str(bills) == "bills: OPEN or ADD_NOTE on vertical BILLING needs acr phr or phrh of VISITOR or CUSTOMER"
    assert (complaints.topic, complaints.roles) == (("contract", "number-transfer"), (Role.CUSTOMER,))


ONLY: Final = "only CUSTOMER, PARTNER and VISITOR are asked for a stronger login"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"acr": []}, "acr is not valid: value should have at least 1 item after validation, not 0."),
        ({"acr": [""]}, "acr.0 is not valid: string should have at least 1 character."),
        ({"acr": None}, "acr is not valid: input should be a valid tuple."),
        ({"roles": []}, "roles is not valid: value should have at least 1 item after validation, not 0."),
        ({"roles": ["AGENT"]}, f"roles.0 names AGENT; {ONLY}."),
        ({"roles": "SYSTEM"}, f"roles.0 names SYSTEM; {ONLY}."),
        ({"acts": ["UPSERT_PARTY"]}, "acts.0 names UPSERT_PARTY, which is not done to an interaction."),
        ({"topics": ["x"]}, "topics is not valid: extra inputs are not permitted."),
        ({"vertical": "SALES"}, "vertical.0 is not valid: input should be 'FULFILLMENT', 'ASSURANCE' or 'BILLING'."),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_the_policy_and_the_field(given: dict[str, Any], said: str) -> None:
    for name, told in (({"name": "bills"}, "bills"), ({}, "number 2")):
        with pytest.raises(StartupError) as refused:
            configured(json.dumps([{"acr": "phr"}, {"acr": "phr"} | name | given]))

        assert str(refused.value) == f"HUB_ACCESS_POLICIES, policy {told}: {said}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[]", "names no policy: it is a JSON list of them, or the path of a TOML file with [[policies]]."),
        ("[", "begins like JSON and is none."),
        ("nowhere.toml", "names the file nowhere.toml, which cannot be read: No such file or directory."),
    ],
)
def test_what_is_no_list_of_policies_is_said_so(given: str, said: str) -> None:
    with pytest.raises(StartupError) as refused:
        configured(given)

    assert str(refused.value) == f"HUB_ACCESS_POLICIES {said}"


def test_roles_that_can_be_asked_are_those_that_act_for_a_party() -> None:
    for role in Role:
        if role in PARTY_BOUND:
            assert Policy.model_validate({"roles": role, "acr": "phr"}).roles == (role,)
        else:
            with pytest.raises(ValueError, match="stronger login"):
                Policy.model_validate({"roles": role, "acr": "phr"})
