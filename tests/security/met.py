"""What was met at a door, compared with the table of rights as the tests read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.access.gates import FIELDS, MASKED, Gate
from hub.access.mandates import Mandate
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from tests.security.world import Who


def objects(answer: Any) -> Iterator[dict[str, Any]]:
    """Every object in an answer."""
    for value in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from objects(value)
    if isinstance(answer, dict) and "__typename" in answer:
        yield answer


def redaction(place: str, gate: Gate) -> dict[str, Any]:
    """What is told of a field that is held back."""
    return {"field": place.split(".")[1], "requiresRoles": [*gate.roles], "requiresScopes": [[*group] for group in gate.scopes]}


@dataclass
class Met:
    """Of the gated fields that were asked for: what was to be shown, what was, and what was held back."""

    due: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)

    def look(self, found: dict[str, Any], who: Who, party: PartyId | None) -> None:
        """Compare one object with the table."""
        own = found["__typename"] != "Party" or found["id"] == party
        told = {one["field"]: one for one in found.get("redactions", ())}
        closed = {place for place in gated(found) if not opens(place, who, own=own)}
        for place in gated(found) - closed:
            self.due |= {place} if own or who.role in MASKED["Party.name"].roles else set()
            self.shown |= {place} if found[place.split(".")[1]] not in (None, []) else set()
        for place in closed:
            value = found[place.split(".")[1]]
            assert value in (None, []) or (place, who.role, value) == ("Party.name", Role.PARTNER, "A. H."), f"{who} reads {place}"
        if "redactions" in found:
            expected = {place.split(".")[1]: redaction(place, FIELDS.get(place) or MASKED[place]) for place in closed}
            assert told == {name: {"__typename": "Redaction", **one} for name, one in expected.items()}, f"what {who} is told"
        self.closed |= closed

    def compare(self, answer: dict[str, Any], who: Who, party: PartyId | None) -> None:
        """Compare an answer with the table: its objects, and what is told beside them."""
        here = Met()
        for found in objects(answer["data"]):
            here.look(found, who, party)
            if found["__typename"] == "FieldChange":
                here.changes.add(found["field"])
        told = answer.get("extensions", {}).get("redactions", [])
        expected = [{"type": place.split(".")[0], **redaction(place, FIELDS.get(place) or MASKED[place])} for place in sorted(here.closed)]
        assert told == expected, f"what {who} is told beside the answer"
        self |= here

    def __ior__(self, other: "Met") -> "Met":
        for name, places in vars(other).items():
            getattr(self, name).update(places)
        return self


def gated(found: dict[str, Any]) -> set[str]:
    return {f"{found['__typename']}.{name}" for name in found} & (FIELDS.keys() | MASKED.keys())


def opens(place: str, who: Who, *, own: bool) -> bool:
    return who.may(FIELDS[place], own=own) if place in FIELDS else own or who.may(MASKED[place])


def refusal(answer: dict[str, Any]) -> dict[str, Any] | None:
    """How a root was refused: as an error, or in a payload."""
    if answer.get("errors"):
        (error,) = answer["errors"]
        return dict(error["extensions"])
    (payload,) = answer["data"].values()
    return payload["errors"][0] if isinstance(payload, dict) and payload.get("errors") else None


def check_refusal(told: dict[str, Any] | None, who: Who, right: Gate | Mandate) -> None:
    """It names the roles or the scopes that would do, as far as they are missing."""
    assert told
    assert told["code"] == "FORBIDDEN"
    if who.is_named(right):
        assert not told.get("requiresRoles")
    else:
        assert set(right.roles) <= set(told["requiresRoles"]) <= {*right.roles, *right.own}
    assert (told.get("requiresScopes") or []) == ([] if who.holds(right) else [[*group] for group in right.scopes])
