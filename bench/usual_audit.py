"""Keeping a log as it is usually done: the CloudEvents SDK, pydantic models, SQLAlchemy, the offset in the transaction.

The guarantees are the product's: every byte kept, exactly once, and after each commit an exact summary of each request,
folded by the same library from all of its events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from sqlalchemy import BigInteger, Index, LargeBinary, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from audit.domain.headers import pack
from audit.domain.summary import Summary, summary_of
from audit.settings import AuditSettings
from chassis import kafka
from chassis.records import Record, from_kafka
from events.catalogue import CATALOGUE
from events.lifecycle import Entry, fold

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
PARTITIONS = 12


class Base(DeclarativeBase):
    """Of the tables below."""


class KeptRecord(Base):
    """A record, byte for byte, and the event in it."""

    __tablename__ = "kept_records"
    partition: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    known_us: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes | None]
    headers: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_id: Mapped[str] = mapped_column(index=True)
    event_id: Mapped[str]
    type: Mapped[str]
    source: Mapped[str]
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    causation_id: Mapped[str | None]
    occurred_us: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


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


async def take_one(engine: AsyncEngine, record: Record, clock: Clock) -> None:
    """A session and a transaction for each event."""
    row = _row_of(record, clock)
    async with AsyncSession(engine) as session, session.begin():
        kept = await session.scalars(select(KeptRecord).where(KeptRecord.request_id == row["request_id"]))
        events = {each.event_id: (each.known_us, entry_of_row(each)) for each in kept}
        new = KeptRecord(**row)
        events.setdefault(new.event_id, (new.known_us, entry_of_row(new)))
        session.add(new)
        await session.merge(RequestRow(**_summary(new.request_id, events)))
        await session.merge(NextOffset(partition=record.partition, next=record.offset + 1))


async def take_batch(engine: AsyncEngine, records: Sequence[Record], clock: Clock) -> None:
    """One transaction for a batch, its rows by executemany."""
    rows = [_row_of(record, clock) for record in records]
    async with engine.begin() as connection:
        histories = await _histories(connection, {row["request_id"] for row in rows})
        for row in rows:
            histories[row["request_id"]].setdefault(row["event_id"], (row["known_us"], entry_of_row(KeptRecord(**row))))
        await connection.execute(insert(KeptRecord), rows)
        put = upsert(RequestRow)
        changed = {name: put.excluded[name] for name in Summary._fields if name != "request_id"}
        await connection.execute(
            put.on_conflict_do_update(index_elements=["request_id"], set_=changed),
            [_summary(request_id, events) for request_id, events in histories.items()],
        )
        moved = upsert(NextOffset)
        await connection.execute(
            moved.on_conflict_do_update(index_elements=["partition"], set_={"next": moved.excluded.next}),
            [{"partition": n, "next": end} for n, end in {r.partition: r.offset + 1 for r in records}.items()],
        )


class Clock:
    """The running maximum of the append times, by partition."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def known_us(self, record: Record) -> int:
        """Since when a record is known."""
        known_us = max(record.timestamp_us, self._known.get(record.partition, 0))
        self._known[record.partition] = known_us
        return known_us


Events = dict[str, tuple[int, Entry]]
"""Event id → since when it is known, and the event."""


def _row_of(record: Record, clock: Clock) -> dict[str, Any]:
    headers = {name: value or b"" for name, value in record.headers}
    event = from_binary_event(KafkaMessage(headers=headers, key=record.key, value=record.value or b""))
    type_ = event.get_type().split(".")[1]
    data: Any = event.get_data()
    model = CATALOGUE[type_].model
    model.model_validate({name: value for name, value in data.items() if name != "sealed"}, strict=False)
    occurred = event.get_time()
    assert occurred is not None
    sequence = event.get_extension("sequence")
    return {
        "partition": record.partition,
        "place": record.offset,
        "known_us": clock.known_us(record),
        "key": record.key,
        "headers": pack(record.headers),
        "value": record.value,
        "request_id": event.get_subject(),
        "event_id": event.get_id(),
        "type": type_,
        "source": event.get_source(),
        "sequence": None if sequence is None else int(sequence),
        "causation_id": event.get_extension("causationid"),
        "occurred_us": (occurred - EPOCH) // MICROSECOND,
        "data": data,
    }


async def _histories(connection: AsyncConnection, request_ids: set[str]) -> dict[str, Events]:
    table = KeptRecord.__table__.c
    columns = [table[name] for name in ("request_id", "known_us", *ENTRY)]
    found: dict[str, Events] = {request_id: {} for request_id in request_ids}
    for row in await connection.execute(select(*columns).where(table.request_id.in_(request_ids))):
        found[row.request_id][row.event_id] = (row.known_us, entry_of_row(row))
    return found


ENTRY = ("event_id", "type", "source", "sequence", "causation_id", "occurred_us", "data")


def entry_of_row(row: Any) -> Entry:
    """The event of a row, as the fold takes it."""
    return Entry(*[getattr(row, name) for name in ENTRY])


def _summary(request_id: str, events: Events) -> dict[str, Any]:
    known = [known_us for known_us, _ in events.values()]
    life = fold(entry for _, entry in events.values())
    row = summary_of(request_id, life, min(known), max(known))
    return row._asdict() | {"metrics": list(row.metrics)}
