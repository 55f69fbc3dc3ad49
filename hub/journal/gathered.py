"""One reading for all who ask at once."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Apart:
    """Tasks that several wait for, and that none of them owns: each ends by itself, and none outlives the journal."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Begin it in a context of its own: the deadline of whoever asked first is not that of the others."""
        task = asyncio.get_running_loop().create_task(work, name=name, context=contextvars.Context())
        self.running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits is told of it; where nobody does any more, it is of no interest


class Gathered(Generic[T]):
    """Asks once for everybody who came while the last answer was on its way: what each is told was read after it asked."""

    def __init__(self, read: Callable[[], Awaitable[T]], apart: Apart) -> None:
        self._read = read
        self._apart = apart
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """The answer; raises what reading raises, to everybody who waited for it."""
        if self._next is None:
            self._next = self._apart.start(self._ask(), "gathered")
        return await asyncio.shield(self._next)

    async def _ask(self) -> T:
        async with self._turn:
            self._next = None  # who asks from now on is told of what is read later
            return await self._read()
