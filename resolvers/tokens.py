"""Queries and mutations of tokens: translate, ask, wrap."""

from typing import Any

import strawberry

from hub.graph.context import Info
from hub.graph.pages import Asked, tokens_page
from hub.graph.payloads import submit
from hub.graph.roots import admit, root
from hub.graph.tokens import IssueTokenInput, RevokeTokenInput, TokenConnection, TokenPayload


@strawberry.type
class TokenQueries:
    @root("Query.tokens", description="The tokens of one's party that the hub issued, the newest first; for an ADMIN those of all.")
    @staticmethod
    async def tokens(info: Info, first: int | None = None, after: str | None = None) -> TokenConnection | None:
        admit(info, "Query.tokens")
        page: Any = await tokens_page(info.context, Asked(first, after))
        return page


@strawberry.type
class TokenMutations:
    @root(
        "Mutation.issueToken", description="Pass on one's rights, or some of them: never more, never for another party, never for longer."
    )
    @staticmethod
    async def issue_token(info: Info, input: IssueTokenInput) -> TokenPayload:
        return await submit(info, input)

    @root("Mutation.revokeToken", description="Take a token back, and with it all that it was passed on as.")
    @staticmethod
    async def revoke_token(info: Info, input: RevokeTokenInput) -> TokenPayload:
        return await submit(info, input)
