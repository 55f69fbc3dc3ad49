"""The console's ready-made operations, read and filled here as the console does it (clients/console/src/ready.js)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.domain.terms import Role
from tests.api import Caller

FILE: Final = Path(__file__).parents[2] / "clients" / "console" / "src" / "operations.graphql"
HEAD: Final = re.compile(r"# ([A-Z_]+(?:, [A-Z_]+)*): (.+)\n(?:# variables: (.+)\n)?")
NEWEST: Final = "query($status: [InteractionStatus!]) { interactions(filter: {status: $status}, first: 1) { nodes { id } } }"
ME: Final = "{ viewer { party { id } } }"


@dataclass(frozen=True)
class Ready:
    """One operation, for whom it is and what it is called."""

    roles: tuple[Role, ...]
    title: str
    text: str
    variables: Mapping[str, Any]

    def __str__(self) -> str:
        return self.title


def ready() -> list[Ready]:
    parts = re.split(r"\n(?=# [A-Z_]+(?:, [A-Z_]+)*: )", FILE.read_text())[1:]
    return [_read(part) for part in parts]


def _read(part: str) -> Ready:
    head = HEAD.match(part)
    assert head, part
    roles, title, variables = head.groups()
    return Ready(tuple(map(Role, roles.split(", "))), title, part[head.end() :].strip(), json.loads(variables or "{}"))


async def filled(variables: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """The variables with what begins with "?" found out."""
    return {name: await _found(value, caller) for name, value in variables.items()}


async def _found(value: Any, caller: Caller) -> Any:
    match value:
        case "?me":
            return (await caller.ask(ME)).data["viewer"]["party"]["id"]
        case "?now":
            return datetime.now(UTC).isoformat()
        case str() if value.startswith("?"):
            return (await caller.ask(NEWEST, status=value[1:].split("|"))).data["interactions"]["nodes"][0]["id"]
        case _:
            return value
