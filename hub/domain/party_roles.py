"""The roles that parties hold in the company's life, each for a time (TMF669): customer, guardian, supplier.

A role counts while it is valid and not a moment longer; of one name a party holds one at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hub.domain.ids import PartyId, PartyRoleId
from hub.domain.texts import SHORT, optional, text
from hub.errors import BadInput, Conflict


class PartyRoleStatus(StrEnum):
    """Where a role stands at a moment."""

    PLANNED = "PLANNED"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class PartyRoleEventType(StrEnum):
    """What happened to a role. SYSTEM entries of the journal: every feed passes them in their order, no viewer reads them."""

    GRANTED = "GRANTED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRoleEvent:
    """One entry about a role."""

    type: PartyRoleEventType
    at: datetime
    seq: int


def status(valid_from: datetime, valid_to: datetime | None, now: datetime) -> PartyRoleStatus:
    """Valid from the first moment up to, and without, the last. One withdrawn before it began never was."""
    if valid_to is not None and (valid_to <= now or valid_to <= valid_from):
        return PartyRoleStatus.ENDED
    return PartyRoleStatus.ACTIVE if valid_from <= now else PartyRoleStatus.PLANNED


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRole:
    id: PartyRoleId
    seq: int
    party: PartyId
    name: str
    valid_from: datetime
    valid_to: datetime | None = None
    status_reason: str | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def grant(
        cls,
        id: PartyRoleId,
        party: PartyId,
        name: str,
        *,
        at: datetime,
        held: Iterable["PartyRole"],
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> tuple["PartyRole", PartyRoleEvent]:
        """A role from `valid_from` (now) to `valid_to` (until it is ended). `held`: all that the party has or had."""
        role = cls(
            id=id,
            seq=1,
            party=party,
            name=text(name, "input", "name", most=SHORT),
            valid_from=at if valid_from is None else valid_from,
            valid_to=valid_to,
            created_at=at,
            updated_at=at,
        )
        if valid_to is not None and valid_to <= role.valid_from:
            raise BadInput("validTo lies after validFrom.", "input", "validTo")
        if (other := next((one for one in held if role.overlaps(one)), None)) is not None:
            raise Conflict(f"The party holds the role {role.name} at that time already.", conflicting_id=other.id)
        return role, PartyRoleEvent(type=PartyRoleEventType.GRANTED, at=at, seq=1)

    def status(self, now: datetime) -> PartyRoleStatus:
        """Where it stands at `now`."""
        return status(self.valid_from, self.valid_to, now)

    def is_valid(self, now: datetime) -> bool:
        """Whether it counts at `now`."""
        return self.status(now) is PartyRoleStatus.ACTIVE

    def overlaps(self, other: "PartyRole") -> bool:
        """Whether the two have one name, however spelled, and a moment in common."""
        if self.name.casefold() != other.name.casefold() or other.valid_to == other.valid_from:
            return False
        begins_in_time = other.valid_to is None or self.valid_from < other.valid_to
        return begins_in_time and (self.valid_to is None or other.valid_from < self.valid_to)

    def end(self, reason: str | None, *, at: datetime) -> tuple["PartyRole", PartyRoleEvent]:
        """Ended now; one that has not begun never does. Raises Conflict for one that is over."""
        if self.status(at) is PartyRoleStatus.ENDED:
            raise Conflict("This role has ended already.")
        ended = replace(
            self,
            seq=self.seq + 1,
            valid_to=max(at, self.valid_from),
            status_reason=optional(reason, "input", "reason", most=SHORT),
            updated_at=max(at, self.updated_at),
        )
        return ended, PartyRoleEvent(type=PartyRoleEventType.ENDED, at=ended.updated_at, seq=ended.seq)
