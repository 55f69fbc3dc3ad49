"""What the README shows is what the hub does: its operations run, its commands are there, its settings are the settings."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from hub.access.matrix import markdown
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from hub.exchange.demo import Demo, demo
from hub.settings import Settings
from hub.web import closing
from hub.web.hub import now
from tests.api import Api, Caller
from tests.conftest import submit
from tests.typed import hub

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
VARYING = (
    (re.compile(r'"([A-Z2-7]{4}-){7}[A-Z2-7]{4}"'), '"<claim code>"'),
    (re.compile(r'"eyJ[\w-]+\.[\w-]+\.[\w-]+"'), '"<token>"'),
    (re.compile(r'"int_[0-9a-f]{32}"'), '"<interaction>"'),
    (re.compile(r'"[A-Za-z0-9_-]{44,90}"'), '"<cursor>"'),
    (re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"'), '"<time>"'),
)


@dataclass(frozen=True)
class Example:
    """A block of GraphQL and the answers that stand below it."""

    role: Role
    text: str
    answers: list[Any]

    @property
    def variables(self) -> dict[str, str]:
        """As they stand in its comment."""
        given = re.search(r"# variables: (.*)", self.text)
        return dict(json.loads(given.group(1))) if given else {}

    @property
    def name(self) -> str:
        return re.sub(r"\W+", " ", self.text).split(" variables")[0].strip()[:40]


def examples() -> Iterator[Example]:
    for text, answers in re.findall(r"```graphql\n(.*?)```\n+```json\n(.*?)```", README, re.DOTALL):
        role = re.search(r"# as (\w+)", text)
        assert role, text
        yield Example(Role(role.group(1)), text, list(values(answers)))


def values(text: str) -> Iterator[Any]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def settled(answer: Any) -> str:
    """The answer with what differs from run to run named, not quoted."""
    text = json.dumps(answer, sort_keys=True)
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def as_opened(answer: Any) -> tuple[str, str]:
    """What was opened, and its claim code."""
    payload = answer["data"]["createInteraction"]
    return payload["interaction"]["id"], payload["claimCode"]


@pytest.fixture
async def cast(api: Api) -> Demo:
    return await demo(lambda command: submit(api.hub, command), now=now())


@pytest.fixture
async def visitor(api: Api) -> PartyId:
    return PartyId((await api.as_agent.upsert(name="A visitor"))["party"]["id"])


def caller(api: Api, cast: Demo, role: Role) -> Caller:
    parties = {Role.CUSTOMER: cast.customer, Role.AGENT: cast.agent, Role.SUPERVISOR: cast.supervisor, Role.PARTNER: cast.partner}
    return api.as_role(role, parties[role])


def meant(cast: Demo, variables: dict[str, str], opened: dict[str, str]) -> dict[str, str]:
    """The ids of this run, and what it `opened`, in place of what is shown."""
    fibre, _, slow, *_ = cast.interactions
    known = {
        "int_01a2098d5f0e7f0a8b1c2d3e4f5a6b7c": fibre,
        "int_01a2098d5f0e7b3c9d2e4f5061728394": slow,
        "par_01a2098d5f0e7f0a8b1c2d3e4f5a6b7d": cast.agent,
    } | opened
    return {name: known[value] for name, value in variables.items()}


async def test_every_operation_of_the_readme_answers_as_it_says(api: Api, cast: Demo, visitor: PartyId) -> None:
    shown = list(examples())
    assert len(shown) == 10
    opened: dict[str, str] = {}

    for example in shown:
        variables = meant(cast, example.variables, opened)
        caller_ = api.as_role(Role.VISITOR, visitor) if example.role is Role.VISITOR else caller(api, cast, example.role)
        if "subscription" in example.text:
            async with caller_.stream(example.text, **variables) as stream:
                first = (await stream.receive())["payload"]
                await caller(api, cast, Role.AGENT).act("reportProgress", id=cast.ongoing, message="The technician rings.", percent=90)
                answers = [first, (await stream.receive())["payload"]]
        else:
            answers = [(await caller_.ask(example.text, **variables)).body]
        if "claimCode\n" in example.text:
            opened = dict(zip(as_opened(example.answers[0]), as_opened(answers[0]), strict=True))
        assert [settled(answer) for answer in answers] == [settled(answer) for answer in example.answers]


async def test_the_partners_script_of_the_readme_tells_what_happened_since_last_time(api: Api, cast: Demo, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    partner = caller(api, cast, Role.PARTNER)
    environment = {"URL": f"http://{api.address}/graphql", "TOKEN": str(partner.token), "PATH": os.environ["PATH"]}

    async def told() -> list[str]:
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=tmp_path, env=environment, stdout=PIPE)
        out, _ = await asyncio.wait_for(run.communicate(), 30)
        assert run.returncode == 0
        return out.decode().splitlines()

    first = await told()
    again = await told()
    await caller(api, cast, Role.AGENT).done("reportProgress", id=cast.ongoing, message="The technician rings.")
    await caller(api, cast, Role.AGENT).create(reason="no business of the partner's")
    later = await told()

    assert first == [f"CREATED {cast.ongoing} "]
    assert again == []
    assert later == [f"PROGRESS_REPORTED {cast.ongoing} The technician rings."]


def test_what_the_readme_imports_is_imported_as_it_says(mongo_uri: str, tmp_path: Path) -> None:
    shown = re.search(r"\$ echo '(.*?)' \| hub import -\n(.*?)```", README, re.DOTALL)
    assert shown

    database = {"HUB_MONGO_URI": mongo_uri, "HUB_MONGO_DATABASE": "imported", "HUB_SECRET": "correct horse battery staple, twice"}
    done = hub("import", "-", "--data-dir", tmp_path, given=shown.group(1), **database)

    assert done.returncode == 0
    first, *_, last = done.stdout.splitlines()
    assert [first, "...", last] == shown.group(2).splitlines()


def test_the_readme_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"\| (`HUB_[^|]+) \| ([^|]*)\|", README))
    named = {name: default for names, default in rows.items() for name in re.findall(r"HUB_(\w+)", names)}

    assert {name.lower() for name in named} == set(Settings.model_fields)
    for name in (
        "data_dir",
        "mongo_database",
        "mongo_driver",
        "workers",
        "reopen_days",
        "idempotency_days",
        "audit_days",
        "event_days",
        "log_level",
    ):
        assert f"`{Settings.model_fields[name].default}`" in named[name.upper()]


def test_the_readme_shows_the_table_of_rights_as_the_hub_holds_it() -> None:
    shown = re.search(r"<!-- rights -->\n(.*?)\n<!-- /rights -->", README, re.DOTALL)
    assert shown

    assert shown.group(1).splitlines() == markdown().splitlines(), "put there what hub.access.matrix.markdown() gives"


def test_the_readme_shows_why_sockets_are_closed() -> None:
    shown = re.search(r"<!-- closes -->\n(.*?)\n<!-- /closes -->", README, re.DOTALL)
    assert shown

    assert shown.group(1) == closing.markdown()


def test_every_target_and_file_of_the_readme_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`((?:hub|subscriptions|resolvers)/[\w/.]*)`", README):
        assert (ROOT / path).exists(), path


def test_two_processes_and_a_client_on_each_are_as_the_readme_says(mongo_uri: str, tmp_path: Path) -> None:
    shown = re.search(r"```console\n((?:\$ .*--port 8001.*\n)(?:\$ .*\n)*)```", README)
    assert shown
    ports = [str(free_port()) for _ in range(2)]
    serve, serve_too, token, watch, watch_too, make = (
        line.removeprefix("$ ").removesuffix(" &").replace("8001", ports[0]).replace("8002", ports[1])
        for line in shown.group(1).splitlines()
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HUB_MONGO_URI": mongo_uri,
        "HUB_MONGO_DATABASE": "readme",
        "HUB_SECRET": "correct horse battery staple, twice",
    }

    with contextlib.ExitStack() as stack:

        def begun(line: str, **more: str) -> IO[str]:
            running = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=tmp_path, env=environment | more, stdout=PIPE, text=True)
            stack.enter_context(running)
            stack.callback(running.terminate)
            assert running.stdout is not None
            return running.stdout

        assert all("answers at" in begun(line).readline() for line in (serve, serve_too))
        minted = subprocess.run(
            ["bash", "-c", f"{token}; echo $TOKEN"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        clients = [begun(line, TOKEN=minted.stdout.strip()) for line in (watch, watch_too)]
        assert [client.readline().split()[0] for client in clients] == ["CAUGHT_UP"] * 2

        subprocess.run(["bash", "-c", make], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=60)

        heard = [next(line for line in client if "CREATED" in line) for client in clients]
    assert heard[0] == heard[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
