"""Operations that nobody thought of: valid by the schema, made by hypothesis-graphql, and tamed so that most are accepted.

What is made is full of junk, which a hub refuses at the first glance. Most ids therefore become ones that there are, most
texts something to say, most pages small; the rest stays as it was made. All choices follow from the text, so that a run
can be repeated."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    IntValueNode,
    NameNode,
    Node,
    NullValueNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    parse,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from hypothesis_graphql import strategies as graphql

from hub.domain.terms import Role

TAMED: Final = 0.85  # of the values
SAID: Final = ("we call back", "The bill is wrong.", "ÄÖ 漢字 🙂", "a" * 500, "billing", "4711", "de-AT")
MOMENTS: Final = ("2026-01-01T00:00:00Z", "2031-06-30T12:00:00.5+02:00", "1999-12-31T23:59:59Z", "2026-02-30T00:00:00Z")
ACTING: Final = (Role.AGENT, Role.SUPERVISOR, Role.BACK_OFFICE, *Role)  # staff, who may most, comes more often

Known = Mapping[str, Sequence[str]]  # ids that there are, by what they are of


def drawn(schema: GraphQLSchema, count: int) -> list[tuple[Role, str]]:
    """So many operations, each with the role that asks; the same ones each time. Takes some 5 ms each."""
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    scalars: Any = {
        "Cursor": st.sampled_from(["", "0", "evt_"]).map(nodes.String),
        "DateTime": st.sampled_from(MOMENTS).map(nodes.String),
        "JSON": st.just(nodes.Null),
    }
    roots = [graphql.queries(schema, fields=[name], custom_scalars=scalars, allow_x00=False) for name in schema.query_type.fields]
    roots += [graphql.mutations(schema, fields=[name], custom_scalars=scalars, allow_x00=False) for name in schema.mutation_type.fields]
    found: list[tuple[Role, str]] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(ACTING), st.one_of(roots))
    def draw(role: Role, text: Any) -> None:
        found.append((role, text))

    draw()
    return found


def tamed(schema: GraphQLSchema, text: str, known: Known) -> DocumentNode:
    """The operation with most of its junk taken out, and with what is needed to judge its answer."""
    info = TypeInfo(schema)
    made: DocumentNode = visit(parse(text), TypeInfoVisitor(info, Tamer(info, Random(text), known)))
    return made


class Tamer(Visitor):
    """Takes out junk on the way in, and adds what judges need on the way out."""

    def __init__(self, info: TypeInfo, random: Random, known: Known) -> None:
        super().__init__()
        self._info, self._random, self._known = info, random, known
        self._field = ""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if str(self._info.get_parent_type()) in ("Query", "Mutation"):
            self._field = node.name.value

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode | None:
        parent = self._info.get_parent_type()
        if is_abstract_type(parent):
            return SelectionSetNode(selections=(_selected("__typename"), *node.selections))
        if parent is not None and parent.name.endswith("Payload"):
            code = SelectionSetNode(selections=(_selected("code"),))
            return SelectionSetNode(selections=(*node.selections, _selected("errors", code, alias="judged")))
        return None

    def enter_argument(self, node: Any, *_: Any) -> Any:
        return self._with(node, ("last", "before", "after"))

    def enter_object_field(self, node: Any, *_: Any) -> Any:
        return self._with(node, ("expectedRevision", "idempotencyKey"))

    def enter_string_value(self, node: StringValueNode, _key: Any, _parent: Any, _path: Any, ancestors: Any) -> ValueNode | None:
        return self._value(node, ancestors)

    def enter_int_value(self, node: IntValueNode, _key: Any, _parent: Any, _path: Any, ancestors: Any) -> ValueNode | None:
        return self._value(node, ancestors)

    def _with(self, node: Any, seldom: Sequence[str]) -> Any:
        """What an operation seldom has, and hardly ever rightly by chance, becomes null."""
        if node.name.value in seldom and self._random.random() < TAMED:
            return type(node)(name=node.name, value=NullValueNode())
        return None

    def _value(self, node: StringValueNode | IntValueNode, ancestors: Sequence[Any]) -> ValueNode | None:
        of = get_named_type(self._info.get_input_type())
        if of is None or self._random.random() >= TAMED:
            return None
        if of.name == "ID":
            return StringValueNode(value=self._random.choice(self._ids(_named(ancestors))))
        if of.name == "Int":
            return IntValueNode(value=str(self._random.randint(1, 10)))
        return StringValueNode(value=self._random.choice(SAID)) if of.name == "String" else None

    def _ids(self, name: str) -> Sequence[str]:
        """What there is for an argument or a field of an input that takes an id."""
        if name in ("id", "ids"):
            name = self._field
        return self._known.get(name) or self._known["interaction"]


def _named(ancestors: Sequence[Any]) -> str:
    names = (one.name.value for one in reversed(ancestors) if isinstance(one, Node) and hasattr(one, "value") and hasattr(one, "name"))
    return next(names, "")


def _selected(name: str, inside: SelectionSetNode | None = None, alias: str | None = None) -> FieldNode:
    return FieldNode(name=NameNode(value=name), alias=NameNode(value=alias) if alias else None, selection_set=inside)
