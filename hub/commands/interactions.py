"""What can be asked for about an interaction as a whole: what each request touches, who may, and what it does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from hub.access.gates import check_argument
from hub.access.mandates import ACTS, DOERS, Act, Mandate, may_move, require
from hub.access.policies import About, acts_by
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, check_identifier, decision, in_sight
from hub.commands.asking import Keep, TakingPart, given
from hub.commands.involvements import Involved
from hub.commands.items import Matter, made
from hub.domain import ratings
from hub.domain.ids import INTERACTION, InteractionId, PartyId, is_id
from hub.domain.interactions import Interaction, Wanted
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import Involvement
from hub.domain.terms import ChannelType, Direction, InteractionKind, InvolvementRole, Priority, Role, Status, SubjectKind, Vertical
from hub.errors import BadInput, Conflict, Forbidden
from hub.journal.desk import Decision, Desk, External, Ref, Touch

OPENS_AS: Final[dict[Role, InvolvementRole]] = {
    Role.CUSTOMER: InvolvementRole.CUSTOMER,
    Role.VISITOR: InvolvementRole.CUSTOMER,
    Role.PARTNER: InvolvementRole.PARTNER,
    Role.AGENT: InvolvementRole.INITIATOR,
    Role.SUPERVISOR: InvolvementRole.INITIATOR,
    Role.BACK_OFFICE: InvolvementRole.INITIATOR,
    Role.SYSTEM: InvolvementRole.INITIATOR,
}
"""As what the opener takes part."""

SELF_SERVICE: Final = frozenset({Role.CUSTOMER, Role.VISITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(TakingPart):
    """Open an interaction; with `ended_at` and `resolution`, log one that is over, in one call."""

    name: ClassVar[str] = "createInteraction"
    mandate: ClassVar[Mandate] = ACTS[Act.OPEN]

    direction: Direction
    channel: ChannelType
    kind: InteractionKind = InteractionKind.REQUEST
    priority: Priority = Priority.NORMAL
    id: str | None = None
    topic: str | None = None
    reason: str | None = None
    description: str | None = None
    channel_name: str | None = None
    customer_id: str | None = None
    customer_ref: ExternalIdentifier | None = None
    vertical: Vertical | None = None
    parties: Sequence[Involved] = ()
    items: Sequence[Matter] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    resolution: str | None = None
    external_identifier: ExternalIdentifier | None = None

    def touches(self) -> Iterable[Touch]:
        if self.id is not None:
            yield Ref(SubjectKind.INTERACTION, self.id)
        if self.external_identifier is not None:
            yield External(SubjectKind.INTERACTION, self.external_identifier)
        for wanted in (Involved(InvolvementRole.CUSTOMER, self.customer_id, self.customer_ref), *self.parties):
            yield from wanted.touches()

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        self._check_right(viewer)
        topic = desk.rules.check_topic(self.topic, "input", "topic")
        about = About(self.kind, topic, self.vertical, acts_by(viewer, {OPENS_AS[viewer.acting_role]}))
        desk.guard.policies.require(viewer, Act.OPEN, self.name, about)
        if self.id is not None:
            if not is_id(self.id, INTERACTION):
                raise BadInput(f"A client-made id is {INTERACTION} and the 32 lower-case hex digits of a UUIDv7.", "input", "id")
            if (known := desk.interaction(self.id)) is not None:
                return _replay(known, viewer, fingerprint)
        if self.external_identifier is not None:
            check_identifier(desk, viewer, self.external_identifier)
        interaction, event = Interaction.opened(
            InteractionId(self.id or desk.new_id(INTERACTION)),
            at=desk.now,
            direction=self.direction,
            kind=self.kind,
            priority=self.priority,
            channel=self.channel,
            channel_name=self.channel_name,
            started_at=self.started_at,
            ended_at=self.ended_at,
            topic=topic,
            reason=self.reason,
            description=self.description,
            resolution=self.resolution,
            vertical=self.vertical,
            parties=self._parties(desk, viewer),
            items=[made(matter, desk, "input", "items", str(index)) for index, matter in enumerate(self.items)],
            external_identifiers=[self.external_identifier] if self.external_identifier else [],
            visitor=viewer.party if viewer.acting_role is Role.VISITOR else None,
            maker=viewer.id,
            request=fingerprint,
        )
        return decision(interaction, event)

    def _check_right(self, viewer: Viewer) -> None:
        """Self-service opens for itself, inbound and unfinished; the rest is said in the mandate."""
        require(viewer, self.mandate, self.name, own=self.customer_id in {None, viewer.party} and self.customer_ref is None)
        role = viewer.acting_role
        if self.parties:
            check_argument(viewer, "CreateInteractionInput.parties", "Naming further parties")
        if role not in SELF_SERVICE:
            return
        if self.direction is not Direction.INBOUND:
            raise BadInput("What a customer opens is INBOUND.", "input", "direction")
        if role is Role.VISITOR and self.channel is not ChannelType.WEB_SELF_SERVICE:
            raise BadInput("A visitor opens over WEB_SELF_SERVICE; log in to use another channel.", "input", "channel")
        if self.ended_at is not None:
            check_argument(viewer, "CreateInteractionInput.endedAt", "Logging an interaction that is over")
        if self.external_identifier is not None:
            check_argument(viewer, "CreateInteractionInput.externalIdentifier", "Giving an external identifier")

    def _parties(self, desk: Desk, viewer: Viewer) -> list[Involvement]:
        """The customer, then who was named, then the opener: each party once a role."""
        if self.customer_id is not None and self.customer_ref is not None:
            raise BadInput("Name the customer by customerId or by customerRef, not by both.", "input", "customerRef")
        found = [one.involvement(desk, "input", "parties", str(index)) for index, one in enumerate(self.parties)]
        if self.customer_id is not None or self.customer_ref is not None:
            customer = Involved(InvolvementRole.CUSTOMER, self.customer_id, self.customer_ref)
            found.insert(0, customer.involvement(desk, "input", "customerId" if self.customer_id is not None else "customerRef"))
        if viewer.party is not None:
            found.append(Involvement(self.known(viewer.party, desk), OPENS_AS[viewer.acting_role], desk.now))
        takes_part: dict[tuple[PartyId, InvolvementRole], Involvement] = {}
        for one in found:
            takes_part.setdefault((one.party, one.role), one)
        return list(takes_part.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(OnInteraction):
    """Put right what an interaction is about: absence keeps, null clears."""

    name: ClassVar[str] = "updateInteraction"
    act: ClassVar[Act] = Act.UPDATE

    kind: InteractionKind | Keep | None = Keep.KEEP
    topic: str | Keep | None = Keep.KEEP
    reason: str | Keep | None = Keep.KEEP
    description: str | Keep | None = Keep.KEEP
    vertical: Vertical | Keep | None = Keep.KEEP
    priority: Priority | Keep | None = Keep.KEEP
    external_identifier: ExternalIdentifier | Keep | None = Keep.KEEP
    expected_revision: int | None = None

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)
        if isinstance(self.external_identifier, ExternalIdentifier):
            yield External(SubjectKind.INTERACTION, self.external_identifier)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer, self.expected_revision)
        for name in ("kind", "priority"):
            if getattr(self, name) is None:
                raise BadInput(f"An interaction always has a {name}; leave it out to keep it.", "input", name)
        if isinstance(self.topic, str) and self.topic.strip() != interaction.topic:  # one that left the list may stay
            desk.rules.check_topic(self.topic, "input", "topic")
        updated, event = interaction.update(at=desk.now, **self._wanted(desk, viewer, interaction))
        self._check_login(desk, viewer, interaction, updated)
        return decision(updated, event)

    def _check_login(self, desk: Desk, viewer: Viewer, was: Interaction, now: Interaction) -> None:
        """To make it one that a policy covers asks for what opening it so, and putting it right then, would."""
        acting = acts_by(viewer, was.involvements_of(viewer.party))
        about = About.of(now, acting)
        if about != About.of(was, acting):
            for act in (Act.OPEN, self.act):
                desk.guard.policies.require(viewer, act, self.name, about)

    def _wanted(self, desk: Desk, viewer: Viewer, interaction: Interaction) -> Wanted:
        wanted: Wanted = given(
            kind=self.kind,
            topic=self.topic,
            reason=self.reason,
            description=self.description,
            vertical=self.vertical,
            priority=self.priority,
        )
        match self.external_identifier:
            case ExternalIdentifier() as identifier:
                check_identifier(desk, viewer, identifier, interaction.id)
                wanted["external_identifiers"] = identifier.among(interaction.external_identifiers)
            case None:
                wanted["external_identifiers"] = ()
        return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(OnInteraction):
    """Move an interaction to another state."""

    name: ClassVar[str] = "transitionInteraction"
    act: ClassVar[Act] = Act.TRANSITION

    to: Status
    reason: str | None = None
    question: str | None = None
    resolution: str | None = None
    expected_revision: int | None = None

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer, self.expected_revision)
        is_legal = self.to in interaction.allowed_transitions(desk.now, desk.rules.reopen_window)
        if is_legal and not may_move(viewer, interaction.status, self.to):  # whether it is legal is said first
            raise Forbidden(f"Moving it from {interaction.status} to {self.to}", roles=DOERS)
        moved = interaction.transition(
            self.to,
            at=desk.now,
            reason=self.reason,
            question=self.question,
            resolution=self.resolution,
            window=desk.rules.reopen_window,
        )
        return decision(*moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(OnInteraction):
    """Resolve and complete in one act."""

    name: ClassVar[str] = "closeInteraction"
    act: ClassVar[Act] = Act.CLOSE

    resolution: str
    resolve_open_items: bool = False
    expected_revision: int | None = None

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer, self.expected_revision)
        closed = interaction.close(
            self.resolution, at=desk.now, resolve_open_items=self.resolve_open_items, window=desk.rules.reopen_window
        )
        return decision(*closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress(OnInteraction):
    """Tell how it is going, and promise the next update."""

    name: ClassVar[str] = "reportProgress"
    act: ClassVar[Act] = Act.REPORT_PROGRESS

    message: str
    percent: int | None = None
    stage: str | None = None
    channel: ChannelType | None = None
    expected_completion_at: datetime | None = None
    next_update_due_at: datetime | None = None

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        reported = self.acted_on(desk, viewer).report_progress(
            self.message,
            at=desk.now,
            percent=self.percent,
            stage=self.stage,
            channel=self.channel,
            expected_completion_at=self.expected_completion_at,
            next_update_due_at=self.next_update_due_at,
            window=desk.rules.reopen_window,
        )
        return decision(*reported)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(OnInteraction):
    """Say how content the customer is with how it was closed."""

    name: ClassVar[str] = "rateInteraction"
    act: ClassVar[Act] = Act.RATE

    score: int
    comment: str | None = None

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        return decision(*ratings.rate(interaction, self.score, self.comment, at=desk.now, window=desk.rules.reopen_window))


def _replay(known: Interaction, viewer: Viewer, fingerprint: str) -> Decision:
    """A client-made id that exists: the same maker with the same request asks again, anybody else is in conflict."""
    if known.maker == viewer.id and known.request == fingerprint:
        return Decision(Ref(SubjectKind.INTERACTION, known.id), replayed=True)
    raise Conflict("An interaction with this id exists already.", conflicting_id=known.id if in_sight(known, viewer) else None)
