"""What moves requests, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.routing import Routing, routing


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Routing]:
    """An empty database with the router's schema, and the use cases on it."""
    async with routing(database_url) as made:
        yield made
