"""Escalation on a real PostgreSQL and Kafka; most tests share one that runs in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.escalation.world import World
from tests.support.escalation import Escalations, key_made
from tests.support.servers import fresh_database, fresh_prefix


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Escalations]:
    """An empty database and empty topics, to run replicas on."""
    async with Escalations(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One escalation that runs all the time, for tests that keep to requests and policies of their own."""
    with fresh_database(postgres) as dsn, fresh_prefix(kafka) as prefix:
        async with Escalations(dsn, tmp_path_factory.mktemp("escalation"), kafka, prefix) as service:
            await service.send(key_made())
            yield World(service, await service.local())
