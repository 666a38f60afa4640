"""Fixtures for whatever stands on the chassis alone: a database with its tables, settings for the real servers."""

import base64
import os
from collections.abc import AsyncIterator, Callable

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis import tables
from chassis.database import Database
from chassis.settings import ServiceSettings


async def make_tables(dsn: str) -> None:
    """The chassis's own tables in an empty database."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: tables.create(Operations(MigrationContext.configure(sync))))
    await engine.dispose()


def environment_of(settings: ServiceSettings) -> dict[str, str]:
    """The same settings as a process finds them, and nothing else but the way to programs."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.dsn,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "THROUGHLINE_MASTER_KEY": settings.master_key.get_secret_value(),
        "THROUGHLINE_TOKENS": "{}",
        "THROUGHLINE_TOPIC_PREFIX": settings.topic_prefix,
        "THROUGHLINE_CONTACTS_PARTITIONS": str(settings.contacts_partitions),
        "THROUGHLINE_OTHER_PARTITIONS": str(settings.other_partitions),
        "THROUGHLINE_REPLICA": settings.replica,
    }


@pytest.fixture
async def chassis_url(database_url: str) -> str:
    """The URL of a fresh database that has the chassis's tables."""
    await make_tables(database_url)
    return database_url


@pytest.fixture
async def db(chassis_url: str) -> AsyncIterator[Database]:
    """A pool to that database."""
    database = Database(chassis_url, name="tests")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def make_settings(topic_prefix: str) -> Callable[..., ServiceSettings]:
    """Settings for a database and a broker; anything else by name."""

    def make(dsn: str, bootstrap: str, **others: object) -> ServiceSettings:
        return ServiceSettings.model_validate(
            {
                "database_url": dsn,
                "kafka_bootstrap_servers": bootstrap,
                "master_key": base64.b64encode(os.urandom(32)).decode(),
                "tokens": {},
                "topic_prefix": topic_prefix,
                "contacts_partitions": 4,
                "other_partitions": 1,
                **others,
            }
        )

    return make
