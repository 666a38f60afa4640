"""The consumer loop: batches from Kafka, effects and offsets in one PostgreSQL transaction, fenced by epochs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from chassis.database import Database
from chassis.metrics import Metrics
from chassis.readiness import Finding
from chassis.records import Record
from chassis.settings import ServiceSettings

__all__ = ["AfterCommit", "BatchHandler", "Consumer", "Position", "Record"]

AfterCommit = Callable[[], None]
Partition = tuple[str, int]


class BatchHandler(Protocol):
    """What a service does with records."""

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """Write the effects of `records` (several partitions, each in order) inside `tx`.

        What is returned runs after the commit: caches are changed there and nowhere else. An exception rolls the batch
        and its offsets back; the batch is tried again.
        """
        ...

    def lost(self, partitions: Iterable[Partition]) -> None:
        """Forget what is cached of these (topic, partition): another process may have moved them on."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """How far one partition is. `end` and `lag` are None while Kafka is down; `behind_us` is how long ago the last
    record that is known was appended where some are not projected yet, else 0; None where nothing is known."""

    topic: str
    partition: int
    end: int | None
    next_offset: int
    lag: int | None
    behind_us: int | None


class Consumer:
    """One named consumer of some topics, one task. Its replicas share the partitions by Kafka's group protocol."""

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        *,
        db: Database,
        settings: ServiceSettings,
        handler: BatchHandler,
        metrics: Metrics,
        most: int = 5_000,
    ) -> None:
        """`topics` are logical names; `most` is the greatest batch in records."""
        raise NotImplementedError

    async def run(self) -> None:
        """Consume until `stop()`. Kafka's and PostgreSQL's absence is waited out."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask `run` to end after the batch in hand."""
        raise NotImplementedError

    def check(self) -> Finding:
        """For `/readyz`: stopped partitions with their remedy, the last error, lag."""
        raise NotImplementedError

    async def positions(self) -> list[Position]:
        """Where every partition of the topics stands, over all replicas, for audit's `/v1/positions`."""
        raise NotImplementedError
