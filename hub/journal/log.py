"""The journal's entries: how one is written, and how pages of them are read.

An entry holds facts and order; what could name a person lies beside it in `personal`, under the same position, so that
erasing it later touches neither. The entry keeps a salted digest of it.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import bson
from bson import Int64

from hub.domain.clients import Client, ClientEvent
from hub.domain.events import Event, FieldChange, Value
from hub.domain.ids import PartyId
from hub.domain.interactions import Interaction
from hub.domain.issued_tokens import IssuedToken, TokenEvent
from hub.domain.parties import Party, PartyEvent
from hub.domain.parts import Attachment, Item, Note, Progress
from hub.domain.party_roles import PartyRole, PartyRoleEvent
from hub.domain.terms import Audience, Role, SubjectKind
from hub.store.documents import KIND_OF, lean
from hub.store.mongo import Mongo, unit_of_work

SystemSubject = Party | PartyRole | IssuedToken | Client
SystemEvent = PartyEvent | PartyRoleEvent | TokenEvent | ClientEvent

Entry = dict[str, Any]  # as stored, with its `personal` part merged in
PAGE: Final = 200  # entries read at once
PERSONAL_CHANGES: Final = frozenset({"question", "resolution", "statusReason", "reason", "description", "externalIdentifiers"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the journal records it."""

    party: PartyId | None
    role: Role


@dataclass(frozen=True, slots=True)
class Written:
    """An entry and, apart from it, what could name a person."""

    entry: Entry
    personal: Entry | None

    @property
    def whole(self) -> Entry:
        """As `read_after` would give it."""
        return self.entry if self.personal is None else self.entry | {"personal": self.personal["data"]}


def facts(interaction: Interaction) -> dict[str, Any]:
    """What a filter of events can ask for, as it stands."""
    return lean(
        {
            "status": str(interaction.status),
            "kind": str(interaction.kind),
            "direction": str(interaction.direction),
            "topic": interaction.topic,
            "vertical": interaction.vertical and str(interaction.vertical),
            "priority": str(interaction.priority),
            "channels": sorted({str(channel.type) for channel in interaction.channels}),
            "parties": list(interaction.visible_to),
            "assignee": interaction.assignee,
        }
    )


def interaction_entry(event: Event, was: Interaction | None, now: Interaction, actor: Actor, recorded_at: datetime) -> Written:
    """The entry of one event of an interaction; `_id` and `batch` are the committer's to add."""
    before, after = facts(was) if was else {}, facts(now)
    note, item, progress, attachment = event.note, event.item, event.progress, event.attachment
    personal = lean(
        {
            "message": event.message,
            "progress": _progress_texts(progress) or None if progress else None,
            "note": note.text if note else None,
            "item": _item_texts(item) or None if item else None,
            "attachment": lean({"name": attachment.name, "url": attachment.url}) if attachment else None,
            "changes": [_change(change) for change in event.changes if change.field in PERSONAL_CHANGES],
        }
    )
    entry = lean(
        {
            "subject": {"kind": str(SubjectKind.INTERACTION), "id": now.id},
            "seq": event.seq,
            "publicSeq": event.public_seq if event.audience is Audience.PUBLIC else None,
            "audience": str(event.audience),
            "facts": after,
            "was": {name: before.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)} or None
            if was
            else None,
            "left": [party for party in was.visible_to if party not in now.visible_to] if was else None,
            "type": str(event.type),
            "at": event.at,
            "recordedAt": recorded_at,
            "actor": actor.party,
            "actorRole": str(actor.role),
            "historical": event.historical or None,
            "data": lean(
                {
                    "status": str(event.status),
                    "channel": event.channel and str(event.channel),
                    "progress": _progress_facts(progress) if progress else None,
                    "note": _note_facts(note) if note else None,
                    "item": _item_facts(item) if item else None,
                    "attachment": _attachment_facts(attachment) if attachment else None,
                    "changes": [_change(change) for change in event.changes if change.field not in PERSONAL_CHANGES],
                }
            ),
        }
    ) | {"visibleTo": list(now.visible_to)}
    return _sealed(entry, personal)


def system_entry(event: SystemEvent, now: SystemSubject, actor: Actor, recorded_at: datetime) -> Written:
    """SYSTEM: no viewer reads it, but every feed passes it in its order."""
    entry = lean(
        {
            "subject": {"kind": str(KIND_OF[type(now)]), "id": now.id},
            "seq": event.seq,
            "audience": str(Audience.SYSTEM),
            "type": str(event.type),
            "at": event.at,
            "recordedAt": recorded_at,
            "actor": actor.party,
            "actorRole": str(actor.role),
            "data": lean(_told(event, now)),
        }
    ) | {"visibleTo": []}
    return _sealed(entry, {})


def _told(event: SystemEvent, now: SystemSubject) -> Entry:
    """What those who keep rights in mind learn from an entry, in order: no name, no secret."""
    match now, event:
        case Party(), PartyEvent():
            return {"changed": list(event.changed)}
        case PartyRole(), _:
            return {"party": now.party, "name": now.name, "validFrom": now.valid_from, "validTo": now.valid_to}
        case IssuedToken(), _:
            return {"party": now.party, "client": now.client, "expiresAt": now.rights.expires_at}
        case Client(), _:
            return {"party": now.party}
    return {}


def _sealed(entry: Entry, personal: Entry) -> Written:
    if not personal:
        return Written(entry, None)
    salt = secrets.token_bytes(16)
    entry["digest"] = hashlib.sha256(salt + bson.encode(personal)).digest()
    return Written(entry, {"subject": entry["subject"]["id"], "salt": salt, "data": personal})


def _change(change: FieldChange) -> Entry:
    return {"field": change.field, "from": _plain(change.was), "to": _plain(change.now)}


def _plain(value: Value) -> Any:
    return str(value) if isinstance(value, str) else value  # an enum's member is more than BSON takes


def _progress_facts(progress: Progress) -> Entry:
    return lean(
        {
            "percent": progress.percent,
            "expectedCompletionAt": progress.expected_completion_at,
            "updatedAt": progress.updated_at,
            "nextUpdateDueAt": progress.next_update_due_at,
        }
    )


def _progress_texts(progress: Progress) -> Entry:
    return lean({"stage": progress.stage, "message": progress.message})


def _note_facts(note: Note) -> Entry:
    return lean(
        {
            "id": note.id,
            "visibility": str(note.visibility),
            "channel": note.channel and str(note.channel),
            "author": note.author,
            "authorRole": str(note.author_role),
            "at": note.at,
        }
    )


def _attachment_facts(attachment: Attachment) -> Entry:
    return lean(
        {
            "id": attachment.id,
            "visibility": str(attachment.visibility),
            "at": attachment.at,
            "by": attachment.by,
            "byRole": str(attachment.by_role),
            "mimeType": attachment.mime_type,
            "size": attachment.size,
            "file": attachment.file,
        }
    )


def _item_facts(item: Item) -> Entry:
    entity = item.entity
    return lean(
        {
            "id": item.id,
            "type": item.type,
            "vertical": item.vertical and str(item.vertical),
            "entity": entity and {"type": entity.type, "entityId": entity.entity_id},
            "createdAt": item.created_at,
            "resolvedAt": item.resolved_at,
        }
    )


def _item_texts(item: Item) -> Entry:
    entity = item.entity
    named = lean({"href": entity.href, "name": entity.name}) if entity else {}
    return lean({"reason": item.reason, "resolution": item.resolution, "entity": named or None})


def numbered(written: Sequence[Written], position: int, batch: bytes) -> None:
    """Gives entries the positions after `position`, and the mark of their batch."""
    for offset, one in enumerate(written, 1):
        one.entry["_id"] = Int64(position + offset)
        one.entry["batch"] = batch
        if one.personal is not None:
            one.personal["_id"] = one.entry["_id"]


async def read_after(
    mongo: Mongo, position: int, *, up_to: int | None = None, limit: int = PAGE, only: Mapping[str, Any] | None = None
) -> list[Entry]:
    """Entries above `position` in order, with their personal part; `only` is a further filter (a viewer's, a subject's)."""
    span: dict[str, Any] = {"$gt": Int64(position)} | ({"$lte": Int64(up_to)} if up_to is not None else {})
    return await _read(mongo, {"_id": span, **(only or {})}, limit=limit)


async def read_before(mongo: Mongo, position: int | None, *, above: int = 0, limit: int, only: Mapping[str, Any]) -> list[Entry]:
    """The last entries below `position` (of all, for None), in order, with their personal part."""
    span: dict[str, Any] = {"$gt": Int64(above)} | ({"$lt": Int64(position)} if position is not None else {})
    return (await _read(mongo, {"_id": span, **only}, limit=limit, newest_first=True))[::-1]


async def read_one(mongo: Mongo, position: int) -> Entry | None:
    """The entry at a position, with its personal part."""
    return next(iter(await _read(mongo, {"_id": Int64(position)}, limit=1)), None)


async def _read(mongo: Mongo, query: Mapping[str, Any], *, limit: int, newest_first: bool = False) -> list[Entry]:
    with unit_of_work():
        entries = await mongo.page("journal", query, sort=[("_id", -1 if newest_first else 1)], limit=limit)
        personal = await mongo.by_ids("personal", [entry["_id"] for entry in entries if "digest" in entry], {"data": 1})
    return [entry | {"personal": personal[entry["_id"]]["data"]} if entry["_id"] in personal else entry for entry in entries]
