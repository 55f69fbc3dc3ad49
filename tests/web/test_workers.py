"""`hub serve --workers`: processes that share a port and a database, seen from outside."""

import contextlib
import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hub.domain.terms import Role
from tests.test_cli import HUB, OPEN, SECRET, Serving, begun, ids, is_alive, refused, serving, until
from tests.test_readme import free_port
from tests.typed import hub

HINTS: Final = "hub_bus_hints_total"
QUERIES: Final = 'hub_operations_total{trusted="-",type="query"}'
OPENED: Final = 'hub_interactions_total{channel="PHONE",direction="INBOUND",status="OPEN",vertical="-"}'
FOLLOW: Final = "subscription { interactionEvents { kind event { type } } }"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Two workers and demo data."""
    with serving(tmp_path_factory.mktemp("pair"), "--workers", "2", "--demo") as running:
        yield running


def numbers(client: httpx.Client) -> dict[str, float]:
    """What all of them count together, whichever is at the other end of this client's connection."""
    text = client.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}


def shows(client: httpx.Client, name: str, number: float) -> bool:
    """Whether it is this number."""
    return numbers(client)[name] == number


def process(client: httpx.Client) -> str:
    """Which process is at the other end of this client's connection."""
    return str(client.get("/healthz").json()["process"])


def lines(client: httpx.Client) -> int:
    """How many sockets and streams are open there."""
    return int(client.get("/readyz").json()["process"]["reason"].split()[0])


@contextmanager
def clients(running: Serving) -> Iterator[dict[str, httpx.Client]]:
    """A client for each worker, which keeps its connection."""
    with ExitStack() as stack:
        found = dict[str, httpx.Client]()

        def look() -> bool:
            client = stack.enter_context(httpx.Client(base_url=running.url.removesuffix("/graphql"), timeout=30))
            found.setdefault(process(client), client)
            return len(found) == 2

        until(look)
        yield found


@contextmanager
def following(running: Serving) -> Iterator[ClientConnection]:
    """A stream of all events, from now on."""
    with connect(running.stream, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=30) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"token": running.tokens[Role.SUPERVISOR]}}))
        assert received(socket)["type"] == "connection_ack"
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": FOLLOW}}))
        assert received(socket)["payload"]["data"]["interactionEvents"]["kind"] == "CAUGHT_UP"
        yield socket


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=30))


def workers(running: Serving) -> set[int]:
    """The live processes that the parent has started, without mongod and its leash."""
    listed = subprocess.run(
        ["ps", "-wwo", "pid=,args=", "--ppid", str(running.process.running.pid)], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    return {int(line.split()[0]) for line in listed if re.search(r"worker \d+$", line)}


def test_the_greeting_is_told_once_with_demo_data_once(pair: Serving) -> None:
    assert [line for line in pair.process.lines if "answers at" in line] == [
        f"The hub answers at {pair.url} and {pair.stream} (local mode; Ctrl-C ends it)."
    ]
    assert pair.ask("{ interactions { totalCount } }") == {"interactions": {"totalCount": 5}}
    assert len(workers(pair)) == 2
    assert pair.process.err.read_text() == ""


def test_a_client_of_one_process_hears_what_is_done_at_the_other_by_a_hint_of_the_change_stream(pair: Serving) -> None:
    with clients(pair) as by_process, ExitStack() as stack:
        (first, one), (second, other) = sorted(by_process.items())
        assert (first[-2:], second[-2:]) == (":1", ":2")
        until(lambda: numbers(one)["hub_bus_up"] == 1)
        until(lambda: numbers(one)[HINTS] == numbers(other)[HINTS])
        before, heard_before = [lines(client) for client in (one, other)], numbers(one)[HINTS]
        streams = list[ClientConnection]()

        def look() -> bool:
            streams.append(stack.enter_context(following(pair)))
            return all(lines(client) > was for client, was in zip((one, other), before, strict=True))

        until(look)
        authorized = {"authorization": f"Bearer {pair.tokens[Role.AGENT]}"}
        for client in (one, other):
            assert client.post("/graphql", json={"query": OPEN}, headers=authorized).json()["data"]["createInteraction"]

        for stream in streams:  # each of which is at one of the two
            heard = [received(stream)["payload"]["data"]["interactionEvents"] for _ in range(2)]
            assert heard == [{"kind": "EVENT", "event": {"type": "CREATED"}}] * 2
        until(lambda: numbers(other)[HINTS] - heard_before == 4)  # two commits, of which each of them hears


def test_connections_spread_evenly_over_the_workers(pair: Serving) -> None:
    with ExitStack() as stack:
        address = pair.url.removesuffix("/graphql")
        made = (stack.enter_context(httpx.Client(base_url=address, timeout=30, verify=False)) for _ in range(100))
        share = Counter(process(client) for client in made)

    assert len(share) == 2
    assert min(share.values()) >= 25  # by chance less than that comes in one of 5 million runs


def test_whichever_worker_is_asked_answers_for_all_and_what_a_dead_one_counted_stays(pair: Serving) -> None:
    authorized = {"authorization": f"Bearer {pair.tokens[Role.AGENT]}"}
    with clients(pair) as by_process, ExitStack() as stack:
        before = numbers(next(iter(by_process.values())))
        for client in by_process.values():
            for _ in range(5):
                assert "errors" not in client.post("/graphql", json={"query": "{ viewer { roles } }"}, headers=authorized).json()
            assert client.post("/graphql", json={"query": OPEN}, headers=authorized).json()["data"]["createInteraction"]
        while not all(lines(client) for client in by_process.values()):
            stack.enter_context(following(pair))
        held = sum(lines(client) for client in by_process.values())

        for client in by_process.values():
            assert numbers(client)[QUERIES] == before.get(QUERIES, 0) + 10
            until(partial(shows, client, "hub_lines_open", held))
            assert numbers(client)["hub_processes"] == 2
            assert numbers(client)[OPENED] == before.get(OPENED, 0) + 2
        victim = min(workers(pair))
        number = subprocess.run(["ps", "-wwo", "args=", "-p", str(victim)], capture_output=True, text=True, check=True).stdout.split()[-1]
        (survivor,) = (client for name, client in by_process.items() if not name.endswith(f":{number}"))
        kept = lines(survivor)
        subprocess.run(["kill", "-KILL", str(victim)], check=True)

        until(lambda: numbers(survivor)["hub_processes"] == 1)
        assert numbers(survivor)["hub_lines_open"] == kept
        assert numbers(survivor)[QUERIES] == before.get(QUERIES, 0) + 10
        until(lambda: numbers(survivor)["hub_processes"] == 2)
    with clients(pair) as again:
        assert again.keys() == by_process.keys()
        for client in again.values():
            client.post("/graphql", json={"query": "{ viewer { roles } }"}, headers=authorized)
        # the one that took its place counts on
        assert [numbers(client)[QUERIES] for client in again.values()] == [before.get(QUERIES, 0) + 12] * 2
    assert {path.name for path in (pair.data_dir / f"metrics-{httpx.URL(pair.url).port}").glob("counter_*")} == {
        "counter_1.db",
        "counter_2.db",
    }


def test_with_a_port_of_their_own_numbers_are_not_where_clients_are(tmp_path: Path) -> None:
    port = str(free_port())
    options = ("--port", "0", "--data-dir", str(tmp_path / "data"), "--workers", "2")
    with begun(tmp_path, HUB, "serve", *options, HUB_METRICS_PORT=port) as process:
        until(lambda: process.lines or process.running.poll() is not None)
        public = re.findall(r"http://\S+/", process.lines[0])[0]

        answers = [httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=30) for path in ("metrics", "readyz", "healthz", "graphql")]
        outside = [httpx.get(f"{public}{path}", timeout=30).status_code for path in ("metrics", "readyz")]
        taken = refused(hub("serve", "--port", 0, "--data-dir", tmp_path / "other", HUB_METRICS_PORT=port))

        assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
        until(lambda: "hub_processes 2.0" in httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text)
        assert outside == [404, 200]
        assert taken == f"The hub cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with HUB_METRICS_PORT."
        assert process.end() == 0
        assert process.err.read_text() == ""


def test_a_worker_that_is_killed_is_replaced_and_the_other_goes_on(pair: Serving) -> None:
    with clients(pair) as before:
        assert len(before) == 2
    were = workers(pair)
    victim = min(were)
    subprocess.run(["kill", "-KILL", str(victim)], check=True)

    until(lambda: not is_alive(victim))
    made = ""

    def makes() -> bool:
        nonlocal made
        with contextlib.suppress(httpx.TransportError):  # a connection may have waited in the queue of the one that died
            made = pair.ask(OPEN)["createInteraction"]["interaction"]["id"]
        return made != ""

    until(makes)
    until(lambda: len(now := workers(pair)) == 2 and victim not in now)
    with clients(pair) as after:
        for client in after.values():
            answer = client.post(
                "/graphql",
                json={"query": "query($id: ID!) { interaction(id: $id) { id } }", "variables": {"id": made}},
                headers={"authorization": f"Bearer {pair.tokens[Role.AGENT]}"},
            ).json()
            assert answer["data"]["interaction"]["id"] == made
        assert after.keys() == before.keys()  # it has the name of the one before it
    assert workers(pair) - were
    assert json.loads(pair.process.err.read_text().splitlines()[0])["event"] == "worker_ended"


def test_a_port_where_workers_listen_is_refused_to_one_and_to_many(pair: Serving, tmp_path: Path) -> None:
    port = httpx.URL(pair.url).port
    for more in ([], ["--workers", "2"]):
        sentence = refused(hub("serve", "--port", port, "--data-dir", tmp_path / "data", *more))

        assert sentence == f"The hub cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port."


@pytest.mark.parametrize(
    ("options", "variables", "sentence"),
    [
        (["--workers", "0"], {}, "HUB_WORKERS is not valid: input should be greater than or equal to 1."),
        (["--workers", "-1"], {}, "HUB_WORKERS is not valid: input should be greater than or equal to 1."),
        ([], {"HUB_WORKERS": "two"}, "HUB_WORKERS is not valid: input should be a valid integer"),
        (["--workers", "2"], {"HUB_MONGO_URI": "http://db", "HUB_SECRET": SECRET}, "HUB_MONGO_URI cannot be used: Invalid URI scheme"),
        (["--workers", "2"], {"HUB_BUS": "carrier-pigeon://"}, "HUB_BUS: broadcaster cannot use carrier-pigeon:// here"),
    ],
)
def test_what_is_wrong_is_told_once_before_any_worker_starts(
    tmp_path: Path, options: list[str], variables: dict[str, str], sentence: str
) -> None:
    assert sentence in refused(hub("serve", "--port", 0, "--data-dir", tmp_path / "data", *options, **variables))


def ends(running: Serving, number: signal.Signals) -> tuple[int, set[int]]:
    """Ended by a signal in mid-work, with every acknowledged write kept: its exit code, and those of its processes that are left."""
    made = {running.ask(OPEN)["createInteraction"]["interaction"]["id"] for _ in range(4)}
    all_of_them = {*workers(running), running.mongod}
    assert len(all_of_them) == 3
    code = running.process.end(number)
    left = {pid for pid in all_of_them if is_alive(pid)}
    until(lambda: not any(map(is_alive, all_of_them)))
    assert made <= ids(running.data_dir)
    return code, left


@pytest.mark.prove
def test_interrupted_it_leaves_no_process_and_every_acknowledged_write(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as running:
        assert ends(running, signal.SIGINT) == (0, set())
        assert running.process.err.read_text() == ""


@pytest.mark.prove
def test_asked_twice_workers_do_not_wait_for_a_client_that_listens(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as running:
        token = hub("token", "--role", "supervisor", "--data-dir", running.data_dir).stdout.strip()
        running.tokens[Role.SUPERVISOR] = token
        with following(running):
            running.process.running.send_signal(signal.SIGTERM)
            time.sleep(0.3)  # two at once would be one
            running.process.end()

        assert not workers(running)


def test_killed_it_leaves_no_process_and_every_acknowledged_write(pair: Serving) -> None:
    """The last one to ask those that the others have looked at."""
    code, _ = ends(pair, signal.SIGKILL)

    assert code == -signal.SIGKILL
