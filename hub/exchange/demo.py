"""Demo data: a small cast and what happens to it, so that a newcomer sees something. Made once, however often the hub starts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hub.commands.imports import ImportedItem, ImportedNote, ImportedParty, ImportedProgress, ImportInteraction, ImportParty
from hub.domain.ids import InteractionId, PartyId
from hub.domain.parties import ContactMedium, ExternalIdentifier
from hub.domain.parts import Channel, EntityRef
from hub.domain.terms import (
    ChannelType,
    ContactMediumKind,
    Direction,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    PartyKind,
    Priority,
    Role,
    Status,
    Vertical,
)
from hub.exchange.importing import Submit
from hub.exchange.lenient import to_milliseconds

OWNER: Final = "demo"


def _known_as(value: str, type: str = "Party") -> ExternalIdentifier:
    return ExternalIdentifier(OWNER, value, type)


CUSTOMER: Final = ImportedParty(
    identifier=_known_as("customer"),
    name="Mira Hollander",
    preferred_language="en",
    contact_media=(
        ContactMedium(ContactMediumKind.EMAIL, "mira.hollander@example.com", preferred=True),
        ContactMedium(ContactMediumKind.SMS, "+44 7700 900123"),  # a number that is reserved for fiction
    ),
)
AGENT: Final = ImportedParty(identifier=_known_as("agent"), name="Jonas Reed")
SUPERVISOR: Final = ImportedParty(identifier=_known_as("supervisor"), name="Priya Raman")
PARTNER: Final = ImportedParty(identifier=_known_as("partner"), name="Northlight Stores", kind=PartyKind.ORGANIZATION)
CAST: Final = (CUSTOMER, AGENT, SUPERVISOR, PARTNER)


@dataclass(frozen=True, slots=True)
class Demo:
    """The cast, and its interactions; `ongoing` is the one on which there is still work to do."""

    customer: PartyId
    agent: PartyId
    supervisor: PartyId
    partner: PartyId
    ongoing: InteractionId
    interactions: tuple[InteractionId, ...]


async def demo(submit: Submit, *, now: datetime) -> Demo:
    """Have the demo data there; what is there already is left as it has become."""
    parties = await asyncio.gather(*(submit(ImportParty(party)) for party in CAST))
    found = await asyncio.gather(*(submit(command) for command in interactions(to_milliseconds(now))))
    customer, agent, supervisor, partner = (PartyId(committed.about.id) for committed in parties)
    made = tuple(InteractionId(committed.about.id) for committed in found)
    return Demo(customer, agent, supervisor, partner, ongoing=made[0], interactions=made)


def interactions(now: datetime) -> Sequence[ImportInteraction]:
    """What has happened by `now`; the first is the ongoing one."""
    return (_new_line(now), _wrong_bill(now), _slow_evenings(now), _move_house(now), _maintenance(now))


def _as(party: ImportedParty, *roles: InvolvementRole) -> ImportedParty:
    return replace(party, roles=roles)


def _new_line(now: datetime) -> ImportInteraction:
    ordered, surveyed, reported = now - timedelta(days=6), now - timedelta(days=3), now - timedelta(hours=5)
    return ImportInteraction(
        identifier=_known_as("new-line", "Interaction"),
        status=Status.IN_PROGRESS,
        direction=Direction.INBOUND,
        kind=InteractionKind.ORDER,
        vertical=Vertical.FULFILLMENT,
        priority=Priority.NORMAL,
        topic="fibre-installation",
        reason="Fibre for the new flat",
        description="Ordered in the shop at the station; the line has to be built first.",
        created_at=ordered,
        started_at=ordered,
        status_changed_at=surveyed,
        updated_at=reported,
        channels=(Channel(ChannelType.STORE, ordered, "Northlight, Station Road"), Channel(ChannelType.MOBILE_APP, surveyed)),
        parties=(
            _as(CUSTOMER, InvolvementRole.CUSTOMER),
            _as(PARTNER, InvolvementRole.PARTNER),
            _as(AGENT, InvolvementRole.AGENT),
        ),
        items=(
            ImportedItem(
                type="ProductOrder",
                reason="Fibre 500 with router",
                entity=EntityRef("ProductOrder", "demo-30001", name="Fibre 500"),
                vertical=Vertical.FULFILLMENT,
                created_at=ordered,
            ),
            ImportedItem(
                type="Appointment",
                reason="Survey of the house",
                resolution="A duct is there; the cable can be blown in.",
                created_at=ordered,
                resolved_at=surveyed,
            ),
        ),
        notes=(
            _note("Please ring twice, the bell is weak.", ordered, CUSTOMER, Role.CUSTOMER),
            _note("The survey is done: no digging needed.", surveyed, AGENT, Role.AGENT),
            _note("Her last order was lost; do not let it happen again.", surveyed, AGENT, Role.AGENT, NoteVisibility.INTERNAL),
        ),
        progress=ImportedProgress(
            percent=60,
            stage="Line ordered",
            message="The cable is on its way; the technician comes next.",
            updated_at=reported,
            expected_completion_at=now + timedelta(days=4),
            next_update_due_at=now + timedelta(hours=20),
        ),
    )


def _wrong_bill(now: datetime) -> ImportInteraction:
    called = now - timedelta(days=12)
    over = called + timedelta(minutes=9)
    return ImportInteraction(
        identifier=_known_as("wrong-bill", "Interaction"),
        status=Status.COMPLETED,
        direction=Direction.INBOUND,
        kind=InteractionKind.QUERY,
        vertical=Vertical.BILLING,
        topic="bill-explained",
        reason="Why is the bill higher this month?",
        resolution="A call to a premium number; explained, and half of it credited.",
        created_at=called,
        started_at=called,
        ended_at=over,
        status_changed_at=over,
        updated_at=over,
        channels=(Channel(ChannelType.PHONE, called),),
        parties=(_as(CUSTOMER, InvolvementRole.CUSTOMER), _as(AGENT, InvolvementRole.AGENT)),
        items=(ImportedItem(type="Bill", entity=EntityRef("CustomerBill", "demo-4711"), created_at=called, resolved_at=over),),
    )


def _slow_evenings(now: datetime) -> ImportInteraction:
    wrote, asked = now - timedelta(days=1), now - timedelta(hours=7)
    return ImportInteraction(
        identifier=_known_as("slow-evenings", "Interaction"),
        status=Status.PENDING,
        direction=Direction.INBOUND,
        kind=InteractionKind.COMPLAINT,
        vertical=Vertical.ASSURANCE,
        priority=Priority.HIGH,
        topic="slow-internet",
        reason="Every evening the connection is slow",
        question="Which lights are on at the router when it is slow?",
        created_at=wrote,
        started_at=wrote,
        status_changed_at=asked,
        updated_at=asked,
        channels=(Channel(ChannelType.WEB_SELF_SERVICE, wrote),),
        parties=(_as(CUSTOMER, InvolvementRole.CUSTOMER), _as(AGENT, InvolvementRole.AGENT), _as(SUPERVISOR, InvolvementRole.SUPERVISOR)),
        notes=(_note("It begins at eight and ends at eleven.", wrote, CUSTOMER, Role.CUSTOMER),),
    )


def _move_house(now: datetime) -> ImportInteraction:
    wrote = now - timedelta(minutes=25)
    return ImportInteraction(
        identifier=_known_as("move-house", "Interaction"),
        status=Status.OPEN,
        direction=Direction.INBOUND,
        kind=InteractionKind.REQUEST,
        vertical=Vertical.FULFILLMENT,
        topic="new-address",
        reason="I move on the first: does my number come with me?",
        created_at=wrote,
        started_at=wrote,
        status_changed_at=wrote,
        updated_at=wrote,
        channels=(Channel(ChannelType.CHAT, wrote),),
        parties=(_as(CUSTOMER, InvolvementRole.CUSTOMER),),
        progress=ImportedProgress(updated_at=wrote, next_update_due_at=now + timedelta(hours=23)),
    )


def _maintenance(now: datetime) -> ImportInteraction:
    sent, held = now - timedelta(days=2), now - timedelta(days=1)
    return ImportInteraction(
        identifier=_known_as("maintenance", "Interaction"),
        status=Status.HELD,
        direction=Direction.OUTBOUND,
        kind=InteractionKind.NOTIFICATION,
        vertical=Vertical.ASSURANCE,
        priority=Priority.LOW,
        topic="planned-work",
        reason="Work on the network in your street",
        status_reason="The road works have been put off.",
        created_at=sent,
        started_at=sent,
        status_changed_at=held,
        updated_at=held,
        channels=(Channel(ChannelType.EMAIL, sent), Channel(ChannelType.SMS, sent)),
        parties=(_as(CUSTOMER, InvolvementRole.CUSTOMER), _as(SUPERVISOR, InvolvementRole.SUPERVISOR)),
        progress=ImportedProgress(
            message="A new date will be told.", updated_at=held, next_update_due_at=now + timedelta(days=2), stage="Waiting"
        ),
    )


def _note(text: str, at: datetime, author: ImportedParty, role: Role, visibility: NoteVisibility = NoteVisibility.PUBLIC) -> ImportedNote:
    return ImportedNote(text=text, at=at, visibility=visibility, author=author.identifier, author_role=role)
