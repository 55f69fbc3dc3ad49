"""Why a socket is closed: one table of codes, of which README's is made.

1000 to 1015 are WebSocket's own (RFC 6455, section 7.4.1, and its registry), 44xx those of graphql-transport-ws. What its
stock client does is written beside each: what it retries, it retries with its backoff and a fresh `connection_init`.
"""

from dataclasses import dataclass
from typing import Final

REASON: Final = 123  # bytes that the reason in a close frame may have (RFC 6455, section 5.5)


@dataclass(frozen=True, slots=True)
class Close:
    """A code, when it is sent, and whether the stock client comes back by itself."""

    code: int
    when: str
    is_retried: bool


TOO_BIG: Final = Close(1009, "a message has more than 64 KiB, or 8 KiB before `connection_ack`", True)
RESTART: Final = Close(1012, "this process ends; another takes over: come back with your cursors", True)
AGAIN: Final = Close(1013, "too many come at once, or tokens cannot be verified now; the reason says when to come again", True)
BAD: Final = Close(4400, "a message is not one of the protocol's", False)
EARLY: Final = Close(4401, "`subscribe` came before `connection_ack`", False)
OVER: Final = Close(4403, "the token is not valid, has expired or was taken back: fetch one and come back", True)
PROTOCOL: Final = Close(4406, "the client speaks another subprotocol than `graphql-transport-ws`", False)
SILENT: Final = Close(4408, "`connection_init` did not come within 5 seconds", True)
TWICE: Final = Close(4409, "an operation with this id is running", False)
MANY: Final = Close(4429, "a second `connection_init`, or more than 25 operations at once", False)

CLOSES: Final = (TOO_BIG, RESTART, AGAIN, BAD, EARLY, OVER, PROTOCOL, SILENT, TWICE, MANY)


class Closed(Exception):
    """The socket is to be closed: why, and a sentence."""

    def __init__(self, why: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = why.code
        self.reason = reason.encode()[:REASON].decode(errors="ignore")


def markdown() -> str:
    """The table as README shows it."""
    rows = [f"| {one.code} | {one.when} | {'comes back' if one.is_retried else 'gives up'} |" for one in CLOSES]
    return "\n".join(["| code | when | a stock client |", "|---|---|---|", *rows])
