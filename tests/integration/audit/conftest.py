"""Audit on a real PostgreSQL, and where a test asks for it on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from chassis import migrations
from chassis.database import Database
from local_stack.postgres import execute
from tests.integration.audit.world import World, tell
from tests.support.audit import Audits, Intaking, audits
from tests.support.servers import delete_topics


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One audit that much was told to, for the tests that only ask."""
    name, prefix = f"t_{uuid4().hex}", f"t{uuid4().hex[:10]}."
    execute(postgres, [f"CREATE DATABASE {name}"])
    dsn = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    async with audits(dsn, tmp_path_factory.mktemp("audit"), kafka, prefix) as service:
        yield await tell(service)
    delete_topics(kafka, prefix)
    execute(postgres, [f"DROP DATABASE {name} WITH (FORCE)"])
