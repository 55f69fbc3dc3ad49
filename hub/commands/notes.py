"""What can be asked for about notes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from hub.access.mandates import Act
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction, decision
from hub.domain.ids import NOTE, NoteId
from hub.domain.parts import Note
from hub.domain.terms import ChannelType, NoteVisibility
from hub.journal.desk import Decision, Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(OnInteraction):
    """Add a note, public or internal."""

    name: ClassVar[str] = "addNote"

    text: str
    visibility: NoteVisibility = NoteVisibility.PUBLIC
    channel: ChannelType | None = None
    written_at: datetime | None = None

    @property
    def act(self) -> Act:  # type: ignore[override]  # two acts, by what is asked
        return Act.ADD_NOTE if self.visibility is NoteVisibility.PUBLIC else Act.ADD_INTERNAL_NOTE

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        interaction = self.acted_on(desk, viewer)
        note = Note(
            id=NoteId(desk.new_id(NOTE)),
            text=self.text,
            visibility=self.visibility,
            at=self.written_at or desk.now,
            author=viewer.party,
            author_role=viewer.acting_role,
            channel=self.channel,
        )
        noted, events = interaction.add_note(note, at=desk.now)
        return decision(noted, *events)
