"""How a field is declared, once: where its value stands in the stored document, who may read it, and what it depends on.

A GraphQL type is a view over a document. `stored` reads a path, `viewed` makes a value of the document, `joined` follows
an id, `asked` takes arguments. Its gate is the field's entry in `hub.access.gates`, printed as @requiresRole and
@requiresScopes. What it was declared with is kept in the field's metadata, for projections and compilation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType
from strawberry.schema_directive import Location

from hub.access.gates import Gate
from hub.access.viewers import Viewer
from hub.domain.terms import Role as RoleName
from hub.graph.context import Context, Document, Info
from hub.graph.enums import Role

DependsOn = Literal["role", "viewer"]
View = Callable[[Any, Context], Any]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresRole",
    description="Open for these roles, and for `own` roles on what is their own.",
)
class RequiresRole:
    roles: list[Role]
    own: list[Role] | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="requiresScopes", description="Open for tokens that hold all scopes of one of these groups."
)
class RequiresScopes:
    scopes: list[list[str]]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a field was declared with: the stored fields it reads, its gate, and what its value depends on.

    `mask` says who reads it whole where the document is shown `masked`: a party that only takes part in the same thing."""

    needs: tuple[str, ...]
    gate: Gate | None
    depends_on: DependsOn
    mask: Gate | None = None

    def holds_back(self, document: Mapping[str, Any], viewer: Viewer) -> Gate | None:
        """The gate that is closed to this viewer on this document, if one is."""
        if self.mask and document.get("masked"):
            return self.mask
        return self.gate if self.gate and not self.gate.opens(viewer, own=is_own(document, viewer)) else None


def stored(path: str, *, gate: Gate | None = None, mask: Gate | None = None, default: Any = None, **about: Any) -> Any:
    """The value at a field of the document, or `default` where there is none."""

    def read(root: strawberry.Parent[Any]) -> Any:
        return root.get(path, default)

    def read_through_gate(root: strawberry.Parent[Any], info: Info) -> Any:
        return root.get(path, default) if passes(gate, root, info) else None

    def read_masked(root: strawberry.Parent[Any], info: Info) -> Any:
        if mask and root.get("masked"):
            withhold(info, mask)
        return root.get(path, default)

    return _field(read_through_gate if gate else read_masked if mask else read, (path,), gate, mask=mask, **about)


def viewed(view: View, *needs: str, gate: Gate | None = None, **about: Any) -> Any:
    """What `view(document, context)` makes of the stored fields it names; it may be a coroutine."""

    def read(root: strawberry.Parent[Any], info: Info) -> Any:
        return view(root, info.context) if passes(gate, root, info) else None

    return _field(read, needs, gate, **about)


def joined(id_of: Callable[[Document], tuple[str, str] | None], *needs: str, **about: Any) -> Any:
    """The party that a document names: `id_of` gives its id and as what it took part (an involvement, a role), or None."""

    async def join(document: Document, context: Context) -> Document | None:
        named = id_of(document)
        return None if named is None else await party_as_seen(context, named[0], named[1], document.get("visibleTo", ()))

    return viewed(join, *needs, "visibleTo", depends_on="viewer", **about)


def asked(resolver: Callable[..., Any], *needs: str, gate: Gate | None = None, depends_on: DependsOn = "role", **about: Any) -> Any:
    """What a resolver with arguments of its own makes of the stored fields it names; it asks the gate itself, with `passes`."""
    return _field(resolver, needs, gate, depends_on=depends_on, **about)


CUSTOMERS = frozenset({"CUSTOMER", "VISITOR"})  # as an involvement or as the role of an author or actor


async def party_as_seen(context: Context, id: str, involved_as: str, involved: Sequence[str]) -> Document | None:
    """A party as this viewer sees it: whole, or, for one that takes part in the same interaction, its id and kind.

    For a PARTNER a customer's name is its initials. Who is neither in sight nor involved does not appear.
    """
    found = await context.party.load(id)
    if found is None or context.visibility.sees_party(found):
        return found
    if id not in involved:
        return None
    shown = {"_id": id, "kind": found["kind"], "seq": 0, "masked": True}
    if RoleName.PARTNER in context.viewer.roles and involved_as in CUSTOMERS:
        shown["name"] = initials(found["name"])
    return shown


def initials(name: str) -> str:
    """ "Ada Hopper" as "A. H."."""
    return " ".join(f"{word[0].upper()}." for word in name.split())


def passes(gate: Gate | None, document: Mapping[str, Any], info: Info) -> bool:
    """Whether the gate opens here; where not, the answer's extensions say so, once a field."""
    if gate is None or gate.opens(info.context.viewer, own=is_own(document, info.context.viewer)):
        return True
    withhold(info, gate)
    return False


def withhold(info: Info, gate: Gate) -> None:
    """Note that a field was held back."""
    name, type_name = info.field_name, info._raw_info.parent_type.name
    info.context.withheld[type_name, name] = redaction(name, gate)


def redaction(name: str, gate: Gate) -> dict[str, Any]:
    """As the contract's `Redaction`."""
    return {"field": name, "requiresRoles": [str(role) for role in gate.roles], "requiresScopes": [list(group) for group in gate.scopes]}


def declared_of(parent: GraphQLObjectType | GraphQLInterfaceType, name: str) -> Declared | None:
    """What a field was declared with, by its name in the schema."""
    field = parent.fields.get(name)  # `__typename` is none of them
    definition = field and field.extensions.get("strawberry-definition")
    declared: Declared | None = definition and definition.metadata.get("declared")
    return declared


def is_own(document: Mapping[str, Any], viewer: Viewer) -> bool:
    """Whether a document is the viewer's own: its party, or something it takes part in."""
    return viewer.party is not None and (document.get("_id") == viewer.party or viewer.party in document.get("visibleTo", ()))


def _field(
    resolver: Callable[..., Any],
    needs: tuple[str, ...],
    gate: Gate | None,
    *,
    mask: Gate | None = None,
    depends_on: DependsOn = "role",
    description: str | None = None,
    name: str | None = None,
) -> Any:
    directives: list[Any] = []
    if gate and gate.roles:
        directives.append(RequiresRole(roles=list(gate.roles), own=list(gate.own) if gate.own else strawberry.UNSET))
    if gate and gate.scopes:
        directives.append(RequiresScopes(scopes=[list(group) for group in gate.scopes]))
    return strawberry.field(
        resolver=resolver,
        name=name,
        directives=directives,
        description=description,
        metadata={"declared": Declared(needs, gate, depends_on, mask)},
    )
