"""Parties by their foreign names, and roles that a valid PartyRole must back: what was taken back counts seconds later."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.access.issuers import Issuer, TokenVerifier
from hub.access.jwks import KeySet
from hub.access.remembered import Remembered
from hub.access.sources import FixedKeys
from hub.access.standing import FRESH, Standings
from hub.access.trust import Trust
from hub.access.viewers import Viewer
from hub.domain.ids import PartyId
from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import Role
from tests.access.issuing import AUDIENCE, START, Clock, Pair, Register, claims, verifier

MakeViewer = Callable[..., Viewer]

ANNA = PartyId("par_" + "a" * 32)
NAME = "https://id.example"
PAIR = Pair.made("one")
CRM_4711 = ExternalIdentifier("crm", "4711", "customer-number")
FOREIGN: dict[str, Any] = {"claims": {"party": "number"}, "parties": {"owner": "crm", "type": "customer-number"}}


@pytest.fixture
def register() -> Register:
    return Register()


def believing(clock: Clock, register: Register, **changes: Any) -> TokenVerifier:
    roles = {"customer": "CUSTOMER", "agent": "AGENT", "partner": "PARTNER"}
    whole = {"issuer": NAME, "audience": AUDIENCE, "algorithms": ["ES256"], "roles": roles, "keys": [PAIR.jwk]} | changes
    trust = Trust.model_validate(whole)
    return verifier(Issuer(trust, FixedKeys(trust.keys or KeySet())), clock=clock, register=register)


def token(**changes: Any) -> str:
    return PAIR.sign(claims(NAME, **{"roles": ["customer"]} | changes))


async def test_a_foreign_name_is_looked_up_and_the_answer_kept_for_seconds(clock: Clock, register: Register) -> None:
    tokens, hers = believing(clock, register, **FOREIGN), token(number="4711")
    register.names[CRM_4711] = ANNA

    seen = [await tokens.verify(hers) for _ in range(10)]

    assert {viewer.party for viewer in seen} == {ANNA}
    assert register.asked == 1
    clock.now = START + FRESH
    assert (await tokens.verify(hers)).party == ANNA
    assert register.asked == 2


async def test_who_is_not_known_yet_has_no_party_and_is_found_seconds_after_it_was_made(clock: Clock, register: Register) -> None:
    tokens, hers = believing(clock, register, **FOREIGN), token(number="4711")

    before = await tokens.verify(hers)
    register.names[CRM_4711] = ANNA
    clock.now = START + FRESH
    after = await tokens.verify(hers)

    assert before.party is None
    assert before.roles == {Role.CUSTOMER}
    assert after.party == ANNA
    assert before.id == after.id


async def test_a_foreign_name_of_another_owner_or_type_is_another(clock: Clock, register: Register) -> None:
    register.names[ExternalIdentifier("billing", "4711", "customer-number")] = ANNA
    register.names[ExternalIdentifier("crm", "4711")] = ANNA

    assert (await believing(clock, register, **FOREIGN).verify(token(number="4711"))).party is None


async def test_a_role_counts_while_the_party_holds_what_backs_it_whatever_its_case(clock: Clock, register: Register) -> None:
    tokens = believing(clock, register, backed={"CUSTOMER": "Customer", "PARTNER": "reseller"})
    hers = token(party=ANNA, roles=["customer", "partner", "agent"])

    assert (await tokens.verify(hers)).roles == {Role.AGENT}  # nothing has to back this one

    register.roles[ANNA] = {"customer"}
    clock.now = START + FRESH
    assert (await tokens.verify(hers)).roles == {Role.CUSTOMER, Role.AGENT}

    register.roles[ANNA] = {"customer", "reseller"}
    clock.now = START + 2 * FRESH
    assert (await tokens.verify(hers)).roles == {Role.CUSTOMER, Role.PARTNER, Role.AGENT}


async def test_a_role_that_has_ended_no_longer_counts_at_the_next_request_after_those_seconds(clock: Clock, register: Register) -> None:
    tokens, hers = believing(clock, register, backed={"CUSTOMER": "customer"}), token(party=ANNA)
    register.roles[ANNA] = {"customer"}
    assert (await tokens.verify(hers)).roles == {Role.CUSTOMER}

    register.roles[ANNA] = set()
    clock.now = START + FRESH - timedelta(milliseconds=1)
    assert (await tokens.verify(hers)).roles == {Role.CUSTOMER}
    clock.now = START + FRESH

    assert (await tokens.verify(hers)).roles == frozenset()


async def test_what_a_party_holds_gives_no_role_that_the_token_does_not_claim(clock: Clock, register: Register) -> None:
    register.roles[ANNA] = {"customer", "partner", "agent"}

    assert (await believing(clock, register, backed={"PARTNER": "partner"}).verify(token(party=ANNA))).roles == {Role.CUSTOMER}


@pytest.mark.parametrize("who", [{}, {"party": ANNA}])
async def test_a_role_that_must_be_backed_counts_for_nobody_without_a_party_that_holds_it(
    clock: Clock, register: Register, who: dict[str, Any]
) -> None:
    assert (await believing(clock, register, backed={"CUSTOMER": "customer"}).verify(token(**who))).roles == frozenset()


async def test_a_foreign_name_and_what_backs_it_go_together(clock: Clock, register: Register) -> None:
    tokens = believing(clock, register, **FOREIGN, backed={"CUSTOMER": "customer"})
    register.names[CRM_4711] = ANNA
    register.roles[ANNA] = {"customer"}

    viewer = await tokens.verify(token(number="4711"))

    assert viewer.party == ANNA
    assert viewer.roles == {Role.CUSTOMER}


def test_what_is_remembered_has_a_bound_and_a_time() -> None:
    remembered: Remembered[str, int] = Remembered(2)
    later = START + timedelta(seconds=1)
    remembered.put("a", 1, later)
    remembered.put("b", 2, later)

    assert remembered.get("a", START) == 1
    remembered.put("c", 3, later)
    assert (remembered.get("a", START), remembered.get("b", START), remembered.get("c", START)) == (1, None, 3)
    remembered.put("a", 4, later)
    assert (remembered.get("a", START), remembered.get("c", START)) == (4, 3)
    assert remembered.get("a", later) is None


class Slow(Register):
    """A register that answers when it is let, with what it knew when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.lets = asyncio.Event()

    async def valid(self, party: PartyId, at: datetime) -> frozenset[str]:
        held = await super().valid(party, at)
        await self.lets.wait()
        return held


async def test_a_role_that_ends_while_it_is_asked_for_counts_for_nobody(viewer: MakeViewer) -> None:
    register = Slow()
    register.roles[ANNA] = {"customer"}
    standings, backed = Standings(register, register), replace(viewer(Role.CUSTOMER, party=ANNA), backed=((Role.CUSTOMER, "customer"),))

    asking = asyncio.create_task(standings.settle(backed, None, START))
    await asyncio.sleep(0)
    register.roles[ANNA] = set()
    standings.forget(ANNA)
    register.lets.set()
    first, second = await asking, await standings.settle(backed, None, START)

    assert [first.roles, second.roles] == [frozenset(), frozenset()]


async def test_what_is_known_is_asked_for_once_until_it_is_forgotten(viewer: MakeViewer, register: Register) -> None:
    register.roles[ANNA] = {"customer"}
    standings, backed = Standings(register, register), replace(viewer(Role.CUSTOMER, party=ANNA), backed=((Role.CUSTOMER, "customer"),))

    for _ in range(3):
        await standings.settle(backed, None, START)
    asked = register.asked
    standings.forget(ANNA)
    await standings.settle(backed, None, START)

    assert (asked, register.asked) == (1, 2)
