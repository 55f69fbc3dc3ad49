"""The command line: serve, token, client, documents, check, schema, watch, audit, import.

A failure is one sentence on standard error and exit code 1. Ctrl-C and SIGTERM end a command in order: with 0 where it was
to run until then (serve, watch), with 130 where it was interrupted.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import orjson
import typer
import uvloop

from hub import mongod
from hub.access import sources
from hub.access.client_secrets import digest, new_secret
from hub.access.mandates import SCOPES_OF
from hub.access.trust import Trust
from hub.commands.clients import Add, Disable, Rotate
from hub.domain.ids import PartyId
from hub.domain.terms import ChannelType, InteractionKind, Role, Vertical
from hub.domain.token_filters import TokenFilter
from hub.errors import BadInput, HubError
from hub.exchange.checkpoints import Checkpoints
from hub.exchange.demo import demo
from hub.exchange.importing import Summary, import_file
from hub.exchange.progress import Bar
from hub.exchange.reports import reporting
from hub.graph import manifests
from hub.graph.modes import Modes
from hub.graph.schema_changes import Weight, acceptances, changes
from hub.graph.slices import sliced, someone
from hub.journal import head
from hub.journal.batch import Committed
from hub.journal.desk import Command
from hub.journal.log import Actor
from hub.schema import executable, sdl
from hub.settings import PREFIX, Settings
from hub.store import audit, catalogue
from hub.store.clients import Clients
from hub.store.mongo import connected
from hub.store.trusted import TrustedDocuments
from hub.web import logs, metrics, private, tracing, watching
from hub.web.app import BACKLOG, PATH, listening, server
from hub.web.greeting import greeting
from hub.web.hub import Hub, keyring, local_issuer, now, opened, policies, trusts
from hub.web.workers import Workers, ends_with_parent, says_ready

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded MongoDB and the keys live (HUB_DATA_DIR).")]

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
client = typer.Typer(no_args_is_help=True, help="Clients of the token endpoint: programs of partners, and systems.")
app.add_typer(client, name="client")
documents = typer.Typer(no_args_is_help=True, help="Trusted documents: operations that clients run by their ids.")
app.add_typer(documents, name="documents")

T = TypeVar("T")
MOMENTS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]
# The hub of this Python, wherever it is started from.
WORKER: Final = (sys.executable, "-P", "-c", "from hub.cli import app; app(prog_name='hub')", "worker")


@app.callback()
def begin() -> None:
    """A GraphQL hub for customer interactions."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C does: what has begun is ended in order


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one (HUB_PORT).")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; loopback only in local mode (HUB_HOST).")] = None,
    with_demo: Annotated[bool, typer.Option("--demo", help="Add demo data and print tokens.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port (HUB_WORKERS).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the hub, on an embedded MongoDB unless HUB_MONGO_URI names one. Ctrl-C or SIGTERM ends it in order; again, at once."""
    with told():
        settings = Settings.load(port=port, host=host, data_dir=data_dir, workers=workers)
        logs.configure(settings)
        trusts(settings)  # what is wrong with them is said before anything is written
        policies(settings)
        Modes.told(settings.trusted_documents)
        tracing.check()
        if settings.workers > 1:
            _serve_together(settings, with_demo)
            return
        with (
            listening(settings.host, settings.port) as bound,
            private.bound(settings) as apart,
            database(settings, joins=False) as uri,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_serve(settings, uri, bound, with_demo, apart=apart))


def _serve_together(settings: Settings, with_demo: bool) -> None:
    with listening(settings.host, settings.port), private.bound(settings):
        pass  # nobody else listens there, not even with SO_REUSEPORT
    with (
        listening(settings.host, settings.port, is_shared=True) as held,  # the port is ours while no worker has it
        private.bound(settings, is_shared=True),
        database(settings, joins=False) as uri,
        asyncio.Runner() as runner,
    ):
        runner.run(_begin_workers(settings, uri, held.getsockname()[1], with_demo))


async def _begin_workers(settings: Settings, uri: str, port: int, with_demo: bool) -> None:
    asked = asyncio.Event()
    _on_signals(_ask, asked)
    # Opened once before they are: what is wrong is told once, and keys and indexes are there when they all look for them.
    async with opened(settings, uri, role=f"serve:{port}") as hub:
        cast = await demo(submitting(hub), now=now()) if with_demo else None
    if asked.is_set():
        return
    chosen = {"PORT": port, "HOST": settings.host, "DATA_DIR": settings.data_dir, "WORKERS": settings.workers}
    kept = metrics.directory(settings.data_dir, port)
    metrics.fresh(kept)
    environment = os.environ | {f"{PREFIX}{name}": str(value) for name, value in chosen.items()}
    workers = Workers(WORKER, settings.workers, environment, ended=lambda number: metrics.forget(kept, number))
    _on_signals(workers.leave)
    issuer = local_issuer(settings) if settings.is_local else None
    await workers.run(lambda: typer.echo(greeting(settings.host, port, issuer, cast, has_console=settings.has_console)))


@app.command(hidden=True)
def worker(number: Annotated[int, typer.Argument(help="Which one of them.")]) -> None:
    """One of the processes of `hub serve --workers`, which starts it: what it may need stands in the environment."""
    with told():
        settings = Settings.load()
        logs.configure(settings)
        with (
            listening(settings.host, settings.port, is_shared=True) as bound,
            private.bound(settings, is_shared=True) as apart,
            database(settings) as uri,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            metrics.share(metrics.directory(settings.data_dir, settings.port), number)
            runner.run(_serve(settings, uri, bound, with_demo=False, worker=number, apart=apart))


async def _serve(
    settings: Settings, uri: str, bound: socket.socket, with_demo: bool, *, worker: int | None = None, apart: socket.socket | None = None
) -> None:
    port = bound.getsockname()[1]
    asked = asyncio.Event()
    _on_signals(_ask, asked)
    if worker is not None:
        ends_with_parent()
    async with opened(settings, uri, role=f"serve:{port}" if worker is None else f"serve:{port}:{worker}") as hub:
        running = server(hub)
        running.should_exit = asked.is_set()
        _on_signals(running.leave)
        cast = await demo(submitting(hub), now=now()) if with_demo else None
        gc.collect()
        gc.freeze()  # what is there now stays: walking it halted all writes for 30 to 50 ms every two seconds under load
        if worker is not None:
            bound.listen(BACKLOG)
            says_ready()
        elif not running.should_exit:  # it listens already: who comes now waits a moment
            issuer = local_issuer(settings) if settings.is_local else None
            typer.echo(greeting(settings.host, port, issuer, cast, has_console=settings.has_console))
        async with private.served(running, apart):
            await running.serve(sockets=[bound])


def _on_signals(act: Callable[..., None], *arguments: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, act, *arguments)


def _ask(asked: asyncio.Event) -> None:
    """While it starts. Once: start, then end in order; cancelling could get lost in a library's wait. Again: at once."""
    if asked.is_set():
        raise KeyboardInterrupt
    asked.set()


@app.command()
def token(
    *,
    role: Annotated[list[Role], typer.Option(help="A role; may be given several times.", case_sensitive=False)],
    party: Annotated[str | None, typer.Option(help="The party it acts for; staff need none.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A scope; left out: every scope that the roles can use.")] = None,
    ttl: Annotated[int, typer.Option(help="Seconds it lives: an hour by default, at most 24.")] = 3600,
    acr: Annotated[str | None, typer.Option(help="How strongly it logged in, as policies ask for it.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Mint a token with the local key; the last line is the token alone."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        issuer = local_issuer(settings)
        acts_for, life = PartyId(party) if party else None, timedelta(seconds=ttl)
        typer.echo(issuer.mint(role, party=acts_for, scopes=scope or None, ttl=life, acr=acr))


@client.command(name="add")
def add_client(
    name: Annotated[str, typer.Option(help="What you call it.")],
    *,
    party: Annotated[str | None, typer.Option(help="The party it acts for; a SYSTEM may have none.")] = None,
    role: Annotated[list[Role], typer.Option(help="PARTNER or SYSTEM.", case_sensitive=False)] = [Role.PARTNER],  # noqa: B006 - typer copies
    scope: Annotated[list[str] | None, typer.Option(help="The most it may ask for; left out: all that its roles can use.")] = None,
    vertical: Annotated[list[Vertical] | None, typer.Option(help="It reaches interactions of these alone.", case_sensitive=False)] = None,
    channel: Annotated[list[ChannelType] | None, typer.Option(help="... over these alone.", case_sensitive=False)] = None,
    kind: Annotated[list[InteractionKind] | None, typer.Option(help="... of these kinds alone.", case_sensitive=False)] = None,
    topic: Annotated[list[str] | None, typer.Option(help="... about these topics alone.")] = None,
    ttl: Annotated[int, typer.Option(help="Seconds that its tokens live, at most 24 hours.")] = 900,
    data_dir: DataDir = None,
) -> None:
    """Add a client; prints its id and its secret, which is shown this once."""
    given = {"vertical": vertical, "channel": channel, "kind": kind, "topic": topic}
    with told():
        narrowed = TokenFilter.of({field: [str(word) for word in words] for field, words in given.items() if words})
        scopes = scope or sorted({one for each in role for one in SCOPES_OF[each]})
        secret = new_secret()
        added = Add(name=name, party_id=party, digest=digest(secret), roles=role, scopes=scopes, lifetime=ttl, filter=narrowed)
        typer.echo(f"client_id      {_administered(data_dir, added).about.id}\nclient_secret  {secret}")


@client.command(name="rotate")
def rotate_client(id: str, data_dir: DataDir = None) -> None:
    """Give a client another secret, which is shown this once; the latest before it stays good beside it."""
    with told():
        secret = new_secret()
        _administered(data_dir, Rotate(id=id, digest=digest(secret)))
        typer.echo(f"client_id      {id}\nclient_secret  {secret}")


@client.command(name="disable")
def disable_client(id: str, data_dir: DataDir = None) -> None:
    """Shut a client out for good, and every token that it holds or has passed on."""
    with told():
        _administered(data_dir, Disable(id=id))
        typer.echo(f"{id} is disabled.")


@client.command(name="list")
def list_clients(data_dir: DataDir = None) -> None:
    """List the clients, the oldest first."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        with database(settings) as uri:
            for line in asyncio.run(_clients(settings, uri)):
                typer.echo(line)


def _administered(data_dir: Path | None, command: Command) -> Committed:
    settings = Settings.load(data_dir=data_dir)
    logs.configure(settings)
    with database(settings) as uri:
        return asyncio.run(_committed(settings, uri, command))


async def _committed(settings: Settings, uri: str, command: Command) -> Committed:
    async with opened(settings, uri, role=f"client:{os.getpid()}") as hub:
        return await submitting(hub)(command)


async def _clients(settings: Settings, uri: str) -> list[str]:
    async with connected(uri, settings.mongo_database, settings.mongo_driver) as mongo:
        return [
            f"{client.id}  {' '.join(sorted(client.roles))}  {client.party or '-'}  {client.lifetime} s  "
            f"{len(client.secrets)} secret{'' if len(client.secrets) == 1 else 's'}  "
            f"{'disabled' if client.disabled_at else 'active'}  {client.name}"
            for client in await Clients(mongo).all()
        ]


@documents.command(name="load")
def load_documents(
    file: Annotated[Path, typer.Argument(help="An apollo-persisted-query-manifest, or graphql-codegen's persisted-documents.json.")],
    data_dir: DataDir = None,
) -> None:
    """Trust the documents of a client's manifest, all or none; hubs that run know them in a second. Again, it changes nothing."""
    with told():
        given = manifests.read(_text(file), executable())
        loaded = _with_documents(data_dir, lambda kept: kept.load(given, now()))
        typer.echo(f"{loaded.added} added, {loaded.replaced} replaced, {loaded.known} known already.")


@documents.command(name="list")
def list_documents(data_dir: DataDir = None) -> None:
    """List the trusted documents, by name."""
    with told():
        for one in _with_documents(data_dir, lambda kept: kept.all()):
            typer.echo(f"{one['_id']}  {one['type']:12}  {one['name']}  {_written(one['loadedAt'])}")


@documents.command(name="remove")
def remove_documents(id: list[str], data_dir: DataDir = None) -> None:
    """Trust documents no longer, by their ids."""
    with told():
        _with_documents(data_dir, lambda kept: kept.remove(id))
        typer.echo(f"{len(set(id))} removed.")


def _with_documents(data_dir: Path | None, act: Callable[[TrustedDocuments], Awaitable[T]]) -> T:
    settings = Settings.load(data_dir=data_dir)
    logs.configure(settings)
    with database(settings) as uri:
        return asyncio.run(_on_documents(settings, uri, act))


async def _on_documents(settings: Settings, uri: str, act: Callable[[TrustedDocuments], Awaitable[T]]) -> T:
    async with connected(uri, settings.mongo_database, settings.mongo_driver) as mongo:
        await mongo.check()
        await catalogue.apply(mongo, idempotency_days=settings.idempotency_days, audit_days=settings.audit_days)
        return await act(TrustedDocuments(mongo))


@app.command()
def schema(
    role: Annotated[str | None, typer.Option(help="Print what this role meets of it.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Only with this scope, and others given; left out: all that the role can use.")
    ] = None,
    diff: Annotated[Path | None, typer.Option(help="Print what changed since this schema; exit code 1 where something breaks.")] = None,
    accept: Annotated[Path | None, typer.Option(help="With --diff: a file of breaks that are meant, each below its reason.")] = None,
    _: DataDir = None,
) -> None:
    """Print the schema. It is the same whatever the data directory, which is taken as by every command."""
    with told():
        if role is None and scope:
            raise BadInput("A scope narrows a role: name it with `--role`.")
        if diff is not None:
            found = changes(_text(diff), sdl() if role is None else sliced(sdl(), someone(role, scope or ())), acceptances(_text(accept)))
            for change in found:
                typer.echo(str(change))
            raise typer.Exit(1 if any(change.weight is Weight.BREAKING for change in found) else 0)
        typer.echo(sdl() if role is None else sliced(sdl(), someone(role, scope or ())), nl=False)


def _text(file: Path | None) -> str:
    try:
        return file.read_text() if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.") from None


@app.command()
def check(data_dir: DataDir = None) -> None:
    """Look at settings, keys, database and issuers: each line is ok, or says what to do."""
    try:
        settings = Settings.load(data_dir=data_dir)
    except HubError as error:
        typer.echo(f"{'settings':9} {error}")
        raise typer.Exit(1) from None
    logs.configure(settings)
    looks: dict[str, Callable[[Settings], str]] = {"settings": _settings, "keys": _keys, "database": _database}
    are_well = [_is_well(name, look, settings) for name, look in looks.items()]
    if not settings.is_local:
        are_well += _issuers(settings)
    are_well += _policies(settings)
    raise typer.Exit(0 if all(are_well) else 1)


def _is_well(name: str, look: Callable[[T], str], at: T) -> bool:
    try:
        typer.echo(f"{name:9} ok: {look(at)}")
    except (HubError, BaseExceptionGroup) as error:
        typer.echo(f"{name:9} {' '.join(sentences(error))}")
        return False
    return True


def _settings(settings: Settings) -> str:
    Modes.told(settings.trusted_documents)
    mode = "local mode: trusts its own key, listens on loopback only" if settings.is_local else "issuers are configured"
    return f"{mode}; data in {settings.data_dir}"


def _keys(settings: Settings) -> str:
    keyring(settings)
    if not settings.is_local:
        return "the secret can be used; the local signing key is not trusted"
    local_issuer(settings)
    return "the secret and the local signing key can be used"


def _database(settings: Settings) -> str:
    with database(settings) as uri:
        return asyncio.run(_version(settings, uri))


def _issuers(settings: Settings) -> list[bool]:
    """A line for each issuer; one alone where they cannot be read."""
    try:
        return [_is_well("issuer", _issuer, trust) for trust in trusts(settings)]
    except HubError as error:
        typer.echo(f"{'issuers':9} {error}")
        return [False]


def _policies(settings: Settings) -> list[bool]:
    """A line for each policy that is configured; one alone where they cannot be read."""
    try:
        return [_is_well("policy", str, policy) for policy in policies(settings).configured]
    except HubError as error:
        typer.echo(f"{'policies':9} {error}")
        return [False]


def _issuer(trust: Trust) -> str:
    return f"{trust.issuer} has {asyncio.run(sources.looked_at(trust))} for {', '.join(trust.algorithms)}"


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


@app.command(name="audit")
def audit_(
    party: Annotated[str, typer.Option(help="Whom it is about.")],
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="From this moment on; UTC unless it says otherwise.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line, with all that is recorded.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Who read or changed what about a party, a line each, the oldest first."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        logs.configure(settings)
        begin = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
        with database(settings) as uri:
            shown = asyncio.run(_audit(settings, uri, PartyId(party), since=begin, limit=limit, shape=_as_json if as_json else _as_line))
        if not shown:
            typer.echo("Nothing is recorded about this party.", err=True)


async def _audit(
    settings: Settings, uri: str, party: PartyId, *, since: datetime | None, limit: int | None, shape: Callable[[Mapping[str, Any]], str]
) -> int:
    """How many were shown."""
    shown = 0
    async with (
        connected(uri, settings.mongo_database, settings.mongo_driver) as mongo,
        contextlib.aclosing(audit.about(mongo, party, since)) as records,
    ):
        async for record in records:
            typer.echo(shape(record))
            shown += 1
            if shown == limit:
                break
    return shown


def _as_json(record: Mapping[str, Any]) -> str:
    return orjson.dumps({**record, "at": _moment(record)}).decode()


def _as_line(record: Mapping[str, Any]) -> str:
    who = (",".join(record.get("roles", ())) or "-", record.get("token", "-"))
    return "  ".join((_moment(record), record["did"], *who, record["operation"], *record["interactions"]))


def _moment(record: Mapping[str, Any]) -> str:
    return _written(record["at"])


def _written(at: datetime) -> str:
    """As the API writes it: RFC 3339, UTC, milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="TMF683 PartyInteraction JSON, v4 or v5: one, an array, or NDJSON; - reads standard input.")],
    *,
    owner: Annotated[str | None, typer.Option(help="The system whose ids these are, where several are imported.")] = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first record that needs a repair or cannot be read.")] = False,
    report: Annotated[Path | None, typer.Option(help="A file for every line about a repair or a skipped record.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin anew where an import of this file was cut.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Import interactions, once each; what had to be repaired or skipped is reported. One that was cut goes on where it was."""
    with told():
        settings = Settings.load(data_dir=data_dir)
        logs.configure(settings)
        with database(settings) as uri:
            summary = asyncio.run(_import(settings, uri, file, owner=owner, strict=strict, report=report, from_start=from_start))
        for line in (*summary.table(), str(summary)):
            typer.echo(line)
    raise typer.Exit(summary.exit_code(strict))


async def _import(
    settings: Settings, uri: str, file: str, *, owner: str | None, strict: bool, report: Path | None, from_start: bool
) -> Summary:
    bar = Bar(sys.stderr)
    async with opened(settings, uri, role=f"import:{os.getpid()}") as hub:
        journal = await head.read(hub.mongo)
        checkpoints = _checkpoints(settings, file, owner=owner, strict=strict, epoch=journal.epoch)
        begin = checkpoints.read(journal.position) if checkpoints and not from_start else None
        with reporting(report, lambda line: _echo(bar, line), source=file, goes_on=begin is not None) as tell:
            try:
                return await import_file(
                    file,
                    submitting(hub),
                    clock=now,
                    report=tell,
                    owner=owner,
                    strict=strict,
                    checkpoints=checkpoints,
                    begin=begin,
                    watch=bar.show,
                )
            finally:
                bar.clear()


def _checkpoints(settings: Settings, file: str, *, owner: str | None, strict: bool, epoch: int) -> Checkpoints | None:
    """Where it is kept how far the file is imported; what is no file cannot be gone on with."""
    if file == "-" or not Path(file).is_file():
        return None
    return Checkpoints(settings.data_dir, Path(file), owner=owner, strict=strict, epoch=epoch)


def _echo(bar: Bar, line: str) -> None:
    """A line of its own, also where both are the same terminal."""
    bar.clear()
    typer.echo(line)


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


@contextlib.contextmanager
def told() -> Iterator[None]:
    """A failure that the hub tells on purpose ends the command with its sentence and 1."""
    try:
        yield
    except (HubError, BaseExceptionGroup) as error:
        for sentence in sentences(error):
            typer.echo(f"hub: {sentence}", err=True)
        raise typer.Exit(1) from None


def sentences(error: BaseException) -> list[str]:
    """What is told of a failure, or of a group of them, each once; raised again where it is not all told on purpose."""
    match error:
        case HubError():
            return [str(error)]
        case BaseExceptionGroup() if error.split(HubError)[1] is None:
            return list(dict.fromkeys(sentence for one in error.exceptions for sentence in sentences(one)))
        case _:
            raise error
