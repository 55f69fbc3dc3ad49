"""The life cycle through the API: every move of DESIGN section 9, legal and illegal, and what each needs."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from hub.domain.terms import Role
from tests.api import Api

MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    "OPEN": ("IN_PROGRESS", "PENDING", "HELD", "RESOLVED", "CANCELLED"),
    "IN_PROGRESS": ("PENDING", "HELD", "RESOLVED", "CANCELLED"),
    "PENDING": ("IN_PROGRESS", "HELD", "RESOLVED", "CANCELLED"),
    "HELD": ("IN_PROGRESS", "PENDING", "RESOLVED", "CANCELLED"),
    "RESOLVED": ("COMPLETED", "IN_PROGRESS"),
    "COMPLETED": ("IN_PROGRESS",),
    "CANCELLED": (),
}
NEEDS: Final[Mapping[str, dict[str, str]]] = {
    "PENDING": {"question": "Which number?"},
    "HELD": {"reason": "Waiting for a part"},
    "RESOLVED": {"resolution": "The mast is mended"},
    "CANCELLED": {"reason": "Asked twice"},
}


async def brought_to(api: Api, status: str) -> Any:
    interaction = await api.as_agent.create(customerId=api.customer)
    for step in {"OPEN": (), "COMPLETED": ("RESOLVED", "COMPLETED")}.get(status, (status,)):
        interaction = await api.as_agent.done("transitionInteraction", id=interaction["id"], to=step, **NEEDS.get(step, {}))
    return interaction


@pytest.mark.parametrize(("was", "to"), [(was, to) for was, moves in MOVES.items() for to in moves])
async def test_a_legal_move_is_made_and_writes_one_event(shared_api: Api, was: str, to: str) -> None:
    interaction = await brought_to(shared_api, was)

    moved = await shared_api.as_agent.done("transitionInteraction", id=interaction["id"], to=to, **NEEDS.get(to, {}))

    assert (moved["status"], moved["revision"]) == (to, interaction["revision"] + 1)
    assert sorted(moved["allowedTransitions"]) == sorted(MOVES[to])
    assert (moved["endedAt"] is not None) == (to in {"COMPLETED", "CANCELLED"})
    assert moved["question"] == NEEDS.get(to, {}).get("question")
    assert moved["statusReason"] == NEEDS.get(to, {}).get("reason")
    last = (await shared_api.as_agent.timeline(interaction["id"]))[-1]
    assert last["type"] == ("CLOSED" if to == "COMPLETED" else "REOPENED" if was in {"RESOLVED", "COMPLETED"} else "STATUS_CHANGED")
    assert {"field": "status", "from": was, "to": to} in last["changes"]
    assert last["status"] == to


@pytest.mark.parametrize("was", MOVES)
async def test_an_illegal_move_is_refused_and_says_which_are_legal(shared_api: Api, was: str) -> None:
    interaction = await brought_to(shared_api, was)

    for to in MOVES.keys() - set(MOVES[was]):
        refused = await shared_api.as_agent.refused("transitionInteraction", id=interaction["id"], to=to)  # nor what it needs

        assert refused["code"] == "ILLEGAL_TRANSITION"
        assert sorted(refused["allowedTransitions"]) == sorted(MOVES[was])
        assert all(move in refused["message"] for move in MOVES[was])
    assert (await shared_api.as_agent.interaction(interaction["id"]))["revision"] == interaction["revision"]


@pytest.mark.parametrize("to", NEEDS)
async def test_a_move_says_what_it_needs(shared_api: Api, to: str) -> None:
    interaction = await brought_to(shared_api, "OPEN")
    (needed,) = NEEDS[to]

    missing = await shared_api.as_agent.refused("transitionInteraction", id=interaction["id"], to=to)
    empty = await shared_api.as_agent.refused("transitionInteraction", id=interaction["id"], to=to, **{needed: "  "})

    for refused in (missing, empty):
        assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", needed])
        assert needed in refused["message"]


@pytest.mark.parametrize(
    ("to", "extra"), [("IN_PROGRESS", "question"), ("IN_PROGRESS", "resolution"), ("HELD", "question"), ("PENDING", "resolution")]
)
async def test_what_does_not_go_with_a_move_is_refused(shared_api: Api, to: str, extra: str) -> None:
    interaction = await brought_to(shared_api, "OPEN")

    refused = await shared_api.as_agent.refused("transitionInteraction", id=interaction["id"], to=to, **(NEEDS.get(to, {}) | {extra: "x"}))

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", extra])


@pytest.mark.parametrize("was", ["OPEN", "IN_PROGRESS", "PENDING", "HELD", "RESOLVED"])
async def test_closing_resolves_and_completes_in_one_act(shared_api: Api, was: str) -> None:
    interaction = await brought_to(shared_api, was)

    closed = await shared_api.as_agent.done("closeInteraction", id=interaction["id"], resolution="Done")

    assert (closed["status"], closed["resolution"], closed["question"]) == ("COMPLETED", "Done", None)
    assert closed["revision"] == interaction["revision"] + 1
    last = (await shared_api.as_agent.timeline(interaction["id"]))[-1]
    assert (last["type"], last["message"]) == ("CLOSED", "Done")


@pytest.mark.parametrize("was", ["COMPLETED", "CANCELLED"])
async def test_what_has_ended_cannot_be_closed_nor_progress(shared_api: Api, was: str) -> None:
    interaction = await brought_to(shared_api, was)

    closed = await shared_api.as_agent.refused("closeInteraction", id=interaction["id"], resolution="Done")
    progressed = await shared_api.as_agent.refused("reportProgress", id=interaction["id"], message="Half way")

    for refused in (closed, progressed):
        assert refused["code"] == "ILLEGAL_TRANSITION"
        assert refused["allowedTransitions"] == list(MOVES[was])


async def test_open_items_stand_in_the_way_until_they_are_resolved_with_it(shared_api: Api) -> None:
    items = [{"type": "bill"}, {"type": "question", "resolution": "Answered"}]
    interaction = await shared_api.as_agent.create(customerId=shared_api.customer, items=items)

    refused = await shared_api.as_agent.refused("closeInteraction", id=interaction["id"], resolution="Done")
    closed = await shared_api.as_agent.done("closeInteraction", id=interaction["id"], resolution="Done", resolveOpenItems=True)

    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "resolveOpenItems"])
    assert [item["resolution"] for item in closed["items"]] == ["Done", "Answered"]
    assert all(item["resolvedAt"] for item in closed["items"])


async def test_a_resolved_interaction_with_open_items_is_not_completed(shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create(items=[{"type": "bill"}])
    await shared_api.as_agent.done("transitionInteraction", id=interaction["id"], to="RESOLVED", resolution="Done")

    refused = await shared_api.as_agent.refused("transitionInteraction", id=interaction["id"], to="COMPLETED")

    assert refused["code"] == "BAD_USER_INPUT"
    assert "open" in refused["message"]


async def test_a_customer_cancels_confirms_and_reopens_its_own_and_no_more(shared_api: Api) -> None:
    customer = shared_api.as_customer
    cancelled = await brought_to(shared_api, "HELD")
    resolved = await brought_to(shared_api, "RESOLVED")

    seen = [(await customer.interaction(one["id"]))["allowedTransitions"] for one in (cancelled, resolved)]
    forbidden = await customer.refused("transitionInteraction", id=cancelled["id"], to="PENDING")
    illegal = await customer.refused("transitionInteraction", id=cancelled["id"], to="COMPLETED")
    await customer.done("transitionInteraction", id=cancelled["id"], to="CANCELLED", reason="No longer needed")
    await customer.done("transitionInteraction", id=resolved["id"], to="COMPLETED")
    reopened = await customer.done("transitionInteraction", id=resolved["id"], to="IN_PROGRESS")

    assert seen == [["CANCELLED"], ["COMPLETED", "IN_PROGRESS"]]
    assert forbidden["code"] == "FORBIDDEN"
    assert "AGENT" in forbidden["requiresRoles"]
    assert (illegal["code"], illegal["allowedTransitions"]) == ("ILLEGAL_TRANSITION", ["CANCELLED"])
    assert (reopened["status"], reopened["resolution"], reopened["endedAt"]) == ("IN_PROGRESS", None, None)


async def test_a_partner_moves_what_it_takes_part_in(shared_api: Api) -> None:
    interaction = await shared_api.as_partner.create(customerId=shared_api.customer)
    foreign = await brought_to(shared_api, "OPEN")

    moved = await shared_api.as_partner.done("transitionInteraction", id=interaction["id"], to="IN_PROGRESS")
    refused = await shared_api.as_partner.refused("transitionInteraction", id=foreign["id"], to="IN_PROGRESS")

    assert moved["status"] == "IN_PROGRESS"
    assert refused["code"] == "NOT_FOUND"


@pytest.mark.parametrize(("involved", "code"), [("OBSERVER", "FORBIDDEN"), ("GUARDIAN", "AUTHENTICATION_REQUIRED")])
async def test_who_only_looks_on_reads_and_does_nothing(shared_api: Api, involved: str, code: str) -> None:
    interaction = await shared_api.as_agent.create(parties=[{"role": involved, "partyId": shared_api.customer}])

    seen = await shared_api.as_customer.interaction(interaction["id"])
    acts = {
        "transitionInteraction": {"to": "CANCELLED", "reason": "x"},
        "addNote": {"text": "x"},
    }
    refused = [await shared_api.as_customer.refused(act, id=interaction["id"], **input) for act, input in acts.items()]

    assert seen["allowedTransitions"] == []
    assert [refusal["code"] for refusal in refused] == [code] * 2


async def test_progress_never_moves_an_interaction_and_makes_a_new_promise(shared_api: Api) -> None:
    interaction = await brought_to(shared_api, "PENDING")
    assert interaction["progress"]["nextUpdateDueAt"] is None

    text = """mutation($input: ReportProgressInput!) { reportProgress(input: $input) { errors { message } interaction { status revision
      channels { type } progress { percent stage message expectedCompletionAt nextUpdateDueAt overdue updatedAt } } } }"""
    input = {
        "id": interaction["id"],
        "message": "Parts are ordered",
        "percent": 40,
        "stage": "Procurement",
        "channel": "SMS",
        "expectedCompletionAt": "2199-01-01T00:00:00Z",
    }
    reported = (await shared_api.as_agent.ask(text, input=input)).data["reportProgress"]["interaction"]

    assert (reported["status"], reported["revision"]) == ("PENDING", interaction["revision"] + 1)
    progress = reported["progress"]
    assert (progress["percent"], progress["stage"], progress["message"]) == (40, "Procurement", "Parts are ordered")
    assert (progress["expectedCompletionAt"], progress["overdue"]) == ("2199-01-01T00:00:00.000Z", False)
    event = (await shared_api.as_customer.timeline(interaction["id"]))[-1]
    assert (event["type"], event["message"], event["channel"]) == ("PROGRESS_REPORTED", "Parts are ordered", "SMS")
    assert event["progress"] == {"percent": 40, "stage": "Procurement", "message": "Parts are ordered"}


async def test_a_customers_note_on_a_pending_interaction_answers_it_in_two_events(shared_api: Api) -> None:
    interaction = await brought_to(shared_api, "PENDING")

    noted = await shared_api.as_customer.done("addNote", id=interaction["id"], text="The second number", channel="MOBILE_APP")

    assert (noted["status"], noted["question"], noted["revision"]) == ("IN_PROGRESS", None, interaction["revision"] + 2)
    events = (await shared_api.as_customer.timeline(interaction["id"]))[-2:]
    assert [(event["type"], event["status"], event["actorRole"]) for event in events] == [
        ("NOTE_ADDED", "PENDING", "CUSTOMER"),
        ("STATUS_CHANGED", "IN_PROGRESS", "CUSTOMER"),
    ]
    assert events[0]["note"]["text"] == "The second number"
    assert noted["progress"]["nextUpdateDueAt"] is not None


async def test_a_colleagues_note_on_a_pending_interaction_leaves_it_pending(shared_api: Api) -> None:
    interaction = await brought_to(shared_api, "PENDING")

    noted = await shared_api.as_agent.done("addNote", id=interaction["id"], text="Still waiting")

    assert (noted["status"], noted["revision"]) == ("PENDING", interaction["revision"] + 1)


async def test_a_note_written_offline_keeps_its_time(shared_api: Api) -> None:
    interaction = await brought_to(shared_api, "OPEN")
    await shared_api.as_customer.done("addNote", id=interaction["id"], text="On the train", writtenAt="2026-05-14T09:30:00Z")

    event = (await shared_api.as_customer.timeline(interaction["id"]))[-1]

    assert event["at"] == "2026-05-14T09:30:00.000Z"
    assert event["recordedAt"] > event["at"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PARTNER])
async def test_an_internal_note_is_for_staff_to_write(shared_api: Api, role: Role) -> None:
    interaction = await shared_api.as_partner.create(customerId=shared_api.customer)

    refused = await shared_api.usually(role).refused("addNote", id=interaction["id"], text="x", visibility="INTERNAL")

    assert (refused["code"], refused["requiresRoles"]) == ("FORBIDDEN", ["AGENT", "SUPERVISOR", "BACK_OFFICE"])
