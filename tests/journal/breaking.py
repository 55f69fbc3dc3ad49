"""What makes the driver, or a step of the hub, fail or wait when a test wants it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from hub.settings import Settings

CLASSES: Final[dict[str, tuple[Any, Any]]] = {
    "pymongo": (AsyncCollection, AsyncClientSession),
    "motor": (AsyncIOMotorCollection, AsyncIOMotorClientSession),
}
Collection, Session = CLASSES[Settings.load().mongo_driver]  # of the driver that the tests run on


class Breaking:
    """Replaces methods of the driver or of the hub by ones that raise: before the real one or after it, so many times in all."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, *names: str, error: Exception, times: int = 1, after: bool = False) -> None:
        self.raised = 0
        self._error = error
        self._times = times
        self._after = after
        for name in names:
            patch.setattr(owner, name, self._broken(getattr(owner, name)))

    def meant(self, *args: Any) -> bool:
        """Whether this call is one that fails."""
        return True

    def _broken(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def broken(*args: Any, **kwargs: Any) -> Any:
            if not self.meant(*args) or self.raised >= self._times:
                return await real(*args, **kwargs)
            self.raised += 1
            if self._after:
                await real(*args, **kwargs)
            raise self._error

        return broken


class BreakingOn(Breaking):
    """... only for one collection."""

    def __init__(
        self, patch: pytest.MonkeyPatch, collection: str, *names: str, error: Exception, times: int = 1, after: bool = False
    ) -> None:
        self._collection = collection
        super().__init__(patch, Collection, *names, error=error, times=times, after=after)

    def meant(self, *args: Any) -> bool:
        return bool(args[0].name == self._collection)


def breaking_inserts(patch: pytest.MonkeyPatch, collection: str, error: Exception, times: int = 1) -> Breaking:
    """Inserting into a collection fails, one document or many."""
    return BreakingOn(patch, collection, "insert_one", "insert_many", error=error, times=times)


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
