"""Parked records: set aside with their bytes and the reason, and replayed in order when a command says so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.database import Database
from chassis.records import Record
from events.headers import name_bytes, name_text

Partition = tuple[str, int]
WAITS: Final = "waits for an earlier record of its key"

_INSERT: Final = """
insert into parked_records (consumer, topic, partition, "offset", timestamp_us, key, has_key, header_keys,
    header_values, value, reason, attempts, parked_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_KEYS: Final = """
select distinct topic, partition, key from parked_records join unnest($2::text[], $3::int[]) i(topic, partition)
    using (topic, partition)
where consumer = $1 and has_key
"""
_MARKED: Final = """
select topic, partition, "offset", timestamp_us, key, has_key, header_keys, header_values, value, attempts
from parked_records join unnest($2::text[], $3::int[]) i(topic, partition) using (topic, partition)
where consumer = $1 and replay order by topic, partition, "offset" limit 100
"""
_DELETE: Final = 'delete from parked_records where consumer = $1 and topic = $2 and partition = $3 and "offset" = $4'
_LEFT: Final = """
select count(*) from parked_records where consumer = $1 and topic = $2 and partition = $3 and key = $4 and has_key
"""
_FAILED: Final = """
update parked_records set reason = $5, attempts = attempts + 1
where consumer = $1 and topic = $2 and partition = $3 and "offset" = $4
"""
_UNMARK: Final = """
update parked_records set replay = false
where consumer = $1 and topic = $2 and partition = $3 and key = $4 and has_key = $5 and "offset" >= $6
"""
_COUNT: Final = """
select count(*) from parked_records join unnest($2::text[], $3::int[]) i(topic, partition) using (topic, partition)
where consumer = $1
"""
_MARK: Final = """
update parked_records set replay = true
where ($1::text is null or consumer = $1) and ($2::bytea is null or (key = $2 and has_key))
"""


@dataclass(frozen=True, slots=True)
class Parked:
    """A record set aside, and how often it was attempted (0: it only waits for an earlier one of its key)."""

    record: Record
    attempts: int


async def mark(db: Database, *, consumer: str | None = None, key: bytes | None = None) -> int:
    """Mark parked records for a replay and return how many; the partitions' owners replay them."""
    async with db.transaction() as tx:
        return int((await tx.execute(_MARK, consumer, key)).rpartition(" ")[2])


async def add(
    tx: asyncpg.Connection, consumer: str, records: Sequence[Record], *, reason: str, attempts: int, now_us: int
) -> None:
    """Set records aside."""
    if records:
        await tx.executemany(_INSERT, [_row(consumer, record, reason, attempts, now_us) for record in records])


async def keys(tx: asyncpg.Connection, consumer: str, places: Iterable[Partition]) -> set[tuple[Partition, bytes]]:
    """The keys that have a parked record, of these partitions."""
    rows = await tx.fetch(_KEYS, consumer, *_columns(places))
    return {((row["topic"], row["partition"]), row["key"]) for row in rows}


async def marked(tx: asyncpg.Connection, consumer: str, places: Iterable[Partition]) -> list[Parked]:
    """The next records that are to be replayed, in the order of the log; at most a hundred."""
    rows = await tx.fetch(_MARKED, consumer, *_columns(places))
    return [Parked(_record(row), row["attempts"]) for row in rows]


async def count(tx: asyncpg.Connection, consumer: str, places: Iterable[Partition]) -> int:
    """How many are parked, of these partitions."""
    return int(await tx.fetchval(_COUNT, consumer, *_columns(places)))


async def remove(tx: asyncpg.Connection, consumer: str, record: Record) -> bool:
    """Forget a record that was replayed; True where it was the last one of its key."""
    await tx.execute(_DELETE, consumer, record.topic, record.partition, record.offset)
    if record.key is None:
        return False
    return not await tx.fetchval(_LEFT, consumer, record.topic, record.partition, record.key)


async def failed_again(tx: asyncpg.Connection, consumer: str, record: Record, reason: str) -> None:
    """A replay failed: the record and those behind it stay until they are marked anew."""
    place = consumer, record.topic, record.partition
    await tx.execute(_FAILED, *place, record.offset, reason)
    await tx.execute(_UNMARK, *place, record.key or b"", record.key is not None, record.offset)


def _row(consumer: str, record: Record, reason: str, attempts: int, now_us: int) -> tuple[object, ...]:
    return (
        consumer,
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_us,
        record.key or b"",
        record.key is not None,
        [name_bytes(name) for name, _ in record.headers],
        [value for _, value in record.headers],
        record.value,
        # PostgreSQL's text takes no NUL, and an exception's text may hold one.
        reason.replace("\0", "\\0")[:2_000],
        attempts,
        now_us,
    )


def _record(row: asyncpg.Record) -> Record:
    headers = tuple(zip(map(name_text, row["header_keys"]), row["header_values"], strict=True))
    key = row["key"] if row["has_key"] else None
    return Record(row["topic"], row["partition"], row["offset"], row["timestamp_us"], key, headers, row["value"])


def _columns(places: Iterable[Partition]) -> tuple[list[str], list[int]]:
    listed = list(places)
    return [topic for topic, _ in listed], [number for _, number in listed]
