"""What a visitor's opening and a customer's claim have beside other acts: a code that is told once, and may be guessed a few times."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from hub.access.claim_codes import ClaimCodes, Tries
from hub.access.mandates import Act, require
from hub.access.policies import About
from hub.access.viewers import Viewer
from hub.commands.acting import OnInteraction
from hub.commands.asking import Done, Heard, Request, TakingPart, ask
from hub.domain import claiming
from hub.domain.terms import Role, SubjectKind
from hub.errors import HubError, NotFound
from hub.journal.desk import Change, Decision, Desk, Heir, Ref, Touch
from hub.journal.opening import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(OnInteraction, TakingPart):
    """Take the place of the visitor that one was, with the code that it was given."""

    name: ClassVar[str] = "claimInteraction"
    act: ClassVar[Act] = Act.CLAIM

    claim_code: str

    def touches(self) -> Iterable[Touch]:
        yield Ref(SubjectKind.INTERACTION, self.id)

    def decide(self, desk: Desk, viewer: Viewer, fingerprint: str) -> Decision:
        require(viewer, self.mandate, self.name)
        interaction, fits = desk.interaction(self.id), desk.guard.codes.fits(self.id, self.claim_code)
        visitor = None if interaction is None else claiming.claimable_from(interaction, desk.now)
        if interaction is None or visitor is None or viewer.party is None or not fits:  # whichever it is: one answer, at one place
            raise NotFound("claim code", "input", "claimCode")
        about = About.of(interaction, interaction.involvements_of(visitor))
        desk.guard.policies.require(viewer, self.act, self.name, about)
        customer = self.known(viewer.party, desk)
        claimed, event = claiming.claim(interaction, visitor, customer, at=desk.now)
        return Decision(Ref(SubjectKind.INTERACTION, claimed.id), (Change(claimed, (event,), Heir(customer, of=visitor)),))


@dataclass(frozen=True, slots=True)
class Claims:
    """The two ways of asking in which claim codes play a part."""

    codes: ClaimCodes
    tries: Tries
    clock: Callable[[], datetime]

    async def open(
        self, journal: Journal, viewer: Viewer, request: Request, idempotency_key: str | None = None, heard: Heard | None = None
    ) -> Done:
        """As `ask`; what a visitor has opened comes with its claim code. A replay does not: a secret is told once."""
        done = await ask(journal, viewer, request, idempotency_key, heard)
        if done.replayed or done.document is None or viewer.acting_role is not Role.VISITOR:
            return done
        return replace(done, claim_code=self.codes.code(done.document["_id"]))

    async def claim(
        self, journal: Journal, viewer: Viewer, request: Request, idempotency_key: str | None = None, heard: Heard | None = None
    ) -> Done:
        """As `ask`. Raises RateLimited, also for a code that would do, after too many that would not."""
        require(viewer, request.mandate, request.name, own=True)
        begun = self.clock()
        self.tries.begin(viewer.id, begun)
        try:
            done = await ask(journal, viewer, request, idempotency_key, heard)
        except NotFound:
            raise
        except HubError:
            self.tries.forgive(viewer.id, begun, self.clock())
            raise
        self.tries.forgive(viewer.id, begun, self.clock())
        return done
