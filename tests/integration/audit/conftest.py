"""Audit on a real PostgreSQL, and where a test asks for it on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import migrations
from chassis.database import Database
from tests.support.audit import Audits, Intaking, audits


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
    async with audits(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made


@pytest.fixture
async def without_kafka(database_url: str, tmp_path: Path) -> AsyncIterator[Audits]:
    """An empty database, to run replicas on that find no broker."""
    async with audits(database_url, tmp_path) as made:
        yield made
