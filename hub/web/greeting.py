"""What `hub serve` prints when it answers: where, and, with demo data, a token for each role and lines to paste."""

import shlex
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from hub.access.tokens import LocalIssuer
from hub.domain.terms import Role
from hub.exchange.demo import Demo
from hub.web import console
from hub.web.app import PATH

DEMO_TTL: Final = timedelta(hours=24)
LATEST: Final = "{ interactions(first: 3) { totalCount nodes { id status reason progress { percent message } } } }"
PROGRESS: Final = (
    'mutation($id: ID!) { reportProgress(input: {id: $id, message: "The technician is on the way.", percent: 80})'
    " { interaction { revision progress { percent nextUpdateDueAt } } errors { code message } } }"
)


def greeting(host: str, port: int, issuer: LocalIssuer | None, cast: Demo | None, *, has_console: bool) -> str:
    """The lines; without demo data, or where others issue the tokens, there is but one."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    graphql, stream = f"http://{address}{PATH}", f"ws://{address}{PATH}"
    lines = [f"The hub answers at {graphql} and {stream} ({'local mode; ' if issuer else ''}Ctrl-C ends it)."]
    if cast is None or issuer is None:
        return lines[0]
    tokens = _tokens(issuer, cast)
    return "\n".join(
        [
            *lines,
            "",
            "A token for each role, good for a day:",
            *(f"  {role:15} {token}" for role, token in tokens.items()),
            *(["", f"Put one into the console, http://{address}{console.PATH}, and try what that role does."] if has_console else []),
            "",
            "Ids to put into the README's examples:",
            f"  the fibre for the new flat   {cast.interactions[0]}",
            f"  the slow evenings (PENDING)  {cast.interactions[2]}",
            f"  the agent's party            {cast.agent}",
            "",
            "Follow what happens as the customer:",
            _line(str(Path(sys.executable).parent / "hub"), "watch", "--url", stream, "--token", tokens[Role.CUSTOMER]),
            "",
            "Ask as the customer, in another terminal:",
            _curl(graphql, tokens[Role.CUSTOMER], LATEST, {}),
            "",
            "Report progress as the agent, and see it arrive:",
            _curl(graphql, tokens[Role.AGENT], PROGRESS, {"id": cast.ongoing}),
        ]
    )


def _tokens(issuer: LocalIssuer, cast: Demo) -> dict[Role, str]:
    parties = {
        Role.VISITOR: cast.customer,
        Role.CUSTOMER: cast.customer,
        Role.AGENT: cast.agent,
        Role.SUPERVISOR: cast.supervisor,
        Role.PARTNER: cast.partner,
    }
    return {role: issuer.mint([role], party=parties.get(role), ttl=DEMO_TTL) for role in Role}


def _curl(url: str, token: str, query: str, variables: Mapping[str, str]) -> str:
    body = orjson.dumps({"query": query} | ({"variables": variables} if variables else {})).decode()
    headers = ("content-type: application/json", f"authorization: Bearer {token}")
    return _line("curl", "-s", url, *(part for header in headers for part in ("-H", header)), "-d", body)


def _line(*words: str) -> str:
    return f"  {shlex.join(words)}"
