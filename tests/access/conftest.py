"""Viewers as a test names them: by their roles, with every scope that these can use."""

from collections.abc import Callable, Collection
from typing import Final

import pytest

from hub.access.mandates import SCOPES_OF
from hub.access.viewers import Viewer
from hub.domain.ids import PartyId
from hub.domain.terms import Role
from tests.access.issuing import Clock

ANNA: Final = PartyId("par_" + "a" * 32)

MakeViewer = Callable[..., Viewer]


@pytest.fixture
def viewer() -> MakeViewer:
    def make(*roles: Role, party: PartyId | None = ANNA, scopes: Collection[str] | None = None) -> Viewer:
        usable = frozenset(scope for role in roles for scope in SCOPES_OF[role])
        return Viewer(
            issuer="test",
            subject=party or "someone",
            client=None,
            token_id="t",
            party=party,
            roles=frozenset(roles),
            scopes=usable if scopes is None else frozenset(scopes),
            expires_at=None,
        )

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock()
