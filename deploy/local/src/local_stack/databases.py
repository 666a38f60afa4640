"""One database per service: on our own PostgreSQL with a role each, or on the one that DATABASE_URL names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from local_stack.credentials import Credentials
from local_stack.errors import Failed
from local_stack.postgres import Postgres, on_a_loop_of_its_own, url_of


def own_urls(server: Postgres, known: Credentials, services: Sequence[str]) -> dict[str, str]:
    """The URL of each service's database on our own server, where role and database bear the service's name."""
    return {name: url_of(name, known.passwords[name], server.port, name) for name in services}


def given_urls(url: str, services: Sequence[str]) -> dict[str, str]:
    """The URLs on a server that somebody else runs: `…/throughline` gives `…/throughline_intake` and so on.

    The login stays the one that was given. Raises ValueError where the URL names no database.
    """
    parts = urlsplit(url)
    stem = parts.path.strip("/")
    if parts.scheme not in ("postgresql", "postgres") or not stem:
        raise ValueError("DATABASE_URL must be like postgresql://user:password@host:5432/throughline")
    return {name: urlunsplit(parts._replace(path=f"/{stem}_{name.replace('-', '_')}")) for name in services}


def make_own(server: Postgres, known: Credentials, services: Sequence[str]) -> None:
    """Makes the roles and databases that are missing. Raises Failed."""
    roles = {name: known.passwords[name] for name in services}
    _made(server.url, {name: name for name in services}, roles)


def make_given(url: str, urls: Mapping[str, str]) -> None:
    """Makes the databases that are missing, logged in where DATABASE_URL says. Raises Failed."""
    _made(url, {name: urlsplit(each).path.strip("/") for name, each in urls.items()}, {})


def _made(url: str, databases: Mapping[str, str], roles: Mapping[str, str]) -> None:
    try:
        on_a_loop_of_its_own(_make(url, databases, roles))
    except asyncpg.InsufficientPrivilegeError as error:
        names = ", ".join(databases.values())
        raise Failed(f"DATABASE_URL's user may not make databases ({error}); make these by hand: {names}") from error
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Failed(f"the databases cannot be made: {str(error) or type(error).__name__}") from error


async def _make(url: str, databases: Mapping[str, str], roles: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(url, timeout=10, command_timeout=30)
    try:
        known_roles = await _names(connection, "SELECT rolname FROM pg_roles")
        known_databases = await _names(connection, "SELECT datname FROM pg_database")
        for role in roles.keys() - known_roles:
            await connection.execute(f"CREATE ROLE {_quoted(role)} LOGIN PASSWORD '{roles[role]}'")
        for service, database in databases.items():
            if database not in known_databases:
                owner = f" OWNER {_quoted(service)}" if service in roles else ""
                await connection.execute(f"CREATE DATABASE {_quoted(database)}{owner}")
                await connection.execute(f"REVOKE CONNECT ON DATABASE {_quoted(database)} FROM PUBLIC")
    finally:
        await connection.close()


async def _names(connection: Any, query: str) -> set[str]:
    return {row[0] for row in await connection.fetch(query)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
