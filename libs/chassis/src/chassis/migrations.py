"""Alembic for all services: each package holds its `migrations/versions`, the environment is here."""

import asyncio
from collections.abc import Callable
from importlib.resources import files
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

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.readiness import OK, Finding, down

_ONE_AT_A_TIME: Final = text("select pg_advisory_xact_lock(hashtextextended('throughline.migrations', 0))")


def upgrade(dsn: str, package: str) -> None:
    """As `migrate`, for a command line: blocks, and must not be called in a running event loop."""
    asyncio.run(migrate(dsn, package))


async def migrate(dsn: str, package: str) -> None:
    """Brings the database to the package's newest revision, in one transaction; of several at once the others wait.

    `dsn` is postgresql://…; raises `Unavailable` where the server does not answer.
    """
    engine = create_async_engine(_for_sqlalchemy(dsn), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(_ONE_AT_A_TIME)
            await connection.run_sync(_upgrade, package)
    except (OSError, asyncpg.CannotConnectNowError) as error:
        raise Unavailable("PostgreSQL does not answer: start it or correct DATABASE_URL.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("PostgreSQL went away during the migration: run it again.") from error
        raise
    finally:
        await engine.dispose()


def head(package: str) -> str:
    """The package's newest revision; raises LookupError where it has none."""
    revision = _scripts(package).get_current_head()
    if revision is None:
        raise LookupError(f"{package} has no migrations")
    return revision


async def current(connection: asyncpg.Connection) -> str | None:
    """The database's revision, None before the first one."""
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("select version_num from alembic_version")
    return revision


async def check(db: Database, package: str) -> Finding:
    """For `/readyz`: whether the database has the revision that this build was made for."""
    try:
        async with db.connection(within_s=1.5) as connection:
            found = await current(connection)
    except Unavailable:
        return down("the schema's revision is not known without the database")
    wanted = head(package)
    if found != wanted:
        return down(f"the schema is at {found}, {wanted} is needed: run `python -m {package} migrate`")
    return OK


def _upgrade(connection: Connection, package: str) -> None:
    scripts = _scripts(package)
    environment = EnvironmentContext(Config(), scripts, fn=_steps(scripts))
    environment.configure(connection=connection, transactional_ddl=True)
    environment.run_migrations()


def _steps(scripts: ScriptDirectory) -> Callable[[Any, MigrationContext], Any]:
    # What Alembic's own `upgrade` command calls; there is no public name for it without an env.py.
    return lambda revision, _context: scripts._upgrade_revs("head", revision)  # noqa: SLF001 - see above


def _scripts(package: str) -> ScriptDirectory:
    return ScriptDirectory(str(files(package) / "migrations"))


def _for_sqlalchemy(dsn: str) -> str:
    return urlsplit(dsn)._replace(scheme="postgresql+asyncpg").geturl()
