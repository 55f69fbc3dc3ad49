"""The console's files: whole, guarded, from here alone, and not there where nobody asked for them."""

import filecmp
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import httpx
import pytest

from hub.settings import Settings
from hub.store.mongo import Mongo
from hub.web import console
from hub.web.hub import opened
from tests.access.issuing import AUDIENCE, Pair
from tests.api import Api
from tests.conftest import PLAIN, serving

SOURCE: Final = Path(__file__).parents[2] / "clients" / "console"
PAGE: Final = (console.FILES / console.PAGE).read_text()
NAMED: Final = re.findall(r'(?:src|href)="graphiql/([^"]+)"', PAGE)
TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
STRICT: Final = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


def assert_guarded(answer: httpx.Response) -> None:
    assert set(answer.headers["content-security-policy"].split("; ")) == STRICT
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_page_is_guarded_and_asked_for_anew_each_time(shared_api: Api) -> None:
    page = await shared_api.client.get("/graphiql")

    assert (page.status_code, page.headers["content-type"], page.text) == (200, "text/html; charset=utf-8", PAGE)
    assert page.headers["cache-control"] == "no-cache"
    assert_guarded(page)


async def test_what_the_page_names_is_guarded_and_kept_for_good(shared_api: Api) -> None:
    assert {Path(name).suffix for name in NAMED} == TYPES.keys()
    for name in NAMED:
        asset = await shared_api.client.get(f"/graphiql/{name}")

        assert (asset.status_code, asset.headers["content-type"]) == (200, TYPES[Path(name).suffix])
        assert asset.content == (console.FILES / name).read_bytes()
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert_guarded(asset)


def test_a_file_that_is_kept_for_good_is_named_by_what_it_holds_and_the_page_names_them_all() -> None:
    held = {path.name for path in console.FILES.iterdir()}

    assert held == {*NAMED, "index.html", "SOURCES", "THIRD-PARTY"}
    assert all(re.fullmatch(r"console-[A-Z0-9]{8}\.(js|css)", name) for name in NAMED)


async def test_the_licences_of_what_it_is_made_of_are_there_to_read(shared_api: Api) -> None:
    licences = await shared_api.client.get("/graphiql/THIRD-PARTY")

    assert (licences.status_code, licences.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    for name in ("graphiql 4.1.2", "react 18.3.1", "graphql-ws 6.4.2", "codemirror 5."):
        assert f"\n{name}" in licences.text
    texts = licences.text.split(f"\n{'-' * 80}\n")
    assert len(texts) > 50
    assert all(len(text) > 500 for text in texts)


def test_the_page_has_no_script_and_no_style_of_its_own_and_names_no_other_place() -> None:
    assert re.findall(r"<script[^>]*>([^<]*)</script>", PAGE) == [""]
    assert "<style" not in PAGE
    assert not re.search(r"\son\w+=|\sstyle=|//", PAGE)


def test_its_styles_load_nothing() -> None:
    (styles,) = (name for name in NAMED if name.endswith(".css"))
    text = (console.FILES / styles).read_text()

    assert "@import" not in text
    assert set(re.findall(r"url\(\s*[\"']?(\w*:?)", text)) <= {"data:"}


@pytest.mark.parametrize("name", ["index.html", "SOURCES", "console.js", "..%2fapp.py", "%2e%2e/app.py", ""])
async def test_nothing_else_is_there(shared_api: Api, name: str) -> None:
    answer = await shared_api.client.get(f"/graphiql/{name}")

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_only_looked_at(shared_api: Api, method: str) -> None:
    assert (await shared_api.client.request(method, "/graphiql")).status_code == 405


def believing(**given: object) -> dict[str, object]:
    """Settings of a hub that is not in local mode."""
    keys = {"algorithms": ["RS256"], "keys": [Pair.made("staff", "RS256").jwk]}
    issuer = {"issuer": "https://id.example.com", "audience": AUDIENCE, "roles": {"care-agent": "AGENT"}} | keys
    return {"issuers": json.dumps([issuer])} | given


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 200),
        ({"console": "off"}, 404),
        (believing(), 404),
        (believing(console="off"), 404),
        (believing(console="On"), 200),
    ],
    ids=["local", "local, off", "issuers", "issuers, off", "issuers, on"],
)
async def test_it_is_served_in_local_mode_unless_it_is_off_and_elsewhere_if_it_is_on(
    mongo_uri: str, mongo: Mongo, tmp_path: Path, given: dict[str, object], status: int
) -> None:
    async with (
        opened(Settings.load(data_dir=tmp_path, port=0, **given), mongo_uri, role="test") as hub,
        serving(hub) as address,
        httpx.AsyncClient(base_url=f"http://{address}", verify=PLAIN) as client,
    ):
        answers = [await client.get(path) for path in ("/graphiql", f"/graphiql/{NAMED[0]}", "/graphiql/THIRD-PARTY")]

    assert [answer.status_code for answer in answers] == [status] * 3


def test_it_is_built_from_the_sources_that_are_here() -> None:
    lines = (line.split("  ") for line in (console.FILES / "SOURCES").read_text().splitlines())
    built = {name: digest for digest, name in lines}
    here = [SOURCE / "build.mjs", SOURCE / "package-lock.json", *(SOURCE / "src").iterdir()]

    found = {path.relative_to(SOURCE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in here}
    assert built == found, "in clients/console: npm ci && npm run build"


@pytest.mark.prove
def test_building_it_anew_gives_the_same_bytes(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node and npm here")
    place, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(SOURCE, place, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=place, capture_output=True, text=True, check=False
    )
    if installed.returncode:
        pytest.skip(f"npm could not install what it is made of: {installed.stderr.strip().splitlines()[-1:]}")

    subprocess.run(["node", "build.mjs", out], cwd=place, check=True, capture_output=True)

    names = sorted(path.name for path in console.FILES.iterdir())
    assert sorted(path.name for path in out.iterdir()) == names
    assert filecmp.cmpfiles(out, console.FILES, names, shallow=False) == (names, [], [])
