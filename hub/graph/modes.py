"""Whether the hub runs what a client writes itself, or only documents that its operator trusts: by role.

OFF knows no trusted documents, PREFER runs both, REQUIRE runs nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.errors import StartupError

WORDS: Final = (
    "HUB_TRUSTED_DOCUMENTS is `off`, `prefer` or `require`, and others by role behind it, each role once: "
    '"require, AGENT=prefer, ADMIN=off".'
)


class Mode(StrEnum):
    """What counts for a role."""

    OFF = "off"
    PREFER = "prefer"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Modes:
    """What is usual, and what is not, by role. Of several roles the one that allows more counts."""

    usual: Mode
    by_role: Mapping[Role, Mode]

    @classmethod
    def told(cls, words: str) -> Self:
        """`require, AGENT=off`. Raises StartupError for other words."""
        usual, *others = words.split(",")
        by_role: dict[Role, Mode] = {}
        for name, _, mode in (word.partition("=") for word in others):
            if name.strip() not in Role.__members__ or (role := Role(name.strip())) in by_role:
                raise StartupError(WORDS)
            by_role[role] = _mode(mode)
        return cls(_mode(usual), by_role)

    def knows_ids(self, viewer: Viewer) -> bool:
        """Whether trusted documents are there for this viewer."""
        return self._of(viewer) != {Mode.OFF}

    def runs_text(self, viewer: Viewer) -> bool:
        """Whether what this viewer writes itself is run."""
        return self._of(viewer) != {Mode.REQUIRE}

    def _of(self, viewer: Viewer) -> set[Mode]:
        return {self.by_role.get(role, self.usual) for role in viewer.roles} or {self.usual}


def _mode(word: str) -> Mode:
    try:
        return Mode(word.strip().lower())
    except ValueError:
        raise StartupError(WORDS) from None
