"""One PostgreSQL session: how it is started, its transactions, and what its errors mean to the caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from chassis.errors import Misconfigured, Unavailable

Connection = asyncpg.Connection

_SILENT: Final = (
    "The database does not answer. Nothing is known to have been done: retry, with the same key if there is one."
)
_UNKNOWN: Final = "The commit's answer was lost, so its outcome is unknown: retry with the same key."
_SWALLOWED: Final = "an error inside the transaction was swallowed: PostgreSQL rolled it back"
_BEHIND: Final = "The database's schema is behind this service: run its migrate command."
_MUST_BE_ON: Final = ("synchronous_commit", "fsync", "full_page_writes")


def session_settings(name: str) -> dict[str, str]:
    """What every session is started with.

    The limits on transactions keep one that hangs from holding back the relays of the whole cluster.
    """
    return {
        "application_name": name[:63],
        "transaction_timeout": "10s",
        "idle_in_transaction_session_timeout": "10s",
        "statement_timeout": "10s",
        "lock_timeout": "4s",
        "TimeZone": "UTC",
        "jit": "off",
    }


def is_data_error(error: BaseException) -> bool:
    """Whether a row's own content is at fault (SQLSTATE class 22 or 23, or refused by the client's encoder)."""
    if isinstance(error, asyncpg.PostgresError):
        return _sqlstate(error)[:2] in {"22", "23"}
    return isinstance(error, asyncpg.DataError)


@asynccontextmanager
async def transaction(connection: Connection, opening: str = "", closing: str = "") -> AsyncIterator[str]:
    """One transaction on this connection; a commit without an answer is `Unavailable`, its outcome unknown.

    The statements of `opening` go with `begin` in one message, without parameters; what the last one of them did is
    given (`SELECT 3`). Those of `closing` go with `commit`; where one of them raises a data error nothing is committed.
    """
    try:
        yield await connection.execute(f"begin;{opening}")
        # A cancellation that has come meanwhile is heard here, and not in the commit, whose outcome were unknown then.
        await asyncio.sleep(0)
    # A cancellation ends the block like any error; `spoils` tells which of them leave a session that can roll back.
    except BaseException as error:
        if not spoils(error):
            await connection.execute("rollback")
        raise
    try:
        outcome = await connection.execute(f"{closing};commit")
    except asyncpg.InFailedSQLTransactionError as error:
        await connection.execute("rollback")
        raise RuntimeError(_SWALLOWED) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if is_data_error(error):
            if closing:
                await connection.execute("rollback")
            raise
        connection.terminate()
        raise Unavailable(_UNKNOWN) from error
    if outcome != "COMMIT":
        raise RuntimeError(_SWALLOWED)


@asynccontextmanager
async def answering(within_s: float) -> AsyncIterator[None]:
    """What stands in the block ends within `within_s` seconds; whatever concerns the server becomes `Unavailable`."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except asyncpg.UndefinedTableError as error:
        raise Unavailable(_BEHIND) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        # A TimeoutError is an OSError: ours as well as those of asyncpg's own limits.
        if is_data_error(error) or _is_our_fault(error):
            raise
        raise Unavailable(_SILENT) from error


def spoils(error: BaseException) -> bool:
    """Whether the connection is unusable, or of unknown state, after this error.

    asyncpg may believe a connection whose backend was killed to be open, and fails on it with internal errors.
    """
    if is_data_error(error):
        return False
    if isinstance(error, asyncpg.PostgresError):
        state = _sqlstate(error)
        return state[:2] == "08" or state[:3] == "57P" or state in {"25P03", "25P04"}
    broken = (
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
        asyncio.CancelledError,
        TimeoutError,
        Unavailable,
    )
    return isinstance(error, broken)


def _is_our_fault(error: BaseException) -> bool:
    """Syntax, privileges, unknown tables, raised by a function, a row too long: nothing that waiting would cure."""
    return (
        isinstance(error, asyncpg.PostgresError)
        and _sqlstate(error)[:2] in {"0A", "21", "25", "2F", "42", "54", "P0"}
        and (not spoils(error))
    )


def _sqlstate(error: asyncpg.PostgresError) -> str:
    return error.sqlstate or ""


async def connect(dsn: str, settings: dict[str, str]) -> Connection:
    """A session with these settings, ready for use. Raises Misconfigured where the server would lose commits."""
    connection = await asyncpg.connect(dsn, server_settings=settings, timeout=3)
    try:
        await _refuse_unsafe(connection)
        await connection.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            format="binary",
            encoder=lambda text: b"\x01" + text,
            decoder=lambda raw: raw[1:],
        )
    # Whoever is cancelled meanwhile never gets to hold the session: nobody but us can end it.
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _refuse_unsafe(connection: Connection) -> None:
    rows = await connection.fetch("select name, setting from pg_settings where name = any($1::text[])", _MUST_BE_ON)
    off = sorted(row["name"] for row in rows if row["setting"] == "off")
    if off:
        raise Misconfigured(
            f"PostgreSQL would lose acknowledged events: set {', '.join(off)} to on, for server and role"
        )
