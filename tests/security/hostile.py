"""Requests that are made to hurt: each is short to send, and would be long to answer."""

import json
from typing import Any, Final


def spread(levels: int, selected: str = "") -> str:
    """Fragments each of which is spread twice by the one before."""
    doubled = " ".join(f"fragment F{level} on Query {{ {selected} ...F{level + 1} ...F{level + 1} }}" for level in range(levels))
    return f"{{ ...F0 }} {doubled} fragment F{levels} on Query {{ {' '.join(f'c{number}: cursor' for number in range(60))} }}"


def each(number: int, text: str) -> str:
    """A text so often, `#` in it being the number of each."""
    return " ".join(text.replace("#", str(one)) for one in range(number))


def within(times: int, opening: str, inside: str = "id") -> str:
    return f"{opening} {{ " * times + inside + " }" * times


def body(query: str, variables: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


PAGES: Final = "interactions(first: 100) { nodes { customer { interactions(first: 100) { nodes { customer { # } } } } } }"

HOSTILE: Final = {
    "fragments that double 30 times": body(spread(30)),
    "fragments that double and differ": body(spread(30, "a: __typename")),
    "1,000 aliases": body(f"{{ viewer {{ {each(1_000, 'a#: id')} }} }}"),
    "300 aliases at the root": body(f"{{ {each(300, 'a#: cursor')} }}"),
    "2,000 directives": body("{ cursor " + "@skip(if: false) " * 2_000 + "}"),
    "directives that are none": body("{ cursor " + "@a " * 990 + "}"),
    "depth 500": body(f'{{ node(id: "int_0") {{ ... on Interaction {{ {within(500, "relationships")} }} }} }}'),
    "depth 150": body(f"{{ {within(150, 'viewer')} }}"),
    "first: 100 nested three times": body(f"{{ {PAGES.replace('#', 'interactions(first: 100) { nodes { id } }')} }}"),
    "first: 100 nested three times, by variables": body(
        f"query($n: Int) {{ {PAGES.replace('#', 'interactions(first: 100) { nodes { id } }').replace('100', '$n')} }}", {"n": 100}
    ),
    "300 KB of comments": body("# nothing\n" * 30_000 + "{ cursor }"),
    "60 KB of comments": body("# nothing\n" * 5_000 + "{ cursor }"),
    "a 5 MB body": body("{ cursor }" + " " * 5_000_000),
    "10,000 variables": body("{ cursor }", {f"v{number}": number for number in range(10_000)}),
    "5,000 variables": body(f"query({each(5_000, '$v#:ID')}) {{ cursor }}"),
    "600 variables": body(f"query({each(600, '$v#: Int')}) {{ cursor }}"),
    "one field 300 times with other arguments": body(f"{{ {each(300, 'interactions(first: #) { totalCount }')} }}"),
    "one field 300 times": body(f"{{ viewer {{ {'party { id } ' * 300} }} }}"),
    "one name 990 times": body(f"{{ viewer {{ {'id ' * 990} }} }}"),
    "200 fragments on one object": body(f"{{ {each(200, '...G#')} }} {each(200, 'fragment G# on Query { viewer { id } }')}"),
    "990 fields that are none": body(f"{{ {each(990, 'x#')} }}"),
    "a list 900 deep": body(f"{{ node(id: {'[' * 900 + ']' * 900}) {{ id }} }}"),
    "JSON nested 10,000 deep": b'{"query": "{ cursor }", "variables": {"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "objects nested 10,000 deep": b'{"query": "{ cursor }", "extensions": ' + b'{"x":' * 10_000 + b"1" + b"}" * 10_001,
}
