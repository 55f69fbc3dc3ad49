"""How often an address may ask: so many times in a minute, in any minute. Bounded: a flood of addresses costs time, never memory."""

from collections import deque
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from hub.access.remembered import Remembered

MINUTE: Final = timedelta(minutes=1)
ADDRESSES: Final = 10_000  # that are remembered
NETWORK: Final = 64  # bits of an IPv6 address that one household has: it owns all that begin with them


class Throttle:
    """Of one process; behind a proxy every client looks like the proxy, unless the server is told to trust it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: Remembered[str, deque[datetime]] = Remembered(ADDRESSES)

    def wait(self, address: str, now: datetime) -> int | None:
        """None, and it is counted; or the seconds until one more is let in."""
        whose = _network(address)
        asked = self._asked.get(whose, now) or deque()
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        if len(asked) >= self._most:
            return max(1, ceil((asked[0] + MINUTE - now).total_seconds()))
        asked.append(now)
        self._asked.put(whose, asked, now + MINUTE)
        return None


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    mapped = found if found.version == 4 else found.ipv4_mapped  # as a server that listens for both names an IPv4 address
    return str(mapped or ip_network((found, NETWORK), strict=False))
