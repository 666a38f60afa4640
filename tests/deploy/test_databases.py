"""The statements that the compose file's PostgreSQL begins with make what each service needs, and no more."""

from __future__ import annotations

import asyncio
import os
import subprocess
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.new_secrets import variable
from local_stack.postgres import binary, url_of
from local_stack.services import SERVICES
from tests.deploy.reading import DEPLOY
from tests.support.servers import PrivatePostgres


def entered(port: int, role: str, database: str) -> object:
    """What `current_user` is there."""

    async def ask() -> object:
        connection = await asyncpg.connect(url_of(role, f"pw of {role}", port, database), timeout=10)
        try:
            await connection.execute("CREATE TABLE own (n int)")
            return await connection.fetchval("SELECT current_user")
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_each_role_owns_its_database_and_enters_no_other(private_postgres: PrivatePostgres) -> None:
    names = [service.name for service in SERVICES]
    passwords = {f"{variable(name)}_DATABASE_PASSWORD": f"pw of {name}" for name in names}
    script = str(DEPLOY / "compose/databases.sql")
    command = [str(binary("psql")), private_postgres.url, "--no-psqlrc", "--quiet", "-f", script]
    subprocess.run(command, env={**os.environ, **passwords}, check=True)
    port = urlsplit(private_postgres.url).port or 0
    assert [entered(port, name, name) for name in names] == names
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        entered(port, "router", "intake")
