"""Whether a viewer's token still stands when something is decided for it: by the order of the journal, not by what was known before."""

from collections.abc import Iterable

from hub.access.viewers import Viewer
from hub.domain.ids import CLIENT, TOKEN, is_id
from hub.domain.terms import SubjectKind
from hub.errors import Unauthenticated
from hub.journal.desk import Desk, Ref


def rests_on(viewer: Viewer) -> Iterable[Ref]:
    """What must still stand when something is decided for this viewer."""
    for id in sorted(viewer.rests_on):
        if is_id(id, TOKEN):
            yield Ref(SubjectKind.TOKEN, id)
        elif is_id(id, CLIENT):
            yield Ref(SubjectKind.CLIENT, id)


def check_standing(desk: Desk, viewer: Viewer) -> None:
    """Raises Unauthenticated where something that the viewer's token rests on was taken back before this is decided."""
    for ref in rests_on(viewer):
        token, client = desk.token(ref.id), desk.client(ref.id)
        if (token is not None and token.revoked_at is not None) or (client is not None and client.disabled_at is not None):
            raise Unauthenticated
