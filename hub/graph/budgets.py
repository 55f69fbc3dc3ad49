"""How much a viewer may ask for: a bucket of values that fills up again over a minute, and how many operations run at once.

Both are this process's own: with several workers each keeps its own count.
"""

import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Self

from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.errors import CostExceeded, RateLimited, StartupError

BUCKETS: Final = 10_000  # that are not full; who is pushed out begins with a full one
UNLIMITED: Final = 2**31 - 1  # what GraphQL's Int holds at most
MINUTE: Final = timedelta(minutes=1)
WORDS: Final = 'HUB_COST_PER_MINUTE is a number, and others by role behind it: "600000, VISITOR=20000"; 0 is any.'
AGAIN: Final = 1_000  # milliseconds after which one of the operations that run has probably ended


@dataclass(frozen=True, slots=True)
class Rates:
    """What an operator allows: values a minute by role, `usual` for the others, None for any number; and how many operations of one
    viewer run at once."""

    usual: int | None
    by_role: Mapping[Role, int | None]
    at_once: int | None

    @classmethod
    def told(cls, cost_per_minute: str, at_once: int) -> Self:
        """`600000, VISITOR=20000`: what is usual, and what is not, by role. 0 is any number.

        Raises StartupError for other words."""
        usual, *others = (word.strip() for word in cost_per_minute.split(","))
        by_role = {}
        for role, _, value in (word.partition("=") for word in others):
            if role not in Role.__members__ or not value.isdecimal():
                raise StartupError(WORDS)
            by_role[Role(role)] = int(value) or None
        if not usual.isdecimal():
            raise StartupError(WORDS)
        return cls(int(usual) or None, by_role, at_once or None)

    def of(self, viewer: Viewer) -> int | None:
        """The most that one of its roles is allowed."""
        allowed = [self.by_role.get(role, self.usual) for role in viewer.roles] or [self.usual]
        return None if None in allowed else max(one for one in allowed if one is not None)


@dataclass(slots=True)
class Bucket:
    """What is left of a minute's allowance, when that was looked at last."""

    left: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """How a viewer's bucket stands: what it holds when full, what it holds now, and when it will be full."""

    limit: int
    remaining: int
    reset_at: datetime


class Budgets:
    """The buckets of all viewers, by who asks for whom: a token more is no more."""

    def __init__(self, rates: Rates, clock: Callable[[], datetime]) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, int], Bucket] = OrderedDict()
        self._running: Counter[str] = Counter()

    def charge(self, viewer: Viewer, cost: int) -> int | None:
        """Take a cost from the viewer's bucket and tell what is left; None where there is no limit.

        Raises RateLimited where that is less than the cost, CostExceeded where it always will be."""
        limit = self._rates.of(viewer)
        if limit is None:
            return None
        if cost > limit:
            raise CostExceeded(f"This costs {cost}, and {limit} is all that this viewer may ask for in a minute: ask for less at once.")
        bucket = self._bucket(viewer, limit)
        if cost > bucket.left:
            wait = ceil((cost - bucket.left) / limit * MINUTE / timedelta(milliseconds=1))
            raise RateLimited(f"This costs {cost}, and {int(bucket.left)} of {limit} a minute are left.", retry_after_ms=wait)
        bucket.left -= cost
        return int(bucket.left)

    def balance(self, viewer: Viewer) -> Balance:
        """How the viewer's bucket stands; without a limit it is as large as numbers go, and full."""
        limit, now = self._rates.of(viewer), self._clock()
        if limit is None:
            return Balance(UNLIMITED, UNLIMITED, now)
        left = self._bucket(viewer, limit).left
        return Balance(limit, int(left), now + MINUTE * ((limit - left) / limit))

    @contextlib.contextmanager
    def running(self, viewer: Viewer) -> Iterator[None]:
        """Around an operation, which counts for as long. Raises RateLimited where too many of this viewer's run."""
        if self._rates.at_once is None or viewer.is_anonymous:  # nobody's operations do not wait for anything
            yield
            return
        id = viewer.id
        if self._running[id] >= self._rates.at_once:
            raise RateLimited(f"{self._rates.at_once} operations of this viewer run already.", retry_after_ms=AGAIN)
        self._running[id] += 1
        try:
            yield
        finally:
            self._running[id] -= 1
            if not self._running[id]:
                del self._running[id]

    def _bucket(self, viewer: Viewer, limit: int) -> Bucket:
        """The viewer's bucket, as full as it has become."""
        now, key = self._clock(), (viewer.id, limit)
        bucket = self._buckets.setdefault(key, Bucket(limit, now))
        self._buckets.move_to_end(key)
        bucket.left = min(limit, bucket.left + limit * (max(now - bucket.at, timedelta(0)) / MINUTE))
        bucket.at = now
        if len(self._buckets) > BUCKETS:
            self._buckets.popitem(last=False)
        return bucket
