"""`allowedActs` says beforehand what would come of each act: for every role and state, it is tried and comes out so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from hub.domain.terms import InteractionAct, Role
from tests.api import Api, Caller
from tests.graphql.test_moving import MOVES, NEEDS

ALLOWED: Final = "allowedActs { act allowed code requiresRoles requiredAcr } allowedTransitions"
LONG_AGO: Final = "2020-01-01T00:00:00Z"

CASTS: Final[Mapping[str, Callable[[Api], Caller]]] = {
    "AGENT": lambda api: api.as_agent,
    "AGENT without a party": lambda api: api.as_role(Role.AGENT),
    "AGENT who may only read": lambda api: api.as_role(Role.AGENT, api.agent, ["interaction:read"]),
    "SUPERVISOR": lambda api: api.as_role(Role.SUPERVISOR),
    "BACK_OFFICE": lambda api: api.as_role(Role.BACK_OFFICE),
    "SYSTEM": lambda api: api.as_role(Role.SYSTEM),
    "PRIVACY_OFFICER": lambda api: api.as_role(Role.PRIVACY_OFFICER),
    "PARTNER": lambda api: api.as_partner,
    "CUSTOMER": lambda api: api.as_customer,
    "VISITOR": lambda api: api.as_role(Role.VISITOR, api.customer),
    "OBSERVER": lambda api: api.as_other_customer,
}
STATES: Final = (*MOVES, "COMPLETED and rated", "COMPLETED long ago")
IN_ALL: Final = ("AGENT", "PARTNER", "CUSTOMER")  # whom `make check` looks at in every state
FEW: Final = ("OPEN", "RESOLVED", "COMPLETED")  # ... and where it looks at the others


def casts() -> Iterator[Any]:
    """Every role in every state."""
    for who in CASTS:
        for state in STATES:
            yield pytest.param(who, state, marks=() if who in IN_ALL or state in FEW else pytest.mark.prove)


async def brought_to(api: Api, state: str) -> str:
    """An interaction of a customer, a partner and one who looks on, in a state."""
    agent, status = api.as_agent, state.split(maxsplit=1)[0]
    parties = [{"role": "PARTNER", "partyId": api.partner}, {"role": "OBSERVER", "partyId": api.other_customer}]
    over = {"startedAt": LONG_AGO, "endedAt": LONG_AGO, "resolution": "Done"} if state == "COMPLETED long ago" else {}
    opening = {"direction": "INBOUND", "channel": "PHONE", "customerId": api.customer, "parties": parties} | over
    id = str((await agent.payload("createInteraction", "interaction { id }", **opening))["interaction"]["id"])
    if status == "COMPLETED" and not over:
        await agent.payload("closeInteraction", "replayed", id=id, resolution="Done")
    elif status != "OPEN" and not over:
        await agent.payload("transitionInteraction", "replayed", id=id, to=status, **NEEDS.get(status, {}))
    if state == "COMPLETED and rated":
        await agent.payload("rateInteraction", "replayed", id=id, score=4)
    return id


async def tried(api: Api, caller: Caller, act: str, id: str, transitions: list[str]) -> Any:
    """The errors of an act that lacks nothing but, perhaps, the right or the state."""
    to = transitions[0] if transitions else "IN_PROGRESS"
    acts: dict[str, tuple[str, dict[str, Any]]] = {
        "UPDATE": ("updateInteraction", {"reason": "tried"}),
        "TRANSITION": ("transitionInteraction", {"to": to, **NEEDS.get(to, {})}),
        "CLOSE": ("closeInteraction", {"resolution": "tried"}),
        "REPORT_PROGRESS": ("reportProgress", {"message": "tried"}),
        "ADD_NOTE": ("addNote", {"text": "tried"}),
        "ADD_INTERNAL_NOTE": ("addNote", {"text": "tried", "visibility": "INTERNAL"}),
        "ADD_ATTACHMENT": ("addAttachment", {"name": "tried", "url": "https://files.example.com/1"}),
        "ADD_INTERNAL_ATTACHMENT": ("addAttachment", {"name": "tried", "url": "https://files.example.com/1", "visibility": "INTERNAL"}),
        "ADD_ITEM": ("addItem", {"item": {"type": "tried"}}),
        "ADD_PARTY": ("addParty", {"involvement": {"role": "USER", "partyId": api.agent}}),
        "ADD_CHANNEL": ("addChannel", {"channel": "KIOSK"}),
        "ASSIGN": ("assignInteraction", {"assigneeId": api.agent}),
        "ESCALATE": ("escalateInteraction", {"reason": "tried"}),
        "LINK": ("linkInteractions", {"type": "CAUSED_BY", "otherId": await brought_to(api, "OPEN") if act == "LINK" else ""}),
        "RATE": ("rateInteraction", {"score": 5}),
        "CLAIM": ("claimInteraction", {"claimCode": api.hub.guard.codes.code(id)}),
    }
    mutation, input = acts[act]
    text = f"errors {{ code requiresRoles requiredAcr allowedTransitions }} interaction {{ {ALLOWED} }}"
    return (await caller.payload(mutation, text, id=id, **input))["errors"]


async def comes_out_as_said(api: Api, caller: Caller, opened: Callable[[], Awaitable[str]]) -> Any:
    """Tries every act on what `opened` brings about, and holds it against what was said beforehand, which it gives.

    CLAIM without a right code is not tried here: five wrong ones a minute are all that a viewer has."""
    known = await opened()
    said = await caller.read(known, f"status {ALLOWED}")
    assert [one["act"] for one in said["allowedActs"]] == list(InteractionAct)
    acts = [one for one in said["allowedActs"] if (one["act"], one["code"]) != ("CLAIM", "NOT_FOUND")]
    made = iter(await asyncio.gather(*(opened() for one in acts if one["allowed"])))
    ids = [next(made) if one["allowed"] else known for one in acts]  # what is refused changes nothing, so one does for all of them
    tries = (tried(api, caller, one["act"], id, said["allowedTransitions"]) for one, id in zip(acts, ids, strict=True))

    outcomes = await asyncio.gather(*tries)

    for one, errors in zip(acts, outcomes, strict=True):
        assert (one["code"] is None) == one["allowed"]
        assert [error["code"] for error in errors] == ([] if one["allowed"] else [one["code"]]), one
        for error in errors:
            assert (error["requiresRoles"], error["requiredAcr"]) == (one["requiresRoles"], one["requiredAcr"]), one
            assert error["allowedTransitions"] == (said["allowedTransitions"] if error["code"] == "ILLEGAL_TRANSITION" else None), one
    return said


@pytest.mark.parametrize(("who", "state"), list(casts()))
async def test_what_is_said_to_be_allowed_is_what_happens_when_it_is_tried(shared_api: Api, who: str, state: str) -> None:
    said = await comes_out_as_said(shared_api, CASTS[who](shared_api), lambda: brought_to(shared_api, state))

    assert said["status"] == state.split(maxsplit=1)[0]


@pytest.mark.parametrize("state", MOVES)
@pytest.mark.parametrize("who", ["AGENT", "CUSTOMER", "OBSERVER"])
async def test_of_all_moves_exactly_those_are_made_that_are_said_to_be_allowed(shared_api: Api, who: str, state: str) -> None:
    caller = CASTS[who](shared_api)
    ids = await asyncio.gather(*(brought_to(shared_api, state) for _ in MOVES))

    said = (await caller.read(ids[0], ALLOWED))["allowedTransitions"]
    moves = (
        caller.payload("transitionInteraction", "errors { code }", id=id, to=to, **NEEDS.get(to, {}))
        for id, to in zip(ids, MOVES, strict=True)
    )
    outcomes = await asyncio.gather(*moves)

    assert sorted(to for to, outcome in zip(MOVES, outcomes, strict=True) if not outcome["errors"]) == sorted(said)


async def test_whoever_is_told_to_be_somebody_else_is_told_who(shared_api: Api) -> None:
    id = await brought_to(shared_api, "OPEN")

    said = {one["act"]: one for one in (await shared_api.as_customer.read(id, ALLOWED))["allowedActs"]}

    assert said["ADD_PARTY"]["requiresRoles"] == ["AGENT", "SUPERVISOR", "BACK_OFFICE"]
    assert {act for act, one in said.items() if one["allowed"]} == {"TRANSITION", "ADD_NOTE", "ADD_ATTACHMENT"}
