"""What moves requests, on a real PostgreSQL; and the router over HTTP, without Kafka: it must not need it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.clock import SystemClock
from tests.support.clocks import SetClock
from tests.support.router import Router, Routers
from tests.support.routing import Routing, routing


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Routing]:
    """An empty database with the router's schema, and the use cases on it."""
    async with routing(database_url, SetClock(SystemClock().now_us())) as made:
        yield made


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Routers]:
    """The same database, to run replicas on: what the log would tell them, `desk` takes up."""
    async with Routers(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def router(service: Routers) -> Router:
    """One running replica, within this process."""
    return await service.local()
