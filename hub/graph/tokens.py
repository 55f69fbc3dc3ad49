"""Tokens that the hub issued, as GraphQL sees them: what is remembered of them. Their text is shown once, to whom it was issued."""

from datetime import datetime

import strawberry
from graphql import GraphQLResolveInfo

from hub.commands.tokens import Issue, Revoke
from hub.graph.context import Context, Document
from hub.graph.enums import ChannelType, Direction, InteractionKind, Role, Vertical
from hub.graph.fields import joined, stored, viewed
from hub.graph.nodes import Node, PageInfo
from hub.graph.pages import total
from hub.graph.parties import Party
from hub.graph.payloads import UserError
from hub.store.documents import token_from


@strawberry.type(description="Which interactions a token reaches: one of these in each dimension; null leaves it open.")
class TokenFilter:
    vertical: list[Vertical] | None = stored("vertical")
    channel: list[ChannelType] | None = stored("channel")
    kind: list[InteractionKind] | None = stored("kind")
    topic: list[str] | None = stored("topic")
    direction: list[Direction] | None = stored("direction")


@strawberry.type(description="A token that the hub issued, to a client or to a viewer that passed on its own.")
class Token(Node):
    party: Party | None = joined(lambda token: (token["party"], "") if "party" in token else None, "party")
    roles: list[Role] = stored("roles", default=())
    scopes: list[str] = stored("scopes", default=())
    filter: TokenFilter | None = stored("filter", description="Which interactions it reaches; null: all that its roles do.")
    client: str = stored("client", description="The `client_id` that it carries.")
    issued_at: datetime = stored("issuedAt")
    expires_at: datetime = stored("expiresAt")
    revoked_at: datetime | None = stored("revokedAt")

    @classmethod
    def is_type_of(cls, obj: Document, info: GraphQLResolveInfo[Context]) -> bool:
        info.context.trail.parties(*[obj["party"]] if "party" in obj else ())
        return True


@strawberry.type
class TokenEdge:
    cursor: str = stored("cursor")
    node: Token = stored("node")


@strawberry.type(description="A page of tokens, the newest first.")
class TokenConnection:
    edges: list[TokenEdge] = stored("edges")
    nodes: list[Token] = viewed(lambda page, _: [edge["node"] for edge in page["edges"]])
    page_info: PageInfo = stored("pageInfo")
    total_count: int = viewed(total, description="Exact up to 10,000; 10,001 says: more than that.")


def _signed(payload: Document, context: Context) -> str | None:
    record = payload["document"]
    return None if record is None or payload["replayed"] or "revokedAt" in record else context.own_issuer.sign(token_from(record))


@strawberry.type
class TokenPayload:
    token: str | None = viewed(
        _signed, "document", "replayed", description="The token itself, once: a repeated request does not show it again."
    )
    record: Token | None = stored("document", description="What is remembered of it.")
    replayed: bool = stored("replayed")
    errors: list[UserError] = stored("errors")


@strawberry.input(description="Which interactions a token reaches: one of these in each dimension; null leaves it open.")
class TokenFilterInput:
    vertical: list[Vertical] | None = None
    channel: list[ChannelType] | None = None
    kind: list[InteractionKind] | None = None
    topic: list[str] | None = None
    direction: Direction | None = None

    def meant(self) -> dict[str, list[str]]:
        """As a token holds it."""
        lists = {"vertical": self.vertical, "channel": self.channel, "kind": self.kind, "topic": self.topic}
        words = {name: [str(word) for word in found] for name, found in lists.items() if found is not None}
        return words if self.direction is None else {**words, "direction": [str(self.direction)]}


@strawberry.input
class IssueTokenInput:
    roles: list[Role]
    scopes: list[str]
    party_id: strawberry.ID | None = strawberry.field(default=None, description="One's own, which it is anyway.")
    expires_in_seconds: int = strawberry.field(default=900, description="At most as long as the token that asks lives itself.")
    filter: TokenFilterInput | None = None
    idempotency_key: str | None = None

    def meant(self) -> Issue:
        return Issue(
            roles=sorted(set(self.roles)),
            scopes=sorted(set(self.scopes)),
            seconds=self.expires_in_seconds,
            filter=self.filter.meant() if self.filter else {},
            party_id=self.party_id,
        )


@strawberry.input
class RevokeTokenInput:
    id: strawberry.ID
    idempotency_key: str | None = None

    def meant(self) -> Revoke:
        return Revoke(id=self.id)
