"""Keeping a log as it is usually done: SQLAlchemy models, the offset in the transaction, a summary kept up to date.

The guarantees are the product's: every byte kept, exactly once, and after each commit an exact summary of each request,
folded by the same library from all of its events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import BigInteger, Index, LargeBinary, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from audit.domain.batch import Arrival, arrive, join
from audit.domain.headers import pack, unpack
from audit.domain.history import History, Known, history_of
from audit.domain.place import Place
from audit.domain.reading import entry_of, folded, read
from audit.domain.summary import Summary, summarise
from audit.settings import AuditSettings
from chassis import kafka
from chassis.records import Record, from_kafka

PARTITIONS = 12


class Base(DeclarativeBase):
    """Of the tables below."""


class KeptRecord(Base):
    """A record, byte for byte."""

    __tablename__ = "kept_records"
    partition: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    request_id: Mapped[str] = mapped_column(index=True)
    event_id: Mapped[str | None]
    known_us: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes | None]
    headers: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[bytes | None] = mapped_column(LargeBinary)


class RequestRow(Base):
    """A request's summary."""

    __tablename__ = "request_rows"
    request_id: Mapped[str] = mapped_column(primary_key=True)
    projection: Mapped[int]
    customer_id: Mapped[str | None] = mapped_column(index=True)
    channel: Mapped[str | None]
    support_level: Mapped[str]
    severity: Mapped[int]
    state: Mapped[str | None]
    queue: Mapped[str | None]
    tier: Mapped[int | None]
    agent_id: Mapped[str | None]
    report_queue: Mapped[str | None]
    report_tier: Mapped[int | None]
    report_agent_id: Mapped[str | None]
    received_us: Mapped[int | None] = mapped_column(BigInteger)
    routed_us: Mapped[int | None] = mapped_column(BigInteger)
    connected_us: Mapped[int | None] = mapped_column(BigInteger, index=True)
    resolved_us: Mapped[int | None] = mapped_column(BigInteger, index=True)
    residual_us: Mapped[int] = mapped_column(BigInteger)
    first_known_us: Mapped[int] = mapped_column(BigInteger)
    last_known_us: Mapped[int] = mapped_column(BigInteger)
    earliest_us: Mapped[int] = mapped_column(BigInteger)
    latest_us: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int]
    metrics: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    __table_args__ = (Index("request_rows_received", "received_us", "request_id"),)


class NextOffset(Base):
    """How far a partition has been taken in."""

    __tablename__ = "next_offsets"
    partition: Mapped[int] = mapped_column(primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)


async def engine_with_tables(database_url: str) -> AsyncEngine:
    """Empty tables."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    return engine


async def from_the_start(told: AuditSettings) -> AIOKafkaConsumer:
    """A consumer of the whole topic with offsets of its own."""
    consumer = kafka.consumer(told, group=None)
    await consumer.start()
    places = [TopicPartition(kafka.physical(told, "contacts"), n) for n in range(PARTITIONS)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    return consumer


async def records_of(consumer: AIOKafkaConsumer, most: int) -> list[Record]:
    """The next ones."""
    found = await consumer.getmany(timeout_ms=500, max_records=most)
    return [from_kafka("contacts", record) for records in found.values() for record in records]


async def take_one(engine: AsyncEngine, record: Record, known: dict[tuple[str, int], int]) -> None:
    """A session and a transaction for each event."""
    (arrival,) = arrive([record], known)
    async with AsyncSession(engine) as session, session.begin():
        kept = await session.scalars(select(KeptRecord).where(KeptRecord.request_id == arrival.request_id))
        history = history_of(
            _known(each.known_us, each.partition, each.place, each.headers, each.value) for each in kept
        )
        joined = join([arrival], {arrival.request_id: history}, {})
        session.add(KeptRecord(**_record(arrival)))
        await session.merge(RequestRow(**_row(summarise(arrival.request_id, joined.grown[arrival.request_id]))))
        await session.merge(NextOffset(partition=record.partition, next=record.offset + 1))


async def take_batch(engine: AsyncEngine, records: Sequence[Record], known: dict[tuple[str, int], int]) -> None:
    """One transaction for a batch, its rows by executemany."""
    arrived = arrive(records, known)
    async with engine.begin() as connection:
        joined = join(arrived, await _histories(connection, {each.request_id for each in arrived}), {})
        await connection.execute(insert(KeptRecord), [_record(each) for each in arrived])
        rows = [_row(summarise(request_id, history)) for request_id, history in joined.grown.items()]
        put = upsert(RequestRow)
        changed = {name: put.excluded[name] for name in Summary._fields if name != "request_id"}
        await connection.execute(put.on_conflict_do_update(index_elements=["request_id"], set_=changed), rows)
        moved = upsert(NextOffset)
        await connection.execute(
            moved.on_conflict_do_update(index_elements=["partition"], set_={"next": moved.excluded.next}),
            [{"partition": n, "next": end} for n, end in {r.partition: r.offset + 1 for r in records}.items()],
        )


async def _histories(connection: AsyncConnection, request_ids: Iterable[str]) -> dict[str, History]:
    table = KeptRecord.__table__.c
    columns = (table.request_id, table.known_us, table.partition, table.place, table.headers, table.value)
    found: dict[str, list[Known]] = {}
    for request_id, *rest in await connection.execute(select(*columns).where(table.request_id.in_(request_ids))):
        found.setdefault(request_id, []).append(_known(*rest))
    return {request_id: history_of(events) for request_id, events in found.items()}


def _known(known_us: int, partition: int, place: int, headers: bytes, value: bytes | None) -> Known:
    statement = read(unpack(headers), value)
    entry = entry_of(statement.envelope, folded(statement.envelope.type, statement.data))
    return Known(Place(known_us, "contacts", partition, place), entry)


def _record(arrival: Arrival) -> dict[str, Any]:
    raw = arrival.raw
    return {
        "partition": raw.partition,
        "place": raw.offset,
        "request_id": arrival.request_id,
        "event_id": None if arrival.entry is None else arrival.entry.event_id,
        "known_us": arrival.place.known_us,
        "key": raw.key,
        "headers": pack(raw.headers),
        "value": raw.value,
    }


def _row(summary: Summary) -> dict[str, Any]:
    return summary._asdict() | {"metrics": list(summary.metrics)}
