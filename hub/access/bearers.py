"""Whoever holds a token, for as long as a socket lasts. What it has a right to can change meanwhile; who it is cannot."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator

from hub.access.viewers import Viewer
from hub.access.visibility import Visibility


class Bearer:
    """The viewer as it is now; everything that lasts asks here, and not what it was told at its beginning."""

    def __init__(self, viewer: Viewer, present: Callable[[], Awaitable[Viewer]] | None = None) -> None:
        """`present`: asks anew who the token makes its bearer; raises whatever ends it."""
        self._present = present
        self.viewer = viewer
        self.visibility = Visibility.of(viewer)
        self.version = 0  # another one after each change: what was judged before is to be judged again
        self._watchers: dict[Callable[[], None], None] = {}
        self._asked = 0  # times that it was asked who it is, or said
        self._known = 0  # the latest of them that it is known by: an answer to an earlier one may be older

    def become(self, viewer: Viewer) -> None:
        """It has other rights from now on, or another token."""
        self._asked += 1
        self._take(viewer, self._asked)

    @contextlib.contextmanager
    def watched(self, changed: Callable[[], None]) -> Iterator[None]:
        """Hear of each change for as long as the block lasts. `changed` must be quick, and never raise."""
        self._watchers[changed] = None
        try:
            yield
        finally:
            del self._watchers[changed]

    async def ask_again(self) -> None:
        """Something happened to its rights: what are they now?"""
        if self._present is not None:
            self._asked += 1
            asked = self._asked
            self._take(await self._present(), asked)

    def _take(self, viewer: Viewer, asked: int) -> None:
        if asked < self._known:
            return
        self._known = asked
        if viewer != self.viewer:
            self.viewer, self.visibility = viewer, Visibility.of(viewer)
            self.version += 1
            for changed in tuple(self._watchers):
                changed()


def renews(token: Viewer, held: Viewer) -> bool:
    """Whether a token may take the place of the one that is held: of the same subject and client, and no wider."""
    return (
        (token.issuer, token.subject, token.client, token.party) == (held.issuer, held.subject, held.client, held.party)
        and token.roles <= held.roles
        and token.scopes <= held.scopes
        and token.narrowed.is_within(held.narrowed)
    )
