"""A mongod of one's own, to be taken away and given back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import mongod
from hub.mongod import Mongod


class Machine:
    """A database that can go away and come back at the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._mongod: Mongod = mongod.start(directory)
        self.uri = self._mongod.uri

    def goes_away(self) -> None:
        self._mongod.stop()

    def comes_back(self) -> None:
        self._mongod = mongod.start(self._directory)
        assert self._mongod.uri == self.uri


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "machine")
    try:
        yield machine
    finally:
        machine.goes_away()
