"""What can be asked for about attachments: a reference at once, or an upload, which is an attachment when its bytes are here."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from hub.access.addresses import Addresses
from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.commands.asking import Asked, Done, Heard, Request, ask, fingerprint_of, key_id
from hub.domain import attachments, media
from hub.domain.attachments import Announced
from hub.domain.ids import ATTACHMENT, AttachmentId, Ids
from hub.domain.parts import Attachment
from hub.domain.terms import NoteVisibility, SubjectKind
from hub.errors import BadInput
from hub.journal.batch import Committed, Key
from hub.journal.desk import Decision, Desk, Ref
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.store.files import Kept

ACTS: Final = {NoteVisibility.PUBLIC: Act.ADD_ATTACHMENT, NoteVisibility.INTERNAL: Act.ADD_INTERNAL_ATTACHMENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAttachment(OnInteraction):
    """Add a reference or, without a `url`, ask whether a file of this kind and size may be uploaded: that changes nothing yet."""

    name: ClassVar[str] = "addAttachment"

    called: str
    visibility: NoteVisibility = NoteVisibility.PUBLIC
    url: str | None = None
    mime_type: str | None = None
    size: int | None = None

    @property
    def act(self) -> Act:  # type: ignore[override]  # two acts, by what is asked
        return ACTS[self.visibility]

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        called = attachments.file_name(self.called, "input", "name")
        attachments.check_room(interaction)
        if self.url is None:
            attachments.check_upload(self.mime_type, self.size, desk.rules)
            return Decision(Ref(SubjectKind.INTERACTION, interaction.id))
        if self.size is not None and self.size < 1:
            raise BadInput("size is a number of bytes; leave it out where it is not known.", "input", "size")
        attachment = Attachment(
            id=AttachmentId(desk.new_id(ATTACHMENT)),
            name=called,
            visibility=self.visibility,
            at=desk.now,
            by=viewer.party,
            by_role=viewer.acting_role,
            mime_type=None if self.mime_type is None else media.media_type(self.mime_type, "input", "mimeType"),
            size=self.size,
            url=attachments.address(self.url, "input", "url"),
        )
        return decision(*attachments.attach(interaction, attachment, at=desk.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(OnInteraction):
    """A file that was announced is here, whole."""

    name: ClassVar[str] = "addAttachment"

    announced: Announced
    file: str
    digest: str

    @property
    def act(self) -> Act:  # type: ignore[override]
        return ACTS[self.announced.visibility]

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction, announced = self.acted_on(desk, viewer), self.announced
        attachment = Attachment(
            id=announced.id,
            name=announced.name,
            visibility=announced.visibility,
            at=desk.now,
            by=viewer.party,
            by_role=viewer.acting_role,
            mime_type=announced.mime_type,
            size=announced.size,
            file=self.file,
            digest=self.digest,
        )
        attached, event = attachments.attach(interaction, attachment, at=desk.now)
        return replace(decision(attached, event), replayed=event is None)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an upload's address says of it: what was announced for which interaction, and under which idempotency key."""

    interaction: str
    announced: Announced
    key: Key | None

    def told(self) -> dict[str, Any]:
        """As an address holds it."""
        one, key = self.announced, self.key
        keys = [] if key is None else [b64encode(key.id).decode(), b64encode(key.request).decode()]
        return {"n": self.interaction, "d": [one.id, one.name, one.mime_type, one.size, one.visibility], "k": keys}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Ticket":
        """As it was told."""
        id, name, mime_type, size, visibility = told["d"]
        announced = Announced(id=AttachmentId(id), name=name, mime_type=mime_type, size=size, visibility=NoteVisibility(visibility))
        return cls(told["n"], announced, Key(*map(b64decode, told["k"])) if told["k"] else None)


@dataclass(frozen=True, slots=True)
class Download:
    """What a download's address says of it."""

    interaction: str
    attachment: str

    def told(self) -> dict[str, Any]:
        """As an address holds it."""
        return {"n": self.interaction, "d": self.attachment}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Download":
        """As it was told."""
        return cls(told["n"], told["d"])


@dataclass(frozen=True, slots=True)
class Upload:
    """Where the bytes are to be brought, and until when."""

    attachment: str
    url: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Attaching:
    """How an attachment is asked for, and how the bytes of one are taken."""

    addresses: Addresses
    new_id: Ids
    clock: Callable[[], datetime]

    async def ask(
        self, journal: Journal, viewer: Viewer, request: Request, idempotency_key: str | None = None, heard: Heard | None = None
    ) -> Done:
        """As `ask`; to whoever may upload it says where. Under the same key it is always the same attachment: once its bytes are
        here, that is a replay."""
        done = await ask(journal, viewer, request, idempotency_key, heard)
        if not isinstance(request, AddAttachment) or request.url is not None or done.replayed:
            return done
        mime_type, size = request.mime_type or "", request.size or 0  # which were checked
        key = None if idempotency_key is None else Key(key_id(viewer, idempotency_key), fingerprint_of(request))
        announced = Announced(
            id=AttachmentId(self.new_id(ATTACHMENT) if key is None else _named(key)),
            name=attachments.file_name(request.called, "input", "name"),
            mime_type=media.media_type(mime_type, "input", "mimeType"),
            size=size,
            visibility=request.visibility,
        )
        sealed, until = self.addresses.uploads.made(viewer, Ticket(request.id, announced, key).told(), self.clock())
        return replace(done, upload=Upload(announced.id, self.addresses.base + sealed, until))


async def attach(journal: Journal, viewer: Viewer, ticket: Ticket, kept: Kept, heard: Heard) -> Committed:
    """Have a file that is whole added to its interaction. Raises Refused."""
    request = Attach(id=ticket.interaction, announced=ticket.announced, file=kept.id, digest=kept.digest)
    return await journal.committer.submit(Asked(request, viewer, ""), Actor(viewer.party, viewer.acting_role), ticket.key, heard)


def _named(key: Key) -> str:
    """The id of what is asked for under a key: the same whenever it is asked for again."""
    return ATTACHMENT + hashlib.sha256(key.id + key.request).hexdigest()[:32]
