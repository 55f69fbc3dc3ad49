"""What every resolver of one operation shares: who is looking, where things are read, and what was held back from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.journal import head
from hub.journal.opening import Journal
from hub.store.interactions import Interactions
from hub.store.paging import PageCursors
from hub.store.parties import Parties

Document = dict[str, Any]


@dataclass(slots=True)
class Context:
    """Made fresh for each operation, also on a socket. `now` stands still while one is answered."""

    viewer: Viewer
    journal: Journal
    interactions: Interactions
    parties: Parties
    page_cursors: PageCursors
    clock: Callable[[], datetime]
    reopen_window: timedelta
    now: datetime = field(init=False)
    position: int | None = None  # of the journal's head, where it was read before all else
    visibility: Visibility = field(init=False)
    withheld: dict[tuple[str, str], Mapping[str, Any]] = field(init=False)
    party: DataLoader[str, Document | None] = field(init=False)
    interaction: DataLoader[str, Document | None] = field(init=False)

    def __post_init__(self) -> None:
        self.visibility = Visibility.of(self.viewer)
        self.renew()

    def renew(self) -> None:
        """Begin an answer: the time is now, and nothing was read yet. A stream does so for each frame."""
        self.now = self.clock()
        self.withheld = {}
        self.party = DataLoader(load_fn=self._load_parties)
        self.interaction = DataLoader(load_fn=self._load_interactions)

    async def read_head(self) -> int:
        """Where the journal stands; what is read afterwards is at least that new."""
        if self.position is None:
            self.position = (await head.read(self.journal.mongo)).position
        return self.position

    async def _load_parties(self, ids: list[str]) -> Sequence[Document | None]:
        return await self.parties.named(self.visibility, ids)

    async def _load_interactions(self, ids: list[str]) -> Sequence[Document | None]:
        return await self.interactions.find_many(self.visibility, ids)


Info = StrawberryInfo[Context, None]
