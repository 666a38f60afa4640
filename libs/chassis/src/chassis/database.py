"""The service's own PostgreSQL: a pool under deadlines, whole transactions, errors translated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg
import structlog

from chassis import sessions
from chassis.errors import Unavailable
from chassis.pool import Pool
from chassis.readiness import OK, Finding, down
from chassis.sessions import Connection, is_data_error, session_settings

__all__ = ["Connection", "Database", "Work", "Writer", "is_data_error", "session_settings"]

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]

_log = structlog.get_logger(__name__)


class Database:
    """A pool of at most `most` connections to one database.

    Whatever concerns the server or the way to it is raised as `Unavailable` within 5 s; data errors (SQLSTATE 22, 23)
    pass as asyncpg raises them, since only the caller knows what they mean. Columns of type jsonb go in and come out as
    UTF-8 bytes.
    """

    def __init__(self, dsn: str, *, name: str, most: int = 8, by_index: bool = False) -> None:
        """`name` is shown as the sessions' `application_name`.

        With `by_index` the pool finds rows by an index wherever there is one. Plans are kept: one made while a table
        was small would else read all of the grown one, until PostgreSQL looks at the table anew.
        """
        self._settings = session_settings(name) | ({"enable_seqscan": "off"} if by_index else {})
        self.dsn = dsn
        self.name = name
        self._most = most
        self._pool: Pool | None = None
        self._writers: list[Writer] = []
        self._running: set[asyncio.Future[Any]] = set()

    async def open(self) -> None:
        """Makes the pool. A server that does not answer is waited for by the users; unsafe settings are refused.

        Raises `Misconfigured` where synchronous_commit, fsync or full_page_writes is off.
        """
        self._pool = Pool(lambda: sessions.connect(self.dsn, self._settings), self._most)
        try:
            async with self.connection():
                pass
        except Unavailable:
            _log.warning("database_absent_at_start")

    async def close(self) -> None:
        """Ends all connections, writers included, within 5 s."""
        if self._running:
            await asyncio.wait(self._running, timeout=2)
        for writer in self._writers:
            await writer.close()
        if self._pool is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._pool.close()

    @asynccontextmanager
    async def connection(self, *, within_s: float = 4.5) -> AsyncIterator[Connection]:
        """A connection for reads, each statement a transaction of its own; `within_s` bounds the whole block."""
        pool = self._opened()
        async with sessions.answering(within_s):
            connection = await pool.acquire()
            try:
                yield connection
            # Above all a cancellation spoils a session: its statement may be under way still.
            except BaseException as error:
                if sessions.spoils(error):
                    connection.terminate()
                raise
            finally:
                pool.release(connection)

    @asynccontextmanager
    async def transaction(self, *, within_s: float = 4.5) -> AsyncIterator[Connection]:
        """One transaction: committed at the end of the block, rolled back on an exception.

        A commit whose answer is lost raises `Unavailable` ("retry with the same key"): its outcome is unknown. Where
        the task is cancelled the connection is thrown away, so that no open transaction returns to the pool. Work for
        a request belongs into `run`, which outlives the request's cancellation.
        """
        async with self.connection(within_s=within_s) as connection, sessions.transaction(connection):
            yield connection

    async def run(self, work: Work[T], *, within_s: float = 4.5) -> T:
        """`work` in one transaction and a task of its own: where the caller is cancelled, it is finished anyway."""

        async def whole() -> T:
            async with self.transaction(within_s=within_s) as connection:
                return await work(connection)

        return await self.finished(whole())

    async def finished(self, work: Awaitable[T]) -> T:
        """Awaits `work` in a task of its own, which goes on where the caller is cancelled; `close` waits for it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_report)
            raise

    def writer(self) -> "Writer":
        """A dedicated connection for set-based writes, made anew whenever it breaks."""
        writer = Writer(self.dsn, name=f"{self.name} writer")
        self._writers.append(writer)
        return writer

    async def check(self) -> Finding:
        """For `/readyz`: whether the database answers."""
        try:
            async with self.connection(within_s=1.5) as connection:
                await connection.execute("select 1")
        except Unavailable as error:
            return down(
                f"PostgreSQL does not answer ({type(error.__cause__).__name__}): start it or correct DATABASE_URL"
            )
        return OK

    def _opened(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("the database was not opened")
        return self._pool


class Writer:
    """One connection of one task, planned for the real batch sizes (`plan_cache_mode=force_custom_plan`).

    Without that setting PostgreSQL plans joins over `unnest` for a guessed handful of rows after five executions.
    """

    def __init__(self, dsn: str, *, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def run(self, work: Work[T], *, within_s: float = 4.5) -> T:
        """`work` in one transaction on the dedicated connection; errors as `Database.run`."""
        return await self.opened("", lambda connection, _: work(connection), within_s=within_s)

    async def opened(
        self, opening: str, work: Callable[[Connection, str], Awaitable[T]], closing: str = "", *, within_s: float = 4.5
    ) -> T:
        """As `run`, with statements that go along with `begin` and with `commit`: `work` is given the status of the
        last one of `opening`, and a data error in `closing` rolls back."""
        async with self._turn, sessions.answering(within_s):
            try:
                connection = await self._connected()
                async with sessions.transaction(connection, opening, closing) as status:
                    return await work(connection, status)
            # As in `Database.connection`: a cancelled statement may be under way still.
            except BaseException as error:
                if sessions.spoils(error):
                    self._throw_away()
                raise

    async def close(self) -> None:
        """Ends the connection, gracefully where that works within 2 s."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await connection.close(timeout=2)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            settings = session_settings(self._name) | {"plan_cache_mode": "force_custom_plan"}
            self._connection = await sessions.connect(self._dsn, settings)
        return self._connection

    def _throw_away(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _report(task: asyncio.Future[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.warning("unawaited_work_failed", error=type(task.exception()).__name__)
