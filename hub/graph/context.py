"""What every resolver of one operation shares: who is looking, where things are read, and what was held back from them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from hub.access.bearers import Bearer
from hub.access.own_issuer import OwnIssuer
from hub.access.policies import Policies
from hub.access.viewers import Viewer
from hub.access.visibility import Visibility
from hub.commands.attachments import Attaching
from hub.commands.claiming import Claims
from hub.domain.rules import Rules
from hub.errors import CostExceeded
from hub.graph.budgets import Budgets
from hub.graph.trails import Trail
from hub.journal import head
from hub.journal.cursors import Place
from hub.journal.opening import Journal
from hub.store.interactions import Interactions
from hub.store.paging import PageCursors
from hub.store.parties import Parties
from hub.store.party_roles import PartyRoles
from hub.store.tokens import Tokens

Document = dict[str, Any]

PAGES: Final = 1 + 100  # read for one answer: a page, and one for each of its rows

ABREAST: Final = 8  # of them at once: others need the database too

ALWAYS: Final[Mapping[str, Sequence[str]]] = {"Party": ("kind", "name")}
"""What of a type is read whatever is selected: by it is judged who sees it, and what of it."""


@dataclass(slots=True)
class Context:
    """Made fresh for each operation, also on a socket. `now` stands still while one is answered."""

    bearer: Bearer
    journal: Journal
    interactions: Interactions
    parties: Parties
    party_roles: PartyRoles
    tokens: Tokens
    own_issuer: OwnIssuer
    page_cursors: PageCursors
    clock: Callable[[], datetime]
    rules: Rules
    policies: Policies
    claims: Claims
    attaching: Attaching
    budgets: Budgets
    idempotency_key: str | None = None  # of the whole request: each of its mutations makes its own of it
    resumed: Place | None = None  # from where on a socket that came back was told nothing
    rendering: Callable[[], Any] = lambda: None  # of a subscription: what renders for all who are told the same
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of each type, what the operation reads
    now: datetime = field(init=False)
    position: int | None = None  # of the journal's head, where it was read before all else
    viewer: Viewer = field(init=False)
    visibility: Visibility = field(init=False)
    trail: Trail = field(init=False)  # what it leaves in the audit
    withheld: dict[tuple[str, str], Mapping[str, Any]] = field(init=False)
    selected: dict[tuple[tuple[str, str], ...], frozenset[str]] = field(default_factory=dict)  # by place, for `redactions`
    pages: int = field(init=False)
    abreast: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ABREAST))
    loaders: "Loaders | None" = field(init=False)

    def __post_init__(self) -> None:
        self.trail = Trail(self.journal.audit, self.bearer.viewer, self.clock)
        self.renew()

    def renew(self) -> None:
        """Begin an answer, for the viewer as it is now. A stream does so for each frame."""
        self.viewer, self.visibility = self.bearer.viewer, self.bearer.visibility
        self.trail.go_on_as(self.viewer)
        self.withheld = {}
        self.pages = 0
        self.refresh()

    def refresh(self) -> None:
        """The time is now, and nothing was read yet: also after each mutation of several in one operation."""
        self.now = self.clock()
        self.loaders = None

    def key(self, given: str | None, name: str) -> str | None:
        """The idempotency key of a mutation: its own, else the request's with the name under which the mutation is answered."""
        if given is not None or self.idempotency_key is None:
            return given
        return f"header:{sha256(orjson.dumps([self.idempotency_key, name])).hexdigest()}"

    @property
    def party(self) -> DataLoader[str, Document | None]:
        """Parties by id, those of one turn read together."""
        return self._loaders.party

    @property
    def interaction(self) -> DataLoader[str, Document | None]:
        """Interactions in sight, likewise."""
        return self._loaders.interaction

    @property
    def party_role(self) -> DataLoader[str, Document | None]:
        """Party roles in sight, likewise."""
        return self._loaders.party_role

    @property
    def roles_of(self) -> DataLoader[str, list[Document]]:
        """The party roles in sight that a party holds now, likewise."""
        return self._loaders.roles_of

    @property
    def _loaders(self) -> "Loaders":
        if self.loaders is None:  # many a stream loads nothing, and waits for hours
            self.loaders = Loaders(self)
        return self.loaders

    def alone(self) -> "Context":
        """The same for another execution, with a viewer that stays what it is."""
        return replace(self, bearer=Bearer(self.viewer), rendering=lambda: None, selected={}, abreast=asyncio.Semaphore(ABREAST))

    def starting(self, after: Place | None) -> Place | None:
        """From where on a stream is told: the later of its cursor and where its socket was when it broke, if it comes back."""
        resumed = self.resumed
        if resumed is None or after is None or after.epoch != resumed.epoch:
            return after or resumed
        return after if after.position >= resumed.position else resumed

    async def read_head(self) -> int:
        """Where the journal stands; what is read afterwards is at least that new."""
        if self.position is None:
            self.position = (await head.read(self.journal.mongo)).position
        return self.position

    def projection(self, type: str, *also: str) -> Mapping[str, int]:
        """The stored fields of a type that this operation reads anywhere, and `also` these."""
        always = self.visibility.needs if type == "Interaction" else ALWAYS.get(type, ())
        return dict.fromkeys(("_id", *sorted(self.needs.get(type, ())), *always, *also), 1)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        """Around the reading of a page, which counts. Raises CostExceeded."""
        self.pages += 1
        if self.pages > PAGES:
            raise CostExceeded(f"One operation reads at most {PAGES} pages; ask for fewer rows that have pages of their own.")
        async with self.abreast:
            yield


class Loaders:
    """What gathers the loads by id of one answer."""

    def __init__(self, context: Context) -> None:
        async def parties(ids: list[str]) -> Sequence[Document | None]:
            return await context.parties.named(context.visibility, ids, context.projection("Party"))

        async def interactions(ids: list[str]) -> Sequence[Document | None]:
            return await context.interactions.find_many(context.visibility, ids, context.projection("Interaction"))

        async def party_roles(ids: list[str]) -> Sequence[Document | None]:
            return await context.party_roles.find_many(context.visibility, ids)

        async def roles_of(parties: list[str]) -> Sequence[list[Document]]:
            return await context.party_roles.held(context.visibility, parties, context.now)

        self.party: DataLoader[str, Document | None] = DataLoader(load_fn=parties)
        self.interaction: DataLoader[str, Document | None] = DataLoader(load_fn=interactions)
        self.party_role: DataLoader[str, Document | None] = DataLoader(load_fn=party_roles)
        self.roles_of: DataLoader[str, list[Document]] = DataLoader(load_fn=roles_of)


Info = StrawberryInfo[Context, None]
