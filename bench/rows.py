"""Interactions and parties in any number, written straight into MongoDB in the shapes that the hub itself would have written.

A year of a company, whatever its size: a customer for each 20 interactions, most of them over, a few in a hundred still
open, and of those most are young. What is looked for rarely is there as often in a small company as in a large one.
"""

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from hub.domain.ids import INTERACTION, ITEM, NOTE, PARTY, InteractionId, ItemId, NoteId, PartyId, uuid7
from hub.domain.interactions import Interaction
from hub.domain.parties import ContactMedium, ExternalIdentifier, Party
from hub.domain.parts import Channel, EntityRef, Involvement, Item, Note, Progress
from hub.domain.promises import UPDATE_WITHIN
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
from hub.store import catalogue
from hub.store.documents import interaction_document, party_document
from hub.store.mongo import connected
from hub.web.hub import now

BATCH: Final = 2_000  # documents sent at once
YEAR: Final = timedelta(days=365)
EACH: Final = 20  # interactions of one customer
PARTNERS: Final = 5  # who together take part in every tenth interaction
YOUNG: Final = 0.04  # of all: half of these are open; of the others one in a hundred
RARE: Final = 20  # interactions, in a company of any size, with the rare topic, and with the rare word

TOPICS: Final = ("fibre-fault", "slow-line", "wrong-bill", "new-line", "house-move", "sim-swap", "roaming", "tariff-change", "returns")
RARE_TOPIC: Final = "lightning-strike"
RARE_WORD: Final = "woodpecker"
COMMONEST: Final = "customer"  # a word of two interactions in three
COMMON: Final = "router"  # of one in ten
STATUSES: Final = (Status.OPEN, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.PENDING, Status.HELD)
PRIORITIES: Final = (Priority.LOW, *[Priority.NORMAL] * 6, *[Priority.HIGH] * 2, Priority.URGENT)
OWNER: Final = "crm"


@dataclass(frozen=True, slots=True)
class Company:
    """What is in a database, so that it can be asked for."""

    database: str
    rows: int
    customers: Sequence[str]
    agents: Sequence[str]
    partners: Sequence[str]
    seconds: float  # that it took to write it
    indexing: float  # of those, for the indexes


async def filled(uri: str, rows: int) -> Company:
    """A new database with so many interactions. Indexes are made when all is there, which takes a third of the time."""
    database, chance, began = f"bench_{rows}", random.Random(rows), time.perf_counter()
    async with connected(uri, database) as mongo:
        await mongo.client.drop_database(database)
        await catalogue.apply(mongo)
        for name in ("interactions", "parties"):
            await mongo[name].drop_indexes()
        made = Making(rows, now(), chance)
        with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
            unsafe = client.get_database(database, write_concern=WriteConcern(w=1, j=False))
            _written(unsafe["parties"], map(party_document, made.parties()))
            _written(unsafe["interactions"], map(interaction_document, made.interactions()))
        written = time.perf_counter()
        await catalogue.apply(mongo)
        ended = time.perf_counter()
    return Company(database, rows, made.customers, made.agents, made.partners, ended - began, ended - written)


def _written(collection: "Collection[dict[str, Any]]", documents: Iterator[dict[str, Any]]) -> None:
    """All of them; the next ones are made while MongoDB takes the last."""
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(int)
        while batch := list(itertools.islice(documents, BATCH)):
            sent.result()
            sent = sender.submit(lambda some: len(collection.insert_many(some, ordered=False).inserted_ids), batch)
        sent.result()


class Making:
    """The parties and interactions of one company, from chance that can be repeated."""

    def __init__(self, rows: int, at: datetime, chance: random.Random) -> None:
        self._rows, self._now, self._chance = rows, at, chance
        self.customers = [self._id(PARTY, at - YEAR) for _ in range(rows // EACH)]
        self.agents = [self._id(PARTY, at - YEAR) for _ in range(max(2, rows // 5_000))]  # each with as many open ones on its desk
        self.partners = [self._id(PARTY, at - YEAR) for _ in range(PARTNERS)]
        self._words = _words(chance)
        self._sentences = [self._sentence() for _ in range(20_000)]

    def parties(self) -> Iterator[Party]:
        """Customers, agents and partners."""
        names = self._words[:2_000]
        for number, id in enumerate(self.customers):
            name = " ".join(word.capitalize() for word in self._chance.choices(names, k=2))
            yield self._party(id, PartyKind.INDIVIDUAL, name, number)
        for number, id in enumerate((*self.agents, *self.partners)):
            yield self._party(
                id, PartyKind.INDIVIDUAL if number < len(self.agents) else PartyKind.ORGANIZATION, f"Colleague {number}", None
            )

    def interactions(self) -> Iterator[Interaction]:
        """The oldest first, one as long after the other."""
        step, rare = YEAR / self._rows, self._rows // RARE
        for number in range(self._rows):
            at = self._now - step * (self._rows - number)
            at = at.replace(microsecond=at.microsecond // 1000 * 1000)
            yield self._interaction(number, at, is_rare=number % rare == rare // 2)

    def _interaction(self, number: int, at: datetime, *, is_rare: bool) -> Interaction:
        chance = self._chance.random
        is_open = chance() < (0.5 if number > (1 - YOUNG) * self._rows else 0.01)
        status = self._chance.choice(STATUSES) if is_open else Status.CANCELLED if chance() < 0.03 else Status.COMPLETED
        priority, channel = self._chance.choice(PRIORITIES), self._chance.choice(CHANNELS)
        updated = min(at + timedelta(milliseconds=int(chance() * 5 * 86_400_000)), self._now)
        due = updated + UPDATE_WITHIN[priority] if is_open and status is not Status.PENDING else None
        is_worked_on = chance() < 0.3
        return Interaction(
            id=InteractionId(self._id(INTERACTION, at)),
            seq=3,
            public_seq=2,
            direction=Direction.INBOUND if chance() < 0.8 else Direction.OUTBOUND,
            kind=self._chance.choice(KINDS),
            topic=RARE_TOPIC if is_rare else self._chance.choice(TOPICS),
            reason=self._chance.choice(self._sentences),
            description=self._text(RARE_WORD if is_rare else COMMON if chance() < 0.1 else None),
            vertical=self._chance.choice(VERTICALS),
            priority=priority,
            status=status,
            status_changed_at=updated,
            question="Which day suits you?" if status is Status.PENDING else None,
            resolution="The line was reset and works again." if status is Status.COMPLETED else None,
            status_reason="Waits for a part." if status in {Status.HELD, Status.CANCELLED} else None,
            started_at=at,
            ended_at=None if is_open else updated,
            created_at=at,
            updated_at=updated,
            public_updated_at=updated,
            channels=(Channel(channel, at),),
            parties=tuple(self._involvements(at)),
            items=(self._item(number, at, None if is_open else updated),) if chance() < 0.3 else (),
            notes=(self._note(updated, channel),) if chance() < 0.5 else (),
            progress=Progress(updated_at=updated, message=self._chance.choice(self._sentences), next_update_due_at=due)
            if is_open
            else None,
            assignee=PartyId(self._chance.choice(self.agents)) if is_worked_on else None,
            external_identifiers=(ExternalIdentifier(OWNER, str(number), "ticket"),) if number % 10 == 0 else (),
            maker="3f1c9a70d2b84e56",
            request="b7e2a11c04d94f83",
        )

    def _party(self, id: str, kind: PartyKind, name: str, number: int | None) -> Party:
        media = () if number is None else (
            ContactMedium(ContactMediumKind.EMAIL, f"customer.{number}@example.com", preferred=True),
            ContactMedium(ContactMediumKind.PHONE, f"+44 7700 {number:07}"),
        )  # fmt: skip
        at = self._now - YEAR
        return Party(
            id=PartyId(id),
            seq=1,
            kind=kind,
            name=name,
            contact_media=media,
            external_identifiers=() if number is None else (ExternalIdentifier(OWNER, str(number), "Party"),),
            created_at=at,
            updated_at=at,
        )

    def _involvements(self, at: datetime) -> Iterator[Involvement]:
        yield Involvement(PartyId(self._chance.choice(self.customers)), InvolvementRole.CUSTOMER, at)
        if self._chance.random() < 0.1:
            yield Involvement(PartyId(self._chance.choice(self.partners)), InvolvementRole.PARTNER, at)

    def _item(self, number: int, at: datetime, resolved: datetime | None) -> Item:
        return Item(
            id=ItemId(self._id(ITEM, at)),
            type="Order",
            created_at=at,
            resolution=None if resolved is None else "Delivered.",
            entity=EntityRef("ProductOrder", entity_of(number)),
            resolved_at=resolved,
        )

    def _note(self, at: datetime, channel: ChannelType) -> Note:
        return Note(
            id=NoteId(self._id(NOTE, at)),
            text=self._chance.choice(self._sentences),
            visibility=NoteVisibility.PUBLIC,
            at=at,
            author=None,
            author_role=Role.AGENT,
            channel=channel,
        )

    def _text(self, word: str | None) -> str:
        told = self._chance.choice(self._sentences)
        return f"{told} {word}" if word else told

    def _sentence(self) -> str:
        words = self._chance.choices(self._words, cum_weights=ZIPF, k=self._chance.randrange(4, 16))
        return " ".join(([COMMONEST] if self._chance.random() < 0.35 else []) + words).capitalize()

    def _id(self, prefix: str, at: datetime) -> str:
        return prefix + uuid7(at, self._chance.getrandbits)


def entity_of(number: int) -> str:
    """The order that the interaction of this number may be about: ten in a row share one."""
    return f"order-{number // 10}"


CHANNELS: Final = tuple(ChannelType)
KINDS: Final = tuple(InteractionKind)
VERTICALS: Final = (*Vertical, None)
VOCABULARY: Final = 8_000  # words, as frequent as their place says: what Zipf found of any language
ZIPF: Final = list(itertools.accumulate(1 / (place + 10) for place in range(VOCABULARY)))


def _words(chance: random.Random) -> Sequence[str]:
    """Words that can be told apart and pronounced."""
    parts = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(chance.choices(parts, k=chance.randrange(2, 5)))] = None
    return list(words)
