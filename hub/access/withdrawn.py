"""What was taken back before its time: tokens that were revoked and clients that were disabled.

The journal says it, in order: whoever follows the feed behind this list is told nothing that came after.
"""

from datetime import datetime
from typing import Final

from hub.access.viewers import Viewer

SWEEP: Final = 1_000  # withdrawals between two looks for those that have expired anyway


class Withdrawn:
    """Ids of tokens and clients that open nothing any more; a token's is kept until it would have expired."""

    def __init__(self) -> None:
        self._ids: dict[str, datetime | None] = {}
        self._sweep = SWEEP

    def add(self, id: str, until: datetime | None, now: datetime) -> None:
        """It is over with this token or client; with `until`, the token would have ended then."""
        self._ids[id] = until
        if len(self._ids) >= self._sweep:
            self._ids = {one: ends for one, ends in self._ids.items() if ends is None or ends > now}
            self._sweep = 2 * len(self._ids) + SWEEP

    def ends(self, viewer: Viewer) -> bool:
        """Whether this viewer's token is one of them, or rests on one of them."""
        return not viewer.rests_on.isdisjoint(self._ids.keys())
