"""What the journal's tests do: viewers, requests as commands, and what must hold of a database whatever was done to it."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import bson

from hub.access.bearers import Bearer
from hub.access.keys import Keyring
from hub.access.viewers import SCOPES, Viewer
from hub.commands.asking import Asked, Request
from hub.commands.interactions import Create, ReportProgress
from hub.commands.parties import Upsert
from hub.domain.ids import PartyId
from hub.domain.terms import ChannelType, Direction, PartyKind, Role
from hub.journal import opening
from hub.journal.batch import Committed, Key
from hub.journal.desk import Decision, Desk, Touch
from hub.journal.log import Actor
from hub.journal.opening import Journal
from hub.store.mongo import Mongo
from hub.web.hub import new_id, now

SECRET: Final = b"a secret that only the tests know"
BOUND: Final = 60.0  # seconds after which a test that waits for a fact gives up


def viewer(role: Role, party: str | None = None) -> Viewer:
    """Someone with every scope."""
    return Viewer(
        issuer="urn:tests", subject=party or role, client=None, token_id=None, party=PartyId(party) if party else None,
        roles=frozenset({role}), scopes=frozenset(SCOPES), expires_at=None,
    )  # fmt: skip


AGENT: Final = viewer(Role.AGENT)
ALL: Final = Bearer(AGENT)


def bearer(party: str) -> Bearer:
    """A customer."""
    return Bearer(viewer(Role.CUSTOMER, party))


def command(request: Request, by: Viewer = AGENT) -> Asked:
    """A request as the committer takes it."""
    return Asked(request, by, fingerprint(request).hex())


def fingerprint(request: Request) -> bytes:
    return hashlib.sha256(repr(request).encode()).digest()


def key(name: str, request: Request) -> Key:
    """The idempotency key with this name, used for this request."""
    return Key(hashlib.sha256(name.encode()).digest(), fingerprint(request))


@dataclass(frozen=True)
class Raw:
    """A command as a test writes it: what it touches, and a function that decides."""

    deciding: Callable[[Desk], Decision]
    touching: tuple[Touch, ...] = ()

    def touches(self) -> Iterable[Touch]:
        return self.touching

    def decide(self, desk: Desk) -> Decision:
        return self.deciding(desk)


def journal_on(mongo: Mongo, name: str = "test", **given: Any) -> AbstractAsyncContextManager[Journal]:
    """A journal at work, as one process has it."""
    return opening.opened(mongo, Keyring(SECRET), name=name, clock=now, new_id=new_id, **given)


async def submit(journal: Journal, request: Request, by: Viewer = AGENT, named: str | None = None) -> Committed:
    """Have a request committed."""
    return await journal.committer.submit(
        command(request, by), Actor(by.party, by.acting_role), key(named, request) if named is not None else None
    )


async def opened(journal: Journal, **given: Any) -> str:
    """A new interaction's id."""
    return (await submit(journal, creation(**given))).about.id


def creation(**given: Any) -> Create:
    return Create(**({"direction": Direction.INBOUND, "channel": ChannelType.PHONE} | given))


async def customer(journal: Journal, name: str = "Ada Hopper") -> str:
    """A new party's id."""
    return (await submit(journal, Upsert(kind=PartyKind.INDIVIDUAL, called=name))).about.id


async def report(journal: Journal, interaction: str, message: str = "On it.", named: str | None = None) -> Committed:
    """Report progress; `named` is the idempotency key."""
    return await submit(journal, ReportProgress(id=interaction, message=message), named=named)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a fact."""
    async with asyncio.timeout(BOUND):
        while not holds():  # noqa: ASYNC110  # many of these facts are other tasks' plain values
            await asyncio.sleep(0.002)


@asynccontextmanager
async def owned(*tasks: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Tasks that are ended and waited for, however the block ends."""
    try:
        yield
    finally:
        await opening.ended(tasks)


async def entries(mongo: Mongo) -> list[dict[str, Any]]:
    """The whole journal, in order."""
    return await mongo.page("journal", {}, sort=[("_id", 1)])


async def messages(mongo: Mongo) -> Counter[str]:
    """What progress was reported, and how often."""
    personal = await mongo.page("personal", {"data.progress": {"$exists": True}})
    return Counter(part["data"]["message"] for part in personal if "message" in part["data"])


async def assert_intact(mongo: Mongo) -> None:
    """Whatever happened: one order without gaps, every event with its change, every change with its event, nothing by halves."""
    journal = await entries(mongo)
    head = await mongo["heads"].find_one({"_id": "journal"})
    assert head is not None
    assert [entry["_id"] for entry in journal] == list(range(1, head["position"] + 1))
    subjects = {row["_id"]: row for name in ("interactions", "parties") for row in await mongo.page(name, {})}
    told: dict[str, list[dict[str, Any]]] = {}
    for entry in journal:
        told.setdefault(entry["subject"]["id"], []).append(entry)
    assert told.keys() == subjects.keys()
    for id, events in told.items():
        assert [event["seq"] for event in events] == list(range(1, subjects[id]["seq"] + 1))
        public = [event["publicSeq"] for event in events if event["audience"] == "PUBLIC"]
        assert public == list(range(1, subjects[id].get("publicSeq", 0) + 1))
    personal = {part["_id"]: part for part in await mongo.page("personal", {})}
    assert personal.keys() == {entry["_id"] for entry in journal if "digest" in entry}
    for entry in journal:
        if part := personal.get(entry["_id"]):
            assert entry["digest"] == hashlib.sha256(part["salt"] + bson.encode(part["data"])).digest()
    for kept in await mongo.page("idempotency", {}):
        assert journal[kept["position"] - 1]["subject"] == kept["subject"]
