"""TMF683 PartyInteraction JSON, v4 and v5, as other systems really write it: read, repaired, never refused for a detail.

What this model does not know (attachments, hrefs, ids of items, notes and channels) goes to `extra`, and so does, whole,
whatever had to be repaired. Relationships and external identifiers are read and stay in `extra` too, for whether they can be
had depends on what is there when they are written. The tables say how a word is read; what a missing attribute becomes:

| missing | becomes |
|---|---|
| id | a digest of the content, so that the same document is known again |
| status | COMPLETED with interactionDate.endDateTime, else OPEN |
| direction | INBOUND |
| channel | OTHER |
| creationDate | interactionDate.startDateTime, else the first date that is there, else the time of the import |
| startDateTime | creationDate |
| endDateTime, where it has ended | statusChangeDate, else the last date that is there |
| resolution, where it is RESOLVED or COMPLETED | "Imported without a resolution." |
| a customer | the one party that is `user`, as CUSTOMER too; nobody where there are none or several |
| a party's id | a digest that is its own in this interaction: two people of one name are never taken for one |
| a party's name, type, role | type and id; what its href says, else Individual; OBSERVER, who only reads |

TMF683 has no kind, priority, vertical or audience of notes: REQUEST, NORMAL and none; a note is PUBLIC when its author takes
part as customer or user, else INTERNAL, for nobody knows whom it was written for.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.commands.imports import ImportedItem, ImportedNote, ImportedParty, ImportInteraction
from hub.domain.interactions import CHANNELS, IDENTIFIERS, ITEMS, NOTES, PARTIES
from hub.domain.lifecycle import ENDED
from hub.domain.parties import ExternalIdentifier
from hub.domain.parts import Channel, EntityRef
from hub.domain.relationships import RELATIONSHIPS as MOST_RELATIONSHIPS
from hub.domain.terms import ChannelType, Direction, InvolvementRole, NoteVisibility, PartyKind, RelationshipType, Role, Status
from hub.domain.texts import LONG
from hub.exchange.lenient import Repair, Source, Unreadable, clean, digest, looked_up, shown, spelled, to_milliseconds, words
from hub.exchange.spellings import (
    CHANNEL_TYPES,
    DIRECTIONS,
    KINDS,
    NAMES,
    OWN,
    PARTY_TYPES,
    PLACEHOLDERS,
    REFERENCES,
    RELATIONSHIPS,
    ROLES,
    STANDARD,
    STATUSES,
    WRITES_AS,
)

INTERACTIONS_OWNER: Final = "TMF683"
PARTIES_OWNER: Final = "TMF632"
TYPE: Final = "PartyInteraction"
NO_RESOLUTION: Final = "Imported without a resolution."

ATTRIBUTES: Final = frozenset(
    {
        "attachment", "channel", "creationDate", "description", "direction", "externalIdentifier", "interactionDate",
        "interactionItem", "interactionRelationship", "note", "reason", "relatedChannel", "relatedParty", "status", "statusChangeDate",
    }
)  # fmt: skip
"""An object without a @type is a PartyInteraction when it has one of these."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What another interaction of the same system is to this one; `path` says where it was read."""

    path: str
    type: RelationshipType
    other: ExternalIdentifier


@dataclass(frozen=True, slots=True)
class Read:
    """A command that takes the interaction over, what had to be repaired to make it, and what is to be linked once it is there."""

    command: ImportInteraction
    repairs: tuple[Repair, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class _Dates:
    created: datetime
    started: datetime
    ended: datetime | None
    status_changed: datetime
    updated: datetime


def read(document: object, *, now: datetime, owner: str | None = None) -> Read:
    """What a decoded JSON document means. `owner` names the system whose ids these are, for the interaction and its parties.

    Dates after `now` are repaired. Raises Unreadable where it is no PartyInteraction at all."""
    now = to_milliseconds(now)
    repairs: list[Repair] = []
    source = Source(_recognized(clean(document, "", repairs)), "", repairs)
    identifier = _identifier(source, owner)
    status, word = _status(source)
    dates = _dates(source, status, now)
    parties = _parties(source, owner, identifier)
    command = ImportInteraction(
        identifier=identifier,
        status=status,
        direction=_direction(source),
        reason=source.text("reason"),
        description=source.text("description", LONG),
        resolution=_resolution(source, status),
        status_reason=shown(word) if status in {Status.HELD, Status.CANCELLED} else None,
        created_at=dates.created,
        started_at=dates.started,
        ended_at=dates.ended,
        status_changed_at=dates.status_changed,
        updated_at=dates.updated,
        channels=_channels(source, dates.started),
        parties=parties,
        items=_items(source, dates, now),
        notes=_notes(source, parties, dates, now),
        further_identifiers=_further_identifiers(source, identifier),
    )
    relations = _relations(source, identifier)
    _attachments(source)
    rest = source.rest()
    extra = json.dumps(rest, ensure_ascii=False, separators=(",", ":")) if rest else None
    return Read(replace(command, extra=extra), tuple(repairs), relations)


def _recognized(document: object) -> dict[str, object]:
    if not isinstance(document, dict):
        raise Unreadable("it is no JSON object")
    types = [value for value in (document.get("@type"), document.get("@baseType")) if isinstance(value, str)]
    if types and not any(spelled(type).endswith("interaction") for type in types):
        raise Unreadable(f'its @type is "{shown(types[0])}", not {TYPE}')
    if not types and ATTRIBUTES.isdisjoint(document):
        raise Unreadable(f"it has no attribute of a {TYPE}")
    return document


def _identifier(source: Source, owner: str | None) -> ExternalIdentifier:
    if source.left.get("@type") == TYPE:
        del source.left["@type"]
    value = source.identity("id")
    if value is None:
        value = digest(source.found)
        source.repair("id", f"is missing; a digest of the content stands for it: {value}")
    return ExternalIdentifier(owner or INTERACTIONS_OWNER, value, TYPE)


def _status(source: Source) -> tuple[Status, str]:
    """The state, and the word that the source has for it."""
    dates = source.found.get("interactionDate")
    default = Status.COMPLETED if isinstance(dates, dict) and dates.get("endDateTime") else Status.OPEN
    word = source.text("status")
    if word is None:
        source.repair("status", f"is missing; {default} was taken")
        return default, ""
    found = looked_up(word, STATUSES)
    if word not in STANDARD:
        source.keep("status", _as_read(word, found, default))
    return found or default, word


def _direction(source: Source) -> Direction:
    word = source.text("direction")
    if word is None:
        source.repair("direction", f"is missing; {Direction.INBOUND} was taken")
        return Direction.INBOUND
    found = looked_up(word, DIRECTIONS)
    if word not in STANDARD:
        source.keep("direction", _as_read(word, found, Direction.INBOUND))
    return found or Direction.INBOUND


def _as_read(word: str, found: str | None, default: str) -> str:
    return f'read "{shown(word)}" as {found}' if found else f'"{shown(word)}" is not known; {default} was taken'


def _resolution(source: Source, status: Status) -> str | None:
    """TMF683 has none; some write one all the same."""
    if status not in {Status.RESOLVED, Status.COMPLETED}:
        if source.found.get("resolution") is not None:
            source.repair("resolution", f"does not go with {status}; kept in extra")
        return None
    resolution = source.text("resolution", LONG)
    if resolution is None:
        source.repair("resolution", f'is missing; "{NO_RESOLUTION}" was taken')
        return NO_RESOLUTION
    _flag_placeholder(source, resolution)
    return resolution


def _flag_placeholder(source: Source, resolution: str) -> None:
    if spelled(resolution) in PLACEHOLDERS:
        source.repair("resolution", f'"{resolution}" looks like a placeholder; kept as the resolution')


# ---------------------------------------------------------------- identifiers, relationships


def _further_identifiers(source: Source, own: ExternalIdentifier) -> tuple[ExternalIdentifier, ...]:
    """Names that other systems have for it (v5)."""
    found: dict[ExternalIdentifier, None] = {}
    for entry in source.entries("externalIdentifier", IDENTIFIERS - 1):
        owner, type, value = entry.text("owner"), entry.text("externalIdentifierType"), entry.identity("id")
        entry.keep_all()
        if value is None:
            entry.repair("id", "is missing; there is nothing to know it by, and what is there is kept in extra")
            continue
        if owner is None:
            owner = own.owner
            entry.repair("owner", f'is missing; "{shown(owner)}" was taken')
        identifier = ExternalIdentifier(owner, value, type)
        if identifier != own and (owner, type) == (own.owner, own.type):
            entry.repair("id", f'"{shown(value)}" is the id of another interaction; kept in extra')
            continue
        found[identifier] = None
    return tuple(identifier for identifier in found if identifier != own)


def _relations(source: Source, own: ExternalIdentifier) -> tuple[Relation, ...]:
    found: dict[tuple[RelationshipType, str], Relation] = {}
    for place, entry in enumerate(source.entries("interactionRelationship", MOST_RELATIONSHIPS)):
        word, value = entry.text("relationshipType"), entry.identity("id")
        entry.keep_all()
        type = looked_up(word, RELATIONSHIPS) if word else None
        if type is None:
            entry.repair("relationshipType", f'"{shown(word)}" is not known; kept in extra' if word else "is missing; kept in extra")
        elif value is None or value == own.value:
            entry.repair("id", "is missing; kept in extra" if value is None else "is its own; kept in extra")
        else:
            path = f"interactionRelationship[{place}]"
            found.setdefault((type, value), Relation(path, type, replace(own, value=value)))
    return tuple(found.values())


# ---------------------------------------------------------------- dates


def _dates(source: Source, status: Status, now: datetime) -> _Dates:
    created = source.moment("creationDate", now)
    changed = source.moment("statusChangeDate", now)
    updated_name = "lastUpdate" if source.found.get("lastUpdate") is not None else "lastUpdateDate"
    updated = source.moment(updated_name, now)
    if updated is not None and updated_name == "lastUpdateDate":
        source.repair("lastUpdateDate", "is not in TMF683; read as the date of the last update")
    period = source.inside("interactionDate")
    started, ended = (period.moment("startDateTime", now), period.moment("endDateTime", now)) if period else (None, None)
    if started and ended and ended < started:
        started, ended = ended, started
        source.repair("interactionDate", "ends before it starts; the two were exchanged")
    known = [moment for moment in (started, ended, changed, updated) if moment is not None]
    if created is None:
        created = started or min(known, default=now)
        source.repair("creationDate", f"is missing; {_told(created)} was taken")
    if started is None:
        started = created if ended is None else min(created, ended)
        source.repair("interactionDate.startDateTime", f"is missing; {_told(started)} was taken")
    if status not in ENDED:
        if period and ended:
            period.keep("endDateTime", f"an interaction that is {status} has not ended; kept in extra")
        ended = None
    elif ended is None:
        ended = max(started, changed or max([created, *known]))
        source.repair("interactionDate.endDateTime", f"is missing; {_told(ended)} was taken")
    if updated is not None and updated < created:
        source.keep(updated_name, "lies before creationDate, which was taken")
        updated = created
    changed = changed or ended or created
    return _Dates(created, started, ended, changed, updated or max(created, changed, ended or created))


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- parties


def _parties(source: Source, owner: str | None, interaction: ExternalIdentifier) -> tuple[ImportedParty, ...]:
    """Everyone who takes part, once each with all their roles."""
    found: dict[ExternalIdentifier, ImportedParty] = {}
    for place, entry in enumerate(source.entries("relatedParty", PARTIES - 1)):  # one place is for the user who is the customer too
        party = _party(entry, owner, f"{interaction.value}#{place}")
        known = found.get(party.identifier, party)
        if known.name != party.name:
            entry.keep_all()
            entry.repair("name", f'is "{shown(party.name)}", and was "{shown(known.name)}" before; the first was taken')
        found[party.identifier] = replace(known, roles=tuple(dict.fromkeys((*known.roles, *party.roles))))
    return _with_customer(source, tuple(found.values()))


def _party(entry: Source, owner: str | None, fallback: str) -> ImportedParty:
    who = entry.inside("partyOrPartyRole") or entry  # v5 puts it inside, v4 does not
    type = _party_type(who)
    value = who.identity("id")
    if value is None:
        value = digest([fallback, who.found])
        who.repair("id", "is missing; a digest that is its own in this interaction stands for it")
    name = _name(who)
    if name is None:
        name = f"{type} {value}"[:100]
        who.repair("name", f'is missing; "{shown(name)}" was taken')
    identifier = ExternalIdentifier(owner or PARTIES_OWNER, value, type)
    return ImportedParty(identifier=identifier, name=name, roles=(_role(entry),), kind=KINDS.get(spelled(type), PartyKind.INDIVIDUAL))


def _role(entry: Source) -> InvolvementRole:
    word = entry.text("role")
    found = looked_up(word, ROLES) if word else None
    if word is None:
        entry.repair("role", f"is missing; {InvolvementRole.OBSERVER} was taken")
    elif found is None or spelled(word) != spelled(found):
        entry.keep("role", _as_read(word, found, InvolvementRole.OBSERVER))
    return found or InvolvementRole.OBSERVER


def _party_type(who: Source) -> str:
    """What the party is in its own system: Individual, Organization, Customer..."""
    declared = who.found.get("@type")
    reference = REFERENCES.get(declared.strip().lower()) if isinstance(declared, str) else None
    if reference and reference != declared:
        who.repair("@type", f'read "{shown(str(declared))}" as {reference}')
    if referred := who.text("@referredType"):
        return looked_up(referred, PARTY_TYPES) or referred
    if isinstance(declared, str) and declared.strip() and not reference:
        type = who.text("@type") or declared
        return looked_up(type, PARTY_TYPES) or type
    href = who.found.get("href")
    steps = href.rstrip("/").split("/") if isinstance(href, str) else []
    type = (looked_up(steps[-2], PARTY_TYPES) if len(steps) > 1 else None) or "Individual"
    who.repair("@referredType", f"is missing; {type} was taken")
    return type


def _name(who: Source) -> str | None:
    name = next((name for attribute in NAMES if who.found.get(attribute) is not None and (name := who.text(attribute))), None)
    if name is None and (parts := [part for attribute in ("givenName", "familyName") if (part := who.text(attribute, 200))]):
        name = " ".join(parts)
    return name


def _with_customer(source: Source, parties: tuple[ImportedParty, ...]) -> tuple[ImportedParty, ...]:
    if any(InvolvementRole.CUSTOMER in party.roles for party in parties):
        return parties
    users = [party for party in parties if party.roles == (InvolvementRole.USER,)]
    if len(users) != 1:
        source.repair("relatedParty", "names no customer; the interaction has none")
        return parties
    source.repair("relatedParty", f'names no customer; the user "{shown(users[0].name)}" was taken')
    return tuple(replace(one, roles=(InvolvementRole.CUSTOMER, *one.roles)) if one is users[0] else one for one in parties)


# ---------------------------------------------------------------- channels, items, notes, attachments


def _channels(source: Source, since: datetime) -> tuple[Channel, ...]:
    entries = [*source.entries("channel", CHANNELS // 2), *source.entries("relatedChannel", CHANNELS // 2)]
    if not entries:
        source.repair("channel", f"is missing; {ChannelType.OTHER} was taken")
    return tuple(_channel(entry, since) for entry in entries) or (Channel(ChannelType.OTHER, since),)


def _channel(entry: Source, since: datetime) -> Channel:
    inside = entry.inside("channel")  # v5
    channel = inside or entry
    name = channel.text("name")
    if inside is None and not channel.found.get("href"):
        channel.repair("href", "is missing; none is needed")
    declared = [value for attribute in ("@type", "@referredType") if isinstance(value := channel.found.get(attribute), str)]
    known = next((found for value in declared if (found := looked_up(value, CHANNEL_TYPES))), None)
    if known:
        return Channel(known, since, name)
    guessed = _guessed(name or "")
    channel.repair("@type", f"says no kind of channel; {guessed or ChannelType.OTHER} was taken{' by the name' if guessed else ''}")
    return Channel(guessed or ChannelType.OTHER, since, name)


def _guessed(name: str) -> ChannelType | None:
    return looked_up(name, CHANNEL_TYPES) or next((CHANNEL_TYPES[word] for word in words(name) if word in CHANNEL_TYPES), None)


def _items(source: Source, dates: _Dates, now: datetime) -> tuple[ImportedItem, ...]:
    return tuple(_item(entry, dates, now) for entry in source.entries("interactionItem", ITEMS))


def _item(entry: Source, dates: _Dates, now: datetime) -> ImportedItem:
    period = entry.inside("itemDate")
    started, ended = (period.moment("startDateTime", now), period.moment("endDateTime", now)) if period else (None, None)
    created = entry.moment("creationDate", now)
    if created is not None and period and started != created:
        period.leave("startDateTime")
    if created is None:
        created = started or dates.created
        if started is None:
            entry.repair("creationDate", "is missing; the interaction's was taken")
    if entry.found.get("lastUpdateDate") is not None:
        entry.repair("lastUpdateDate", "is not in TMF683; kept in extra")
    resolution = entry.text("resolution", LONG)
    if resolution is not None:
        _flag_placeholder(entry, resolution)
        resolved = ended or created
    elif dates.ended is not None:
        resolved = dates.ended
        entry.repair("resolution", "is missing; the item counts as resolved when the interaction ended")
        if period and ended != resolved:
            period.leave("endDateTime")
    else:
        resolved = None
        if period and ended:
            period.keep("endDateTime", "an item without a resolution is open; kept in extra")
    entity = _entity(entry)
    return ImportedItem(
        type=entry.text("interactionItemType") or (entity.type if entity else "Item"),
        created_at=created,
        reason=entry.text("reason"),
        resolution=resolution,
        entity=entity,
        resolved_at=resolved,
    )


def _entity(entry: Source) -> EntityRef | None:
    """What an item is about: v5 puts it inside, v4 does not."""
    around = entry.inside("item")
    about = around and (around.inside("entity") or around)
    if about is None:
        return None
    id = about.identity("id")
    if id is None:
        about.repair("id", "is missing; the item is about nothing that can be found, and what is there is kept in extra")
        return None
    type = about.text("@referredType")
    if type is None and about.found.get("@type") not in ("EntityRef", "RelatedEntityRefOrValue"):
        type = about.text("@type")
    return EntityRef(type or "Entity", id, about.text("href"), about.text("name"))


def _notes(source: Source, parties: tuple[ImportedParty, ...], dates: _Dates, now: datetime) -> tuple[ImportedNote, ...]:
    notes = (_note(entry, parties, dates, now) for entry in source.entries("note", NOTES))
    return tuple(note for note in notes if note is not None)


def _note(entry: Source, parties: tuple[ImportedParty, ...], dates: _Dates, now: datetime) -> ImportedNote | None:
    text = entry.text("text", LONG)
    if text is None:
        entry.repair("text", "is missing; the note was not made, and what is there is kept in extra")
        return None
    at = entry.moment("date", now)
    if at is None:
        at = dates.created
        entry.repair("date", "is missing; the interaction's creation date was taken")
    author = _author(entry, parties)
    role = next((WRITES_AS[role] for role in author.roles if role in WRITES_AS), Role.SYSTEM) if author else Role.SYSTEM
    public = author is not None and not OWN.isdisjoint(author.roles)
    return ImportedNote(
        text=text,
        at=at,
        visibility=NoteVisibility.PUBLIC if public else NoteVisibility.INTERNAL,
        author=author.identifier if author else None,
        author_role=role,
    )


def _author(entry: Source, parties: tuple[ImportedParty, ...]) -> ImportedParty | None:
    """The one party of this name."""
    name = entry.text("author")
    if name is None:
        return None
    found = [party for party in parties if party.name.casefold() == name.casefold()]
    if len(found) != 1:
        entry.keep("author", f'"{shown(name)}" is not the name of one of its parties; kept in extra')
        return None
    return found[0]


def _attachments(source: Source) -> None:
    """They stay in extra, as they came."""
    for entry in source.entries("attachment"):
        if "URL" in entry.found and "url" not in entry.found:
            entry.repair("URL", "is spelled url in TMF683; kept in extra as it came")
