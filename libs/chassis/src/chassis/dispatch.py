"""Records to handlers by event type, for services with effects; what cannot be handled is parked, its key waits."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import asyncpg

from chassis.clock import Clock
from chassis.consumer import AfterCommit, BatchHandler, Partition
from chassis.database import Database
from chassis.records import Record
from events.envelope import Envelope

EventHandler = Callable[[asyncpg.Connection, Envelope, Record], Awaitable[AfterCommit | None]]


class Dispatch(BatchHandler):
    """A BatchHandler that gives each record to the handler of its type; types without a handler are passed over.

    A handler that raises anything but `Transient` is tried `attempts` times (counted in the database before each), then
    its record is parked with its bytes and the reason; later records of that key wait behind it, all others go on.
    """

    def __init__(
        self,
        consumer: str,
        handlers: Mapping[str, EventHandler],
        *,
        db: Database,
        clock: Clock,
        attempts: int = 5,
    ) -> None:
        raise NotImplementedError

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """See BatchHandler."""
        raise NotImplementedError

    def lost(self, partitions: Iterable[Partition]) -> None:
        """See BatchHandler."""
        raise NotImplementedError
