"""How a root field is declared: its mandate is looked up by its name, printed in the schema and asked before it runs."""

from collections.abc import Callable
from typing import Any

import strawberry

from hub.access.mandates import ROOTS, Mandate, ordered, require
from hub.graph.context import Info
from hub.graph.fields import RequiresRole, RequiresScopes


def directives(mandate: Mandate) -> list[Any]:
    """@requiresRole and @requiresScopes of a mandate."""
    own = list(ordered(mandate.own))
    return [
        RequiresRole(roles=list(ordered(mandate.roles)), own=own or strawberry.UNSET),
        RequiresScopes(scopes=[list(group) for group in mandate.scopes]),
    ]


def root(name: str, **about: Any) -> Callable[[Any], Any]:
    """A root field by its name in the schema, such as "Query.interaction"; without a mandate there is none."""
    declare: Any = strawberry.subscription if name.startswith("Subscription.") else strawberry.field
    return declare(name=name.split(".")[1], directives=directives(ROOTS[name]), **about)


def admit(info: Info, name: str) -> None:
    """Pass, or raise Unauthenticated or Forbidden; rows are `Visibility`'s to narrow."""
    require(info.context.viewer, ROOTS[name], name.split(".")[1], own=True)
