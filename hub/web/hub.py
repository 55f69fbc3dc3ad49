"""One hub, put together: its database, its journal, what it reads from, and who it believes. Knows nothing of sockets."""

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.access import issuers
from hub.access import policies as login_policies
from hub.access.addresses import Addresses
from hub.access.bearers import Bearer
from hub.access.claim_codes import ClaimCodes, Tries
from hub.access.guard import Guard
from hub.access.issuers import Issuer, TokenVerifier
from hub.access.keys import Keyring, local_secret, local_signing_key
from hub.access.own_issuer import USUAL_NAME, OwnIssuer
from hub.access.policies import Policies
from hub.access.standing import Standings
from hub.access.tokens import LocalIssuer
from hub.access.trust import Trust, configured
from hub.access.viewers import NOBODY, Viewer
from hub.access.withdrawn import Withdrawn
from hub.commands.attachments import Attaching
from hub.commands.claiming import Claims
from hub.domain.ids import uuid7
from hub.domain.rules import Rules
from hub.errors import StartupError
from hub.graph.budgets import Budgets, Rates
from hub.graph.context import Context
from hub.graph.documents import Documents
from hub.graph.execution import Executor
from hub.graph.modes import Modes
from hub.graph.trusted import Trusted
from hub.journal import opening
from hub.journal.opening import Journal
from hub.journal.rights import Rights
from hub.schema import executable, sdl
from hub.settings import Settings
from hub.store import catalogue
from hub.store.clients import Clients
from hub.store.files import Files
from hub.store.interactions import Interactions
from hub.store.mongo import Mongo, connected
from hub.store.paging import PageCursors
from hub.store.parties import Parties
from hub.store.party_roles import PartyRoles
from hub.store.tokens import Tokens
from hub.store.trusted import TrustedDocuments
from hub.workers.orphans import sweeping

COST_PER_MINUTE: Final = "600000"  # a fifth of one processor
AT_ONCE: Final = 64  # operations of one viewer


def now() -> datetime:
    """The clock: UTC, whole milliseconds, as MongoDB keeps them."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id(prefix: str) -> str:
    """A fresh id with this prefix."""
    return prefix + uuid7(now())


@dataclass(frozen=True, slots=True)
class Hub:
    """Everything a transport needs to answer an operation."""

    settings: Settings
    role: str
    mongo: Mongo
    journal: Journal
    tokens: TokenVerifier
    documents: Documents
    executor: Executor
    interactions: Interactions
    parties: Parties
    party_roles: PartyRoles
    issued: Tokens
    clients: Clients
    own_issuer: OwnIssuer
    page_cursors: PageCursors
    guard: Guard
    claims: Claims
    attaching: Attaching
    files: Files

    async def viewer(self, token: str | None) -> Viewer:
        """Whoever bears the token; nobody without one. Does not wait where the token is known.

        Raises Unauthenticated for one that does not verify, Unavailable where that cannot be said now."""
        return NOBODY if token is None else await self.tokens.verify(token)

    def context(self, bearer: Bearer) -> Context:
        """A fresh context for one operation."""
        return Context(
            bearer=bearer,
            journal=self.journal,
            interactions=self.interactions,
            parties=self.parties,
            party_roles=self.party_roles,
            tokens=self.issued,
            own_issuer=self.own_issuer,
            page_cursors=self.page_cursors,
            clock=now,
            rules=rules(self.settings),
            policies=self.guard.policies,
            claims=self.claims,
            attaching=self.attaching,
            budgets=self.executor.budgets,
        )


def keyring(settings: Settings) -> Keyring:
    """What the keys of cursors, claim codes and own tokens come from: HUB_SECRET, or, for a hub of one's own, a file of its data."""
    if settings.secret is None:
        return Keyring(local_secret(settings.data_dir))
    previous = settings.secret_previous
    return Keyring(settings.secret.get_secret_value().encode(), previous.get_secret_value().encode() if previous else None)


def local_issuer(settings: Settings) -> LocalIssuer:
    """The issuer of local mode: a key made at first start. Raises StartupError where issuers are configured."""
    if not settings.is_local:
        raise StartupError("The local key is not trusted as long as HUB_ISSUERS is set: tokens come from the issuers that it names.")
    return LocalIssuer(local_signing_key(settings.data_dir), clock=now)


def own_issuer(settings: Settings, keys: Keyring) -> OwnIssuer:
    """The hub as an issuer, under its address where that is known. Raises StartupError where HUB_ISSUERS names it too."""
    own = OwnIssuer(keys, settings.url or USUAL_NAME)
    if own.trust.issuer in {trust.issuer for trust in trusts(settings)}:
        raise StartupError(f"HUB_ISSUERS names {own.trust.issuer}, which is the hub itself: it believes its own tokens anyway.")
    return own


def trusts(settings: Settings) -> tuple[Trust, ...]:
    """The issuers that are configured; in local mode none. Raises StartupError for what is wrong with them."""
    return () if settings.issuers is None else configured(settings.issuers)


def policies(settings: Settings) -> Policies:
    """Where a stronger login is asked for. Raises StartupError for what is wrong with it."""
    given = settings.access_policies
    return Policies(() if given is None else login_policies.configured(given), settings.step_up_acr)


@contextlib.asynccontextmanager
async def trusted(settings: Settings) -> AsyncIterator[tuple[Issuer, ...]]:
    """Whom the hub believes: the configured issuers, or the local key."""
    if settings.is_local:
        yield (local_issuer(settings).issuer,)
    else:
        async with issuers.opened(trusts(settings)) as opened_issuers:
            yield opened_issuers


def rates(settings: Settings) -> Rates:
    """What one viewer may ask for: in local mode as much as it likes, if nothing is set. Raises StartupError for words that say nothing."""
    at_once = settings.operations_at_once
    if at_once is None:
        at_once = 0 if settings.is_local else AT_ONCE
    return Rates.told(settings.cost_per_minute or ("0" if settings.is_local else COST_PER_MINUTE), at_once)


def rules(settings: Settings) -> Rules:
    """What the company decides for itself."""
    return Rules(timedelta(days=settings.reopen_days), settings.topics, settings.attachment_types, settings.attachment_bytes)


@contextlib.asynccontextmanager
async def opened(settings: Settings, mongo_uri: str, *, role: str) -> AsyncIterator[Hub]:
    """A hub at work on a database. `role` ("serve", "import") tells the processes of one data directory apart."""
    keys = keyring(settings)
    own = own_issuer(settings, keys)
    guard = Guard(ClaimCodes(keys), policies(settings))
    async with trusted(settings) as believed, connected(mongo_uri, settings.mongo_database, settings.mongo_driver) as mongo:
        await mongo.check()
        await catalogue.apply(mongo, idempotency_days=settings.idempotency_days, audit_days=settings.audit_days)
        name = f"{socket.gethostname()}:{settings.data_dir.resolve()}:{role}"
        files = Files(mongo)
        documents = Documents(Trusted(TrustedDocuments(mongo)), Modes.told(settings.trusted_documents))
        async with (
            sweeping(files, now),
            opening.opened(
                mongo,
                keys,
                name=name,
                clock=now,
                new_id=new_id,
                bus_url=settings.bus_url,
                event_days=settings.event_days,
                rules=rules(settings),
                guard=guard,
            ) as journal,
        ):
            parties, party_roles, issued, clients = Parties(mongo), PartyRoles(mongo), Tokens(mongo), Clients(mongo)
            standings, withdrawn = Standings(parties, party_roles), Withdrawn()
            journal.feed.ahead = Rights(withdrawn, standings, now)  # first, so that nothing gets lost between this and that
            for token in await issued.revoked(now()):
                withdrawn.add(token["_id"], token["expiresAt"], now())
            for client in await clients.disabled():
                withdrawn.add(client["_id"], None, now())
            yield Hub(
                settings=settings,
                role=role,
                mongo=mongo,
                journal=journal,
                tokens=TokenVerifier((own, *believed), standings, withdrawn, clock=now),
                documents=documents,
                executor=Executor(executable(), sdl(), Budgets(rates(settings), now), deadline=settings.operation_seconds),
                interactions=Interactions(mongo),
                parties=parties,
                party_roles=party_roles,
                issued=issued,
                clients=clients,
                own_issuer=own,
                page_cursors=PageCursors(keys),
                guard=guard,
                claims=Claims(guard.codes, Tries(), now),
                attaching=Attaching(Addresses.of(keys, settings.url), new_id, now),
                files=files,
            )
