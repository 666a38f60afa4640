"""The router as processes that are killed, on a real PostgreSQL and Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.clock import SystemClock
from tests.support.clocks import SetClock
from tests.support.router import Routers
from tests.support.routing import Routing, routing


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Routers]:
    """An empty database and empty topics, to run replicas on."""
    async with Routers(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Routing]:
    """A look at the same database, and what makes records for the log."""
    async with routing(database_url, SetClock(SystemClock().now_us())) as made:
        yield made
