"""Kb-search on a real PostgreSQL, and where a test asks for it on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from local_stack.postgres import execute
from tests.support.kb_search import Libraries, Replica, libraries
from tests.support.servers import delete_topics


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Libraries]:
    """One database and one log that many tests share, each with articles, requests and agents of its own names."""
    name, prefix = f"t_{uuid4().hex}", f"t{uuid4().hex[:10]}."
    execute(postgres, [f"CREATE DATABASE {name}"])
    dsn = urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    async with libraries(dsn, tmp_path_factory.mktemp("kb_search"), kafka, prefix) as made:
        yield made
    delete_topics(kafka, prefix)
    execute(postgres, [f"DROP DATABASE {name} WITH (FORCE)"])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(service: Libraries) -> Replica:
    """A replica that is served all the time."""
    return await service.local()


@pytest_asyncio.fixture(loop_scope="session")
async def alone(database_url: str, tmp_path: Path) -> AsyncIterator[Libraries]:
    """An empty database of a test's own, without Kafka."""
    async with libraries(database_url, tmp_path) as made:
        yield made
