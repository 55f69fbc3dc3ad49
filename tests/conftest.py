"""What the tests stand on: a real mongod, a hub at work on it, and its public doors on real sockets."""

import contextlib
import inspect
import os
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from graphql import GraphQLObjectType

from hub import mongod
from hub.domain.terms import Role
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.schema import executable
from hub.settings import Settings
from hub.store import catalogue
from hub.store.mongo import Mongo, connected
from hub.web.app import listening, server
from hub.web.hub import Hub, opened
from tests.api import Api
from tests.serving import running

ROOT = Path(__file__).parent.parent
PLAIN = ssl.create_default_context()  # made once: each client would take a tenth of a second to load certificates it never uses
LONGEST = (  # modules in order: whichever began last would be waited for; `make check` keeps to it
    "tests/test_cli.py",
    "tests/web/test_workers.py",
    "tests/exchange/test_long_files.py",
    "tests/journal/test_processes.py",
    "tests/graphql/test_allowed_acts.py",
    "tests/graphql/test_unavailable.py",
    "tests/store/test_outages.py",
    "tests/test_mongod.py",
    "tests/journal/test_failures.py",
    "tests/streams/test_chaos.py",
    "tests/web/test_client_package.py",
    "tests/security/test_matrix.py",
    "tests/journal/test_bus.py",
    "tests/store/test_mongo.py",
    "tests/web/test_console_browser.py",
    "tests/test_readme.py",
    "tests/journal/test_feed.py",
    "tests/exchange/test_importing.py",
    "tests/stock/test_clients.py",
    "tests/streams/test_machine.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first."""
    rank = {ROOT / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_configure(config: pytest.Config) -> None:
    """graphql-core leaves fields that it has begun to the garbage collector when a client goes while its answer is made."""
    names = "|".join(re.escape(name) for name in sorted(begun()))
    config.addinivalue_line("filterwarnings", f"ignore:coroutine '({names})' was never awaited:RuntimeWarning")


def begun() -> Iterator[str]:
    """What the schema's fields call that does not answer at once."""
    for type in executable().type_map.values():
        for field in type.fields.values() if isinstance(type, GraphQLObjectType) else ():
            resolver = getattr(field.extensions.get("strawberry-definition"), "base_resolver", None)
            called = [field.resolve] if resolver is None else [field.resolve, resolver.wrapped_func]
            for one in [*called, *(cell.cell_contents for call in called for cell in getattr(call, "__closure__", None) or ())]:
                if inspect.iscoroutinefunction(one):
                    yield one.__qualname__


def pytest_report_header() -> str:
    return f"driver: {os.environ.get('HUB_MONGO_DRIVER') or 'pymongo'}"  # held to it by tests/store/test_mongo.py


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod of this test process."""
    with mongod.start(tmp_path_factory.mktemp("mongod")) as started:
        yield started.uri


@pytest.fixture
async def mongo(settings: Settings, mongo_uri: str) -> AsyncIterator[Mongo]:
    """An empty database, with its validators and indexes, by the driver that HUB_MONGO_DRIVER names."""
    async with connected(mongo_uri, "hub", settings.mongo_driver) as mongo:
        await catalogue.apply(mongo)
        for name in await mongo.database.list_collection_names():
            await mongo[name].delete_many({})
        yield mongo


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub of its own: fresh keys, a free port."""
    return Settings.load(data_dir=tmp_path / "hub", port=0)


@pytest.fixture
async def hub(settings: Settings, mongo_uri: str, mongo: Mongo) -> AsyncIterator[Hub]:
    """A hub at work on the empty database."""
    async with opened(settings, mongo_uri, role="test") as hub:
        yield hub


@contextlib.asynccontextmanager
async def serving(hub: Hub) -> AsyncIterator[str]:
    """The hub's doors on a free port: gives the address."""
    async with running(server(hub), listening("127.0.0.1", 0)) as address:
        yield address


@pytest.fixture
async def address(hub: Hub) -> AsyncIterator[str]:
    """Where the hub answers."""
    async with serving(hub) as address:
        yield address


@contextlib.asynccontextmanager
async def played(hub: Hub, address: str) -> AsyncIterator[Api]:
    """The hub through its public doors, with a small cast of parties."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30, verify=PLAIN) as client:
        yield await Api.opened(hub, client, address)


@pytest.fixture
async def api(hub: Hub, address: str) -> AsyncIterator[Api]:
    """The hub through its public doors."""
    async with played(hub, address) as api:
        yield api


@pytest.fixture(scope="module")
async def shared_api(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub that the tests of a module share, for many small questions: nobody empties it in between."""
    async with sharing(mongo_uri, tmp_path_factory.mktemp("shared")) as api:
        yield api


@contextlib.asynccontextmanager
async def sharing(mongo_uri: str, data_dir: Path, **given: object) -> AsyncIterator[Api]:
    """A hub with a database of its own, and these settings."""
    database = f"hub-{uuid4().hex[:8]}"
    settings = Settings.load(data_dir=data_dir, port=0, mongo_database=database, **given)
    async with opened(settings, mongo_uri, role=database) as hub, serving(hub) as address, played(hub, address) as api:
        yield api


async def submit(hub: Hub, command: Command) -> Committed:
    """Have a command committed as SYSTEM."""
    return await hub.journal.committer.submit(command, Actor(None, Role.SYSTEM))
