"""The rows of `consumer_offsets`: claimed with a new epoch, locked, and moved on inside the effects' transaction."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

Partition = tuple[str, int]

# (int, int): a space of its own beside the event store's stream locks, which are single bigints. Needs no xid, so that
# a handler may take its streams' locks after it and before the first write.
_LOCK: Final = "select pg_advisory_xact_lock($1, lock) from unnest($2::int[]) lock"
_CLAIM: Final = """
insert into consumer_offsets as o (consumer, topic, partition, topic_id, next_offset, epoch, holder)
select $1, i.topic, i.partition, i.topic_id, 0, 1, $5
from unnest($2::text[], $3::int[], $4::uuid[]) i(topic, partition, topic_id)
on conflict (consumer, topic, partition) do update set epoch = o.epoch + 1, holder = excluded.holder
returning topic, partition, topic_id, next_offset, epoch, appended_us
"""
_HELD: Final = """
select o.topic, o.partition from consumer_offsets o
join unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) i(topic, partition, epoch, expected)
    using (topic, partition)
where o.consumer = $1 and o.epoch = i.epoch and o.next_offset = i.expected
"""
# Two statements, since the second must see what was committed while the first waited. In one message with `begin` they
# cost a third of three.
_HOLDING: Final = """
select {locks};
select from consumer_offsets where consumer = {consumer} and (topic, partition, epoch, next_offset) in ({rows})
"""
_ADVANCE: Final = """
update consumer_offsets o set next_offset = i.next, appended_us = coalesce(i.appended_us, o.appended_us), attempts = 0
from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
     i(topic, partition, epoch, expected, next, appended_us)
where o.consumer = $1 and o.topic = i.topic and o.partition = i.partition
  and o.epoch = i.epoch and o.next_offset = i.expected
returning o.topic, o.partition
"""
# The same for a batch's end: a row that is not as it was divides by zero, and the commit behind it is not reached.
_MOVING: Final = """
with moved as (
    update consumer_offsets o
    set next_offset = i.next, appended_us = coalesce(i.appended_us, o.appended_us), attempts = 0
    from (values {rows}) i(topic, partition, epoch, expected, next, appended_us)
    where o.consumer = {consumer} and o.topic = i.topic and o.partition = i.partition
      and o.epoch = i.epoch and o.next_offset = i.expected
    returning 1
)
select 1 / (count(*) = {count})::int from moved
"""
_COUNT: Final = """
update consumer_offsets o set attempts = o.attempts + i.more
from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::int[]) i(topic, partition, epoch, expected, more)
where o.consumer = $1 and o.topic = i.topic and o.partition = i.partition
  and o.epoch = i.epoch and o.next_offset = i.expected
returning o.topic, o.partition, o.attempts
"""
_ALL: Final = "select topic, partition, next_offset, appended_us from consumer_offsets where consumer = $1"


class FenceLost(Exception):
    """Other processes own these partitions by now: nothing of the transaction may stay."""

    def __init__(self, partitions: frozenset[Partition]) -> None:
        super().__init__(", ".join(f"{topic}/{number}" for topic, number in sorted(partitions)))
        self.partitions = partitions


@dataclass(slots=True)
class Held:
    """One partition as this process holds it: valid while `epoch` is the row's.

    `next_offset` is how far it is; the row says `stored_offset`, and what lies between has no effects.
    """

    topic: str
    partition: int
    epoch: int
    next_offset: int
    appended_us: int | None
    topic_id: UUID | None
    stored_offset: int

    @property
    def place(self) -> Partition:
        return self.topic, self.partition


@dataclass(frozen=True, slots=True)
class Step:
    """How far a batch moves one partition; `appended_us` is the append time of its last record."""

    held: Held
    next_offset: int
    appended_us: int | None


async def claim(
    tx: asyncpg.Connection, consumer: str, holder: str, partitions: Sequence[Partition], ids: Mapping[str, UUID]
) -> list[Held]:
    """Take the partitions over: from now on no older epoch's transaction commits. Waits for one that is running."""
    wanted = sorted(partitions)
    await _lock(tx, consumer, wanted)
    topics, numbers = [topic for topic, _ in wanted], [number for _, number in wanted]
    rows = await tx.fetch(_CLAIM, consumer, topics, numbers, [ids[topic] for topic in topics], holder)
    return [
        Held(
            row["topic"],
            row["partition"],
            row["epoch"],
            row["next_offset"],
            row["appended_us"],
            row["topic_id"],
            stored_offset=row["next_offset"],
        )
        for row in rows
    ]


async def hold(tx: asyncpg.Connection, consumer: str, held: Sequence[Held]) -> None:
    """Make sure, before any work, that the partitions are still ours and nobody takes them before this commits.

    Raises FenceLost. Writes nothing, so that the transaction has no xid yet.
    """
    ours = sorted(held, key=lambda each: each.place)
    await _lock(tx, consumer, [each.place for each in ours])
    rows = await tx.fetch(_HELD, consumer, *_columns(ours))
    _refuse_missing(ours, rows)


def holding(consumer: str, held: Sequence[Held]) -> str:
    """What `hold` asks, as statements that go along with `begin`; `refuse_fewer` reads the status."""
    ours = sorted(held, key=lambda each: each.place)
    space, locks = _locks(consumer, [each.place for each in ours])
    rows = ", ".join(f"({_quoted(each.topic)}, {each.partition}, {each.epoch}, {each.stored_offset})" for each in ours)
    taken = ", ".join(f"pg_advisory_xact_lock({space}, {lock})" for lock in locks)
    return _HOLDING.format(locks=taken, consumer=_quoted(consumer), rows=rows)


def moving(consumer: str, steps: Sequence[Step]) -> str:
    """What `advance` does, as a statement that goes along with `commit`; where it would raise FenceLost, it raises
    asyncpg's DivisionByZeroError and nothing is committed."""
    rows = ", ".join(map(_moved, sorted(steps, key=lambda step: step.held.place)))
    return _MOVING.format(consumer=_quoted(consumer), rows=rows, count=len(steps))


async def refuse_fewer(tx: asyncpg.Connection, consumer: str, held: Sequence[Held], status: str) -> None:
    """Raises FenceLost unless `holding` has found every partition as it is held."""
    if status != f"SELECT {len(held)}":
        _refuse_missing(held, await tx.fetch(_HELD, consumer, *_columns(held)))
        raise FenceLost(frozenset(each.place for each in held))


async def quiet(tx: asyncpg.Connection, consumer: str, places: Collection[Partition]) -> None:
    """Wait until no batch of these partitions is half done, and let none begin before this transaction ends."""
    await _lock(tx, consumer, sorted(places))


async def advance(tx: asyncpg.Connection, consumer: str, steps: Sequence[Step]) -> None:
    """Move the offsets on, under the fence; raises FenceLost where a row is not as it was when it was claimed."""
    ours = sorted(steps, key=lambda step: step.held.place)
    held = [step.held for step in ours]
    columns = (*_columns(held), [step.next_offset for step in ours], [step.appended_us for step in ours])
    rows = await tx.fetch(_ADVANCE, consumer, *columns)
    _refuse_missing(held, rows)


async def count_attempt(
    tx: asyncpg.Connection, consumer: str, held: Sequence[Held], forgiven: Collection[Partition] = ()
) -> dict[Partition, int]:
    """Count an attempt that is about to be made at each partition's next offset, and return how many that makes.

    Of `forgiven` the attempt before stands for this one.
    """
    ours = sorted(held, key=lambda each: each.place)
    more = [0 if each.place in forgiven else 1 for each in ours]
    rows = await tx.fetch(_COUNT, consumer, *_columns(ours), more)
    _refuse_missing(ours, rows)
    return {(row["topic"], row["partition"]): row["attempts"] for row in rows}


async def stored(connection: asyncpg.Connection, consumer: str) -> dict[Partition, tuple[int, int | None]]:
    """Next offset and last append time of every partition that was ever claimed, whoever holds it."""
    rows = await connection.fetch(_ALL, consumer)
    return {(row["topic"], row["partition"]): (row["next_offset"], row["appended_us"]) for row in rows}


async def _lock(tx: asyncpg.Connection, consumer: str, partitions: Sequence[Partition]) -> None:
    await tx.execute(_LOCK, *_locks(consumer, partitions))


def _locks(consumer: str, partitions: Sequence[Partition]) -> tuple[int, list[int]]:
    locks = sorted({_signed(zlib.crc32(f"{topic}/{number}".encode())) for topic, number in partitions})
    return _signed(zlib.crc32(consumer.encode())), locks


def _moved(step: Step) -> str:
    held, appended_us = step.held, "null::bigint" if step.appended_us is None else step.appended_us
    place = f"{_quoted(held.topic)}, {held.partition}"
    return f"({place}, {held.epoch}, {held.stored_offset}, {step.next_offset}, {appended_us})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _signed(number: int) -> int:
    return number - (1 << 32) if number >= 1 << 31 else number


def _columns(held: Sequence[Held]) -> tuple[list[str], list[int], list[int], list[int]]:
    return (
        [each.topic for each in held],
        [each.partition for each in held],
        [each.epoch for each in held],
        [each.stored_offset for each in held],
    )


def _refuse_missing(held: Sequence[Held], rows: Sequence[asyncpg.Record]) -> None:
    missing = {each.place for each in held} - {(row["topic"], row["partition"]) for row in rows}
    if missing:
        raise FenceLost(frozenset(missing))
