"""The service's own PostgreSQL: a pool under deadlines, transactions that a gone caller cannot tear, errors translated."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from chassis.readiness import Finding

T = TypeVar("T")
Connection = asyncpg.Connection
Work = Callable[[asyncpg.Connection], Awaitable[T]]


class Database:
    """A pool of at most `most` connections to one database.

    Whatever concerns the server or the way to it is raised as `Unavailable` within 5 s; data errors (SQLSTATE 22, 23)
    pass as asyncpg raises them, since only the caller knows what they mean.
    """

    def __init__(self, dsn: str, *, name: str, most: int = 8) -> None:
        """`name` is shown as the sessions' `application_name`."""
        raise NotImplementedError

    async def open(self) -> None:
        """Makes the pool. A server that does not answer is waited for by the users; unsafe settings are refused.

        Raises `Misconfigured` where synchronous_commit, fsync or full_page_writes is off.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Ends all connections, writers included, within 5 s."""
        raise NotImplementedError

    @asynccontextmanager
    async def connection(self, *, within_s: float = 4.5) -> AsyncIterator[asyncpg.Connection]:
        """A connection for reads, each statement a transaction of its own; `within_s` bounds the whole block."""
        raise NotImplementedError
        yield

    @asynccontextmanager
    async def transaction(self, *, within_s: float = 4.5) -> AsyncIterator[asyncpg.Connection]:
        """One transaction: committed at the end of the block, rolled back on an exception.

        A commit whose answer is lost raises `Unavailable` ("retry with the same key"): its outcome is unknown. Work for
        a request belongs into `run`, which outlives the request's cancellation.
        """
        raise NotImplementedError
        yield

    async def run(self, work: Work[T], *, within_s: float = 4.5) -> T:
        """`work` in one transaction and a task of its own: where the caller is cancelled, it is finished all the same."""
        raise NotImplementedError

    def writer(self) -> "Writer":
        """A dedicated connection for set-based writes, made anew whenever it breaks."""
        raise NotImplementedError

    async def check(self) -> Finding:
        """For `/readyz`: whether the database answers."""
        raise NotImplementedError


class Writer:
    """One connection of one task, planned for the real batch sizes (`plan_cache_mode=force_custom_plan`)."""

    async def run(self, work: Work[T], *, within_s: float = 4.5) -> T:
        """`work` in one transaction on the dedicated connection; errors as `Database.run`."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends the connection."""
        raise NotImplementedError


def is_data_error(error: BaseException) -> bool:
    """Whether a row's own content is at fault (SQLSTATE class 22 or 23, or refused by the client's encoder)."""
    raise NotImplementedError
