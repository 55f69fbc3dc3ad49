"""Queries about the one who asks, and about now."""

from typing import Any

import strawberry

from hub.graph.context import Info
from hub.graph.roots import admit, root
from hub.graph.scalars import Cursor
from hub.graph.viewers import Viewer


@strawberry.type
class ViewerQueries:
    @root("Query.viewer", description="Whoever asks, as the token says.")
    @staticmethod
    def viewer(info: Info) -> Viewer:
        admit(info, "Query.viewer")
        viewer: Any = info.context.viewer
        return viewer

    @root("Query.cursor", description="All else in this operation is at least this new: read, then subscribe from here.")
    @staticmethod
    async def cursor(info: Info) -> Cursor:
        admit(info, "Query.cursor")
        return Cursor(info.context.journal.cursors.cursor(await info.context.read_head()))
