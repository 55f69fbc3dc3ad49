"""Whatever is done, in whatever order, and whoever comes and goes meanwhile: each stream is told what a small model says.

The model knows who takes part in what, and two rules: live, an event goes to whoever its entry names; a replay shows only
what is in sight now, and a claim names the customer in the visitor's place, in the past too.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from hub.domain.ids import PartyId
from hub.domain.terms import Role
from tests.api import Api, Caller, Stream
from tests.conftest import sharing

FRAMES = "subscription($after: Cursor) { interactionEvents(after: $after) { kind cursor interactionId event { type sequence } } }"
OPENED = "interaction { id } claimCode errors { code }"
BOUND = 20.0

Told = tuple[str, str | None, str | None, int | None]  # a frame: its kind, its interaction, its event's type and sequence


@dataclass
class Entry:
    """As the journal has it."""

    interaction: str
    type: str
    sequence: int
    public: int | None  # its sequence among the public ones, if it is one
    seen_by: set[str]
    left: set[str] = field(default_factory=set)


@dataclass
class Thing:
    """An interaction, as far as streams go."""

    id: str
    seen_by: set[str]
    sequence: int = 0
    public: int = 0
    code: str | None = None  # a visitor's, as long as nobody has claimed it
    is_open: bool = True


@dataclass
class Follower:
    """One stream: at most one socket at a time, and a cursor in between."""

    name: str
    caller: Caller
    is_staff: bool = False
    cursor: str | None = None
    position: int = 0  # how much of the model's journal its cursor covers
    expected: list[tuple[int, Told]] = field(default_factory=list)
    open: AsyncExitStack | None = None
    stream: Stream | None = None

    def tells(self, entry: Entry) -> Told | None:
        """What an entry is to it, by what the entry says."""
        if not self.is_staff and self.caller.party in entry.left:
            return "LEFT", entry.interaction, None, None
        if self.is_staff:
            return "EVENT", entry.interaction, entry.type, entry.sequence
        if entry.public is None or self.caller.party not in entry.seen_by:
            return None
        return "EVENT", entry.interaction, entry.type, entry.public


class Hub:
    """A hub for all examples, and the loop that it lives on."""

    def __init__(self, mongo_uri: str, data_dir: Path) -> None:
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._stack = AsyncExitStack()
        self.api: Api = self.run(self._stack.enter_async_context(sharing(mongo_uri, data_dir)))

    def run(self, work: Any) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(BOUND):
                return await work

        return self.runner.run(bounded())

    def close(self) -> None:
        self.run(self._stack.aclose())
        self.runner.close()


class Life(RuleBasedStateMachine):
    """Acts on interactions, and streams that break and come back."""

    hub: ClassVar[Hub]

    @initialize()
    def begin(self) -> None:
        self.journal: list[Entry] = []
        self.things: list[Thing] = []
        self.hub.run(self._begin())

    async def _begin(self) -> None:
        api = self.hub.api
        self.agent = api.as_role(Role.AGENT)
        names = ("customer", "other", "visitor", "partner")
        self.party = {name: PartyId((await self.agent.upsert(name=name))["party"]["id"]) for name in names}
        role = {"customer": Role.CUSTOMER, "other": Role.CUSTOMER, "visitor": Role.VISITOR, "partner": Role.PARTNER}
        self.caller = {name: api.as_role(role[name], self.party[name]) for name in names}
        self.followers = [Follower("agent", self.agent, is_staff=True), *(Follower(name, self.caller[name]) for name in names)]
        for one in self.followers:
            await self._connect(one)

    async def _connect(self, one: Follower) -> None:
        one.open = AsyncExitStack()
        one.stream = await one.open.enter_async_context(one.caller.stream(FRAMES, after=one.cursor))
        missed = [] if one.cursor is None else list(enumerate(self.journal[one.position :], one.position + 1))
        now = {thing.id: thing.seen_by for thing in self.things}
        for position, entry in missed:
            told = one.tells(entry)
            if told is not None and (told[0] == "LEFT" or one.is_staff or one.caller.party in now[entry.interaction]):
                one.expected.append((position, told))
        one.expected.append((len(self.journal), ("CAUGHT_UP", None, None, None)))
        await self._catch_up(one)

    async def _catch_up(self, one: Follower) -> None:
        """Read what it is to be told, and compare."""
        while one.expected and one.stream is not None:
            position, expected = one.expected.pop(0)
            frame = await one.stream.frame()
            event = frame["event"] or {}
            assert (frame["kind"], frame["interactionId"], event.get("type"), event.get("sequence")) == expected, one.name
            one.cursor, one.position = frame["cursor"], position

    def _record(self, thing: Thing, type: str, *, public: bool = True, left: set[str] | None = None) -> None:
        thing.sequence += 1
        thing.public += public
        entry = Entry(thing.id, type, thing.sequence, thing.public if public else None, set(thing.seen_by), left or set())
        self.journal.append(entry)
        for one in self.followers:
            if one.stream is not None and (told := one.tells(entry)) is not None:
                one.expected.append((len(self.journal), told))

    def _open(self) -> list[Thing]:
        return [thing for thing in self.things if thing.is_open]

    # ---------------------------------------------------------------- acts

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """Any act that can be done now, each as likely as any other."""
        acts = [self.create]
        if open := self._open():
            acts += [self.note, self.progress, self.add_or_remove_an_observer]
            acts += [self.claim] * 2 if any(thing.code for thing in open) else []
            acts += [self.close] if len(open) > 2 else []
        data.draw(st.sampled_from(acts))(data)

    def create(self, data: st.DataObject) -> None:
        self._create(data.draw(st.sampled_from(["agent", "customer", "other", "visitor", "visitor", "partner"])))

    def _create(self, by: str) -> Thing:
        told: dict[str, Any] = {"direction": "INBOUND", "channel": "PHONE"}
        if by == "visitor":
            told["channel"] = "WEB_SELF_SERVICE"
        if by == "agent":
            told["customerId"] = self.party["customer"]
        caller = self.agent if by == "agent" else self.caller[by]
        made = self.hub.run(caller.payload("createInteraction", OPENED, **told))
        assert made["errors"] == []
        seen_by: set[str] = {self.party["customer" if by == "agent" else by]}
        thing = Thing(made["interaction"]["id"], seen_by, code=made["claimCode"] if by == "visitor" else None)
        self.things.append(thing)
        self._record(thing, "CREATED")
        return thing

    def note(self, data: st.DataObject) -> None:
        self._note(data.draw(st.sampled_from(self._open())), data.draw(st.sampled_from(["INTERNAL", "PUBLIC"])))

    def _note(self, thing: Thing, visibility: str) -> None:
        self.hub.run(self.agent.done("addNote", id=thing.id, text="x", visibility=visibility))
        self._record(thing, "NOTE_ADDED", public=visibility == "PUBLIC")

    def progress(self, data: st.DataObject) -> None:
        thing = data.draw(st.sampled_from(self._open()))
        self.hub.run(self.agent.done("reportProgress", id=thing.id, message="on"))
        self._record(thing, "PROGRESS_REPORTED")

    def close(self, data: st.DataObject) -> None:
        thing = data.draw(st.sampled_from(self._open()))
        self.hub.run(self.agent.done("closeInteraction", id=thing.id, resolution="Done"))
        thing.is_open = False
        self._record(thing, "CLOSED")

    def claim(self, data: st.DataObject) -> None:
        self._claim(data.draw(st.sampled_from([thing for thing in self._open() if thing.code])))

    def _claim(self, thing: Thing) -> None:
        claimed = {"id": thing.id, "claimCode": thing.code}
        payload = self.hub.run(self.caller["customer"].payload("claimInteraction", "errors { code }", **claimed))
        assert payload["errors"] == []
        visitor, customer = self.party["visitor"], self.party["customer"]
        thing.code = None
        thing.seen_by = (thing.seen_by - {visitor}) | {customer}
        self._record(thing, "CLAIMED", left={visitor})
        for entry in self.journal:
            if entry.interaction == thing.id and visitor in entry.seen_by:
                entry.seen_by = (entry.seen_by - {visitor}) | {customer}

    def add_or_remove_an_observer(self, data: st.DataObject) -> None:
        self._add_or_remove(data.draw(st.sampled_from(self._open())), data.draw(st.sampled_from(["other", "partner"])))

    def _add_or_remove(self, thing: Thing, name: str) -> None:
        party, role = self.party[name], "OBSERVER" if name == "other" else "PARTNER"
        if party not in thing.seen_by:
            self.hub.run(self.agent.done("addParty", id=thing.id, involvement={"role": role, "partyId": party}))
            thing.seen_by = thing.seen_by | {party}
            self._record(thing, "PARTY_ADDED")
        elif len(thing.seen_by) > 1:
            self.hub.run(self.agent.done("removeParty", id=thing.id, partyId=party, role=role))
            thing.seen_by = thing.seen_by - {party}
            self._record(thing, "PARTY_REMOVED", left={party})

    # ---------------------------------------------------------------- streams

    @rule(here=st.sets(st.integers(0, 4)), abruptly=st.booleans())
    def come_and_go(self, here: set[int], abruptly: bool) -> None:
        """Some are here from now on, and the others are away."""
        for number, one in enumerate(self.followers):
            if one.stream is None or one.open is None:
                if number in here:
                    self.hub.run(self._connect(one))
            elif number not in here:
                self._disconnect(one, abruptly)

    def _disconnect(self, one: Follower, abruptly: bool) -> None:
        if one.stream is None or one.open is None:
            return
        if abruptly:
            one.stream.socket.transport.abort()
        self.hub.run(one.open.aclose())
        one.open = one.stream = None

    @rule(name=st.sampled_from(["other", "partner"]), abruptly=st.booleans(), is_forgotten=st.booleans())
    def be_put_out_while_away(self, name: str, abruptly: bool, is_forgotten: bool) -> None:
        """Whoever comes back hears nothing of what it missed there, though its entries name it: neither from memory nor, where a
        claim made that forget, from the log."""
        one, thing = next(one for one in self.followers if one.name == name), self._create("agent")
        self._add_or_remove(thing, name)
        self.hub.run(self._catch_up(one))
        self._disconnect(one, abruptly)
        self._note(thing, "PUBLIC")
        self._add_or_remove(thing, name)
        if is_forgotten:
            self._claim(self._create("visitor"))
        self.hub.run(self._connect(one))

    @invariant()
    def each_is_told_what_it_is_to_be_told(self) -> None:
        for one in getattr(self, "followers", ()):
            self.hub.run(self._catch_up(one))

    def teardown(self) -> None:
        """All come back, and something happens that all are told of: it is the next thing that each hears."""
        if not hasattr(self, "followers"):
            return
        for one in self.followers:
            if one.stream is None:
                self.hub.run(self._connect(one))
        parties = [{"role": "OBSERVER", "partyId": party} for party in self.party.values()]
        told = {"direction": "INBOUND", "channel": "PHONE", "parties": parties}
        thing = Thing(self.hub.run(self.agent.create(**told))["id"], set(self.party.values()))
        self.things.append(thing)
        self._record(thing, "CREATED")
        for one in self.followers:
            self.hub.run(self._catch_up(one))
            if one.open is not None:
                self.hub.run(one.open.aclose())


@pytest.fixture
def hub(mongo_uri: str, tmp_path: Path) -> Iterator[Hub]:
    made = Hub(mongo_uri, tmp_path)
    yield made
    made.close()


def lives(hub: Hub, examples: int, steps: int) -> None:
    Life.hub = hub
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # each life takes a second: a failure is told as it is found
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Life, settings=chosen)


def test_streams_tell_what_a_model_says(hub: Hub) -> None:
    lives(hub, examples=12, steps=20)


@pytest.mark.prove
def test_streams_tell_what_a_model_says_in_many_lives(hub: Hub) -> None:
    lives(hub, examples=200, steps=50)
