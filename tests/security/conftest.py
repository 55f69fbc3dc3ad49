"""One world for each module that looks at it."""

import pytest

from tests.api import Api
from tests.security.world import World, filled


@pytest.fixture(scope="module")
async def world(shared_api: Api) -> World:
    return await filled(shared_api)
