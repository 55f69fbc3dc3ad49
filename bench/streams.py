"""Streams: what it costs a server to tell many subscribers, how soon they hear, and what a socket that hears nothing holds.

The hub and its peers, each served by a process of its own, tell the same things in the same words; the subscribers are in one
other process, `ears`, and this one reports progress at a steady pace over HTTP. Every delivery must arrive, once and in
order, else there are no figures. A server's processor time is taken once with the subscribers and once, for the same reports
at the same pace, without any: the difference is what the deliveries cost.
"""

import asyncio
import base64
import contextlib
import itertools
import random
import resource
import secrets
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
from pymongo import AsyncMongoClient

from bench import peers
from bench.load import WARM_UP, at
from bench.processes import held, settled, spent
from bench.serving import SEEDERS, Known, Line, Serving, connected, ended, filled, served
from hub.access.tokens import LocalIssuer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.settings import Settings
from hub.web.hub import local_issuer

HUB: Final = "hub"
DATABASE: Final = "bench_streams"
LINES: Final = 16  # connections over which progress is reported
WARMING: Final = 3  # reports at least, before anything is measured
HEARD_WAIT: Final = 60.0
ANSWER: Final = 64 << 20  # bytes that the ears may say in one line
TRIED: Final = 50  # sockets that come and go before memory is looked at: what is loaded once is no socket's
BUSY: Final = 0.95  # of a processor
IDLE: Final = (1_000, 5_000)  # sockets
BARE: Final = 300  # sockets
WRITTEN: Final = b"x" * 400  # to each; a delivery has 370 to 420 bytes
WRITES: Final = 60  # rounds of them, a steady pace apart
STEP: Final = 0.03
PREPARING: Final = 45.0  # seconds: filling the hub, warming, and 5,000 idle sockets of each contender
OPENED: Final = 2e-3  # seconds for a subscriber to come and go, as a mean over the contenders
REST: Final = 1.5  # seconds in which a server comes to rest, in one round of one course

SUBSCRIBE: Final = (
    "subscription($id: ID!) { interactionProgress(interactionId: $id) {"
    " kind cursor event { id type sequence at message progress { percent stage message } } } }"
)
REPORT: Final = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { cursor errors { code message } } }"


@dataclass(frozen=True, slots=True)
class Course:
    """So many subscribers, of one interaction or each of its own, and so many reports a second; longer where little is heard."""

    subscribers: int
    per_second: float
    own: bool = False
    longer: int = 1

    @property
    def deliveries(self) -> float:
        """A second."""
        return self.per_second * (1 if self.own else self.subscribers)

    def __str__(self) -> str:
        return f"{self.subscribers:,} {'customers, each of its own interaction' if self.own else 'of one interaction'}"


WARM: Final = Course(20, 400)  # what every server has done before it is measured: what it compiles, it has compiled
WARM_SECONDS: Final = 2.0
COURSES: Final = (Course(50, 20), Course(300, 100 / 3), Course(1_000, 10), Course(1_000, 100, own=True, longer=2))


@dataclass(frozen=True, slots=True)
class Told:
    """Microseconds of the server's processor for a delivery, with and without what the report itself costs; milliseconds until
    half and 99 of 100 were heard, from the commit and from the request."""

    raw: float
    net: float
    p50: float
    p99: float
    asked_p50: float
    asked_p99: float


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one contender did in one course."""

    contender: str
    course: Course
    deliveries: int  # all that were counted
    told: Told

    @property
    def is_late(self) -> bool:
        """Whether these deliveries at this pace keep more than one processor busy."""
        return self.told.raw * self.course.deliveries > BUSY * 1e6


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes for each of so many sockets with a subscription that hears nothing."""

    contender: str
    sockets: int
    each: float


@dataclass(frozen=True, slots=True)
class Bare:
    """Microseconds of the processor for a write to one of so many sockets, and nothing else."""

    subscribers: int
    each: float


@dataclass(frozen=True, slots=True)
class Streams:
    bare: Bare
    delivered: Sequence[Delivered]
    held: Sequence[Held]
    absent: str | None  # why there are no peers


@dataclass(frozen=True, slots=True)
class Report:
    """One progress: of which interaction, where it stands, and when it was asked for."""

    interaction: str
    cursor: str
    asked: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event at one subscriber."""

    interaction: str
    sequence: int
    cursor: str
    when: int


@dataclass(frozen=True, slots=True)
class Contender:
    """A server at work."""

    name: str
    serving: Serving
    uri: str

    async def waits(self, deliveries: Sequence[Delivery], since: Any) -> list[float]:
        """Milliseconds from what became true to its delivery: a hub's was true when its transaction stood in MongoDB's oplog, by
        whole milliseconds, rounded down; a peer's when it was published."""
        if self.name != HUB:
            return [(one.when - _moment(one.cursor)) / 1e6 for one in deliveries]
        committed = await self._committed(since)
        return [(one.when - committed[one.interaction, one.sequence]) / 1e6 for one in deliveries]

    async def _committed(self, since: Any) -> Mapping[tuple[str, int], int]:
        """The moments of the entries of journal, by interaction and public sequence, in nanoseconds of the monotonic clock."""
        offset = time.time_ns() - time.monotonic_ns()
        found: dict[tuple[str, int], int] = {}
        async with AsyncMongoClient[dict[str, Any]](self.uri, tz_aware=True) as client:
            asked = {"ts": {"$gt": since}, "o.applyOps.ns": f"{DATABASE}.journal"}
            async for entry in client.local["oplog.rs"].find(asked):
                moment = round(entry["wall"].timestamp() * 1000) * 1_000_000 - offset
                for one in entry["o"]["applyOps"]:
                    if one["ns"] == f"{DATABASE}.journal":
                        found[one["o"]["subject"]["id"], int(one["o"]["publicSeq"])] = moment
        return found

    async def now(self) -> Any:
        """The newest of MongoDB's oplog."""
        async with AsyncMongoClient[dict[str, Any]](self.uri) as client:
            return (await client.local["oplog.rs"].find().sort("$natural", -1).limit(1).to_list())[0]["ts"]


class Ears:
    """The process of the subscribers."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, do: str, **rest: Any) -> Any:
        """Have it do something; what it answers. Raises RuntimeError where it ended, after it said why."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._process.stdin.is_closing():
            line = b""
        else:
            self._process.stdin.write(orjson.dumps({"do": do, **rest}) + b"\n")
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("The subscribers gave up; why stands above.")
        return orjson.loads(line)

    @contextlib.asynccontextmanager
    async def subscribed(self, contender: Contender, subscriptions: Sequence[tuple[str, str]]) -> AsyncIterator[None]:
        """So many subscribers, by token and interaction, all of whom have heard their first frame."""
        await self.more(contender, subscriptions)
        yield
        await self.ask("close")

    async def more(self, contender: Contender, subscriptions: Sequence[tuple[str, str]]) -> None:
        """Some more of them."""
        await self.ask("open", port=contender.serving.port, query=SUBSCRIBE, subscriptions=subscriptions)
        await settled(contender.serving.pid)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who listens: agents to one interaction, customers each to its own."""

    issuer: LocalIssuer
    known: Known

    def of(self, course: Course) -> list[tuple[str, str]]:
        """A token, never the same, and an interaction for each subscriber."""
        if course.own:
            return self.customers(range(course.subscribers))
        return [(self.issuer.mint([Role.AGENT]), self.known.interactions[0]) for _ in range(course.subscribers)]

    def customers(self, numbers: Sequence[int]) -> list[tuple[str, str]]:
        """... of customers by number; who comes up again has another device."""
        every = len(self.known.customers)
        parties = [self.known.customers[number % every] for number in numbers]
        tokens = [self.issuer.mint([Role.CUSTOMER], party=PartyId(party)) for party in parties]
        return [(token, self.known.interactions[number % every]) for token, number in zip(tokens, numbers, strict=True)]


def expected(seconds: float, rounds: int) -> float:
    """How long it will take, about."""
    running = sum(2 * (seconds * course.longer + WARM_UP) + OPENED * course.subscribers + REST for course in COURSES)
    return PREPARING + rounds * (1 + len(peers.PEERS)) * running


async def measure(uri: str, directory: Path, *, seconds: float, rounds: int) -> Streams:
    """Every course and contender, in turns, `rounds` times; the medians. Memory once, of servers that have done nothing else."""
    _more_files()
    secret = secrets.token_hex(32)
    absent, beside = None, dict[str, Path]()
    try:
        place = await peers.installed()
        beside = {name: place / program for name, program in peers.PEERS.items()}
    except peers.Absent as missing:
        absent = str(missing)
    seen: dict[tuple[str, Course], list[tuple[int, Told]]] = {}
    async with contextlib.AsyncExitStack() as stack:
        hub = await stack.enter_async_context(served(uri, directory, DATABASE, secret))
        issuer = local_issuer(Settings.load(data_dir=directory))
        agent = issuer.mint([Role.AGENT])
        async with connected(hub.port, agent, SEEDERS) as lines:
            audience = Audience(issuer, await filled(lines))
        contenders = [Contender(HUB, hub, uri)]
        for name, program in beside.items():
            contenders.append(Contender(name, await stack.enter_async_context(peers.served(program)), uri))
        ears = await stack.enter_async_context(_ears())
        bare = await _bare(ears)
        for contender in contenders:
            await Run(contender, WARM, audience, ears, agent).round(WARM_SECONDS)
        for _, course, contender in itertools.product(range(rounds), COURSES, contenders):
            run = Run(contender, course, audience, ears, agent)
            seen.setdefault((contender.name, course), []).append(await run.round(seconds * course.longer))
    delivered = [
        Delivered(name, course, sum(count for count, _ in found), _typical([told for _, told in found]))
        for (name, course), found in seen.items()
    ]
    async with _ears() as ears:
        async with served(uri, directory, DATABASE, secret) as hub:
            idle = await _held(Contender(HUB, hub, uri), audience, ears)
        for name, program in beside.items():
            async with peers.served(program) as peer:
                idle += await _held(Contender(name, peer, uri), audience, ears)
    return Streams(bare, delivered, idle, absent)


@dataclass(frozen=True, slots=True)
class Run:
    """One contender in one course."""

    contender: Contender
    course: Course
    audience: Audience
    ears: Ears
    token: str

    async def round(self, seconds: float) -> tuple[int, Told]:
        """How many deliveries there were, and their figures."""
        pid = self.contender.serving.pid
        half = max(1, round(self.course.per_second * seconds / 2))
        warming = max(WARMING, round(self.course.per_second * WARM_UP))
        async with connected(self.contender.serving.port, self.token, LINES) as lines:
            await self._reported(lines, warming)
            alone = await self._alone(lines, half)
            listening = self.audience.of(self.course)
            async with self.ears.subscribed(self.contender, listening):
                await self._heard(await self._reported(lines, warming), listening)
                await settled(pid)
                since, before = await self.contender.now(), spent(pid)
                reports = await self._reported(lines, 2 * half)
                heard = await self._heard(reports, listening)
                await settled(pid)
                together = spent(pid) - before
            alone += await self._alone(lines, half)
        asked = {one.cursor: one.asked for one in reports}
        soon = sorted(await self.contender.waits(heard, since))
        slow = sorted((one.when - asked[one.cursor]) / 1e6 for one in heard)
        each = 1e6 / len(heard)
        waits = (at(soon, 0.5), at(soon, 0.99), at(slow, 0.5), at(slow, 0.99))
        return len(heard), Told(together * each, (together - alone) * each, *waits)

    async def _alone(self, lines: Sequence[Line], many: int) -> float:
        """Seconds of the processor for so many reports that nobody hears; half of them are asked before the others, half after."""
        pid = self.contender.serving.pid
        await settled(pid)
        before = spent(pid)
        await self._reported(lines, many)
        await settled(pid)
        return spent(pid) - before

    async def _reported(self, lines: Sequence[Line], many: int) -> list[Report]:
        """So many, at a steady pace whatever the answers take."""
        free: asyncio.Queue[Line] = asyncio.Queue()
        for line in lines:
            free.put_nowait(line)
        loop = asyncio.get_running_loop()
        begin = loop.time()

        async def one(number: int) -> Report:
            await asyncio.sleep(begin + number / self.course.per_second - loop.time())
            asked = time.monotonic_ns()
            interaction = random.choice(self.audience.known.interactions) if self.course.own else self.audience.known.interactions[0]
            told = {"id": interaction, "message": "The technician is on the way.", "percent": random.randrange(101)}
            line = await free.get()
            found = await line.ask(REPORT, {"input": told | {"idempotencyKey": secrets.token_hex(16)}})
            free.put_nowait(line)
            return Report(interaction, found["cursor"], asked)

        async with asyncio.TaskGroup() as tasks:
            reporting = [tasks.create_task(one(number)) for number in range(many)]
        return [task.result() for task in reporting]

    async def _heard(self, reports: Sequence[Report], listening: Sequence[tuple[str, str]]) -> list[Delivery]:
        """When each delivery was heard; none may be missing, doubled, or of something else."""
        ears: dict[str, list[int]] = {}
        for number, (_, interaction) in enumerate(listening):
            ears.setdefault(interaction, []).append(number)
        due = {(number, one.cursor) for one in reports for number in ears[one.interaction]}
        heard = await self.ears.ask("heard", deliveries=len(due), within=HEARD_WAIT)
        found = [(who, *heard["events"][which], when) for who, which, when in zip(heard["who"], heard["which"], heard["when"], strict=True)]
        told = {(who, cursor) for who, cursor, *_ in found}
        if len(found) != len(due) or told != due:
            missing, other = len(due - told), len(found) - len(due & told)
            raise RuntimeError(f"{self.contender.name}: of {len(due)} deliveries {missing} are missing, and {other} are none of them.")
        return [Delivery(listening[who][1], sequence, cursor, when) for who, cursor, sequence, when in found]


async def _held(contender: Contender, audience: Audience, ears: Ears) -> list[Held]:
    """The memory of idle sockets, each with one subscription of a customer, with a token of its own."""

    async def now() -> int:
        await settled(contender.serving.pid)
        if isinstance(contender.serving, peers.Peer):
            await contender.serving.collect()
        return held(contender.serving.pid)

    async with ears.subscribed(contender, audience.customers(range(TRIED))):
        pass
    before, opened, found = await now(), 0, []
    async with ears.subscribed(contender, ()):
        for sockets in IDLE:
            await ears.more(contender, audience.customers(range(opened, sockets)))
            opened = sockets
            found.append(Held(contender.name, sockets, (await now() - before) / sockets))
    return found


async def _bare(ears: Ears) -> Bare:
    """Write to sockets that nobody serves anything on."""
    with socket.create_server(("127.0.0.1", 0), backlog=BARE) as listening, contextlib.ExitStack() as stack:
        await ears.ask("drain", port=listening.getsockname()[1], many=BARE)
        sockets = [stack.enter_context(listening.accept()[0]) for _ in range(BARE)]
        for one in sockets:
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        taken = 0.0
        for _ in range(WRITES):
            await asyncio.sleep(STEP)
            begun = time.thread_time()
            for one in sockets:
                one.send(WRITTEN)
            taken += time.thread_time() - begun
        await ears.ask("close")
    return Bare(BARE, 1e6 * taken / (WRITES * BARE))


@contextlib.asynccontextmanager
async def _ears() -> AsyncIterator[Ears]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.ears", stdin=PIPE, stdout=PIPE, limit=ANSWER)
    try:
        yield Ears(process)
    finally:
        await ended(process)


def _more_files() -> None:
    """As many sockets as the machine lets a process have, for this one and all that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _moment(cursor: str) -> int:
    """When a peer made it."""
    return int.from_bytes(base64.urlsafe_b64decode(cursor)[:8])


def _typical(found: Sequence[Told]) -> Told:
    """The median of each figure over the rounds."""
    columns = zip(*((one.raw, one.net, one.p50, one.p99, one.asked_p50, one.asked_p99) for one in found), strict=True)
    return Told(*(median(column) for column in columns))
