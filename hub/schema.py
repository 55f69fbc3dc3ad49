"""The one door to resolvers and subscriptions: the schema, made of them, and its text."""

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from hub.graph import costs
from hub.graph.decisions import disagreements
from hub.graph.descriptions import describe
from hub.graph.interactions import Interaction
from hub.graph.parties import Party
from hub.graph.party_roles import PartyRole
from hub.graph.scalars import SCALARS
from hub.graph.tokens import Token
from resolvers.events import EventQueries
from resolvers.interactions import InteractionMutations, InteractionQueries
from resolvers.nodes import NodeQueries
from resolvers.parties import PartyMutations, PartyQueries
from resolvers.party_roles import PartyRoleMutations, PartyRoleQueries
from resolvers.tokens import TokenMutations, TokenQueries
from resolvers.viewer import ViewerQueries
from subscriptions.interactions import InteractionStreams


@strawberry.type
class Query(ViewerQueries, NodeQueries, InteractionQueries, PartyQueries, PartyRoleQueries, EventQueries, TokenQueries):
    """Reading."""


@strawberry.type
class Mutation(InteractionMutations, PartyMutations, PartyRoleMutations, TokenMutations):
    """Acting. Every refusal is in the payload's `errors`."""


@strawberry.type
class Subscription(InteractionStreams):
    """Following. Without `after`: from now on."""


@cache
def schema() -> strawberry.Schema:
    """The schema, built once; not at all where its fields and the tables of who may read them do not say the same."""
    costs.declare(_built()._schema)  # what a field costs is told by its type, which is known when it is built: then once more
    built = _built()
    if found := disagreements(built._schema):
        raise TypeError("\n".join(found))
    describe(built._schema)
    return built


def _built() -> strawberry.Schema:
    return strawberry.Schema(
        Query, Mutation, Subscription, types=[Interaction, Party, PartyRole, Token], config=StrawberryConfig(scalar_map=SCALARS)
    )


def executable() -> GraphQLSchema:
    """What graphql-core executes. A private name of Strawberry, like `_raw_info`: a test watches both."""
    return schema()._schema


@cache
def sdl() -> str:
    """The text of schema.graphql."""
    return schema().as_str().rstrip() + "\n"
