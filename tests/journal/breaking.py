"""What makes the driver, or a step of the hub, fail or wait when a test wants it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection

from hub.journal.desk import Desk


class Breaking:
    """Replaces a method of the driver or of the hub by one that raises: before the real one or after it, so many times."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception, *, times: int = 1, after: bool = False) -> None:
        self.times = times
        self.error = error
        self.raised = 0
        real = getattr(owner, name)

        async def broken(*args: Any, **kwargs: Any) -> Any:
            if not self.meant(*args) or self.raised >= self.times:
                return await real(*args, **kwargs)
            self.raised += 1
            if after:
                await real(*args, **kwargs)
            raise error

        patch.setattr(owner, name, broken)

    def meant(self, *args: Any) -> bool:
        return True


class BreakingOn(Breaking):
    """... only for one collection."""

    def __init__(self, patch: pytest.MonkeyPatch, collection: str, name: str, error: Exception, *, times: int = 1) -> None:
        self.collection = collection
        super().__init__(patch, AsyncCollection, name, error, times=times)

    def meant(self, *args: Any) -> bool:
        return bool(args[0].name == self.collection)


class Gate:
    """Holds a method of the driver until it is opened."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()
        real: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def held(*args: Any, **kwargs: Any) -> Any:
            self.reached.set()
            await self._opened.wait()
            return await real(*args, **kwargs)

        patch.setattr(owner, name, held)

    def open(self) -> None:
        self._opened.set()


def breaking_load(patch: pytest.MonkeyPatch, error: Exception, times: int) -> None:
    """Reading the documents fails."""
    real, failures = Desk.load, iter([error] * times)

    async def failing(self: Desk, *args: Any) -> None:
        for failure in failures:
            raise failure
        await real(self, *args)

    patch.setattr(Desk, "load", failing)
