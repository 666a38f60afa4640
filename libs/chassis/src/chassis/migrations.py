"""Migrations for all services: each package holds its `migrations/versions`, what runs and checks them is here."""

import ast
import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import asyncpg

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.readiness import OK, Finding, down

_NAMES: Final = ("revision", "down_revision")


def upgrade(dsn: str, package: str) -> None:
    """As `migrate`, for a command line: blocks, and must not be called in a running event loop."""
    asyncio.run(migrate(dsn, package))


async def migrate(dsn: str, package: str) -> None:
    """Brings the database to the package's newest revision, in one transaction; of several at once the others wait.

    `dsn` is postgresql://…; raises `Unavailable` where the server does not answer.
    """
    # Only here: Alembic brings SQLAlchemy, a third of a service's start and of its memory, and serving needs neither.
    from chassis import alembic_runs

    await alembic_runs.migrate(dsn, folder(package))


def folder(package: str) -> Path:
    """Where the package's migrations lie."""
    return Path(str(files(package) / "migrations"))


def head(package: str) -> str:
    """The package's newest revision; raises LookupError where it has none, or more than one."""
    steps = [_said(script) for script in (folder(package) / "versions").glob("[!_]*.py")]
    heads = {step["revision"] for step in steps} - {step["down_revision"] for step in steps}
    if len(heads) != 1:
        raise LookupError(f"{package} has {sorted(map(str, heads)) or 'no revision'} where one newest is needed")
    return str(heads.pop())


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


def _said(script: Path) -> dict[str, Any]:
    """A script's plain assignments to `revision` and `down_revision`, read without running it."""
    return {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(script.read_bytes()).body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) and line.targets[0].id in _NAMES
    }
