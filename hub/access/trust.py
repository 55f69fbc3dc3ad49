"""Whom the hub believes: the issuers of HUB_ISSUERS, each with the form of its tokens and what they are worth here."""

from collections.abc import Mapping
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from hub.access.jwks import Algorithm, Key, KeySet, read
from hub.access.listings import LONGEST_NAME, Listing
from hub.domain.terms import Role
from hub.errors import StartupError
from hub.settings import is_loopback

LONGEST_LIFE: Final = 24 * 60 * 60  # seconds: a token cannot be taken back, so none lives longer

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


def path(text: str) -> tuple[str, ...]:
    r"""The names of a dotted path; `\.` is a dot within a name: `realm_access.roles`, `https://example\.com/roles`.

    Raises ValueError."""
    names = [""]
    rest = iter(text)
    for letter in rest:
        if letter == ".":
            names.append("")
        elif letter == "\\":
            escaped = next(rest, "")
            if escaped not in {".", "\\"}:
                raise ValueError("has a backslash before something other than a dot or a backslash")
            names[-1] += escaped
        else:
            names[-1] += letter
    if not all(names):
        raise ValueError("has an empty name between its dots")
    return tuple(names)


def _url(url: str) -> str:
    if not is_trustworthy(url):
        raise ValueError("must begin with https://; http:// is for loopback only")
    return url


def is_trustworthy(url: str) -> bool:
    """Whether keys may be fetched from there: over TLS, or from this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def _keys(value: object) -> object:
    if isinstance(value, KeySet):
        return value
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of public JWKs")
    return KeySet(tuple(_key(number, jwk) for number, jwk in enumerate(value, 1)))


def _key(number: int, jwk: object) -> Key:
    try:
        return read(jwk)
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot use key {number}: {error}") from None


def _path(value: object) -> object:
    return path(value) if isinstance(value, str) else value


ClaimPath = Annotated[tuple[str, ...], BeforeValidator(_path), Field(min_length=1)]
Url = Annotated[str, AfterValidator(_url)]
Keys = Annotated[KeySet, BeforeValidator(_keys)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)


class Claims(_Frozen):
    """Where a token says what; where nothing stands, there are no roles, no scopes, no party."""

    roles: ClaimPath = ("roles",)
    scopes: ClaimPath = ("scope",)
    party: ClaimPath = ("party",)


class Identifiers(_Frozen):
    """How the party claim is meant where it is no id of ours: as an external identifier of this owner and type."""

    owner: Name
    type: Name | None = None


class Trust(_Frozen):
    """One issuer, and how far it is believed."""

    issuer: Name
    audience: Name
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)]
    jwks_url: Url | None = None
    keys: Keys | None = None
    claims: Claims = Claims()
    roles: Annotated[Mapping[Name, Role], Field(min_length=1)]
    parties: Identifiers | None = None
    backed: Mapping[Role, Name] = Field(default={}, description="roles that count only while the party holds the PartyRole of this name")
    lifetime: int = Field(default=LONGEST_LIFE, ge=1, le=LONGEST_LIFE, description="seconds that a token may live at most")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.keys is not None and self.jwks_url is not None:
            raise ValueError("has both keys and jwks_url; one of them says where its keys are")
        if self.keys is None and self.jwks_url is None and not is_trustworthy(self.issuer):
            raise ValueError("needs keys or jwks_url: its name is no https:// address at which they could be discovered")
        if self.keys is not None and self.keys.fitting(self.algorithms) < len(self.keys.keys):
            raise ValueError(f"has a key in keys that is of no use for {', '.join(self.algorithms)}")
        return self


TRUSTS: Final = TypeAdapter(tuple[Trust, ...])
LISTING: Final = Listing("HUB_ISSUERS", "issuer", named_by="issuer")


def configured(given: str) -> tuple[Trust, ...]:
    """The issuers that HUB_ISSUERS names: as a JSON list, or in the `[[issuers]]` of a TOML file.

    Raises StartupError with a sentence that names issuer and field, and never quotes a key."""
    trusts = LISTING.read(given, TRUSTS)
    names = [trust.issuer for trust in trusts]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise StartupError(f"HUB_ISSUERS names {twice} twice.")
    return trusts
