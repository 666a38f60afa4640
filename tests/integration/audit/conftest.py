"""Audit on a real PostgreSQL, and where a test asks for it on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chassis import migrations
from chassis.database import Database
from tests.integration.audit.world import World, tell
from tests.support.audit import Audits, Intaking
from tests.support.servers import fresh_database, fresh_prefix


@pytest.fixture
async def intaking(database_url: str) -> AsyncIterator[Intaking]:
    """The ingest on an empty database."""
    await migrations.migrate(database_url, "audit")
    db = Database(database_url, name="tests")
    await db.open()
    yield Intaking(db)
    await db.close()


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Audits]:
    """An empty database and empty topics, to run replicas on."""
    async with Audits(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made


@pytest.fixture
async def without_kafka(database_url: str, tmp_path: Path) -> AsyncIterator[Audits]:
    """An empty database, to run replicas on that find no broker."""
    async with Audits(database_url, tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One audit that much was told to, for the tests that only ask."""
    with fresh_database(postgres) as dsn, fresh_prefix(kafka) as prefix:
        async with Audits(dsn, tmp_path_factory.mktemp("audit"), kafka, prefix) as service:
            yield await tell(service)
