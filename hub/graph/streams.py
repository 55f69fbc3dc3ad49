"""A subscription under way: each of its frames as the text of an answer, made once for all who are told the same.

What a field's value depends on is declared with it. Where none of those selected depends on more than rights, one rendering
serves everybody with these rights who asked in the same words; the ordinary execution is what renders, once. Where one
depends on its viewer, each subscriber has a rendering of its own.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Self
from weakref import WeakValueDictionary

import graphql
import orjson
from graphql import ExecutionResult, execute_root_selection_set

from hub.access.viewers import Viewer
from hub.graph.context import Context
from hub.graph.faults import formatted_all
from hub.graph.signals import CURRENT, apart
from hub.journal.frames import Frame, FrameKind
from hub.journal.subscriber import Subscriber

Answer = dict[str, Any]  # as the transports send it: data, errors, extensions

REPLAYED: Final = 64  # texts of one rendering that are kept for those who come back for them
REPLAYED_BYTES: Final = 256 * 1024  # of them together: those of an ordinary screen have some 500 each


def answered(result: ExecutionResult, context: Context) -> Answer:
    """A result as it is told, with what was held back."""
    answer: Answer = {"data": result.data}
    if result.errors:
        answer["errors"] = formatted_all(result.errors)
    if context.withheld:
        answer["extensions"] = {"redactions": [{"type": of, **held} for (of, _), held in sorted(context.withheld.items())]}
    return answer


@dataclass(frozen=True, slots=True)
class Words:
    """In which a subscription was asked for, and with which rights: who shares them all is told the same of an event.

    What the root field was given is none of them: it says which events there are and from where on, not what is told of one."""

    text: str
    name: str | None
    variables: bytes
    roles: frozenset[str]
    scopes: frozenset[str]

    @classmethod
    def of(cls, text: str, name: str | None, variables: Mapping[str, Any], viewer: Viewer) -> Self:
        """Of the coerced variables that an answer can depend on."""
        return cls(text, name, orjson.dumps(variables, default=str, option=orjson.OPT_SORT_KEYS), viewer.roles, viewer.scopes)


class Rendering:
    """Makes the text of a frame, for all with the same `Words`."""

    def __init__(self, prepared: graphql.Executor[Any], context: Context) -> None:
        """`context` is its own: nobody else's viewer changes under it."""
        self._prepared = prepared
        self._context = context
        self._signal = apart()  # an error in what many are told bears none of their ids
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0

    def text(self, frame: Frame) -> bytes:
        """The answer as JSON; made by whoever asks first."""
        if frame.text is None:
            frame.text = self._kept.get(frame.position) if frame.kind is FrameKind.EVENT else None
        if frame.text is None:
            frame.text = self._rendered(frame)
            if frame.kind is FrameKind.EVENT:
                self._keep(frame.position, frame.text)
        return frame.text

    def _keep(self, position: int, text: bytes) -> None:
        self._kept[position] = text
        self._size += len(text)
        while len(self._kept) > REPLAYED or self._size > REPLAYED_BYTES:
            self._size -= len(self._kept.popitem(last=False)[1])

    def _rendered(self, frame: Frame) -> bytes:
        self._context.renew()
        before = CURRENT.set(self._signal)
        try:
            outcome = execute_root_selection_set(self._prepared.build_per_event_executor(frame))
            if isawaitable(outcome):
                raise TypeError("A field that waits depends on more than rights; it is to be declared so.")
            self._context.trail.seen.clear()  # each who is told leaves a trail of its own
            return bytes(memoryview(orjson.dumps(answered(outcome, self._context))))  # copied: orjson's take 4 KiB, and these are kept
        finally:
            CURRENT.reset(before)


class Renderings:
    """Those in use."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[Words, Rendering] = WeakValueDictionary()

    def shared(self, words: Words, make: Callable[[], Rendering]) -> Rendering:
        """The rendering of these words, made if nobody uses it yet."""
        found = self._known.get(words)
        if found is None:
            self._known[words] = found = make()
        return found


class Shared:
    """What renders for one subscriber: shared with all who asked in the same words and have the rights that it has now."""

    def __init__(self, renderings: Renderings, words: Callable[[Viewer], Words], make: Callable[[], Rendering], context: Context) -> None:
        self._renderings = renderings
        self._words = words
        self._make = make
        self._context = context
        self._viewer: Viewer | None = None
        self._rendering: Rendering | None = None

    def __call__(self) -> Rendering:
        """The rendering."""
        viewer = self._context.viewer
        if self._rendering is None or self._viewer is not viewer:
            self._viewer = viewer
            self._rendering = self._renderings.shared(self._words(viewer), self._make)
        return self._rendering


class Stream:
    """Answers of one subscription, for as long as they are read. An answer that is not recorded is not told."""

    def __init__(self, prepared: graphql.Executor[Any], source: Subscriber, context: Context) -> None:
        self._prepared = prepared
        self._source = source
        self._context = context

    def through(self, post: Callable[[bytes], object], is_open: Callable[[], bool]) -> None:
        """Hand an answer that is shared, and comes while nothing else waits, to `post` in that moment, as long as it `is_open`. What it
        does not take is read here as ever."""
        context, trail = self._context, self._context.trail

        def outlet(frame: Frame) -> bool:
            if not is_open() or not trail.tells(frame):
                return False
            post(frame.text or context.rendering().text(frame))
            return True

        if context.rendering() is not None:
            self._source.through(outlet)

    async def __aiter__(self) -> AsyncGenerator[tuple[Frame, bytes], None]:
        """Frames, each with its answer as JSON. Raises Unavailable where what is told could not be recorded."""
        async for frame in self._source:
            yield frame, await self.text(frame)

    async def text(self, frame: Frame) -> bytes:
        """The answer to a frame."""
        context = self._context
        context.trail.frame(frame)
        rendering = context.rendering()
        text = orjson.dumps(await self.answer(frame)) if rendering is None else rendering.text(frame)
        await context.trail.leave()
        return text

    async def answer(self, frame: Frame) -> Answer:
        """The ordinary way: an execution for this viewer alone."""
        self._context.renew()  # each frame is an answer of its own: what it joins is read anew
        outcome: ExecutionResult | Awaitable[ExecutionResult]
        outcome = execute_root_selection_set(self._prepared.build_per_event_executor(frame))
        return answered(await outcome if isawaitable(outcome) else outcome, self._context)

    async def aclose(self) -> None:
        """The end."""
        await self._source.aclose()
