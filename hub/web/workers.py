"""Several processes behind one port: started, watched, started again, and ended together with the one that started them.

Each worker binds a socket of its own with SO_REUSEPORT, and listens once it can answer: the kernel spreads connections over
those who listen, and nobody is sent to one that is gone. Measured with uvloop, 1,000 connections over two processes: 499 to
501 one by one, 493 to 507 at once. A single inherited socket gave 277 to 723 and 247 to 753, for whoever wakes first takes
all there is.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import structlog

from hub.errors import StartupError
from hub.mongod import DIE_WITH_PARENT

READY: Final = b"ready\n"  # what a worker writes when it answers
FIRST: Final = 0.1  # seconds before a worker that died is started again; doubled as long as it dies young
LAST: Final = 30.0  # ... up to this
STEADY: Final = 60.0  # seconds after which a worker did not die young
AT_ONCE: Final = 5.0  # seconds that workers get after the second signal

log = structlog.get_logger("hub.web")


class Workers:
    """`count` processes of one command, to which each one's number is added. `run` keeps them alive until `leave`."""

    def __init__(
        self, command: Sequence[str], count: int, environment: Mapping[str, str], *, ended: Callable[[int], None] = lambda number: None
    ) -> None:
        """`ended` hears of each worker that has, by its number, before it is started again."""
        self._command = tuple(command)
        self._environment = dict(environment)
        self._ended = ended
        self._numbers = range(1, count + 1)
        self._running: dict[int, Process] = {}
        self._answering = set[int]()
        self._leaving = asyncio.Event()
        self._all_answered = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Returns when all have ended after `leave`. `ready` is called once, when all answer.

        Raises StartupError where one ends before that: it has told why."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in self._numbers:
                    tasks.create_task(self._keep(number, ready), name=f"worker-{number}")
        except* StartupError as errors:
            raise errors.exceptions[0] from None

    def leave(self) -> None:
        """End all of them: once, in order; again, at once."""
        if self._leaving.is_set():
            asyncio.get_running_loop().call_later(AT_ONCE, self._signal, signal.SIGKILL)
        self._leaving.set()
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int, ready: Callable[[], None]) -> None:
        young = 0
        loop = asyncio.get_running_loop()
        while not self._leaving.is_set():
            began = loop.time()
            code = await self._live(number, ready)
            if self._leaving.is_set():
                return
            if not self._all_answered:
                raise StartupError(f"Worker {number} of {len(self._numbers)} ended before it answered (exit {code}).")
            young = 0 if loop.time() - began > STEADY else young + 1
            pause = min(LAST, FIRST * 2 ** (young - 1)) if young else 0.0
            log.warning("worker_ended", worker=number, code=code, again_in=pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._leaving.wait()

    async def _live(self, number: int, ready: Callable[[], None]) -> int:
        """One life of a worker; its exit code."""
        # A group of its own: a Ctrl-C in the terminal is for the parent, which tells each worker once. Its input is the pipe that
        # ends with the parent, its output says that it is ready.
        process = await asyncio.create_subprocess_exec(
            *_dying_with_parent(*self._command, str(number)), stdin=PIPE, stdout=PIPE, env=self._environment, process_group=0
        )
        self._running[number] = process
        try:
            if self._leaving.is_set():  # asked while it was being started
                process.terminate()
            async for line in cast("asyncio.StreamReader", process.stdout):
                if line == READY:
                    self._answers(number, ready)
            return await process.wait()
        finally:
            if process.returncode is None:  # another one could not start
                await _ended(process)
            del self._running[number]
            self._ended(number)

    def _answers(self, number: int, ready: Callable[[], None]) -> None:
        self._answering.add(number)
        if not self._all_answered and len(self._answering) == len(self._numbers):
            self._all_answered = True
            ready()


async def _ended(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AT_ONCE):
            await process.wait()
            return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _dying_with_parent(*command: str) -> tuple[str, ...]:
    """The same command; on Linux the kernel kills what becomes of it when the parent ends, however that ends."""
    if sys.platform != "linux":
        return command
    return (sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command)


def says_ready() -> None:
    """A worker's word to its parent."""
    os.write(1, READY)


def ends_with_parent() -> None:
    """Have this worker end in order when its parent is gone; to be called in its running event loop."""
    loop, me = asyncio.get_running_loop(), os.getpid()

    def gone() -> None:
        loop.remove_reader(0)
        os.kill(me, signal.SIGTERM)

    loop.add_reader(0, gone)  # nothing is ever written to it: it becomes readable when it ends
