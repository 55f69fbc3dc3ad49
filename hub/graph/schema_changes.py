"""What changed from one text of the schema to another, and whether a client of the old one can live with it.

BREAKING: what worked may not. DANGEROUS: it works, and a client may meet what it does not know (a new enum value). SAFE:
more than there was. A gate that lets in fewer breaks, one that lets in more is safe: what is told to whom is in the text.
A break on purpose is accepted by its sentence, in a file, with a reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from graphql import (
    BreakingChange,
    DangerousChange,
    DirectiveNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    print_ast,
    value_from_ast_untyped,
)
from graphql.utilities.find_schema_changes import SafeChangeType, find_schema_changes

from hub.domain.terms import Role
from hub.errors import BadInput, listed

GATES: Final = frozenset({"requiresRole", "requiresScopes"})
WITH_FIELDS: Final = (GraphQLObjectType, GraphQLInterfaceType)
KNOWN: Final = GATES | {"deprecated"}
OPEN: Final = {str(role): 2 for role in Role}  # how far a role is let in: 2 everywhere, 1 on what is its own, 0 nowhere


class Weight(StrEnum):
    """How hard a change is for a client."""

    BREAKING = "BREAKING"
    DANGEROUS = "DANGEROUS"
    SAFE = "SAFE"
    ACCEPTED = "ACCEPTED"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change, as a sentence."""

    weight: Weight
    sentence: str

    def __str__(self) -> str:
        return f"{self.weight:9} {self.sentence}"


def changes(old: str, new: str, accepted: Sequence[str] = ()) -> list[Change]:
    """Every change, the breaking ones first. Raises BadInput for a text that is no schema, and for an acceptance of no break."""
    before, after = read(old), read(new)
    found = {*_of_shape(before, after), *_of_directives(before, after)}
    breaking = {change.sentence for change in found if change.weight is Weight.BREAKING}
    if idle := [sentence for sentence in accepted if sentence not in breaking]:
        raise BadInput(f"This is accepted and does not break anything (any more), so take it out: {idle[0]}", "accept")
    judged = (Change(Weight.ACCEPTED, one.sentence) if one.sentence in accepted else one for one in found)
    return sorted(judged, key=lambda change: (list(Weight).index(change.weight), change.sentence))


def acceptances(text: str) -> list[str]:
    """The sentences of a file of accepted breaks: one a line; each has its reason above it, in lines that begin with #."""
    sentences: list[str] = []
    reason = False
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("#"):
            reason = True
        elif line:
            if not reason:
                raise BadInput(f"Say above it, after #, why this is accepted: {line}", "accept")
            sentences.append(line)
        else:
            reason = False
    return sentences


def read(text: str) -> GraphQLSchema:
    """The schema that a text says. Raises BadInput."""
    try:
        return build_schema(text)
    except (GraphQLError, TypeError) as error:
        raise BadInput(f"This is not the text of a schema: {error}", "diff") from None


def _of_shape(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[Change]:
    for change in find_schema_changes(before, after):
        if isinstance(change, BreakingChange):
            yield Change(Weight.BREAKING, change.description)
        elif isinstance(change, DangerousChange):
            yield Change(Weight.DANGEROUS, change.description)
        elif change.type is not SafeChangeType.DESCRIPTION_CHANGED:
            yield Change(Weight.SAFE, change.description)


def _of_directives(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[Change]:
    """What changed on the fields that both have."""
    for name, kind in before.type_map.items():
        other = after.type_map.get(name)
        if isinstance(kind, WITH_FIELDS) and isinstance(other, WITH_FIELDS):
            for field in kind.fields.keys() & other.fields.keys():
                yield from _of_field(f"{name}.{field}", kind.fields[field], other.fields[field])


def _of_field(place: str, was: GraphQLField, now: GraphQLField) -> Iterator[Change]:
    yield from _of_roles(place, _let_in(was), _let_in(now))
    yield from _of_scopes(place, _groups(was), _groups(now))
    if was.deprecation_reason is None and now.deprecation_reason is not None:
        yield Change(Weight.SAFE, f"{place} is deprecated: {now.deprecation_reason}")
    if (others := _others(was)) != _others(now):
        yield Change(Weight.DANGEROUS, f"{place} had the directives {listed(others, 'and')} and has {listed(_others(now), 'and')}.")


def _of_roles(place: str, was: dict[str, int], now: dict[str, int]) -> Iterator[Change]:
    roles = list(dict.fromkeys([*was, *now]))
    for far, said in ((0, "is closed to"), (1, "is open only on what is their own to")):
        if lost := [role for role in roles if now.get(role, 0) == far < was.get(role, 0)]:
            yield Change(Weight.BREAKING, f"{place} {said} {listed(lost, 'and')}.")
    for far, said in ((1, "opens on what is their own to"), (2, "opens to")):
        if gained := [role for role in roles if was.get(role, 0) < far == now.get(role, 0)]:
            yield Change(Weight.SAFE, f"{place} {said} {listed(gained, 'and')}.")


def _of_scopes(place: str, was: list[frozenset[str]], now: list[frozenset[str]]) -> Iterator[Change]:
    """Whoever held all scopes of an old group must hold all of a new one."""
    if lost := [group for group in was if not any(wanted <= group for wanted in now)]:
        held = " + ".join(sorted(lost[0])) or "no scope"
        yield Change(Weight.BREAKING, f"{place} is closed to tokens with {held}.")
    elif any(not any(held <= group for held in was) for group in now):
        gained = next(group for group in now if not any(held <= group for held in was))
        yield Change(Weight.SAFE, f"{place} opens to tokens with {' + '.join(sorted(gained)) or 'no scope'}.")


def _let_in(field: GraphQLField) -> dict[str, int]:
    gate = _directives(field).get("requiresRole")
    if gate is None:
        return OPEN
    given = {argument.name.value: value_from_ast_untyped(argument.value) or [] for argument in gate.arguments or ()}
    return {**dict.fromkeys(given.get("own", ()), 1), **dict.fromkeys(given.get("roles", ()), 2)}


def _groups(field: GraphQLField) -> list[frozenset[str]]:
    gate = _directives(field).get("requiresScopes")
    groups = [value_from_ast_untyped(argument.value) for argument in gate.arguments or ()] if gate else []
    return [frozenset(group) for one in groups for group in one] or [frozenset()]


def _others(field: GraphQLField) -> list[str]:
    return sorted(print_ast(node) for name, node in _directives(field).items() if name not in KNOWN)


def _directives(field: GraphQLField) -> dict[str, DirectiveNode]:
    return {node.name.value: node for node in (field.ast_node.directives or () if field.ast_node else ())}
