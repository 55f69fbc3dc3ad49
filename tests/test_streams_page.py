"""What docs/streams.md says is what the code says: its places, its bounds, and the numbers to watch."""

import importlib
import re
from pathlib import Path

import pytest

from tests.api import Api

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "streams.md").read_text()
STATIONS = re.findall(r"\b([A-Z]\w+)\.(\w+)\b", PAGE.split("```")[1])
CODE = {name.stem: name.read_text() for room in ("journal", "graph", "web") for name in sorted((ROOT / "hub" / room).glob("*.py"))}


@pytest.mark.parametrize(("figure", "given"), re.findall(r"\| ([\d.]+) \| `([\w.]+)` \|", PAGE))
def test_its_bounds_are_those_of_the_code(figure: str, given: str) -> None:
    module, _, constant = given.rpartition(".")

    assert getattr(importlib.import_module(module), constant) == float(figure)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:hub|tests)/[\w/]+\.py)`", PAGE))))
def test_its_places_are_there(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(("owner", "act"), sorted(set(STATIONS)))
def test_its_stations_are_there(owner: str, act: str) -> None:
    (code,) = (text for text in CODE.values() if re.search(rf"^class {owner}\b", text, re.MULTILINE))

    assert re.search(rf"^    (async )?def {act}\b", code, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", PAGE))))
def test_its_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).is_file()


async def test_its_numbers_are_told_in_these_words(shared_api: Api) -> None:
    told = dict(re.findall(r"^# HELP (\w+) (.*)$", (await shared_api.client.get("/metrics")).text, re.MULTILINE))

    rows = dict(re.findall(r"^\| `(hub_\w+)` \| (.*) \|$", PAGE, re.MULTILINE))

    assert rows
    assert rows == {name: told[name] for name in rows}
