"""HUB_* in the environment, as one frozen value. The command line's options come in as overrides."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.errors import StartupError

PREFIX: Final = "HUB_"

STEP_UP: Final = ("phr", "phrh", "https://refeds.org/profile/mfa")
"""Logins with more than a password: phishing-resistant (OpenID Connect EAP ACR Values 1.0), and the profile of REFEDS."""

ATTACHMENT_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "application/pdf", "text/plain")
"""What customers send and no browser runs; of each it is known how its bytes begin."""

SECRET_LENGTH: Final = 32  # characters: what keys are derived from must hold as much as they do


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH:
        raise ValueError(f"needs at least {SECRET_LENGTH} characters; `openssl rand -base64 33` makes some")
    return secret


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _listed(value: object) -> object:
    """The words between the commas of a text, none twice."""
    return tuple(dict.fromkeys(word for part in value.split(",") if (word := part.strip()))) if isinstance(value, str) else value


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("is an address such as https://hub.example.com, without a query")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is for loopback only")
    return url.rstrip("/")


def _media_type(kind: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", kind):
        raise ValueError(f"is a list of media types such as image/jpeg, and {kind!r} is none")
    return kind


def _network(address: str) -> str:
    try:
        return str(ip_network(address))
    except ValueError as error:
        raise ValueError(f"is a list of addresses and networks such as 10.0.0.0/8: {error}") from None


Network = Annotated[str, AfterValidator(_network)]
MediaType = Annotated[str, BeforeValidator(_lower), AfterValidator(_media_type)]
Address = Annotated[str, AfterValidator(_address)]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
Choice = Annotated[Literal["on", "off"], BeforeValidator(_lower)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
AccessLog = Annotated[Literal["none", "errors", "all"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """What an operator can choose; each field is read from `HUB_<FIELD>`, and an empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(Path(".hub"), description="where the embedded MongoDB and the local key live")
    host: str = Field("127.0.0.1", description="the address to listen on; loopback only in local mode")
    port: int = Field(8000, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    mongo_uri: str | None = Field(None, repr=False, description="a replica set to use in place of the embedded one")
    mongo_database: str = Field("hub", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="the database's name")
    mongo_driver: Literal["pymongo", "motor"] = Field("pymongo", description="PyMongo Async or Motor")
    mongod: Path | None = Field(None, description="the program to start in place of the packaged mongod")
    secret: Secret | None = Field(None, description="what the hub's own keys are derived from; needed with HUB_MONGO_URI")
    secret_previous: Secret | None = Field(None, description="the secret before, still accepted while it is replaced")
    bus: str | None = Field(
        None, description="the broadcaster URL that carries hints between processes; mongodb:// is the database's own change stream"
    )
    workers: int = Field(1, ge=1, le=256, description="processes that share the port")
    topics: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="the company's list of topics, separated by commas; others are refused. Without it any topic will do"
    )
    reopen_days: int = Field(14, ge=0, le=3650, description="days in which a completed interaction can be reopened")
    idempotency_days: int = Field(30, ge=1, le=3650, description="days in which a repeated idempotency key is recognised")
    audit_days: int = Field(365, ge=1, le=3650, description="days for which it is kept who read or changed what")
    event_days: int = Field(30, ge=1, le=3650, description="days for which events are replayed; an older cursor is a RESET")
    attachment_bytes: int = Field(
        10 * 1024 * 1024, ge=0, le=2**30, description="bytes that an attachment may have; 0 takes references only"
    )
    attachment_types: Annotated[tuple[MediaType, ...], NoDecode, BeforeValidator(_listed)] = Field(
        ATTACHMENT_TYPES, description="the kinds of files that are taken as attachments, separated by commas"
    )
    issuers: str | None = Field(None, repr=False, description="who issues tokens: a TOML file with [[issuers]], or a JSON list of them")
    url: Address | None = Field(
        None, description="the address at which clients reach the hub, as the name under which it issues tokens; the same for every process"
    )
    visitors_per_minute: int = Field(
        10, ge=0, le=100_000, description="visitor tokens that one address gets in a minute; 0 admits no visitors"
    )
    access_policies: str | None = Field(
        None, repr=False, description="where a stronger login is asked for: a TOML file with [[policies]], or a JSON list of them"
    )
    step_up_acr: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = Field(
        STEP_UP, description="with which acr a guardian acts for a customer, separated by commas"
    )
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="the origins beside its own whose pages may ask, follow and open sockets, separated by commas"
    )
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="the names that the hub answers to, separated by commas, as *.example.com; left out: any, in local mode its own"
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="whose X-Forwarded-For and X-Forwarded-Proto count: addresses and networks, separated by commas"
    )
    sockets_per_second: float = Field(
        500.0, ge=1, le=100_000, description="sockets and streams that one process takes in a second; others are told when to come again"
    )
    drain_seconds: float = Field(
        10.0, ge=0, le=600, description="seconds over which a process that ends sends its sockets and streams away"
    )
    access_log: AccessLog = Field("errors", description="which operations get a line in the log: none, those with errors, or all")
    metrics_port: int | None = Field(None, ge=1, le=65535, description="a port of its own for /metrics, which is then not at HUB_PORT")
    metrics_host: str = Field("127.0.0.1", description="the address to listen on there")
    console: Choice | None = Field(None, description="on or off: whether GraphiQL is served at /graphiql; left out, in local mode alone")
    cost_per_minute: str | None = Field(
        None,
        description='what a viewer may ask for in a minute, in cost, by role: "600000, VISITOR=20000"; 0 is any, and usual in local mode',
    )
    operations_at_once: int | None = Field(
        None, ge=0, le=10_000, description="operations of one viewer that run at once; 0 for any. Usually 64, and any in local mode"
    )
    trusted_documents: str = Field(
        "prefer", description='off, prefer or require: whether trusted documents are run, or nothing else, by role: "require, AGENT=off"'
    )
    operation_seconds: float = Field(20.0, ge=1, le=600, description="seconds that a query or a mutation may take")
    log_level: LogLevel = Field("info", description="what is logged")

    @property
    def is_local(self) -> bool:
        """No issuer of tokens is configured, so the hub trusts a key of its own and listens on loopback only."""
        return self.issuers is None

    @property
    def has_console(self) -> bool:
        """Whether the console is served: as chosen, else in local mode alone."""
        return self.is_local if self.console is None else self.console == "on"

    @property
    def bus_url(self) -> str:
        """The bus in force: where none is chosen, the database's own as soon as there may be several processes."""
        return self.bus or ("mongodb://" if self.mongo_uri or self.workers > 1 else "memory://")

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """The settings in force: an override that is not None, else the environment, else the default.

        Raises StartupError with a sentence that names the variable, never its value."""
        _refuse_unknown(os.environ)
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]  # each is validated right here
        except ValidationError as error:
            raise StartupError(_sentence(error)) from None  # the cause would quote values

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.mongo_uri and not self.secret:
            raise ValueError("HUB_MONGO_URI needs HUB_SECRET: at least 32 characters, the same for every process on that database")
        if self.secret_previous and not self.secret:
            raise ValueError("HUB_SECRET_PREVIOUS needs HUB_SECRET, which has taken its place")
        if self.metrics_port is not None and self.metrics_port == self.port:
            raise ValueError("HUB_METRICS_PORT must be another port than HUB_PORT")
        if self.is_local and not is_loopback(self.host):
            raise ValueError("HUB_HOST (--host) must be a loopback address such as 127.0.0.1 as long as the hub trusts its own local key")
        return self


def is_loopback(host: str) -> bool:
    """Whether this name or address is of this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the hub reads {', '.join(known)}."
            raise StartupError(f"{name} is not a setting of the hub; {hint}")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    said = str(first["ctx"]["error"]) if first["type"] == "value_error" else f"is not valid: {first['msg'][0].lower()}{first['msg'][1:]}"
    names = [f"{PREFIX}{str(name).upper()} " for name in first["loc"][:1]]
    return f"{''.join(names)}{said}."
