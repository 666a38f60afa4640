"""What brings a database to the newest schema: the only module that knows Alembic."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.errors import Unavailable

_ONE_AT_A_TIME: Final = text("select pg_advisory_xact_lock(hashtextextended('throughline.migrations', 0))")


async def migrate(dsn: str, folder: Path) -> None:
    """Runs what is missing of the migrations in `folder`, in one transaction; of several at once the others wait.

    `dsn` is postgresql://…; raises `Unavailable` where the server does not answer.
    """
    engine = create_async_engine(_for_sqlalchemy(dsn), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(_ONE_AT_A_TIME)
            await connection.run_sync(_upgrade, folder)
    except (OSError, asyncpg.CannotConnectNowError) as error:
        raise Unavailable("PostgreSQL does not answer: start it or correct DATABASE_URL.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("PostgreSQL went away during the migration: run it again.") from error
        raise
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, folder: Path) -> None:
    scripts = ScriptDirectory(str(folder))
    environment = EnvironmentContext(Config(), scripts, fn=_steps(scripts))
    environment.configure(connection=connection, transactional_ddl=True)
    environment.run_migrations()


def _steps(scripts: ScriptDirectory) -> Callable[[Any, MigrationContext], Any]:
    # What Alembic's own `upgrade` command calls; there is no public name for it without an env.py.
    return lambda revision, _context: scripts._upgrade_revs("head", revision)  # noqa: SLF001 - see above


def _for_sqlalchemy(dsn: str) -> str:
    return urlsplit(dsn)._replace(scheme="postgresql+asyncpg").geturl()
