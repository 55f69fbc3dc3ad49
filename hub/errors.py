"""Every failure that the hub tells on purpose, as one tree.

A `Refused` is the caller's to mend: it carries a code of the contract's `ErrorCode` and a sentence that says what would
do. What is not in this tree is a fault of ours: it is logged with its cause and told as INTERNAL_ERROR, no more.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """One list for `UserError.code` and `extensions.code`."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    CONFLICT = "CONFLICT"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    CURSOR_INVALID = "CURSOR_INVALID"
    TOO_BROAD = "TOO_BROAD"
    COST_EXCEEDED = "COST_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class HubError(Exception):
    """Anything the hub says no to, with a sentence that a person can act on."""


class StartupError(HubError):
    """The hub cannot start; the message says what to change. The CLI prints it as one line and exits with 1."""


class Refused(HubError):
    """A request that is not done. Attributes beside `code` are the optional fields of the contract's `UserError`."""

    code: ClassVar[ErrorCode] = ErrorCode.BAD_USER_INPUT

    path: tuple[str, ...] | None = None
    current_revision: int | None = None
    conflicting_id: str | None = None
    allowed_transitions: tuple[str, ...] | None = None
    requires_roles: tuple[str, ...] | None = None
    requires_scopes: tuple[tuple[str, ...], ...] | None = None
    required_acr: tuple[str, ...] | None = None
    retry_after_ms: int | None = None

    @property
    def message(self) -> str:
        """The sentence, as it is told."""
        return str(self)


class BadInput(Refused):
    """A value that no one could accept; `path` names it as the client spelled it (camelCase)."""

    code = ErrorCode.BAD_USER_INPUT

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path or None


class NotFound(Refused):
    """Unknown, or out of sight: the two look the same."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, what: str, *path: str) -> None:
        super().__init__(f"There is no such {what}.")
        self.path = path or None


class Unauthenticated(Refused):
    """No token, or one that does not verify. One constant sentence: a forger learns nothing from it."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("A valid access token is needed: send it as `Authorization: Bearer <token>`.")


class Forbidden(Refused):
    """The token is good, the right is missing; says which roles or scopes have it."""

    code = ErrorCode.FORBIDDEN

    def __init__(self, act: str, *, roles: Sequence[str] = (), scopes: Sequence[Sequence[str]] = ()) -> None:
        needs = " and ".join(
            part
            for part in (
                f"one of the roles {listed(roles)}" if roles else "",
                f"the scope {listed([' with '.join(group) for group in scopes], 'or')}" if scopes else "",
            )
            if part
        )
        super().__init__(f"{act} needs {needs}." if needs else f"{act} is not open to this viewer.")
        self.requires_roles = tuple(roles) or None
        self.requires_scopes = tuple(tuple(group) for group in scopes) or None


class OutOfReach(Forbidden):
    """No role or scope would do, only a token that reaches further, or is another party's."""

    def __init__(self, what: str) -> None:
        super().__init__(what)


class NoLongerOpen(Refused):
    """A signed address that is over, was taken back, or is none of ours: one sentence for all of it."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This address does not open anything, or not any more; ask the hub for a new one.")


class AuthenticationRequired(Refused):
    """The right is there, the login is too weak for it: a token with one of these `acr` will do."""

    code = ErrorCode.AUTHENTICATION_REQUIRED

    def __init__(self, what: str, acr: Sequence[str]) -> None:
        super().__init__(f"{what} needs a stronger login here: a token whose acr is {listed(acr)}.")
        self.required_acr = tuple(acr)


class Conflict(Refused):
    """Somebody else was there first: a stale revision, or an identifier that is taken."""

    code = ErrorCode.CONFLICT

    def __init__(self, message: str, *, current_revision: int | None = None, conflicting_id: str | None = None) -> None:
        super().__init__(message)
        self.current_revision = current_revision
        self.conflicting_id = conflicting_id


class IllegalTransition(Refused):
    """The interaction cannot do this from where it stands; `cannot` is the sentence's verb: "cannot become OPEN"."""

    code = ErrorCode.ILLEGAL_TRANSITION

    def __init__(self, was: str, cannot: str, allowed: Sequence[str]) -> None:
        self.was = was
        self.cannot = cannot
        can = f"it can become {listed(allowed, 'or')}" if allowed else "it is final, so open another one"
        super().__init__(f"An interaction that is {was} {cannot}; {can}.")
        self.allowed_transitions = tuple(allowed)


class TooBroad(Refused):
    """More rows would have to be looked at than there is time for; says what would narrow them."""

    code = ErrorCode.TOO_BROAD

    def __init__(self, helps: str) -> None:
        super().__init__(f"This looks at more rows than there is time for; {helps}.")


class CostExceeded(Refused):
    """One operation asks for more than any should."""

    code = ErrorCode.COST_EXCEEDED


class DocumentNotFound(Refused):
    """No document has this id or hash. For a hash it is Apollo's own sentence, upon which its clients send the text."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND

    def __init__(self, *, is_hash: bool) -> None:
        super().__init__("PersistedQueryNotFound" if is_hash else "No trusted document has this `documentId`.")


class DocumentNotTrusted(Refused):
    """A text where only trusted documents are run."""

    code = ErrorCode.DOCUMENT_NOT_TRUSTED

    def __init__(self) -> None:
        super().__init__("For this viewer only trusted documents are run: name one by its `documentId`, and send no other text.")


class RateLimited(Refused):
    """Tried too often; says when to come back."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, why: str, *, retry_after_ms: int) -> None:
        super().__init__(f"{why} Try again in {-(-retry_after_ms // 1000)} seconds.")
        self.retry_after_ms = retry_after_ms


class IdempotencyKeyReused(Refused):
    """The key was used before, for another request."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for another request; a new request needs a new key.")
        self.path = ("input", "idempotencyKey")


class CursorInvalid(Refused):
    """A cursor that this hub did not make, or not for this use."""

    code = ErrorCode.CURSOR_INVALID

    def __init__(self) -> None:
        super().__init__(
            "This cursor is not one of this hub's, or is of another list; use one from a frame, a payload, a page or `Query.cursor`."
        )


class Unavailable(Refused):
    """The hub cannot say now; the same request, with the same idempotency key, may be sent again."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self, why: str, *, retry_after_ms: int = 1000) -> None:
        super().__init__(f"{why} Send it again, with the same idempotency key.")
        self.retry_after_ms = retry_after_ms


class InternalError(Refused):
    """A fault of ours: logged with its cause, told without it."""

    code = ErrorCode.INTERNAL_ERROR

    def __init__(self) -> None:
        super().__init__("The hub made an error; it has been logged.")


def listed(words: Sequence[str], last: str = "or") -> str:
    """`["A", "B", "C"]` as "A, B or C"; nothing as "nothing"."""
    if not words:
        return "nothing"
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
