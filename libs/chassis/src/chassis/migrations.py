"""Alembic for all services: each package holds its versions in `<package>/migrations/versions`, the environment is here."""


def upgrade(dsn: str, package: str) -> None:
    """Brings the database to the package's newest revision; one at a time, others wait. Blocking: not for a loop.

    `dsn` is postgresql://…; raises `Unavailable` where the server does not answer.
    """
    raise NotImplementedError


def head(package: str) -> str:
    """The package's newest revision."""
    raise NotImplementedError


async def current(dsn: str) -> str | None:
    """The database's revision, None before the first one."""
    raise NotImplementedError
