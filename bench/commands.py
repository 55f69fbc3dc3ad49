"""Commits alone: the hub's committer beside the plain way, without GraphQL, in one process with its clients.

Each contender has a database of its own, made by the hub's catalogue and filled alike, and is there only while it is
measured. At the end the documents are counted: a contender that wrote fewer for a command than another did less work,
and its figures are refused.
"""

import asyncio
import contextlib
import itertools
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from bench.load import Act, Figures, closed_loop, typical
from bench.plain import Plain
from hub.access.keys import Keyring
from hub.access.viewers import SCOPES, Viewer
from hub.commands.asking import Asked, Request
from hub.commands.interactions import Create, ReportProgress
from hub.commands.parties import Upsert
from hub.domain.terms import ChannelType, Direction, PartyKind, Role
from hub.journal import opening
from hub.journal.batch import Committed, Key
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.store import catalogue
from hub.store.mongo import Mongo, connected
from hub.web.hub import new_id, now

OPEN: Final = 1_000  # interactions, each with a customer of its own
COUNTED: Final = ("interactions", "journal", "personal", "idempotency")
ACTS: Final = ("reportProgress", "createInteraction")

AGENT: Final = Viewer(
    issuer="urn:bench", subject="agent", client=None, token_id=None, party=None,
    roles=frozenset({Role.AGENT}), scopes=frozenset(SCOPES), expires_at=None,
)  # fmt: skip


class Submit(Protocol):
    """How a contender is asked; `Committer.submit` is one."""

    def __call__(self, command: Command, actor: Actor, key: Key | None = None) -> Awaitable[Committed]: ...


Contender = Callable[[Mongo], AbstractAsyncContextManager[Submit]]


@contextlib.asynccontextmanager
async def together(mongo: Mongo) -> AsyncIterator[Submit]:
    """The hub's journal, whole: committer, turns, heartbeat, feed and bus."""
    async with opening.opened(mongo, Keyring(secrets.token_bytes(32)), name="bench", clock=now, new_id=new_id) as journal:
        yield journal.committer.submit


@contextlib.asynccontextmanager
async def ordered(mongo: Mongo) -> AsyncIterator[Submit]:
    """One transaction each, with positions."""
    yield Plain(mongo, clock=now, new_id=new_id, ordered=True).submit


@contextlib.asynccontextmanager
async def unordered(mongo: Mongo) -> AsyncIterator[Submit]:
    """One transaction each, without positions."""
    yield Plain(mongo, clock=now, new_id=new_id, ordered=False).submit


CONTENDERS: Final[Mapping[str, Contender]] = {"together": together, "ordered": ordered, "unordered": unordered}
PLAIN: Final = ("ordered", "unordered")


@dataclass(frozen=True, slots=True)
class Course:
    """A contender's database: who waits in it, and what it held before anything was measured."""

    mongo: Mongo
    customers: Sequence[str]
    interactions: Sequence[str]
    before: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one contender did in one kind of command, with so many clients."""

    act: str
    clients: int
    contender: str
    figures: Figures


async def measure(uri: str, *, clients: Sequence[int], seconds: float, rounds: int) -> list[Measured]:
    """Every contender, kind of command and number of clients, in turns, `rounds` times; the medians."""
    async with contextlib.AsyncExitStack() as stack:
        courses = {name: await laid(await stack.enter_async_context(connected(uri, f"bench_{name}"))) for name in CONTENDERS}
        done = {name: dict.fromkeys(ACTS, 0) for name in CONTENDERS}
        seen: dict[tuple[str, int, str], list[Figures]] = {}
        for _, many, act, name in itertools.product(range(rounds), clients, ACTS, CONTENDERS):
            async with CONTENDERS[name](courses[name].mongo) as submit:
                one = _counting(_act(act, courses[name], submit), done[name], act)
                seen.setdefault((act, many, name), []).append(await closed_loop([one] * many, seconds))
        for name, course in courses.items():
            await _check(name, course, done[name])
    return [Measured(act, many, name, typical(figures)) for (act, many, name), figures in seen.items()]


async def laid(mongo: Mongo) -> Course:
    """An empty database, prepared as the hub prepares its own, with open interactions to work on."""
    await mongo.client.drop_database(mongo.database.name)
    await catalogue.apply(mongo)
    async with together(mongo) as submit:
        agent = Actor(None, Role.AGENT)
        parties = [Upsert(kind=PartyKind.INDIVIDUAL, called=f"Customer {number}") for number in range(OPEN)]
        customers = [made.about.id for made in await asyncio.gather(*(submit(_asked(party), agent) for party in parties))]
        made = await asyncio.gather(*(submit(_asked(_create(customer)), agent) for customer in customers))
    before = {name: await mongo[name].count_documents({}) for name in COUNTED}
    return Course(mongo, customers, [one.about.id for one in made], before)


def _act(act: str, course: Course, submit: Submit) -> Act:
    """A command as a client sends it: on something random, with an idempotency key of its own."""

    async def one() -> Committed:
        request = _progress(random.choice(course.interactions)) if act == "reportProgress" else _create(random.choice(course.customers))
        command = _asked(request)
        return await submit(command, Actor(None, Role.AGENT), Key(secrets.token_bytes(32), bytes.fromhex(command.fingerprint)))

    return one


def _counting(act: Act, done: dict[str, int], name: str) -> Act:
    async def one() -> None:
        await act()
        done[name] += 1

    return one


async def _check(name: str, course: Course, done: Mapping[str, int]) -> None:
    """One key and one entry for each command, a personal part for each progress, an interaction for each that was created."""
    commands, created, reported = sum(done.values()), done["createInteraction"], done["reportProgress"]
    due = {"interactions": created, "journal": commands, "personal": reported, "idempotency": commands}
    found = {kind: await course.mongo[kind].count_documents({}) - course.before[kind] for kind in COUNTED}
    if found != due:
        raise RuntimeError(f"{name} was to write {due} and wrote {found}: its figures are worth nothing.")


def _asked(request: Request) -> Asked:
    return Asked(request, AGENT, sha256(repr(request).encode()).hexdigest())


def _create(customer: str) -> Create:
    return Create(
        direction=Direction.INBOUND,
        channel=ChannelType.PHONE,
        topic="fibre-fault",
        reason="No connection since this morning",
        description="The light on the box is red; it was restarted twice.",
        customer_id=customer,
    )


def _progress(interaction: str) -> ReportProgress:
    return ReportProgress(id=interaction, message="The technician has found the fault and is on the way.", percent=random.randrange(101))
