"""Values to documents and back, side by side. What is None or empty is left out; a version ignores fields it does not know."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.clients import Client, Secret
from hub.domain.ids import AttachmentId, ClientId, InteractionId, ItemId, NoteId, PartyId, PartyRoleId, TokenId
from hub.domain.interactions import Interaction
from hub.domain.issued_tokens import IssuedToken, Rights
from hub.domain.parties import ContactMedium, ExternalIdentifier, Party
from hub.domain.parts import Attachment, Channel, EntityRef, Involvement, Item, Note, Progress, Relationship, Satisfaction
from hub.domain.party_roles import PartyRole
from hub.domain.terms import (
    PRIORITIES,
    ChannelType,
    ContactMediumKind,
    Direction,
    InteractionKind,
    InvolvementRole,
    NoteVisibility,
    PartyKind,
    RelationshipType,
    Role,
    Status,
    SubjectKind,
    Vertical,
)
from hub.domain.token_filters import TokenFilter

Fields = dict[str, Any]


def lean(fields: Mapping[str, Any]) -> Fields:
    """Without what is not there: None, and empty lists of things that are seldom there."""
    return {name: value for name, value in fields.items() if value is not None and value != []}


# ---------------------------------------------------------------- parties


def party_document(party: Party) -> Fields:
    return lean(
        {
            "_id": party.id,
            "seq": party.seq,
            "kind": str(party.kind),
            "name": party.name,
            "preferredLanguage": party.preferred_language,
            "contactMedia": [{"kind": str(m.kind), "address": m.address, "preferred": m.preferred} for m in party.contact_media],
            "addresses": list(dict.fromkeys(medium.key for medium in party.contact_media)),  # what a search by contact looks at
            "externalIdentifiers": [identifier_document(identifier) for identifier in party.external_identifiers],
            "createdAt": party.created_at,
            "updatedAt": party.updated_at,
        }
    )


def party_from(found: Mapping[str, Any]) -> Party:
    return Party(
        id=PartyId(found["_id"]),
        seq=found["seq"],
        kind=PartyKind(found["kind"]),
        name=found["name"],
        preferred_language=found.get("preferredLanguage"),
        contact_media=tuple(
            ContactMedium(ContactMediumKind(m["kind"]), m["address"], m["preferred"]) for m in found.get("contactMedia", ())
        ),
        external_identifiers=tuple(identifier_from(identifier) for identifier in found.get("externalIdentifiers", ())),
        created_at=found["createdAt"],
        updated_at=found["updatedAt"],
    )


def identifier_document(identifier: ExternalIdentifier) -> Fields:
    return {"owner": identifier.owner, "type": identifier.type, "value": identifier.value}


def identifier_from(found: Mapping[str, Any]) -> ExternalIdentifier:
    return ExternalIdentifier(found["owner"], found["value"], found.get("type"))


def party_role_document(role: PartyRole) -> Fields:
    return lean(
        {
            "_id": role.id,
            "seq": role.seq,
            "party": role.party,
            "name": role.name,
            "called": role.name.casefold(),  # what it is found by
            "validFrom": role.valid_from,
            "validTo": role.valid_to,
            "statusReason": role.status_reason,
            "createdAt": role.created_at,
            "updatedAt": role.updated_at,
        }
    )


def party_role_from(found: Mapping[str, Any]) -> PartyRole:
    return PartyRole(
        id=PartyRoleId(found["_id"]),
        seq=found["seq"],
        party=PartyId(found["party"]),
        name=found["name"],
        valid_from=found["validFrom"],
        valid_to=found.get("validTo"),
        status_reason=found.get("statusReason"),
        created_at=found["createdAt"],
        updated_at=found["updatedAt"],
    )


# ---------------------------------------------------------------- interactions


def interaction_document(interaction: Interaction) -> Fields:
    """Internal notes and attachments lie apart from public ones: no index, projection or search of the one can come upon the other."""
    parties = [lean({"party": i.party, "role": str(i.role), "since": i.since, "partyRole": i.party_role}) for i in interaction.parties]
    satisfaction = interaction.satisfaction
    return lean(
        {
            "_id": interaction.id,
            "seq": interaction.seq,
            "publicSeq": interaction.public_seq,
            "direction": str(interaction.direction),
            "kind": str(interaction.kind),
            "topic": interaction.topic,
            "reason": interaction.reason,
            "description": interaction.description,
            "vertical": interaction.vertical and str(interaction.vertical),
            "priority": interaction.priority.rank,
            "status": str(interaction.status),
            "statusChangedAt": interaction.status_changed_at,
            "question": interaction.question,
            "resolution": interaction.resolution,
            "statusReason": interaction.status_reason,
            "startedAt": interaction.started_at,
            "endedAt": interaction.ended_at,
            "createdAt": interaction.created_at,
            "updatedAt": interaction.updated_at,
            "publicUpdatedAt": interaction.public_updated_at,
            "items": [item_document(item) for item in interaction.items],
            "notes": [note_document(note) for note in interaction.notes],
            "internalNotes": [note_document(note) for note in interaction.internal_notes],
            "attachments": [attachment_document(one) for one in interaction.attachments],
            "internalAttachments": [attachment_document(one) for one in interaction.internal_attachments],
            "progress": progress_document(interaction.progress) if interaction.progress else None,
            "nextUpdateDueAt": interaction.next_update_due_at,
            "relationships": [{"type": str(r.type), "interaction": r.interaction} for r in interaction.relationships],
            "assignee": interaction.assignee,
            "escalationLevel": interaction.escalation_level or None,
            "satisfaction": satisfaction and lean({"score": satisfaction.score, "comment": satisfaction.comment, "at": satisfaction.at}),
            "externalIdentifiers": [identifier_document(identifier) for identifier in interaction.external_identifiers],
            "visitor": interaction.visitor,
            "maker": interaction.maker or None,
            "request": interaction.request or None,
            "extra": interaction.extra,
        }
    ) | {
        "channels": [lean({"type": str(c.type), "name": c.name, "since": c.since}) for c in interaction.channels],
        "parties": parties,
        "visibleTo": list(interaction.visible_to),
    }


def interaction_from(found: Mapping[str, Any]) -> Interaction:
    return Interaction(
        id=InteractionId(found["_id"]),
        seq=found["seq"],
        public_seq=found["publicSeq"],
        direction=Direction(found["direction"]),
        kind=InteractionKind(found["kind"]),
        topic=found.get("topic"),
        reason=found.get("reason"),
        description=found.get("description"),
        vertical=Vertical(found["vertical"]) if "vertical" in found else None,
        priority=PRIORITIES[found["priority"]],
        status=Status(found["status"]),
        status_changed_at=found["statusChangedAt"],
        question=found.get("question"),
        resolution=found.get("resolution"),
        status_reason=found.get("statusReason"),
        started_at=found["startedAt"],
        ended_at=found.get("endedAt"),
        created_at=found["createdAt"],
        updated_at=found["updatedAt"],
        public_updated_at=found["publicUpdatedAt"],
        channels=tuple(Channel(ChannelType(c["type"]), c["since"], c.get("name")) for c in found["channels"]),
        parties=tuple(
            Involvement(PartyId(i["party"]), InvolvementRole(i["role"]), i["since"], i.get("partyRole")) for i in found["parties"]
        ),
        items=tuple(item_from(item) for item in found.get("items", ())),
        notes=tuple(note_from(note) for note in kept_notes(found, NoteVisibility.PUBLIC)),
        internal_notes=tuple(note_from(note) for note in kept_notes(found, NoteVisibility.INTERNAL)),
        attachments=tuple(attachment_from(one) for one in found.get("attachments", ())),
        internal_attachments=tuple(attachment_from(one) for one in found.get("internalAttachments", ())),
        progress=progress_from(found["progress"]) if "progress" in found else None,
        relationships=relationships_from(found),
        assignee=PartyId(found["assignee"]) if "assignee" in found else None,
        escalation_level=found.get("escalationLevel", 0),
        satisfaction=satisfaction_from(found["satisfaction"]) if "satisfaction" in found else None,
        external_identifiers=tuple(identifier_from(identifier) for identifier in found.get("externalIdentifiers", ())),
        visitor=PartyId(found["visitor"]) if "visitor" in found else None,
        maker=found.get("maker", ""),
        request=found.get("request", ""),
        extra=found.get("extra"),
    )


def item_document(item: Item) -> Fields:
    entity = item.entity
    return lean(
        {
            "id": item.id,
            "type": item.type,
            "reason": item.reason,
            "resolution": item.resolution,
            "vertical": item.vertical and str(item.vertical),
            "entity": entity and lean({"type": entity.type, "entityId": entity.entity_id, "href": entity.href, "name": entity.name}),
            "createdAt": item.created_at,
            "resolvedAt": item.resolved_at,
        }
    )


def item_from(found: Mapping[str, Any]) -> Item:
    entity = found.get("entity")
    return Item(
        id=ItemId(found["id"]),
        type=found["type"],
        reason=found.get("reason"),
        resolution=found.get("resolution"),
        vertical=Vertical(found["vertical"]) if "vertical" in found else None,
        entity=EntityRef(entity["type"], entity["entityId"], entity.get("href"), entity.get("name")) if entity else None,
        created_at=found["createdAt"],
        resolved_at=found.get("resolvedAt"),
    )


def note_document(note: Note) -> Fields:
    return lean(
        {
            "id": note.id,
            "text": note.text,
            "visibility": str(note.visibility),
            "channel": note.channel and str(note.channel),
            "author": note.author,
            "authorRole": str(note.author_role),
            "at": note.at,
        }
    )


def kept_notes(found: Mapping[str, Any], visibility: NoteVisibility) -> list[Fields]:
    """The notes of this visibility, wherever they lie: an earlier version kept internal ones among the others."""
    return [note for field in ("notes", "internalNotes") for note in found.get(field, ()) if note["visibility"] == visibility]


def note_from(found: Mapping[str, Any]) -> Note:
    return Note(
        id=NoteId(found["id"]),
        text=found["text"],
        visibility=NoteVisibility(found["visibility"]),
        channel=ChannelType(found["channel"]) if "channel" in found else None,
        author=PartyId(found["author"]) if "author" in found else None,
        author_role=Role(found["authorRole"]),
        at=found["at"],
    )


def attachment_document(attachment: Attachment) -> Fields:
    return lean(
        {
            "id": attachment.id,
            "name": attachment.name,
            "visibility": str(attachment.visibility),
            "at": attachment.at,
            "by": attachment.by,
            "byRole": str(attachment.by_role),
            "mimeType": attachment.mime_type,
            "size": attachment.size,
            "url": attachment.url,
            "file": attachment.file,
            "digest": attachment.digest,
        }
    )


def attachment_from(found: Mapping[str, Any]) -> Attachment:
    return Attachment(
        id=AttachmentId(found["id"]),
        name=found["name"],
        visibility=NoteVisibility(found["visibility"]),
        at=found["at"],
        by=PartyId(found["by"]) if "by" in found else None,
        by_role=Role(found["byRole"]),
        mime_type=found.get("mimeType"),
        size=found.get("size"),
        url=found.get("url"),
        file=found.get("file"),
        digest=found.get("digest"),
    )


def relationships_from(found: Mapping[str, Any]) -> tuple[Relationship, ...]:
    return tuple(Relationship(RelationshipType(r["type"]), InteractionId(r["interaction"])) for r in found.get("relationships", ()))


def satisfaction_from(found: Mapping[str, Any]) -> Satisfaction:
    return Satisfaction(found["score"], found["at"], found.get("comment"))


def progress_document(progress: Progress) -> Fields:
    return lean(
        {
            "percent": progress.percent,
            "stage": progress.stage,
            "message": progress.message,
            "expectedCompletionAt": progress.expected_completion_at,
            "updatedAt": progress.updated_at,
            "nextUpdateDueAt": progress.next_update_due_at,
        }
    )


def progress_from(found: Mapping[str, Any]) -> Progress:
    return Progress(
        percent=found.get("percent"),
        stage=found.get("stage"),
        message=found.get("message"),
        expected_completion_at=found.get("expectedCompletionAt"),
        updated_at=found["updatedAt"],
        next_update_due_at=found.get("nextUpdateDueAt"),
    )


# ---------------------------------------------------------------- clients and the tokens that were issued


def token_document(token: IssuedToken) -> Fields:
    rights = token.rights
    return lean(
        {
            "_id": token.id,
            "seq": token.seq,
            "party": token.party,
            "subject": token.subject,
            "client": token.client,
            "roles": _words(rights.roles),
            "scopes": _words(rights.scopes),
            "filter": rights.narrowed.words or None,
            "backed": {str(role): name for role, name in rights.backed} or None,
            "via": list(token.via),
            "issuedAt": token.issued_at,
            "expiresAt": rights.expires_at,
            "revokedAt": token.revoked_at,
        }
    )


def token_from(found: Mapping[str, Any]) -> IssuedToken:
    rights = Rights(
        roles=frozenset(map(Role, found.get("roles", ()))),
        scopes=frozenset(found.get("scopes", ())),
        narrowed=TokenFilter.of(found.get("filter", {})),
        backed=tuple((Role(role), name) for role, name in found.get("backed", {}).items()),
        expires_at=found["expiresAt"],
    )
    return IssuedToken(
        id=TokenId(found["_id"]),
        seq=found["seq"],
        party=PartyId(found["party"]) if "party" in found else None,
        subject=found["subject"],
        client=found["client"],
        rights=rights,
        via=tuple(found.get("via", ())),
        issued_at=found["issuedAt"],
        revoked_at=found.get("revokedAt"),
    )


def client_document(client: Client) -> Fields:
    return lean(
        {
            "_id": client.id,
            "seq": client.seq,
            "name": client.name,
            "party": client.party,
            "roles": _words(client.roles),
            "scopes": _words(client.scopes),
            "filter": client.narrowed.words or None,
            "lifetime": client.lifetime,
            "secrets": [{"digest": secret.digest, "at": secret.at} for secret in client.secrets],
            "disabledAt": client.disabled_at,
            "createdAt": client.created_at,
            "updatedAt": client.updated_at,
        }
    )


def client_from(found: Mapping[str, Any]) -> Client:
    return Client(
        id=ClientId(found["_id"]),
        seq=found["seq"],
        name=found["name"],
        party=PartyId(found["party"]) if "party" in found else None,
        roles=frozenset(map(Role, found.get("roles", ()))),
        scopes=frozenset(found.get("scopes", ())),
        narrowed=TokenFilter.of(found.get("filter", {})),
        lifetime=found["lifetime"],
        secrets=tuple(Secret(bytes(one["digest"]), one["at"]) for one in found.get("secrets", ())),
        disabled_at=found.get("disabledAt"),
        created_at=found["createdAt"],
        updated_at=found["updatedAt"],
    )


def _words(words: Iterable[str]) -> list[str]:
    return sorted(map(str, words))


# ---------------------------------------------------------------- what the committer needs to know of a subject


Subject = Interaction | Party | PartyRole | IssuedToken | Client


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where subjects of one kind are kept, and how."""

    type: type[Subject]
    collection: str
    to_document: Callable[[Any], Fields]
    from_document: Callable[[Mapping[str, Any]], Any]


KEPT: Final[Mapping[SubjectKind, Keeping]] = {
    SubjectKind.INTERACTION: Keeping(Interaction, "interactions", interaction_document, interaction_from),
    SubjectKind.PARTY: Keeping(Party, "parties", party_document, party_from),
    SubjectKind.PARTY_ROLE: Keeping(PartyRole, "partyRoles", party_role_document, party_role_from),
    SubjectKind.TOKEN: Keeping(IssuedToken, "tokens", token_document, token_from),
    SubjectKind.CLIENT: Keeping(Client, "clients", client_document, client_from),
}

KIND_OF: Final[Mapping[type[Subject], SubjectKind]] = {kept.type: kind for kind, kept in KEPT.items()}

GROWING: Final = ("notes", "internalNotes", "items", "attachments", "internalAttachments")
"""Lists that mostly grow at their end: sent as $push, not rewritten."""


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> Fields:
    """The update that makes `now` of `was`: fields set and unset, and the tails of lists that grew."""
    update: dict[str, Fields] = {}
    for name, value in now.items():
        old = was.get(name)
        if old == value:
            continue
        if name in GROWING and isinstance(old, list) and old == value[: len(old)]:
            update.setdefault("$push", {})[name] = {"$each": value[len(old) :]}
        else:
            update.setdefault("$set", {})[name] = value
    if gone := {name: "" for name in was if name not in now and name in KNOWN}:
        update["$unset"] = gone
    return dict(update)


def succeeded(was: Mapping[str, Any], now: Mapping[str, Any]) -> Fields:
    """The document that `difference` leaves."""
    return {name: value for name, value in was.items() if name not in KNOWN} | dict(now)


KNOWN: Final = frozenset(
    {
        "topic", "reason", "description", "vertical", "question", "resolution", "statusReason", "endedAt", "items", "notes",
        "internalNotes", "attachments", "internalAttachments", "progress", "nextUpdateDueAt", "relationships", "assignee",
        "escalationLevel", "satisfaction", "externalIdentifiers", "visitor", "extra", "preferredLanguage", "contactMedia",
        "addresses", "validTo", "secrets",
    }
)  # fmt: skip
"""Fields that this version may take away; what a later version wrote beside them stays."""
