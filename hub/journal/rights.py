"""What the journal says about rights, applied in its order and before anybody else hears of what came after."""

from collections.abc import Callable, Iterator
from datetime import datetime

from hub.access.standing import Standings
from hub.access.viewers import Viewer
from hub.access.withdrawn import Withdrawn
from hub.domain.clients import ClientEventType
from hub.domain.issued_tokens import TokenEventType
from hub.domain.terms import SubjectKind
from hub.journal.log import Entry


class Rights:
    """Stands ahead of the members of a feed: by what it has taken in they are judged."""

    def __init__(self, withdrawn: Withdrawn, standings: Standings, clock: Callable[[], datetime]) -> None:
        self._withdrawn = withdrawn
        self._standings = standings
        self._clock = clock

    def take(self, entry: Entry) -> None:
        """The feed's door."""
        kind, id, data = entry["subject"]["kind"], entry["subject"]["id"], entry["data"]
        if kind == SubjectKind.TOKEN and entry["type"] == TokenEventType.REVOKED:
            self._withdrawn.add(id, data["expiresAt"], self._clock())
        elif kind == SubjectKind.CLIENT and entry["type"] == ClientEventType.DISABLED:
            self._withdrawn.add(id, None, self._clock())
        elif kind == SubjectKind.PARTY_ROLE:
            self._standings.forget(data["party"])


def concerning(viewer: Viewer) -> Iterator[str]:
    """The names under which the feed hands on every entry that `touches` this viewer."""
    yield from viewer.rests_on
    if viewer.backed and viewer.party is not None:
        yield viewer.party


def touches(entry: Entry, viewer: Viewer) -> bool:
    """Whether this entry may have changed what the viewer has a right to: then it is to be asked again who it is."""
    match entry["subject"]["kind"]:
        case SubjectKind.TOKEN | SubjectKind.CLIENT:
            return entry["subject"]["id"] in viewer.rests_on
        case SubjectKind.PARTY_ROLE:
            return bool(viewer.backed) and entry["data"]["party"] == viewer.party
        case _:
            return False
