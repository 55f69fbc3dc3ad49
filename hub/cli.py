"""The command line: serve, token, check, schema, import. Every failure is one sentence and a non-zero exit."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import structlog
import typer

from hub import mongod
from hub.access.tokens import LocalIssuer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.errors import HubError
from hub.exchange.demo import Demo, demo
from hub.exchange.importing import Summary, import_file
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.schema import sdl
from hub.settings import Settings
from hub.store.mongo import connected
from hub.web import watching
from hub.web.app import PATH, Server, listening, server
from hub.web.hub import Hub, keyring, local_issuer, now, opened

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded MongoDB and the keys live (HUB_DATA_DIR).")]

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="A GraphQL hub for customer interactions.", pretty_exceptions_enable=False
)

DEMO_TTL: Final = timedelta(hours=24)
LATEST: Final = "{ interactions(first: 3) { totalCount nodes { id status reason progress { percent message } } } }"
PROGRESS: Final = (
    'mutation($id: ID!) { reportProgress(input: {id: $id, message: "The technician is on the way.", percent: 80})'
    " { interaction { revision progress { percent nextUpdateDueAt } } errors { code message } } }"
)
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one (HUB_PORT).")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; loopback only in local mode (HUB_HOST).")] = None,
    with_demo: Annotated[bool, typer.Option("--demo", help="Add demo data and print tokens.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve the hub, on an embedded MongoDB unless HUB_MONGO_URI names one."""
    with told():
        settings = Settings.load(port=port, host=host, data_dir=data_dir)
        configure_logs(settings)
        with listening(settings.host, settings.port) as bound, database(settings, joins=False) as uri:
            asyncio.run(_serve(settings, uri, bound, with_demo))


async def _serve(settings: Settings, uri: str, bound: socket.socket, with_demo: bool) -> None:
    port = bound.getsockname()[1]
    async with opened(settings, uri, role=f"serve:{port}") as hub:
        running = server(hub)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, _stop, running)
        cast = await demo(submitting(hub), now=now()) if with_demo else None
        serving = asyncio.create_task(running.serve(sockets=[bound]), name="server")
        await _started(running, serving)
        typer.echo(greeting(f"{settings.host}:{port}", local_issuer(settings), cast))
        await serving


async def _started(running: Server, serving: asyncio.Task[None]) -> None:
    while not (running.started or serving.done()):  # uvicorn has no event to wait for
        await asyncio.sleep(0.005)


def _stop(running: Server) -> None:
    """Once: in order. Again: at once."""
    running.force_exit = running.should_exit
    running.should_exit = True


@app.command()
def token(
    role: Annotated[list[Role], typer.Option(help="A role; may be given several times.", case_sensitive=False)],
    party: Annotated[str | None, typer.Option(help="The party it acts for; staff need none.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A scope; left out: every scope that the roles can use.")] = None,
    ttl: Annotated[int, typer.Option(help="Seconds it lives: an hour by default, at most 24.")] = 3600,
    data_dir: DataDir = None,
) -> None:
    """Mint a token with the local key; the last line is the token alone."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        issuer = local_issuer(settings)
        typer.echo(issuer.mint(role, party=PartyId(party) if party else None, scopes=scope or None, ttl=timedelta(seconds=ttl)))


@app.command()
def schema() -> None:
    """Print the schema."""
    typer.echo(sdl(), nl=False)


@app.command()
def check(data_dir: DataDir = None) -> None:
    """Look at settings, keys and database: each line is ok, or says what to do."""
    failed = False
    steps: tuple[tuple[str, Callable[[Settings], str]], ...] = (("settings", _settings), ("keys", _keys), ("database", _database))
    settings: Settings | None = None
    for name, step in steps:
        try:
            settings = settings or Settings.load(data_dir=data_dir)
            typer.echo(f"{name:9} ok: {step(settings)}")
        except HubError as error:
            failed = True
            typer.echo(f"{name:9} {error}")
    raise typer.Exit(1 if failed else 0)


def _settings(settings: Settings) -> str:
    mode = "local mode: trusts its own key, listens on loopback only" if settings.is_local else "issuers are configured"
    return f"{mode}; data in {settings.data_dir}"


def _keys(settings: Settings) -> str:
    keyring(settings)
    local_issuer(settings)
    return "the secret and the local signing key can be used"


def _database(settings: Settings) -> str:
    with database(settings) as uri:
        return asyncio.run(_version(settings, uri))


async def _version(settings: Settings, uri: str) -> str:
    async with connected(uri, settings.mongo_database, settings.mongo_driver) as mongo:
        return f"MongoDB {await mongo.check()}, a replica set with majority writes, by {settings.mongo_driver}"


@app.command()
def watch(
    bearer: Annotated[str, typer.Option("--token", help="Who follows.")],
    url: Annotated[str, typer.Option(help="The hub's WebSocket address.")] = f"ws://127.0.0.1:8000{PATH}",
    after: Annotated[str | None, typer.Option(help="A cursor: begin above it.")] = None,
) -> None:
    """Follow the events that a token may see, a line each."""
    with told(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watching.watch(url, bearer, after, typer.echo))


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="TMF683 PartyInteraction JSON, v4 or v5: one, an array, or NDJSON; - reads standard input.")],
    owner: Annotated[str | None, typer.Option(help="The system whose ids these are, where several are imported.")] = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first record that needs a repair or cannot be read.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Import interactions, once each; what had to be repaired or skipped is reported."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        configure_logs(settings)
        with database(settings) as uri:
            summary = asyncio.run(_import(settings, uri, file, owner, strict))
        typer.echo(str(summary))
    raise typer.Exit(summary.exit_code(strict))


async def _import(settings: Settings, uri: str, file: str, owner: str | None, strict: bool) -> Summary:
    async with opened(settings, uri, role=f"import:{os.getpid()}") as hub:
        return await import_file(file, submitting(hub), clock=now, report=typer.echo, owner=owner, strict=strict)


def submitting(hub: Hub) -> Callable[[Command], Awaitable[Committed]]:
    """The committer's door for what the command line does itself, recorded as SYSTEM."""
    return lambda command: hub.journal.committer.submit(command, Actor(None, Role.SYSTEM))


@contextlib.contextmanager
def database(settings: Settings, *, joins: bool = True) -> Iterator[str]:
    """The URI of the database: the configured one, the one a serving hub holds on this data directory, or one of our own."""
    if settings.mongo_uri:
        yield settings.mongo_uri
    elif joins and (uri := mongod.serving(settings.data_dir)):
        yield uri
    else:
        with mongod.start(settings.data_dir, binary=settings.mongod) as running:
            yield running.uri


def greeting(address: str, issuer: LocalIssuer, cast: Demo | None) -> str:
    """What `hub serve` prints when it answers: with demo data, a token for each role and lines to paste."""
    graphql, stream = f"http://{address}{PATH}", f"ws://{address}{PATH}"
    lines = [f"The hub answers at {graphql} and {stream} (local mode; Ctrl-C ends it)."]
    if cast is None:
        return lines[0]
    hub = Path(sys.executable).parent / "hub"
    parties = {Role.CUSTOMER: cast.customer, Role.VISITOR: cast.customer, Role.PARTNER: cast.partner}
    parties |= {Role.AGENT: cast.agent, Role.SUPERVISOR: cast.supervisor}
    tokens = {role: issuer.mint([role], party=parties.get(role), ttl=DEMO_TTL) for role in Role}
    return "\n".join(
        [
            *lines,
            "",
            "A token for each role, good for a day:",
            *(f"  {role:15} {text}" for role, text in tokens.items()),
            "",
            "Follow what happens as the customer:",
            f"  {hub} watch --url {stream} --token {tokens[Role.CUSTOMER]}",
            "",
            "Ask as the customer, in another terminal:",
            _curl(graphql, tokens[Role.CUSTOMER], LATEST, {}),
            "",
            "Report progress as the agent, and see it arrive:",
            _curl(graphql, tokens[Role.AGENT], PROGRESS, {"id": cast.ongoing}),
        ]
    )


def _curl(url: str, bearer: str, query: str, variables: dict[str, str]) -> str:
    body = orjson.dumps({"query": query} | ({"variables": variables} if variables else {})).decode()
    return f"  curl -s {url} -H 'content-type: application/json' -H 'authorization: Bearer {bearer}' -d '{body}'"


@contextlib.contextmanager
def told() -> Iterator[None]:
    """A failure that the hub tells on purpose ends the command with its sentence and 1."""
    try:
        yield
    except* HubError as errors:
        for error in _leaves(errors):
            typer.echo(f"hub: {error}", err=True)
        raise typer.Exit(1) from None


def _leaves(errors: BaseExceptionGroup[HubError]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def configure_logs(settings: Settings) -> None:
    """Logs go to standard error: for people on a terminal, as JSON elsewhere."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
