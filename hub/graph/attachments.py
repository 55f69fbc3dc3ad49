"""Attachments as GraphQL sees them: of an interaction, and as an event told of one."""

from collections.abc import Callable
from datetime import datetime

import strawberry

from hub.commands.attachments import Download
from hub.errors import BadInput
from hub.graph.context import Context, Document
from hub.graph.enums import NoteVisibility, Role
from hub.graph.fields import joined, stored, viewed
from hub.graph.parties import Party


def attached_in(field: str) -> Callable[[Document, Context], list[Document]]:
    """Those that stand in a field of an interaction, each with what its own fields need of that."""

    def read(document: Document, context: Context) -> list[Document]:
        around = {"visibleTo": document["visibleTo"], "interaction": document["_id"]}
        return [one | around for one in document.get(field, ())]

    return read


def _download_url(attachment: Document, context: Context) -> str | None:
    if "file" not in attachment:
        return None
    addresses, download = context.attaching.addresses, Download(attachment["interaction"], attachment["id"])
    try:
        sealed, _ = addresses.downloads.made(context.viewer, download.told(), context.now)
    except BadInput:  # of a token with a filter of hundreds of words
        return None
    return addresses.base + sealed


@strawberry.type(description="A file of an interaction: kept here, or elsewhere under its url.")
class Attachment:
    id: strawberry.ID = stored("id")
    name: str = stored("name")
    mime_type: str | None = stored("mimeType")
    size: int | None = stored("size", description="In bytes; null for a reference of which it was not said.")
    visibility: NoteVisibility = stored("visibility")
    by: Party | None = joined(lambda one: (one["by"], one["byRole"]) if "by" in one else None, "attachments")
    by_role: Role = stored("byRole")
    at: datetime = stored("at")
    url: str | None = stored("url", description="Of a reference: where it is, as it was given.")
    download_url: str | None = viewed(
        _download_url,
        "attachments",
        depends_on="viewer",
        description="Of a file that is kept here: its bytes are here for ten minutes, for this viewer and without a token. Ask anew then."
        " Relative to the hub where HUB_URL is not set.",
    )
