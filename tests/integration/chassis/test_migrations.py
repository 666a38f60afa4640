"""Migrations run once, whoever starts them, and the schema's revision shows in readyz."""

import asyncio
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from chassis import migrations
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.readiness import Status

SERVICES = ["intake", "router", "escalation", "audit", "kb_search"]

FIRST = """
    from alembic import op
    from chassis import tables
    revision = "0001"
    down_revision = None

    def upgrade():
        tables.create(op)
"""
SECOND = """
    from alembic import op
    revision = "0002"
    down_revision = "0001"

    def upgrade():
        op.execute("create table more (n int)")
        {then}
"""


class Package:
    """An import package with migrations, as a service is."""

    def __init__(self, folder: Path) -> None:
        self.name = f"service_{uuid.uuid4().hex}"
        self._versions = folder / self.name / "migrations" / "versions"
        self._versions.mkdir(parents=True)
        (folder / self.name / "__init__.py").touch()

    def add(self, revision: str, text: str) -> None:
        (self._versions / f"{revision}.py").write_text(textwrap.dedent(text))


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    sys.path.insert(0, str(tmp_path))
    made = Package(tmp_path)
    made.add("0001", FIRST)
    yield made
    sys.path.remove(str(tmp_path))


async def tables_of(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_a_fresh_database_is_brought_to_the_head_and_a_second_run_changes_nothing(
    database_url: str, package: Package
) -> None:
    await migrations.migrate(database_url, package.name)
    assert {"events", "streams", "relay_lease", "consumer_offsets"} <= await tables_of(database_url)
    await migrations.migrate(database_url, package.name)
    package.add("0002", SECOND.format(then=""))
    await migrations.migrate(database_url, package.name)
    assert "more" in await tables_of(database_url)
    assert migrations.head(package.name) == "0002"


def test_two_newest_revisions_are_refused(package: Package) -> None:
    package.add("0001b", FIRST.replace("0001", "0001b"))
    with pytest.raises(LookupError, match=r"0001.*0001b"):
        migrations.head(package.name)


@pytest.mark.parametrize("service", SERVICES)
def test_the_newest_revision_is_the_one_that_alembic_finds(service: str) -> None:
    scripts = ScriptDirectory(str(migrations.folder(service)))
    assert migrations.head(service) == scripts.get_current_head()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("started", "spared"), [("__main__", "fastapi aiokafka uvicorn alembic sqlalchemy"), ("main", "alembic sqlalchemy")]
)
def test_no_command_pays_for_what_another_needs(service: str, started: str, spared: str) -> None:
    code = f"import sys, {service}.{started}; sys.exit(', '.join(set({spared.split()}) & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


async def test_of_several_at_once_each_finds_it_done_once(database_url: str, package: Package) -> None:
    await asyncio.gather(*(migrations.migrate(database_url, package.name) for _ in range(4)))
    assert "events" in await tables_of(database_url)


async def test_one_that_fails_leaves_everything_as_it_was(database_url: str, package: Package) -> None:
    await migrations.migrate(database_url, package.name)
    package.add("0002", SECOND.format(then="raise ZeroDivisionError"))
    with pytest.raises(ZeroDivisionError):
        await migrations.migrate(database_url, package.name)
    assert "more" not in await tables_of(database_url)


async def test_readyz_says_when_the_schema_is_behind(database_url: str, package: Package) -> None:
    db = Database(database_url, name="tests")
    await db.open()
    behind = await migrations.check(db, package.name)
    assert behind.status is Status.DOWN
    assert f"python -m {package.name} migrate" in behind.detail
    await migrations.migrate(database_url, package.name)
    assert (await migrations.check(db, package.name)).status is Status.OK
    await db.close()


async def test_without_a_server_it_is_unavailable(package: Package) -> None:
    with pytest.raises(Unavailable):
        await migrations.migrate("postgresql://postgres@127.0.0.1:9/none", package.name)
