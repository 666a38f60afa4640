"""A consumer whose effects can be counted: a row for each record, without a constraint that would hide a repeat."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import asyncpg

from chassis.consumer import AfterCommit, Consumer, Partition, Record
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from events.headers import name_bytes

NAME = "ledger"
TABLE = """
create table effects (
    n bigint generated always as identity, topic text, partition int, "offset" bigint, key bytea, headers text,
    size int, writer text
)
"""


class Ledger:
    """A BatchHandler. `before` runs inside each batch's transaction, before anything is written."""

    def __init__(self, writer: str = "one") -> None:
        self.writer = writer
        self.metrics = Metrics()
        self.committed = 0
        self.batches = 0
        self.lost_partitions: list[Partition] = []
        self.before: Callable[[list[Record]], None] | None = None

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        self.batches += 1
        if self.before is not None:
            self.before(records)
        await tx.executemany(
            'insert into effects (topic, partition, "offset", key, headers, size, writer) '
            "values ($1, $2, $3, $4, $5, $6, $7)",
            [_row(record, self.writer) for record in records],
        )

        def after() -> None:
            self.committed += len(records)

        return after

    def lost(self, partitions: Iterable[Partition]) -> None:
        self.lost_partitions += partitions


async def prepared(settings: ServiceSettings, db: Database) -> ServiceSettings:
    """The topics, and the table of effects."""
    await Topics(settings, db).ensure()
    async with db.transaction() as tx:
        await tx.execute(TABLE)
    return settings


@asynccontextmanager
async def consuming(
    settings: ServiceSettings, db: Database, ledger: Ledger, topics: Iterable[str] = ("contacts",), most: int = 5_000
) -> AsyncIterator[Consumer]:
    """A consumer that runs inside the block, with batches of `most` records."""
    consumer = Consumer(NAME, list(topics), db=db, settings=settings, handler=ledger, metrics=ledger.metrics, most=most)
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        consumer.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(15):
                await running


async def effects(url: str) -> list[tuple[int, int]]:
    """(partition, offset) of every effect, in the order in which they were written."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch('select partition, "offset" from effects order by n')
    finally:
        await connection.close()
    return [(row["partition"], row["offset"]) for row in rows]


def assert_once_and_in_order(found: list[tuple[int, int]], expected: int) -> None:
    """Each record once, those of a partition in their order, `expected` in all."""
    assert len(found) == len(set(found)), f"{len(found) - len(set(found))} effects happened twice"
    for partition in {number for number, _ in found}:
        offsets = [offset for number, offset in found if number == partition]
        assert offsets == sorted(offsets), f"partition {partition} out of order"
    assert len(found) == expected


def _row(record: Record, writer: str) -> tuple[object, ...]:
    headers = json.dumps(
        [[name_bytes(name).hex(), value.hex() if value is not None else None] for name, value in record.headers]
    )
    size = len(record.value or b"")
    return record.topic, record.partition, record.offset, record.key, headers, size, writer
