"""Reading in a small company and in a large one: does a page cost the same?

The hub is served for each of them by a process of its own. Every question is asked of both in turns, over HTTP; what the hub
then asks of MongoDB is taken from MongoDB's own profile, with the keys and documents that were looked at, and is asked again
without the hub, for the database's part of the time, beside the plain way where there is one.
"""

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.commands import AGENT
from bench.load import closed_loop
from bench.questions import BROAD, DEEP, PAGE, QUESTIONS, Asker, Command, Question
from bench.rows import Company, filled
from bench.serving import Line, connected, served
from hub.access.keys import Keyring
from hub.access.visibility import Visibility
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.settings import Settings
from hub.store.interactions import order
from hub.store.mongo import Mongo
from hub.store.mongo import connected as database
from hub.store.paging import PageCursors
from hub.web.hub import local_issuer

ASKED: Final = 8  # times in a round
PROBED: Final = 5  # times under the profile, which slows things and so is not timed
CUSTOMERS: Final = 5  # who ask for what is theirs
BIG: Final = 64 << 20  # bytes of the profile: what one probe writes fits
TICK: Final = 0.01
SENT: Final = ("find", "filter", "projection", "sort", "limit", "batchSize", "aggregate", "pipeline", "cursor", "hint")  # of a command


@dataclass(frozen=True, slots=True)
class Looked:
    """At how much MongoDB looked for one answer, by which index, and whether it had to sort."""

    keys: int
    documents: int
    plans: str
    sorts: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One question in one company; milliseconds, of the hub, of its part in the database, of the plain way there."""

    rows: int
    looked: Looked
    hub: float | None  # None where the hub says TOO_BROAD
    database: float | None
    plain: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One question in every company."""

    question: str
    is_page: bool
    asked: Sequence[Asked]

    def times(self) -> float | None:
        """How many times what it costs in the smallest company it costs in the largest."""
        small, large = self.asked[0].hub, self.asked[-1].hub
        return None if small is None or large is None else large / small


@dataclass(frozen=True, slots=True)
class Broad:
    """A question that no index narrows: what was said after how long, and how long the database went on after that."""

    question: str
    code: str | None
    seconds: float
    lingered: float
    alone: float  # p50 of others' pages without it, in ms
    meanwhile: float  # ... and while it was being answered
    worst: float


@dataclass(frozen=True, slots=True)
class Filled:
    """A company, and its hub."""

    rows: int
    seconds: float
    indexing: float
    memory_before: float  # MiB of the hub's process, before anything was asked and after all of it
    memory_after: float


@dataclass(frozen=True, slots=True)
class Reading:
    companies: Sequence[Filled]
    answers: Sequence[Answer]
    broad: Sequence[Broad]


@dataclass(frozen=True, slots=True)
class Course:
    """One company while it is measured: its database as the bench sees it, its hub's process, and lines for each asker."""

    company: Company
    mongo: Mongo
    pid: int
    memory: float
    asker: Asker
    lines: Mapping[str, Sequence[Line]]

    async def ask(self, question: Question) -> Any:
        """The whole answer."""
        line = self.asker.chance.choice(self.lines[question.who])
        return await line.answer(question.query, dict(question.variables(self.asker)))


@dataclass(frozen=True, slots=True)
class Probe:
    """What the hub asked of MongoDB, answer by answer, and at how much MongoDB looked."""

    code: str | None
    looked: Looked
    commands: Sequence[Sequence[Command]]


async def measure(uri: str, directory: Path, *, rows: Sequence[int], rounds: int) -> Reading:
    """Every question in companies of so many rows, in turns; the medians."""
    companies = [await filled(uri, many) for many in rows]
    async with contextlib.AsyncExitStack() as stack:
        courses = [await stack.enter_async_context(_course(uri, directory / str(c.rows), c)) for c in companies]
        answers = [await _answer(question, courses, rounds) for question in QUESTIONS]
        broad = [await _broad(question, courses[-1]) for question in BROAD]
        told = [
            Filled(c.company.rows, c.company.seconds, c.company.indexing, memory_before=c.memory, memory_after=_memory(c.pid))
            for c in courses
        ]
    return Reading(told, answers, broad)


@contextlib.asynccontextmanager
async def _course(uri: str, directory: Path, company: Company) -> AsyncIterator[Course]:
    secret, chance = secrets.token_hex(32), random.Random(company.rows)
    async with (
        served(uri, directory, company.database, secret) as hub,
        database(uri, company.database) as mongo,
        contextlib.AsyncExitStack() as stack,
    ):
        issuer = local_issuer(Settings.load(data_dir=directory))
        own = {"customer": (Role.CUSTOMER, chance.sample(company.customers, CUSTOMERS)), "partner": (Role.PARTNER, company.partners)}
        tokens = {"agent": [issuer.mint([Role.AGENT])]} | {
            who: [issuer.mint([role], party=PartyId(party)) for party in parties] for who, (role, parties) in own.items()
        }
        lines = {
            who: [(await stack.enter_async_context(connected(hub.port, token, 1)))[0] for token in minted] for who, minted in tokens.items()
        }
        await lines["agent"][0].ask(PAGE, {"first": 1})
        memory = _memory(hub.pid)
        yield Course(company, mongo, hub.pid, memory, await _asker(company, mongo, secret, chance), lines)


async def _asker(company: Company, mongo: Mongo, secret: str, chance: random.Random) -> Asker:
    """With cursors as the hub itself would have sealed them."""
    newest = order(Visibility.of(AGENT), "CREATED_AT", is_descending=True)
    cursors = PageCursors(Keyring(secret.encode()))

    async def cursor(depth: int) -> str:
        found = mongo["interactions"].find({}, {"createdAt": 1}).sort([("createdAt", -1), ("_id", -1)]).skip(depth - 1).limit(1)
        return cursors.seal("interactions", newest, (await found.to_list(None))[0])

    named = await mongo.page("parties", {"_id": {"$in": chance.sample(company.customers, 100)}}, projection={"name": 1})
    return Asker(company, chance, await cursor(DEEP), await cursor(company.rows // 2), [one["name"] for one in named])


async def _answer(question: Question, courses: Sequence[Course], rounds: int) -> Answer:
    """Round by round each company in turn, through the hub and without it."""
    probes = [await _probe(question, course) for course in courses]
    hub: list[list[float]] = [[] for _ in courses]
    direct: list[list[float]] = [[] for _ in courses]
    plain: list[list[float]] = [[] for _ in courses]
    told = [(number, course, probes[number]) for number, course in enumerate(courses) if probes[number].code is None]
    for _ in range(rounds):
        for _, (number, course, _) in itertools.product(range(ASKED), told):
            hub[number].append(await _timed(course.ask(question)))
        for number, course, probe in told:
            for commands in probe.commands:
                direct[number].append(await _timed(_replayed(course, commands)))
                if question.plain:
                    plain[number].append(await _timed(_replayed(course, [question.plain(one, course.company) for one in commands])))
    return Answer(
        question.name,
        question.is_page,
        [
            Asked(course.company.rows, probe.looked, *(_median(times[number]) for times in (hub, direct, plain)))
            for number, (course, probe) in enumerate(zip(courses, probes, strict=True))
        ],
    )


async def _probe(question: Question, course: Course) -> Probe:
    """Ask with MongoDB watching."""
    commands: list[list[Command]] = []
    looked: list[tuple[int, int]] = []
    plans: dict[str, None] = {}
    sorts, code = False, None
    for _ in range(PROBED):
        async with _watched(course) as seen:
            answer = await course.ask(question)
        code = code or _code(answer)
        ours = [one for one in seen if one["command"].get("find") or one["command"].get("aggregate")]
        commands.append([{name: one["command"][name] for name in SENT if name in one["command"]} for one in ours])
        looked.append((sum(one.get("keysExamined", 0) for one in ours), sum(one.get("docsExamined", 0) for one in ours)))
        plans |= dict.fromkeys(str(one.get("planSummary", "")) for one in ours)
        sorts = sorts or any(one.get("hasSortStage", False) for one in ours)
        if code:
            break
    keys, documents = (int(median(counts)) for counts in zip(*looked, strict=True))
    return Probe(code, Looked(keys, documents, ", ".join(plans), sorts), commands)


@contextlib.asynccontextmanager
async def _watched(course: Course) -> AsyncIterator[list[Mapping[str, Any]]]:
    """What the hub asks about interactions and parties within the block, filled when it ends."""
    spaces = [f"{course.company.database}.{name}" for name in ("interactions", "parties")]
    run = course.mongo.database.command
    await course.mongo["system.profile"].drop()
    await course.mongo.database.create_collection("system.profile", capped=True, size=BIG)
    await run({"profile": 2, "filter": {"ns": {"$in": spaces}}})
    seen: list[Mapping[str, Any]] = []
    try:
        yield seen
    finally:
        await run({"profile": 0})
        seen += await course.mongo.page("system.profile", {}, sort=[("$natural", 1)])


async def _replayed(course: Course, commands: Sequence[Command]) -> None:
    for command in commands:
        await course.mongo.database.command(command)


async def _broad(question: Question, course: Course) -> Broad:
    """Ask it while others ask for pages of 20, and watch until the database has done with it."""
    (line,) = course.lines["agent"]
    async with _others(course) as other:
        alone = await closed_loop([lambda: other.ask(PAGE, {"first": 20})], 1.0)
        waits: list[float] = []
        asking = asyncio.ensure_future(line.answer(question.query, dict(question.variables(course.asker))))
        began = time.perf_counter()
        while not asking.done():
            waits.append(await _timed(other.ask(PAGE, {"first": 20})))
            await asyncio.sleep(TICK)
        seconds = time.perf_counter() - began
        answer, ended = await asking, time.perf_counter()
        while await _at_work(course):  # noqa: ASYNC110  # nobody but the database knows
            await asyncio.sleep(TICK)
        lingered = time.perf_counter() - ended
    return Broad(question.name, _code(answer), seconds, lingered, alone.p50, median(waits), max(waits))


@contextlib.asynccontextmanager
async def _others(course: Course) -> AsyncIterator[Line]:
    (line,) = course.lines["agent"]
    port = line.writer.get_extra_info("peername")[1]
    token = line.head.split(b"Bearer ")[1].split(b"\r\n")[0].decode()
    async with connected(port, token, 1) as lines:
        yield lines[0]


async def _at_work(course: Course) -> bool:
    """Whether MongoDB still works on something that was asked of it about interactions."""
    answer = await course.mongo.client.admin.command({"currentOp": 1, "active": True, "ns": f"{course.company.database}.interactions"})
    return bool(answer["inprog"])


async def _timed(asked: Any) -> float:
    """In milliseconds."""
    began = time.perf_counter()
    await asked
    return 1000 * (time.perf_counter() - began)


def _median(times: Sequence[float]) -> float | None:
    return median(times) if times else None


def _code(answer: Mapping[str, Any]) -> str | None:
    """The code of the first thing that was refused; anything but TOO_BROAD ends the measurement."""
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    if codes and codes[0] != "TOO_BROAD":
        raise RuntimeError(f"The hub refused: {answer!r}.")
    return codes[0] if codes else None


def _memory(pid: int) -> float:
    """What a process holds of the machine's memory, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
