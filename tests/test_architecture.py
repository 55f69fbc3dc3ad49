"""Who may know whom: the ladder of rooms, and the one room in which each library is known."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
LADDER: Final = (
    {"errors"},
    {"settings", "mongod"},
    {"domain"},
    {"access"},
    {"store"},
    {"journal"},
    {"commands"},
    {"workers"},
    {"graph", "exchange"},
    {"plan"},
    {"resolvers", "subscriptions"},
    {"schema"},
    {"web"},
    {"cli"},
)
RUNG: Final = {room: number for number, rooms in enumerate(LADDER) for room in rooms}
DRIVER: Final = {"store", "journal", "mongod"}
SCHEMA: Final = {room for room, rung in RUNG.items() if rung >= RUNG["graph"]} - {"exchange"}
KNOWN_IN: Final = {
    "pymongo": DRIVER,
    "motor": DRIVER,
    "bson": DRIVER,
    "strawberry": SCHEMA,
    "graphql": SCHEMA,
    "resolvers": {"resolvers", "schema"},
    "subscriptions": {"subscriptions", "schema"},
    "starlette": {"web"},
    "prometheus_client": {"web"},
    "opentelemetry": {"web"},
    "uvicorn": {"web", "cli"},
    "jwt": {"access"},
    "httpx": {"access"},
    "broadcaster": {"journal"},
    "pydantic_settings": {"settings"},
    "typer": {"cli"},
}
PACKAGES: Final = ("hub", "resolvers", "subscriptions")
MODULES: Final = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def room_of(*name: str) -> str:
    """`hub.store.client` and `hub/store/client.py` are of the room `store`; the two packages beside `hub` are rooms themselves."""
    return (name[1] if len(name) > 1 else "") if name[0] == "hub" else name[0]


def imports(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from ((*(node.module or "").split("."), alias.name) for alias in node.names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_room_knows_only_itself_and_the_rooms_to_its_left(module: Path) -> None:
    here = room_of(*module.with_suffix("").parts)
    assert here in RUNG or module == Path("hub/__init__.py"), f"{here} is not on the ladder: say which rooms it may know"

    for name in imports(ast.parse((ROOT / module).read_text())):
        there = room_of(*name)
        assert here == there or RUNG.get(there, -1) < RUNG.get(here, -1) or there not in RUNG, f"{module} imports {'.'.join(name)}"
        assert here in KNOWN_IN.get(name[0], {here}), f"{module} imports {name[0]}, which is known in {KNOWN_IN[name[0]]} only"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_nothing_is_imported_inside_a_function(module: Path) -> None:
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not list(imports(node)), f"{module}: {node.name} imports"
