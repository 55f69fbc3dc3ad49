"""What came out, as Markdown: ratios first, the figures they are made of beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.access import Rights
from bench.commands import PLAIN, Measured
from bench.entrance import Entrance
from bench.load import Figures
from bench.machine import Machine
from bench.reading import Answer, Asked, Reading
from bench.serving import Served
from bench.streams import HUB, Course, Delivered, Streams

TIMES: Final = 3.0  # commands/s at MANY clients, against the faster plain way
PART: Final = 0.25  # of its p99
MANY: Final = 64
ALONE: Final = 1.3  # what a client alone may pay for company
MICROSECONDS: Final = {300: 8.0, 1_000: 15.0}  # of the processor for a delivery, by the subscribers of one interaction
THIRD: Final = 1 / 3  # of what the same costs Mercurius
IDLE: Final = 30.0  # KiB of a socket that hears nothing
SAME: Final = 1.2  # times what a page costs in a small company that it may cost in a large one


@dataclass(frozen=True, slots=True)
class Compared:
    """The hub beside the plain way, for one kind of command and number of clients."""

    act: str
    clients: int
    together: Figures
    plain: Mapping[str, Figures]

    def times(self, peer: str) -> float:
        """How many times the commands/s of a plain way."""
        return self.together.per_second / self.plain[peer].per_second

    def part(self, peer: str) -> float:
        """Which part of its p99."""
        return self.together.p99 / self.plain[peer].p99


@dataclass(frozen=True, slots=True)
class Report:
    machine: Machine
    seconds: float
    rounds: int
    commands: Sequence[Measured]
    served: Sequence[Served]
    rights: Rights | None
    entrance: Entrance | None
    streams: Streams | None
    reading: Reading | None

    def markdown(self) -> str:
        """All of it, as far as it was measured."""
        parts = [
            self._opening(),
            self._commands() if self.commands else (),
            self._served() if self.served else (),
            self._rights() if self.rights else (),
            entered(self.entrance) if self.entrance else (),
            streamed(self.streams) if self.streams else (),
            told(self.reading) if self.reading else (),
        ]
        return "\n".join(line for part in parts for line in part) + "\n"

    def json(self) -> dict[str, Any]:
        """All of it, for a program."""
        return asdict(self)

    def _opening(self) -> Iterable[str]:
        yield "# Figures"
        yield ""
        yield f"By `make bench`: {self.machine}"
        yield f"Medians of {self.rounds} rounds of {self.seconds:g} s, the contenders in turns; p50 and p99 in ms."

    def _commands(self) -> Iterable[str]:
        compared = list(comparisons(self.commands))
        yield from (
            "",
            "## Commands: committed together, against one transaction each",
            "",
            "The same commands, decided by the same code into the same documents, with the same validators, indexes, idempotency keys",
            "and journal entries, on the same mongod. The plain way is measured twice: *ordered* gives positions without gaps, as the hub",
            "does, with a lock in the process so that its transactions do not fail each other; *unordered* gives none, which is cheaper",
            "and less than the hub promises. Ratios: commands/s, and p99, of the hub against each.",
            "",
            "| command | clients | against ordered | against unordered | together | ordered | unordered |",
            "|---|--:|--:|--:|--:|--:|--:|",
        )
        for one in compared:
            ratios = " | ".join(f"**{one.times(peer):.1f} x**, p99 {one.part(peer):.2f} x" for peer in PLAIN)
            absolute = " | ".join(map(_cell, (one.together, *one.plain.values())))
            yield f"| {one.act} | {one.clients} | {ratios} | {absolute} |"
        yield from ("", "(commands/s, p50 / p99 in ms)", "")
        yield from (_verdict(one, peer) for one in compared if one.clients in {1, MANY} for peer in PLAIN)

    def _served(self) -> Iterable[str]:
        yield from (
            "",
            "## GraphQL over HTTP",
            "",
            "The hub in a process of its own, its clients in another, each on a kept-alive connection.",
            "",
            "| operation | clients | answers/s | p50 | p99 |",
            "|---|--:|--:|--:|--:|",
        )
        for one in sorted(self.served, key=lambda one: one.operation):
            figures = one.figures
            yield f"| {one.operation} | {one.clients} | {figures.per_second:,.0f} | {figures.p50:.1f} | {figures.p99:.1f} |"

    def _rights(self) -> Iterable[str]:
        rights = self.rights
        if rights is not None:
            yield from (
                "",
                "## Rights",
                "",
                "In the hub's process, by the processor's time, medians. A token that is known is verified again, with a look at what was",
                "taken back; a page of 50 with gated fields and joins is read in turns with gates that open without a look.",
                "",
                f"- a known token: {rights.verification:.1f} us (goal: under 20)",
                f"- gates: {rights.gates:.1%} of a page of 50 (goal: under 5 %), which takes {rights.page:.1f} ms",
            )


def entered(entrance: Entrance) -> Iterable[str]:
    """What the entrance costs."""
    yield from (
        "",
        "## Entrance",
        "",
        "In the hub's process, by the processor's time, medians: `{ viewer { roles } }` as graphql-core builds and executes it, and what",
        "the hub adds: its limits, cost and budget, the deadline, the request's id and its numbers.",
        "",
        f"- graphql-core: {entrance.bare:.0f} us",
        f"- added: {entrance.added:.0f} us",
    )


def streamed(streams: Streams) -> Iterable[str]:
    """Streams, the hub's beside its peers'."""
    by = {(one.course, one.contender): one for one in streams.delivered}
    courses, names = list(dict.fromkeys(course for course, _ in by)), list(dict.fromkeys(name for _, name in by))
    beside = names[1:]
    yield from (
        "",
        "## Streams" + (": the hub beside " + " and ".join(beside) if beside else ""),
        "",
        f"**The hub is alone, with nothing beside it: {streams.absent}.**"
        if streams.absent
        else "Mercurius (Fastify, JIT, its emitter in memory) and graphql-ws (ws, graphql-js, each text parsed once) serve the same.",
        "Each server is a process of its own, the subscribers are in another, each on a socket of its own with a token of its own. What",
        "is reported is the same mutation over HTTP everywhere. The hub commits it to MongoDB, verifies every token, judges every event",
        "by its viewer's rights and keeps it for replay; a peer counts, publishes in memory, and looks at nothing: that favours it. Every",
        "delivery was counted: once each, in order, none missing.",
        "",
        "Processor time of the server for a delivery, in us: *raw* is all of it, *net* without what the same reports cost where nobody",
        f"listens. Writing as many bytes to {streams.bare.subscribers} bare sockets, and nothing else, costs {streams.bare.each:.1f} here.",
        "",
        f"| subscribers | deliveries/s | {' | '.join(f'{name}: net | raw' for name in names)} | {_against(beside)}",
        "|---|--:|" + "--:|--:|" * len(names) + "--:|" * len(beside),
    )
    for course in courses:
        all_ = [by[course, name].told for name in names]
        ratios = "".join(f" **{all_[0].net / one.net:.2f} x** |" for one in all_[1:])
        yield f"| {course} | {course.deliveries:,.0f} | {' | '.join(f'{one.net:.1f} | {one.raw:.1f}' for one in all_)} |{ratios}"
    yield from (
        "",
        "Until it is heard, p50 / p99 in ms: from *true* (the hub's transaction stands in MongoDB's oplog, whose clock has whole",
        "milliseconds, rounded down; a peer has published) and from the *request*, whose answer takes the commit as well. Where it is",
        "marked with a *, the server did not keep up: its waits grow with the time for which it is measured.",
        "",
        f"| subscribers | deliveries/s | {' | '.join(f'{name}: from true | from the request' for name in names)} | {_against(beside)}",
        "|---|--:|" + "--:|--:|" * len(names) + "--:|" * len(beside),
    )
    for course in courses:
        all_ = [by[course, name].told for name in names]
        late = ["*" if by[course, name].is_late else "" for name in names]
        ratios = "".join(f" {all_[0].p50 / one.p50:.2f} x, p99 {all_[0].p99 / one.p99:.2f} x |" for one in all_[1:])
        cells = " | ".join(
            f"{one.p50:.1f} / {one.p99:.1f}{mark} | {one.asked_p50:.1f} / {one.asked_p99:.1f}{mark}"
            for one, mark in zip(all_, late, strict=True)
        )
        yield f"| {course} | {course.deliveries:,.0f} | {cells} |{ratios}"
    each = {(one.sockets, one.contender): one.each / 1024 for one in streams.held}
    yield from (
        "",
        "Memory of an idle socket with one subscription, in KiB: by how much a server has grown. Node was asked to collect its garbage",
        "before it was looked at.",
        "",
        f"| sockets | {' | '.join(names)} | {_against(beside)}",
        "|--:|" + "--:|" * len(names) + "--:|" * len(beside),
    )
    for sockets in dict.fromkeys(sockets for sockets, _ in each):
        figures = [each[sockets, name] for name in names]
        ratios = "".join(f" **{figures[0] / one:.2f} x** |" for one in figures[1:])
        yield f"| {sockets:,} | {' | '.join(f'{one:.1f}' for one in figures)} |{ratios}"
    yield ""
    yield from (_cost(by, course, most) for course in courses if not course.own and (most := MICROSECONDS.get(course.subscribers)))
    yield from (
        f"- {sockets:,} idle sockets: under {IDLE:g} KiB each: {_said(one < IDLE)} ({one:.1f})."
        for (sockets, name), one in each.items()
        if name == HUB
    )


def _against(beside: Sequence[str]) -> str:
    return "".join(f"against {name} | " for name in beside).rstrip()


def _cost(by: Mapping[tuple[Course, str], Delivered], course: Course, most: float) -> str:
    net = by[course, HUB].told.net
    wanted, kept, found = f"at most {most:g} us a delivery", net <= most, f"{net:.1f} us"
    if (peer := by.get((course, "Mercurius"))) is not None:
        part = net / peer.told.net
        wanted, kept, found = f"{wanted} and a third of Mercurius", kept and part <= THIRD, f"{found}, {part:.2f}"
    return f"- {course}: {wanted}: {_said(kept)} ({found})."


def told(reading: Reading) -> Iterable[str]:
    """Reading, in every size of company."""
    sizes = [one.rows for one in reading.companies]
    yield from ("", f"## Reading: {' and '.join(f'{rows:,}' for rows in sizes)} interactions", "")
    for one in reading.companies:
        yield (
            f"- {one.rows:,} rows, written straight into MongoDB in {one.seconds:.0f} s, {one.indexing:.0f} s of them for the indexes; "
            f"the hub's process held {one.memory_before:.0f} MiB before anything was asked of it and {one.memory_after:.0f} MiB after."
        )
    yield from (
        "",
        "One client; a page has 50 rows and is asked for in turns of both sizes, each time with other values. *Times* is the hub's",
        f"answer over HTTP at {sizes[-1]:,} against {sizes[0]:,}. *Hub* is that answer, *database* the hub's own commands asked",
        "without the hub, *plain* the same by an offset, or counted without a limit; medians in ms. *Looked at*: keys / documents",
        "that MongoDB examined for one answer, by its own profile, and whether it sorted.",
        "",
        "| question | times | " + " | ".join(f"{rows:,}: hub | database | plain | looked at" for rows in sizes) + " |",
        "|---|--:|" + "--:|--:|--:|:--|" * len(sizes),
    )
    for answer in reading.answers:
        times = answer.times()
        yield f"| {answer.question} | {'' if times is None else f'**{times:.2f} x**'} | {' | '.join(map(_asked, answer.asked))} |"
    yield ""
    yield from map(_page_verdict, (answer for answer in reading.answers if answer.is_page))
    yield from (
        "",
        f"What no index narrows, at {sizes[-1]:,}: what is said, after how long, for how long the database works on after that, and",
        "the wait of another client for its pages of 20, without and meanwhile.",
        "",
        "| question | answer | s | works on, ms | others' p50 alone | meanwhile | at most |",
        "|---|---|--:|--:|--:|--:|--:|",
    )
    for broad in reading.broad:
        waits = f"{broad.alone:.1f} | {broad.meanwhile:.1f} | {broad.worst:.1f}"
        yield f"| {broad.question} | {broad.code or 'answered'} | {broad.seconds:.2f} | {1000 * broad.lingered:.0f} | {waits} |"


def _asked(one: Asked) -> str:
    said = " | ".join("" if figure is None else f"{figure:.1f}" for figure in (one.hub, one.database, one.plain))
    looked = f"{one.looked.keys:,} / {one.looked.documents:,}{', sorts' if one.looked.sorts else ''}"
    return f"{said} | {'TOO_BROAD' if one.hub is None else looked}"


def _page_verdict(answer: Answer) -> str:
    times = answer.times()
    if times is None:
        return f"- {answer.question}: **not kept**, TOO_BROAD at {answer.asked[-1].rows:,}."
    return f"- {answer.question}: at most {SAME:g} times: {_said(times <= SAME)} ({times:.2f} times)."


def comparisons(measured: Sequence[Measured]) -> Iterable[Compared]:
    """The contenders of each kind of command and number of clients, side by side."""
    figures = {(one.act, one.clients, one.contender): one.figures for one in measured}
    for act, clients in sorted(
        dict.fromkeys((one.act, one.clients) for one in measured), key=lambda point: (point[0] != "reportProgress", point[1])
    ):
        yield Compared(act, clients, figures[act, clients, "together"], {name: figures[act, clients, name] for name in PLAIN})


def _cell(figures: Figures) -> str:
    return f"{figures.per_second:,.0f}/s, {figures.p50:.1f} / {figures.p99:.1f}"


def _verdict(one: Compared, peer: str) -> str:
    times, part = one.times(peer), one.part(peer)
    if one.clients == MANY:
        wanted = f"at least {TIMES:g} times the commands/s with at most {PART:g} of the p99"
        return f"- {one.act} at {MANY} clients, {peer}: {wanted}: {_said(times >= TIMES and part <= PART)} ({times:.1f} times, {part:.2f})."
    return f"- {one.act} at 1 client, {peer}: at most {ALONE:g} times its time: {_said(1 / times <= ALONE)} ({1 / times:.2f} times)."


def _said(kept: bool) -> str:
    return "kept" if kept else "**not kept**"
