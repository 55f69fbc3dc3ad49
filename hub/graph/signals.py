"""What is seen of one request while it runs: the id by which it is known, what it asks for, and the codes of what it was refused.

It travels in a context variable, so that whoever has something to say of it finds it. A transport begins it and ends it;
`Observer` is told what happens in between.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from random import SystemRandom, getrandbits, seed
from time import perf_counter
from typing import Any, Final, Protocol

import structlog
from graphql import OperationDefinitionNode

NAME: Final = 64  # characters of an operation's name that are kept: it is the client's to choose
CODES: Final = 20  # codes that are kept of one request; all are counted
SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

seed(SystemRandom().getrandbits(256))  # ids are to differ, not to be secret: a call of the kernel for each costs more than all else here


class Observer(Protocol):
    """Whoever counts. Each must be quick, and never raise or wait."""

    def chosen(self, signal: "Signal") -> None:
        """It is known what is asked for: a valid document, and an operation of it."""
        ...

    def spent(self, signal: "Signal") -> None:
        """It is known what it costs."""
        ...

    def erred(self, code: str) -> None:
        """An error was told."""
        ...


class Signal:
    """One request over HTTP, or one operation on a socket."""

    __slots__ = ("began", "codes", "cost", "door", "name", "observer", "request_id", "trace", "trusted", "type")

    def __init__(self, request_id: str, observer: Observer | None = None, door: str = "http") -> None:
        self.request_id = request_id
        self.observer = observer
        self.door = door
        self.began = perf_counter()
        self.type = "-"  # of the operation, once it is known
        self.name: str | None = None
        self.trusted: str | None = None  # the name of the trusted document that runs, one of a short list: whoever runs it says so
        self.cost: int | None = None  # what the operation is estimated at
        self.codes: tuple[str, ...] = ()
        self.trace: Any = None  # what traces it, and nobody else looks at

    def choose(self, operation: OperationDefinitionNode) -> None:
        """Say once what is asked for."""
        if self.type == "-":
            self.type = operation.operation.value
            self.name = operation.name.value[:NAME] if operation.name else None
            if self.observer is not None:
                self.observer.chosen(self)

    def spend(self, cost: int) -> None:
        """Say once what it costs."""
        self.cost = cost
        if self.observer is not None:
            self.observer.spent(self)

    def tell(self, code: str) -> None:
        """An error with this code is told."""
        if len(self.codes) < CODES:
            self.codes += (str(code),)
        if self.observer is not None:
            self.observer.erred(str(code))


CURRENT: Final[ContextVar[Signal | None]] = ContextVar("signal", default=None)


def new_request_id() -> str:
    """One that nobody else has."""
    return f"{getrandbits(96):024x}"


def request_id(given: str | None) -> str:
    """The client's own, where it is one that can be written into a log, else a new one."""
    return given if given is not None and SANE.fullmatch(given) else new_request_id()


def begin(signal: Signal) -> None:
    """From now on this task, and those that it starts, are about this one; so do their logs say."""
    CURRENT.set(signal)
    structlog.contextvars.bind_contextvars(request_id=signal.request_id)


def tell(code: str) -> None:
    """An error with this code is told to whoever asked."""
    if (signal := CURRENT.get()) is not None:
        signal.tell(code)


def identified() -> Mapping[str, str]:
    """The id of the request as an error's extensions carry it; nothing where none is under way."""
    signal = CURRENT.get()
    return {} if signal is None else {"requestId": signal.request_id}


def apart() -> Signal:
    """For what is done for several at once: an id of its own, counted by the same."""
    signal = CURRENT.get()
    return Signal(new_request_id(), None if signal is None else signal.observer)
