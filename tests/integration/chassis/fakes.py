"""Small real classes that stand where a server would."""

from collections.abc import Sequence

import asyncpg

from chassis.kafka import NoAnswer
from chassis.publisher import Sent
from events.catalogue import partition_of
from tests.integration.chassis.log import Logged

PARTITIONS = 4


class MemoryPublisher:
    """A log in memory that can be made to fail as Kafka does: what failed may stand in the log all the same."""

    def __init__(self, *, most_bytes: int = 1 << 20) -> None:
        self.most_bytes = most_bytes
        self.partitions: list[list[Logged]] = [[] for _ in range(PARTITIONS)]
        self.starts = 0
        self.failures_to_come: list[str] = []
        self.lose_acknowledgement = False
        self._started = False

    async def start(self) -> None:
        assert not self._started, "the one before was not thrown away"
        self.starts += 1
        if self.failures_to_come:
            raise NoAnswer(self.failures_to_come.pop(0))
        self._started = True

    async def discard(self) -> None:
        self._started = False

    async def send(self, rows: Sequence[asyncpg.Record]) -> Sent:
        assert self._started, "start comes first"
        taken = self._taken(rows)
        for row in rows[:taken]:
            self._append(row)
        if self.lose_acknowledgement:
            self.lose_acknowledgement = False
            return Sent(0, "no answer")
        return Sent(taken, None)

    @property
    def records(self) -> list[Logged]:
        """What lies in the log, by partition and offset."""
        return [record for partition in self.partitions for record in partition]

    async def log(self) -> list[Logged]:
        """As `log.log_of`."""
        return self.records

    def _taken(self, rows: Sequence[asyncpg.Record]) -> int:
        sizes = [0] * PARTITIONS
        for n, row in enumerate(rows):
            partition = _partition(row)
            if sizes[partition] and sizes[partition] + len(row["payload"]) > self.most_bytes:
                return n
            sizes[partition] += len(row["payload"])
        return len(rows)

    def _append(self, row: asyncpg.Record) -> None:
        partition = _partition(row)
        offset = len(self.partitions[partition])
        record = Logged(partition, offset, row["key"], row["event_id"], row["version"], row["payload"], 1)
        self.partitions[partition].append(record)


def _partition(row: asyncpg.Record) -> int:
    return partition_of(row["key"].encode(), PARTITIONS)
