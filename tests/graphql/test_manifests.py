"""Manifests of clients' build tools, and what is refused of them; and who has to name what they hold."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from hub.access.viewers import NOBODY
from hub.domain.terms import Role
from hub.errors import BadInput, StartupError
from hub.graph import manifests
from hub.graph.limits import TEXT
from hub.graph.modes import Modes
from hub.graph.remembered import BESIDE, Remembered
from hub.schema import executable

DESK = "query Desk { viewer { roles } }"
NOTE = "mutation Note($input: AddNoteInput!) { addNote(input: $input) { cursor } }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(*operations: Any, **members: Any) -> str:
    return json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations} | members)


def operation(text: str = DESK, **members: Any) -> dict[str, Any]:
    return {"id": digest(text), "name": "Desk", "type": "query", "body": text} | members


def test_a_manifest_of_apollo_is_read() -> None:
    [desk, note] = manifests.read(apollo(operation(), operation(NOTE, name="Note", type="mutation", id="note-1")), executable())

    assert (desk.id, desk.sha256, desk.type, desk.name, desk.text) == (digest(DESK), digest(DESK), "query", "Desk", DESK)
    assert (note.id, note.sha256, note.type, note.name) == ("note-1", digest(NOTE), "mutation", "Note")


def test_a_manifest_of_graphql_codegen_is_read() -> None:
    read = manifests.read(json.dumps({f"sha256:{digest(DESK)}": DESK, "5d41402abc": "{ cursor }"}), executable())

    assert [(one.id, one.name) for one in read] == [(f"sha256:{digest(DESK)}", "Desk"), ("5d41402abc", "anonymous")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "A manifest is JSON"),
        ("[]", "A manifest is JSON"),
        ("{}", "A manifest is JSON"),
        ('{"a": 1}', "A manifest is JSON"),
        (apollo(format="apollo"), "version 1"),
        (apollo(operation(), version=2), "version 1"),
        (apollo(), "no operations"),
        (apollo("x"), "an id and a body"),
        (apollo({"id": "a"}), "an id and a body"),
        (apollo(operation(id="")), "An id has"),
        (apollo(operation(id="a b")), "An id has"),
        (apollo(operation(id="a\n")), "An id has"),
        (apollo(operation(id="x" * 129)), "An id has"),
        (apollo(operation(id="sha256:" + "0" * 64)), "is not the SHA-256"),
        (apollo(operation(type="mutation")), "is a query"),
        (apollo(operation(name="Other")), "is called Desk"),
        (apollo(operation(), operation(DESK + " ", id=digest(DESK))), "two documents have this id"),
        (json.dumps({"a": "{ nonsense }"}), "Cannot query field 'nonsense'"),
        (json.dumps({"a": "{"}), "Syntax Error"),
        (json.dumps({"a": ""}), "Syntax Error"),
        (json.dumps({"a": "fragment F on Viewer { roles }"}), "F"),
        (json.dumps({"a": "query A { cursor } query B { cursor }"}), "has 2"),
        (json.dumps({"a": "type A { b: Int }"}), "not executable"),
        (json.dumps({"a": "{ cursor }" + " " * TEXT}), f"at most {TEXT}"),
        (json.dumps({"a": "{" + " ".join(f"a{number}: cursor" for number in range(60)) + "}"}), "at most 50"),
        (json.dumps({str(number): "{ nonsense }" for number in range(7)}), "And 2 more."),
    ],
)
def test_of_a_manifest_with_something_wrong_nothing_is_read(content: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        manifests.read(content, executable())


@pytest.mark.parametrize(
    "words",
    ["", "on", "require,", "prefer prefer", "AGENT=off", "require, AGENT", "require, AGENT=", "require, agent=off", "require, BOSS=off",
     "require, AGENT=off, AGENT=prefer", "require, AGENT=off=off", "require; AGENT=off"],
)  # fmt: skip
def test_what_says_nothing_is_refused_at_start(words: str) -> None:
    with pytest.raises(StartupError, match="HUB_TRUSTED_DOCUMENTS is"):
        Modes.told(words)


@pytest.mark.parametrize(
    ("words", "roles", "knows_ids", "runs_text"),
    [
        ("off", [Role.AGENT], False, True),
        ("prefer", [Role.AGENT], True, True),
        ("require", [Role.AGENT], True, False),
        ("require", [], True, False),
        ("Require , AGENT = off ", [Role.AGENT], False, True),
        ("require, AGENT=off", [Role.CUSTOMER], True, False),
        ("require, AGENT=off", [Role.CUSTOMER, Role.AGENT], True, True),
        ("off, CUSTOMER=require", [Role.CUSTOMER], True, False),
        ("off, CUSTOMER=require", [], False, True),
    ],
)
def test_of_several_roles_the_one_that_allows_more_counts(words: str, roles: list[Role], knows_ids: bool, runs_text: bool) -> None:
    viewer = replace(NOBODY, roles=frozenset(roles))

    modes = Modes.told(words)

    assert (modes.knows_ids(viewer), modes.runs_text(viewer)) == (knows_ids, runs_text)


def test_what_is_remembered_has_a_bound_and_what_is_used_stays() -> None:
    remembered = Remembered[str](10 * (BESIDE + 10))

    for number in range(100):
        remembered.keep(str(number), "x", 10)
        remembered.get("0")
    remembered.keep("large", "x", 10_000)

    assert (len(remembered), remembered.size) == (10, 10 * (BESIDE + 10))
    assert remembered.get("0") == "x"
    assert remembered.get("1") is None
    assert remembered.get("large") is None
