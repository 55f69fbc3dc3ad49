"""The command line as it is typed: its output, its exit codes, and real processes with what they leave behind."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import pytest
import typer
from graphql import build_schema
from pymongo import MongoClient

from hub import mongod
from hub.cli import told
from hub.domain.ids import PARTY
from hub.domain.terms import Role
from hub.errors import BadInput, StartupError
from tests.typed import Done, hub

Fact = TypeVar("Fact")

ROOT: Final = Path(__file__).parent.parent
HUB: Final = str(Path(sys.executable).parent / "hub")
PATIENCE: Final = 30.0  # seconds: for a machine that does much else beside; each fact is there in a second or two
SECRET: Final = "correct horse battery staple, twice"
OPEN: Final = 'mutation { createInteraction(input: {direction: INBOUND, channel: PHONE, reason: "kept"}) { interaction { id } } }'
RECORD: Final = {
    "id": "4711",
    "description": "Visit to store",
    "status": "inProgress",
    "direction": "inbound",
    "reason": "TV and internet",
    "interactionDate": {"startDateTime": "2026-01-02T11:36:18Z"},
    "channel": [{"id": "1", "name": "store"}],
    "relatedParty": [{"id": "999", "role": "customer", "name": "John Doe", "@referredType": "Individual"}],
}


def environment(**variables: str) -> dict[str, str]:
    """That of this process without its settings of a hub."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | variables


def until(look: Callable[[], Fact], seconds: float = PATIENCE) -> Fact:
    """Wait for a fact."""
    deadline = time.monotonic() + seconds
    while not (fact := look()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.01)
    return fact


@dataclass(frozen=True)
class Process:
    """A command that runs on, and what it has written so far."""

    running: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def lines(self) -> list[str]:
        return self.out.read_text().splitlines()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.running.send_signal(number)
        return self.running.wait(PATIENCE)


@contextmanager
def begun(directory: Path, *words: str, **variables: str) -> Iterator[Process]:
    """A command in the background; killed at the end where it still runs."""
    directory.mkdir(exist_ok=True)
    out, err = directory / f"{time.monotonic_ns()}.out", directory / f"{time.monotonic_ns()}.err"
    with (
        out.open("wb") as to,
        err.open("wb") as errors,
        subprocess.Popen(words, stdout=to, stderr=errors, env=environment(**variables)) as running,
    ):
        try:
            yield Process(running, out, err)
        finally:
            running.kill()


@dataclass(frozen=True)
class Serving:
    """A hub that answers."""

    process: Process
    data_dir: Path
    url: str
    tokens: dict[str, str]

    @property
    def stream(self) -> str:
        return self.url.replace("http", "ws")

    @property
    def mongod(self) -> int:
        return int(json.loads((self.data_dir / "mongod.json").read_text())["pid"])

    def pasteable(self, word: str) -> list[str]:
        return [line.strip() for line in self.process.lines if re.match(rf"  \S*{word} ", line)]

    def ask(self, query: str, role: Role = Role.AGENT) -> Any:
        token = self.tokens.get(role) or hub("token", "--role", role, "--data-dir", self.data_dir).stdout.strip()
        answer = httpx.post(self.url, json={"query": query}, headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE).json()
        assert "errors" not in answer, answer
        return answer["data"]


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[Serving]:
    """`hub serve` on a free port, from the line that says where on."""
    data_dir = directory / "data"
    with begun(directory, HUB, "serve", "--port", "0", "--data-dir", str(data_dir), *options) as process:
        last = "curl" if "--demo" in options else "The hub answers"
        until(lambda: process.running.poll() is not None or any(last in line for line in process.lines[-1:]))
        assert process.running.poll() is None, process.err.read_text()
        url = re.search(r"http://\S+", process.lines[0])
        assert url, process.lines
        found = re.findall(r"^  ([A-Z_]+) +(\S+)$", process.out.read_text(), re.MULTILINE)
        yield Serving(process, data_dir, url[0], dict(found))
        process.end()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One hub with demo data, for all who only look at it."""
    with serving(tmp_path_factory.mktemp("demo"), "--demo") as running:
        yield running


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be buried does not."""
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return state not in {"", "Z"}


def refused(done: Done) -> str:
    """The one sentence of a command that could not be done."""
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith("hub: ")
    assert done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("hub: ").strip()


# ---------------------------------------------------------------- serve


def test_serve_says_where_it_answers_and_gives_a_token_for_each_role(demo: Serving) -> None:
    assert demo.process.lines[0] == f"The hub answers at {demo.url} and {demo.stream} (local mode; Ctrl-C ends it)."
    assert list(demo.tokens) == list(Role)
    for role in Role:
        assert demo.ask("{ viewer { roles } }", role) == {"viewer": {"roles": [role]}}


def test_serve_says_where_the_console_is(demo: Serving) -> None:
    (console,) = re.findall(r"the console, (http://\S+),", demo.process.out.read_text())

    assert console == demo.url.replace("graphql", "graphiql")
    assert httpx.get(console).status_code == 200


def test_the_lines_that_it_prints_work_when_pasted(demo: Serving, tmp_path: Path) -> None:
    (watch,), (ask, report) = demo.pasteable("hub"), demo.pasteable("curl")

    with begun(tmp_path, *shlex.split(watch)) as watching:
        until(lambda: "CAUGHT_UP" in watching.lines)
        latest, reported = pasted(ask)["data"]["interactions"], pasted(report)["data"]["reportProgress"]
        shown = until(lambda: watching.lines[1:])

    assert (latest["totalCount"], len(latest["nodes"])) == (5, 3)
    assert (reported["errors"], reported["interaction"]["progress"]["percent"]) == ([], 80)
    assert re.search(r"PROGRESS_REPORTED  int_\w+  IN_PROGRESS  by AGENT  80 %  The technician is on the way\.$", shown[0])


def pasted(line: str) -> Any:
    """The answer to a curl line, run by a shell; where there is no curl, to the same request."""
    if shutil.which("curl"):
        return json.loads(subprocess.run(line, shell=True, capture_output=True, check=True, timeout=PATIENCE).stdout)
    print("curl is missing here: httpx sends the same request")
    words = shlex.split(line)
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    return httpx.post(words[2], headers=headers, content=words[words.index("-d") + 1], timeout=PATIENCE).json()


def test_a_second_start_finds_what_the_first_one_left_and_answers_soon(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with serving(tmp_path, "--demo") as first:
        first.ask(OPEN)

    typed = time.monotonic()
    with serving(tmp_path, "--demo") as second:
        found = second.ask("{ interactions { totalCount } }")
        took = time.monotonic() - typed

    record_property("second_start_seconds", round(took, 2))
    print(f"the second start answered after {took:.2f} s")
    assert found == {"interactions": {"totalCount": 6}}
    assert took < 20  # 3 are promised, and 1.7 are usual, to a machine that does nothing else


def test_a_second_hub_on_the_same_data_directory_is_refused(demo: Serving) -> None:
    sentence = refused(hub("serve", "--port", 0, "--data-dir", demo.data_dir))

    assert sentence == f"Another hub already serves the data directory {demo.data_dir}: stop it, or give this one its own (--data-dir)."


def test_a_taken_port_is_refused_before_anything_is_written(demo: Serving, tmp_path: Path) -> None:
    port = httpx.URL(demo.url).port

    sentence = refused(hub("serve", "--port", port, "--data-dir", tmp_path / "data"))

    assert sentence == f"The hub cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port."
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("options", "variables", "sentence"),
    [
        (["--host", "0.0.0.0"], {}, "HUB_HOST (--host) must be a loopback address such as 127.0.0.1"),
        (["--port", "65536"], {}, "HUB_PORT is not valid: input should be less than or equal to 65535."),
        ([], {"HUB_PORT": "http"}, "HUB_PORT is not valid: input should be a valid integer"),
        ([], {"HUB_MONGO_URL": "mongodb://db"}, "HUB_MONGO_URL is not a setting of the hub; did you mean HUB_MONGO_URI?"),
        ([], {"HUB_MONGO_URI": "mongodb://db"}, "HUB_MONGO_URI needs HUB_SECRET"),
        ([], {"HUB_MONGO_URI": "http://db", "HUB_SECRET": SECRET}, "HUB_MONGO_URI cannot be used: Invalid URI scheme"),
        ([], {"HUB_TRUSTED_DOCUMENTS": "require, BOSS=off"}, "HUB_TRUSTED_DOCUMENTS is `off`, `prefer` or `require`, and others by role"),
        ([], {"HUB_MONGOD": "/nowhere/mongod"}, "HUB_MONGOD names /nowhere/mongod, which is not a program that can be run."),
    ],
)
def test_what_is_set_wrongly_is_one_sentence(tmp_path: Path, options: list[str], variables: dict[str, str], sentence: str) -> None:
    assert sentence in refused(hub("serve", "--data-dir", tmp_path, *options, **({"HUB_PORT": "0"} | variables)))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.prove)])
def test_ended_in_order_it_leaves_no_mongod_and_every_acknowledged_write(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as running:
        made = running.ask(OPEN)["createInteraction"]["interaction"]["id"]
        pid = running.mongod

        assert running.process.end(number) == 0

        assert not is_alive(pid)
        assert running.process.err.read_text() == ""
    assert made in ids(running.data_dir)


def ids(data_dir: Path) -> set[str]:
    with mongod.start(data_dir) as kept, MongoClient[dict[str, Any]](kept.uri) as client:
        return {found["_id"] for found in client["hub"]["interactions"].find({}, {"_id": 1})}


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.prove)])
@pytest.mark.parametrize(("made", "codes"), [("db/mongod.lock", {130}), ("secret", {0, 130})])
def test_interrupted_while_it_starts_it_ends_in_order(tmp_path: Path, number: signal.Signals, made: str, codes: set[int]) -> None:
    data_dir = tmp_path / "data"
    with begun(tmp_path, HUB, "serve", "--port", "0", "--data-dir", str(data_dir)) as process:
        until((data_dir / made).exists)

        assert process.end(number) in codes

        assert process.err.read_text() == ""
        assert str(data_dir) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.prove)])
def test_asked_twice_it_does_not_wait_for_a_database_that_is_silent(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
        with begun(tmp_path, HUB, "serve", "--port", "0", "--data-dir", str(tmp_path), HUB_MONGO_URI=uri, HUB_SECRET=SECRET) as process:
            with silent.accept()[0]:
                process.running.send_signal(number)
                time.sleep(0.5)  # two at once would be one
                asked = time.monotonic()

                assert process.end(number) == 130

                assert time.monotonic() - asked < 3  # it would wait 5 s for the database
            assert process.err.read_text() == ""


def test_a_client_that_still_listens_does_not_hold_it_up(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        token = hub("token", "--role", "agent", "--data-dir", running.data_dir).stdout.strip()
        with begun(tmp_path, HUB, "watch", "--url", running.stream, "--token", token) as watching:
            until(lambda: watching.lines)

            assert running.process.end() == 0

            assert watching.running.wait(PATIENCE) == 1
            assert re.fullmatch(r"hub: The (hub ended the connection: .+|connection broke)\.\n", watching.err.read_text())


# ---------------------------------------------------------------- a MongoDB of one's own


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """The address of a mongod that is no replica set."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "db").mkdir()
    command = [str(mongod._program(None)), "--dbpath", str(tmp_path / "db"), "--port", str(port), "--bind_ip", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        until(lambda: mongod._accepts(port))
        yield f"mongodb://127.0.0.1:{port}"
        running.kill()


def test_a_mongodb_that_is_no_replica_set_is_refused_with_what_to_change(standalone: str, tmp_path: Path) -> None:
    sentence = "This MongoDB is no replica set, and the hub needs transactions: start it with --replSet NAME, run rs.initiate()."

    serve = hub("serve", "--port", 0, "--data-dir", tmp_path, HUB_MONGO_URI=standalone, HUB_SECRET=SECRET)
    check = hub("check", "--data-dir", tmp_path, HUB_MONGO_URI=standalone, HUB_SECRET=SECRET)

    assert refused(serve) == sentence
    assert (check.returncode, check.stdout.splitlines()[-1]) == (1, f"database  {sentence}")


def test_a_mongodb_without_majority_defaults_is_refused_with_what_to_change(tmp_path: Path) -> None:
    with mongod.start(tmp_path / "db") as running, MongoClient[dict[str, Any]](running.uri) as client:
        client.admin.command("setDefaultRWConcern", defaultWriteConcern={"w": 1})

        sentence = refused(hub("serve", "--port", 0, "--data-dir", tmp_path / "hub", HUB_MONGO_URI=running.uri, HUB_SECRET=SECRET))

        assert sentence.startswith("This MongoDB's default write concern is w: 1, not 'majority'")
        assert "setDefaultRWConcern" in sentence
        client.admin.command("setDefaultRWConcern", defaultWriteConcern={"w": "majority"})
        assert hub("check", "--data-dir", tmp_path / "hub", HUB_MONGO_URI=running.uri, HUB_SECRET=SECRET).returncode == 0


# ---------------------------------------------------------------- token


@pytest.mark.parametrize("role", ["agent", "AGENT", "Supervisor", "back_office"])
def test_a_token_for_staff_stands_alone_on_the_last_line_and_opens_the_door(demo: Serving, role: str) -> None:
    minted = hub("token", "--role", role, "--data-dir", demo.data_dir)

    token = minted.stdout.splitlines()[-1]
    answer = httpx.post(demo.url, json={"query": "{ viewer { roles } }"}, headers={"authorization": f"Bearer {token}"})
    assert (minted.returncode, minted.stderr) == (0, "")
    assert answer.json()["data"] == {"viewer": {"roles": [role.upper()]}}


def test_a_token_carries_the_roles_the_party_and_the_scopes_that_were_asked_for(demo: Serving) -> None:
    party = PARTY + "0" * 32

    minted = hub(
        *("token", "--role", "customer", "--role", "visitor", "--party", party, "--scope", "interaction:read"),
        *("--ttl", 86400, "--acr", "phr", "--data-dir", demo.data_dir),
    )

    token = minted.stdout.strip()
    answer = httpx.post(demo.url, json={"query": "{ viewer { roles scopes party { id } } }"}, headers={"authorization": f"Bearer {token}"})
    assert answer.json()["data"]["viewer"]["scopes"] == ["interaction:read"]
    assert set(answer.json()["data"]["viewer"]["roles"]) == {"CUSTOMER", "VISITOR"}
    claims = token.split(".")[1]
    assert json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["acr"] == "phr"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--role", "customer"], "A token for CUSTOMER needs a party: name it with `--party`."),
        (["--role", "customer", "--party", "me"], "A party's id is `par_` and 32 lower-case hex digits."),
        (["--role", "agent", "--scope", "everything"], "There is no scope everything; there are interaction:read"),
        (["--role", "agent", "--ttl", "0"], "A token lives from 1 to 86400 seconds (24 hours)."),
        (["--role", "agent", "--acr", "x" * 256], "An acr is a text of at most 255 printable characters."),
        (["--role", "agent", "--ttl", "86401"], "A token lives from 1 to 86400 seconds (24 hours)."),
    ],
)
def test_a_token_that_could_not_be_used_is_not_minted(tmp_path: Path, options: list[str], sentence: str) -> None:
    assert refused(hub("token", *options, "--data-dir", tmp_path)).startswith(sentence)


# ---------------------------------------------------------------- schema, check


@pytest.mark.parametrize("options", [[], ["--data-dir", "nowhere"]])
def test_schema_prints_the_committed_schema(options: list[str]) -> None:
    printed = hub("schema", *options)

    assert (printed.returncode, printed.stdout) == (0, (ROOT / "schema.graphql").read_text())


def test_schema_prints_what_a_role_meets_with_the_scopes_that_it_holds() -> None:
    printed = hub("schema", "--role", "customer", "--scope", "interaction:read", "--scope", "event:subscribe")

    assert (printed.returncode, printed.stderr) == (0, "")
    met = build_schema(printed.stdout)
    assert {"Query", "Subscription", "Interaction"} <= met.type_map.keys()
    assert {"Mutation", "PartyConnection"}.isdisjoint(met.type_map)
    assert "assigneeId" not in printed.stdout


def test_schema_says_what_breaks_against_another_and_what_of_it_is_meant(tmp_path: Path) -> None:
    now = ROOT / "schema.graphql"
    old, accepted = tmp_path / "old.graphql", tmp_path / "accepted.txt"
    old.write_text(now.read_text().replace("type Viewer {", "type Viewer {\n  nickname: String", 1))
    accepted.write_text("# Nobody has one.\nField Viewer.nickname was removed.\n")

    same, broken, meant = (hub("schema", "--diff", *files) for files in ([now], [old], [old, "--accept", accepted]))

    assert (same.returncode, same.stdout) == (0, "")
    assert (broken.returncode, broken.stdout) == (1, "BREAKING  Field Viewer.nickname was removed.\n")
    assert (meant.returncode, meant.stdout) == (0, "ACCEPTED  Field Viewer.nickname was removed.\n")
    assert refused(hub("schema", "--diff", tmp_path / "none")).endswith("cannot be read: No such file or directory.")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--role", "boss"], "There is no role boss; there are VISITOR, CUSTOMER, AGENT,"),
        (["--role", "agent", "--scope", "everything"], "There is no scope everything; there are interaction:read,"),
        (["--scope", "party:read"], "A scope narrows a role: name it with `--role`."),
    ],
)
def test_schema_says_which_roles_and_scopes_there_are(options: list[str], sentence: str) -> None:
    assert refused(hub("schema", *options)).startswith(sentence)


def test_check_finds_a_new_machine_well(tmp_path: Path) -> None:
    checked = hub("check", HUB_DATA_DIR=str(tmp_path / "data"))

    assert checked.returncode == 0, checked
    assert [line[:13].split() for line in checked.stdout.splitlines()] == [["settings", "ok:"], ["keys", "ok:"], ["database", "ok:"]]
    assert "MongoDB 6" in checked.stdout


def test_check_looks_at_the_database_of_a_hub_that_serves(demo: Serving) -> None:
    assert hub("check", "--data-dir", demo.data_dir).returncode == 0


def test_check_says_what_is_wrong_and_looks_at_the_rest(tmp_path: Path) -> None:
    (tmp_path / "signing-key.pem").write_text("no key")

    checked = hub("check", "--data-dir", tmp_path)

    settings, keys, database = checked.stdout.splitlines()
    assert (checked.returncode, checked.stderr) == (1, "")
    assert settings.startswith("settings  ok: ")
    assert keys.startswith(f"keys      The key file {tmp_path / 'signing-key.pem'} is damaged: it is no private key in PEM.")
    assert database.startswith("database  ok: ")


def test_check_ends_with_settings_that_cannot_be_read(tmp_path: Path) -> None:
    checked = hub("check", "--data-dir", tmp_path, HUB_REOPEN_DAYS="-1")

    assert (checked.returncode, checked.stderr) == (1, "")
    assert checked.stdout == "settings  HUB_REOPEN_DAYS is not valid: input should be greater than or equal to 0.\n"


# ---------------------------------------------------------------- issuers

KEY: Final = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}  # RFC 8037, appendix A.2
ISSUER: Final = {"issuer": "https://id.example", "audience": "hub", "algorithms": ["EdDSA"], "roles": {"agent": "AGENT"}, "keys": [KEY]}


def test_no_token_is_minted_where_issuers_are_configured(tmp_path: Path) -> None:
    said = refused(hub("token", "--role", "agent", "--data-dir", tmp_path / "data", HUB_ISSUERS=json.dumps([ISSUER])))

    assert said == "The local key is not trusted as long as HUB_ISSUERS is set: tokens come from the issuers that it names."
    assert not (tmp_path / "data").exists()


def test_a_hub_with_issuers_makes_no_local_key_and_takes_no_local_token(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    minted = hub("token", "--role", "agent", "--data-dir", tmp_path / "other").stdout.strip()
    variables = {"HUB_ISSUERS": json.dumps([ISSUER]), "HUB_HOST": "0.0.0.0"}

    with begun(tmp_path, HUB, "serve", "--demo", "--port", "0", "--data-dir", str(tmp_path / "data"), **variables) as process:
        until(lambda: process.running.poll() is not None or process.lines)
        assert process.lines, process.err.read_text()
        url = re.search(r"http://0\.0\.0\.0:(\d+)", process.lines[0])
        assert url, process.lines
        question, bearer = {"query": "{ viewer { roles } }"}, {"authorization": f"Bearer {minted}"}
        answer = httpx.post(f"http://127.0.0.1:{url[1]}/graphql", json=question, headers=bearer, timeout=PATIENCE)
        process.end()

    assert process.lines[0].endswith("/graphql (Ctrl-C ends it).")
    assert len(process.lines) == 1
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not (tmp_path / "data" / "signing-key.pem").exists()


def test_check_shows_each_issuer_and_whether_its_keys_can_be_had(demo: Serving) -> None:
    away = {name: value for name, value in ISSUER.items() if name != "keys"} | {"issuer": "http://127.0.0.1:1"}

    checked = hub("check", "--data-dir", demo.data_dir, HUB_ISSUERS=json.dumps([ISSUER, away]))

    settings, keys, _, known, unknown = checked.stdout.splitlines()
    assert checked.returncode == 1
    assert settings.startswith("settings  ok: issuers are configured; ")
    assert keys == "keys      ok: the secret can be used; the local signing key is not trusted"
    assert known == "issuer    ok: https://id.example has 1 key for EdDSA"
    assert unknown == "issuer    The keys of http://127.0.0.1:1 cannot be fetched: the connection failed (ConnectError)."


def test_issuers_that_cannot_be_read_are_told_by_every_command_that_needs_them(demo: Serving, tmp_path: Path) -> None:
    given = json.dumps([ISSUER | {"algorithms": ["HS256"]}])
    said = "HUB_ISSUERS, issuer https://id.example: algorithms.0 is not valid: input should be 'RS256', 'PS256', 'ES256' or 'EdDSA'."

    assert refused(hub("serve", "--port", "0", "--data-dir", tmp_path / "data", HUB_ISSUERS=given)) == said
    assert not (tmp_path / "data").exists()
    checked = hub("check", "--data-dir", demo.data_dir, HUB_ISSUERS=given)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (1, f"issuers   {said}")


# ---------------------------------------------------------------- policies


def test_check_shows_each_policy_and_what_it_asks_for(demo: Serving) -> None:
    given = json.dumps(
        [{"topic": ["bills", "fees"], "kind": "COMPLAINT", "acr": "phr"}, {"name": "all", "roles": "PARTNER", "acr": ["a", "b"]}]
    )

    checked = hub("check", "--data-dir", demo.data_dir, HUB_ACCESS_POLICIES=given)

    assert checked.returncode == 0
    assert checked.stdout.splitlines()[3:] == [
        "policy    ok: every act on kind COMPLAINT and topic bills or fees needs acr phr of VISITOR or CUSTOMER",
        "policy    ok: all: every act needs acr a or b of PARTNER",
    ]


def test_policies_that_cannot_be_read_are_told_before_anything_is_written(demo: Serving, tmp_path: Path) -> None:
    given = json.dumps([{"name": "bills", "topic": "bills"}])
    said = "HUB_ACCESS_POLICIES, policy bills: acr is not valid: field required."

    assert refused(hub("serve", "--port", "0", "--data-dir", tmp_path / "data", HUB_ACCESS_POLICIES=given)) == said
    assert not (tmp_path / "data").exists()
    checked = hub("check", "--data-dir", demo.data_dir, HUB_ACCESS_POLICIES=given)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (1, f"policies  {said}")


# ---------------------------------------------------------------- import


def test_audit_tells_who_read_what_about_a_party(demo: Serving) -> None:
    reach = "{ parties(first: 1, kind: INDIVIDUAL) { nodes { id contactMedia { address } } } }"
    begin = datetime.now(UTC).isoformat(timespec="milliseconds")
    party = demo.ask(f"query Reach {reach}")["parties"]["nodes"][0]["id"]
    demo.ask(f"query Again {reach}")

    told = hub("audit", "--party", party, "--since", begin, "--json", "--data-dir", demo.data_dir)
    first = hub("audit", "--party", party, "--since", begin, "--limit", "1", "--data-dir", demo.data_dir)
    nothing = hub("audit", "--party", "par_nobody", "--data-dir", demo.data_dir)

    one, other = map(json.loads, told.stdout.splitlines())
    assert [record["operation"] for record in (one, other)] == ["Reach: parties", "Again: parties"]
    assert (one["did"], one["roles"], one["interactions"], party in one["parties"]) == ("READ", ["AGENT"], [], True)
    assert first.stdout == f"{one['at']}  READ  AGENT  {one['token']}  Reach: parties\n"
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "Nothing is recorded about this party.\n")


def test_import_joins_the_hub_that_serves(demo: Serving, tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text(json.dumps([RECORD | {"reason": "TV, internet and more"}]))

    imported = hub("import", tmp_path / "records.json", "--data-dir", demo.data_dir)
    found = demo.ask("{ interactions { nodes { reason status createdAt } } }")["interactions"]["nodes"]

    assert (imported.returncode, imported.stderr) == (0, "")
    assert [one for one in found if one["reason"] == "TV, internet and more"] == [
        {"reason": "TV, internet and more", "status": "IN_PROGRESS", "createdAt": "2026-01-02T11:36:18.000Z"}
    ]


def test_import_without_a_hub_reads_standard_input_and_knows_again_what_it_made(tmp_path: Path) -> None:
    lines = f"{json.dumps(RECORD)}\nnot json\n"

    first = hub("import", "-", "--data-dir", tmp_path, given=lines)
    again = hub("import", "-", "--data-dir", tmp_path, given=lines)

    assert (first.returncode, again.returncode) == (0, 0), first
    assert re.search(r"^line 2: skipped: ", first.stdout, re.MULTILINE)
    assert re.match(r"1 interaction imported, 0 already there, \d+ repairs? and 1 record skipped\.$", first.stdout.splitlines()[-1])
    assert again.stdout.splitlines()[-1] == "0 interactions imported, 1 already there, 0 repairs and 1 record skipped."
    assert len(ids(tmp_path)) == 1


def test_a_strict_import_stops_with_1(demo: Serving) -> None:
    before = demo.ask("{ interactions { totalCount } }")

    stopped = hub("import", "-", "--strict", "--data-dir", demo.data_dir, given="not json\n" + json.dumps(RECORD))

    assert (stopped.returncode, stopped.stderr) == (1, "")
    assert "Stopped at line 1: it was not imported, nor was anything after it." in stopped.stdout
    assert demo.ask("{ interactions { totalCount } }") == before


def test_an_import_that_cannot_be_read_is_one_sentence(demo: Serving, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("")

    for name in ("nowhere.json", "empty.json"):
        assert refused(hub("import", tmp_path / name, "--data-dir", demo.data_dir)).startswith(f"{tmp_path / name} cannot be ")


# ---------------------------------------------------------------- watch


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.prove)])
def test_watch_ends_when_it_is_told_to(demo: Serving, tmp_path: Path, number: signal.Signals) -> None:
    with begun(tmp_path, HUB, "watch", "--url", demo.stream, "--token", demo.tokens[Role.AGENT]) as watching:
        until(lambda: watching.lines)

        assert watching.end(number) == 0

        assert watching.err.read_text() == ""


def test_watch_says_what_is_wrong(demo: Serving) -> None:
    agent = demo.tokens[Role.AGENT]

    assert refused(hub("watch", "--url", demo.stream, "--token", "none")) == "The hub ended the connection: The token is not valid."
    assert refused(hub("watch", "--url", demo.stream, "--token", agent, "--after", "x")).startswith("This cursor is not one of this hub's")
    assert refused(hub("watch", "--url", "ws://127.0.0.1:1/graphql", "--token", agent)).startswith("There is no hub at ws://127.0.0.1:1/")
    assert refused(hub("watch", "--url", "nowhere", "--token", agent)).startswith("There is no hub at nowhere: ")


# ---------------------------------------------------------------- failures


def test_failures_of_several_tasks_are_told_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    inner = ExceptionGroup("inner", [BadInput("Second."), StartupError("First.")])

    with pytest.raises(typer.Exit) as ended, told():
        raise ExceptionGroup("outer", [StartupError("First."), inner])

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "hub: First.\nhub: Second.\n"


def test_a_fault_of_ours_is_not_dressed_up_as_a_sentence() -> None:
    with pytest.raises(ExceptionGroup, match="tasks"), told():
        raise ExceptionGroup("tasks", [StartupError("First."), KeyError("ours")])


# ---------------------------------------------------------------- client


def test_a_client_is_added_rotated_listed_and_shut_out(demo: Serving) -> None:
    def client(*words: object) -> Done:
        return hub("client", *words, "--data-dir", demo.data_dir)

    def works(id: str, secret: str) -> bool:
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(demo.url.replace("/graphql", "/oauth/token"), data=form, auth=(id, secret))
        return answer.status_code == httpx.codes.OK

    party = demo.ask("{ parties(kind: ORGANIZATION, first: 1) { nodes { id } } }")["parties"]["nodes"][0]["id"]
    added = client("add", "--name", "till", "--party", party, "--vertical", "billing")
    id, secret = (line.split()[1] for line in added.stdout.splitlines())
    another = client("rotate", id).stdout.splitlines()[1].split()[1]
    listed = client("list").stdout
    opened = [works(id, one) for one in (secret, another, "wrong")]
    client("disable", id)

    assert f"{id}  PARTNER  {party}  900 s  2 secrets  active  till" in listed
    assert opened == [True, True, False]
    assert "disabled  till" in client("list").stdout
    assert [works(id, one) for one in (secret, another)] == [False, False]
    assert refused(client("rotate", id)) == "The client is disabled; add another one."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--name", "x"], "A client with the role PARTNER acts for a party: name it with `--party`."),
        (["--name", "x", "--party", "par_x"], "There is no such party."),
        (["--name", "x", "--role", "AGENT"], "A client has the role PARTNER or SYSTEM, not AGENT."),
        (["--name", "x", "--role", "SYSTEM", "--ttl", "0"], "A token lives from 1 to 86400 seconds (24 hours)."),
        (["--name", " ", "--role", "SYSTEM"], "name is empty; say something or leave it out."),
    ],
)
def test_a_client_that_cannot_be_is_refused_with_a_sentence(demo: Serving, options: list[str], sentence: str) -> None:
    assert refused(hub("client", "add", *options, "--data-dir", demo.data_dir)) == sentence


def test_what_is_loaded_runs_on_a_hub_that_serves_and_what_is_removed_does_not(demo: Serving, tmp_path: Path) -> None:
    manifest, spoiled = tmp_path / "persisted-documents.json", tmp_path / "spoiled.json"
    manifest.write_text(json.dumps({"who-1": "query Who { viewer { roles } }"}))
    spoiled.write_text(json.dumps({"who-2": "query Who { viewer { roles } }", "who-3": "{ nonsense }"}))
    data = ("--data-dir", demo.data_dir)

    def answers(expected: Any) -> bool:
        asked = httpx.post(demo.url, json={"documentId": "who-1"}, headers={"authorization": f"Bearer {demo.tokens['AGENT']}"}).json()
        return bool(asked.get("data") == expected)

    refused_load = refused(hub("documents", "load", spoiled, *data))
    loaded = hub("documents", "load", manifest, *data).stdout
    until(lambda: answers({"viewer": {"roles": ["AGENT"]}}))
    listed = hub("documents", "list", *data).stdout
    removed = hub("documents", "remove", "who-1", *data).stdout
    until(lambda: answers(None))

    assert "'who-3': Cannot query field 'nonsense'" in refused_load
    assert loaded == "1 added, 0 replaced, 0 known already.\n"
    assert re.fullmatch(r"who-1  query +Who  2\S+Z\n", listed)
    assert removed == "1 removed.\n"


# ---------------------------------------------------------------- the end


def test_killed_it_leaves_no_mongod_and_every_acknowledged_write(demo: Serving) -> None:
    """The last one to ask the hub that the others have looked at."""
    made = demo.ask(OPEN)["createInteraction"]["interaction"]["id"]
    pid = demo.mongod

    demo.process.end(signal.SIGKILL)

    until(lambda: not is_alive(pid))
    assert made in ids(demo.data_dir)
