"""Kb-search on a real PostgreSQL, and where a test asks for it on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.kb_search import Libraries, Replica
from tests.support.servers import fresh_database, fresh_prefix


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Libraries]:
    """One database and one log that many tests share, each with articles, requests and agents of its own names."""
    with fresh_database(postgres) as dsn, fresh_prefix(kafka) as prefix:
        async with Libraries(dsn, tmp_path_factory.mktemp("kb_search"), kafka, prefix) as made:
            yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(service: Libraries) -> Replica:
    """A replica that is served all the time."""
    return await service.local()


@pytest_asyncio.fixture(loop_scope="session")
async def alone(database_url: str, tmp_path: Path) -> AsyncIterator[Libraries]:
    """An empty database of a test's own, without Kafka."""
    async with Libraries(database_url, tmp_path) as made:
        yield made
