"""How the relay hears of commits: in process at once, from other replicas by NOTIFY, and at worst by looking."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

import asyncpg
import structlog

from chassis.database import Connection, Database, session_settings
from chassis.errors import Unavailable

_CHANNEL: Final = "throughline_relay"
_log = structlog.get_logger(__name__)


class Wake:
    """An event that other replicas can set too, over PostgreSQL's LISTEN and NOTIFY."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._event = asyncio.Event()
        self._ear: Connection | None = None

    def set(self) -> None:
        """Something was committed, or there is something else to see to."""
        self._event.set()

    def clear(self) -> None:
        """Before looking: what is committed from now on sets it again."""
        self._event.clear()

    async def wait(self, seconds: float) -> bool:
        """Until it is set, `seconds` at most; whether it was set."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._event.wait()
        return False

    async def stand_by(self, seconds: float) -> None:
        """For `seconds` passes every wake-up on to the replica that holds the lease.

        After the commit, in a transaction of its own: a NOTIFY inside it would make all commits queue for one lock.
        """
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0 and await self.wait(left):
            self.clear()
            with suppress(Unavailable):
                async with self._db.connection() as connection:
                    await connection.execute(f"select pg_notify('{_CHANNEL}', '')")

    async def listen(self) -> None:
        """Hears the other replicas from now on. Without a connection for it the periodic look has to do."""
        if self._ear is not None and not self._ear.is_closed():
            return
        try:
            settings = session_settings(f"{self._db.name} relay")
            async with asyncio.timeout(3):
                self._ear = await asyncpg.connect(self._db.dsn, server_settings=settings)
                await self._ear.add_listener(_CHANNEL, lambda *_: self.set())
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            _log.info("relay_hears_no_replicas", error=type(error).__name__)

    async def close(self) -> None:
        """Stops hearing."""
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.terminate()
