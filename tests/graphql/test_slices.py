"""The schema cut for a role: what is in it opens for that role, and what is not never does."""

from collections.abc import Iterator
from functools import cache

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type

from hub.access.gates import ARGUMENTS, FIELDS, MASKED
from hub.access.mandates import ROOTS, SCOPES_OF
from hub.domain.terms import Role
from hub.errors import BadInput
from hub.graph.slices import sliced, someone
from hub.schema import sdl
from tests.security.rights import SCHEMA, fields, right

OPERATIONS = ("Query", "Mutation", "Subscription")


@cache
def met(role: Role, *scopes: str) -> GraphQLSchema:
    """What a role meets with these scopes, as any tool reads it."""
    return build_schema(sliced(sdl(), someone(role, scopes)))


def places(schema: GraphQLSchema) -> Iterator[str]:
    """The fields of its types and inputs."""
    for name, kind in schema.type_map.items():
        if not name.startswith("__") and (members := getattr(kind, "fields", None)):
            yield from (f"{name}.{member}" for member in members)


def may_ever(role: Role, scopes: frozenset[str], place: str) -> bool:
    """What the directives of the whole schema say."""
    type_name, field = place.split(".")
    printed = right(type_name, field)
    return printed.opens(role, own=True) and (not printed.scopes or any(scopes.issuperset(group) for group in printed.scopes))


HELD = [(role, ()) for role in Role] + [
    (role, (scope,)) for role in (Role.CUSTOMER, Role.SUPERVISOR) for scope in sorted(SCOPES_OF[Role.CUSTOMER])
]


@pytest.mark.parametrize(("role", "scopes"), HELD, ids=str)
def test_every_root_that_is_there_opens_and_every_other_one_never_does(role: Role, scopes: tuple[str, ...]) -> None:
    schema, held = met(role, *scopes), frozenset(scopes or SCOPES_OF[role])

    shown = {place for place in places(schema) if place.startswith(OPERATIONS)}

    assert shown == {f"{of}.{field}" for of, field in fields(*OPERATIONS) if may_ever(role, held, f"{of}.{field}")}


@pytest.mark.parametrize(("role", "scopes"), HELD, ids=str)
def test_every_field_of_a_type_that_is_there_opens_and_every_other_one_never_does(role: Role, scopes: tuple[str, ...]) -> None:
    schema, held = met(role, *scopes), frozenset(scopes or SCOPES_OF[role])
    types = {name for name, kind in schema.type_map.items() if isinstance(kind, GraphQLObjectType)} - {*OPERATIONS}

    shown = {place for place in places(schema) if place.split(".")[0] in types}

    assert shown == {f"{of}.{field}" for of, field in fields(*types) if may_ever(role, held, f"{of}.{field}")}


@pytest.mark.parametrize("role", Role)
def test_nothing_is_there_that_nothing_leads_to(role: Role) -> None:
    schema = met(role)
    waiting = [schema.type_map[name] for name in OPERATIONS if name in schema.type_map]
    reached = {"Role"}  # the directives speak of it

    while waiting:
        kind = waiting.pop()
        if kind.name in reached:
            continue
        reached.add(kind.name)
        for field in getattr(kind, "fields", {}).values():
            waiting += [get_named_type(field.type), *(get_named_type(argument.type) for argument in getattr(field, "args", {}).values())]
        waiting += getattr(kind, "interfaces", ())
        if isinstance(kind, GraphQLInterfaceType):
            waiting += schema.get_implementations(kind).objects

    built_in = {"String", "Boolean"}  # of introspection
    assert {name for name in schema.type_map if not name.startswith("__")} - built_in == reached - built_in


def test_what_one_may_not_read_one_cannot_ask_by() -> None:
    gated = {place for place in ARGUMENTS if place.count(".") == 1}

    assert gated & set(places(met(Role.CUSTOMER))) == set()
    assert gated - set(places(met(Role.SYSTEM))) == {"InteractionFilter.escalated"}
    assert gated <= set(places(met(Role.AGENT)))
    party = {role: met(role).type_map["Query"].fields["party"].args.keys() for role in (Role.VISITOR, Role.CUSTOMER)}  # type: ignore[attr-defined]
    assert party == {Role.VISITOR: {"id"}, Role.CUSTOMER: {"id", "externalIdentifier"}}


def test_what_is_masked_or_ones_own_stays_with_what_is_said_of_it() -> None:
    party = met(Role.CUSTOMER).type_map["Party"]
    assert isinstance(party, GraphQLObjectType)

    assert {place.partition(".")[2] for place in MASKED} <= party.fields.keys()
    assert party.fields["name"].description == SCHEMA.type_map["Party"].fields["name"].description  # type: ignore[attr-defined]
    assert "contactMedia" in party.fields
    assert "contactMedia" not in met(Role.PARTNER).type_map["Party"].fields  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", Role)
def test_enums_stay_whole(role: Role) -> None:
    for name, kind in met(role).type_map.items():
        whole = SCHEMA.type_map[name]
        if isinstance(kind, GraphQLEnumType) and isinstance(whole, GraphQLEnumType):
            assert kind.values.keys() == whole.values.keys()


def test_a_thing_that_is_read_by_its_id_alone_is_there_when_its_root_is() -> None:
    implementations = {role: met(role, "party:read").get_implementations(node(role)).objects for role in (Role.AGENT, Role.ADMIN)}

    assert {kind.name for kind in implementations[Role.AGENT]} == {"Party", "PartyRole"}
    assert {kind.name for kind in implementations[Role.ADMIN]} == {"Party", "PartyRole"}  # its own party, by `viewer`


def node(role: Role) -> GraphQLInterfaceType:
    kind = met(role, "party:read").type_map["Node"]
    assert isinstance(kind, GraphQLInterfaceType)
    return kind


def test_with_every_right_the_schema_is_whole() -> None:
    missing = set(places(SCHEMA)) - set().union(*(places(met(role)) for role in (Role.SUPERVISOR, Role.CUSTOMER, Role.PARTNER)))

    assert missing == set()
    assert ROOTS.keys() | FIELDS.keys() <= set(places(SCHEMA))


@pytest.mark.parametrize(
    ("role", "scopes", "sentence"),
    [
        ("boss", (), "There is no role boss; there are VISITOR,"),
        ("AGENT", ("read",), "There is no scope read; there are interaction:read,"),
    ],
)
def test_words_that_are_neither_role_nor_scope_are_told(role: str, scopes: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        someone(role, scopes)
