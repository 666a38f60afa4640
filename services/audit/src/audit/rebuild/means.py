"""What a process of a rebuild works with: connections of its own, and where it reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from audit.adapters.schema import LIVE
from audit.rebuild.source import LogSource, RecordSource
from chassis.database import Connection, Database
from chassis.sessions import session_settings
from chassis.settings import ServiceSettings

_NO_LIMITS: Final = ("transaction_timeout", "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")


@dataclass(frozen=True, slots=True)
class Terms:
    """What every process of a rebuild is told; each remembers at most `most_events`."""

    settings: ServiceSettings
    most_events: int
    from_records: bool


@dataclass(frozen=True, slots=True)
class Means:
    """`connection` has no limits on statements, since an index may take long."""

    db: Database
    connection: Connection
    source: LogSource | RecordSource


@asynccontextmanager
async def means(terms: Terms, name: str) -> AsyncIterator[Means]:
    """All that is needed, until the end of the block."""
    settings = terms.settings
    db = Database(settings.dsn, name=name, most=2)
    await db.open()
    limits = dict.fromkeys(_NO_LIMITS, "0")
    connection = await asyncpg.connect(settings.dsn, server_settings=session_settings(name) | limits)
    source = RecordSource(db, LIVE) if terms.from_records else LogSource(settings)
    try:
        yield Means(db, connection, source)
    finally:
        await source.close()
        await connection.close(timeout=2)
        await db.close()
