"""How fast committed events reach Kafka: the relay beside two pollers that mark their rows as published."""

from __future__ import annotations

import asyncio
import base64
import os
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.topics import PARTITIONS, make_topic, must_hold
from chassis import migrations
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.store import Append, NewEvent, append
from chassis.topics import Topics
from events.codec import headers_of
from events.envelope import Envelope

PAYLOAD: Final = b'{"channel":"voice","sealed":"' + base64.b64encode(os.urandom(420)) + b'"}'
OCCURRED_US: Final = 1_795_000_000_000_000
SOURCE: Final = "/services/intake"
_Publish = Callable[[AIOKafkaProducer, str, Sequence[asyncpg.Record]], Awaitable[None]]
POLLED_ROWS, GATHERED_ROWS, FILL_ROWS = 100, 500, 2_000

OUTBOX: Final = """
create table outbox (
    id bigint generated always as identity primary key, event_id uuid not null, request_id text not null,
    type text not null, occurred_us bigint not null, payload bytea not null, published boolean not null default false
);
create index outbox_waiting on outbox (id) where not published
"""
FILL: Final = """
insert into outbox (event_id, request_id, type, occurred_us, payload)
select gen_random_uuid(), gen_random_uuid()::text, 'ContactReceived', $2, $3 from generate_series(1, $1)
"""
WAITING: Final = """
select id, event_id::text, request_id, type, occurred_us, payload from outbox
where not published order by id limit $1 for update skip locked
"""
PUBLISHED: Final = "update outbox set published = true where id = any($1::bigint[])"


async def poller(ground: Ground) -> Sample:
    """Reads a hundred rows, sends one after the other, marks them, commits; again at once while there are any."""
    return await _practice(ground, ground.amount(4_000), POLLED_ROWS, _one_by_one)


async def gathered(ground: Ground) -> Sample:
    """As the poller, with five hundred rows sent together and awaited together."""
    return await _practice(ground, ground.amount(30_000), GATHERED_ROWS, _together)


async def throughline(ground: Ground) -> Sample:
    """The product's relay over the product's event store."""
    count = ground.amount(100_000)
    async with fresh_database(ground, "relay") as url:
        settings = _settings(ground, url)
        await migrations.migrate(url, "intake")
        db = Database(url, name="bench")
        await db.open()
        topics = Topics(settings, db)
        await topics.ensure()
        await _append(db, count)
        relay = Relay(db, settings, Metrics(), ready=topics.made)
        with Meter(_parts(ground)) as meter:
            running = asyncio.create_task(relay.run())
            await _drained(db)
        relay.stop()
        await running
        await db.close()
        await must_hold(ground, f"{ground.topic_prefix}contacts", count)
        return meter.sample(count)


async def _append(db: Database, count: int) -> None:
    for at in range(0, count, FILL_ROWS):
        appends = [_an_append() for _ in range(min(FILL_ROWS, count - at))]
        async with db.transaction() as tx:
            await append(tx, appends)


def _an_append() -> Append:
    request_id = str(uuid.uuid4())
    event = NewEvent(
        event_id=str(uuid.uuid4()),
        type="ContactReceived",
        payload=PAYLOAD,
        occurred_us=OCCURRED_US,
        source=SOURCE,
        topic="contacts",
        key=request_id,
    )
    return Append(request_id, 0, (event,))


async def _drained(db: Database) -> None:
    """Until the cursor stands on the last row."""
    async with db.connection() as connection:
        last = await connection.fetchrow("select txid, id from events order by txid desc, id desc limit 1")
        assert last is not None
    while True:
        async with db.connection() as connection:
            cursor = await connection.fetchrow("select txid, id from relay_lease where name = 'relay'")
        if cursor == last:
            return
        await asyncio.sleep(0.02)


async def _practice(ground: Ground, count: int, rows: int, publish: _Publish) -> Sample:
    topic = f"{ground.topic_prefix}practice"
    await make_topic(ground, topic)
    async with fresh_database(ground, "outbox") as url:
        connection = await asyncpg.connect(url)
        await connection.execute(OUTBOX)
        await connection.execute(FILL, count, OCCURRED_US, PAYLOAD)
        await connection.execute("vacuum analyze outbox")
        producer = AIOKafkaProducer(bootstrap_servers=ground.kafka, enable_idempotence=True, acks="all")
        await producer.start()
        with Meter(_parts(ground)) as meter:
            while await _round(connection, producer, topic, rows, publish):
                pass
        await producer.stop()
        await connection.close()
    await must_hold(ground, topic, count)
    return meter.sample(count)


async def _round(
    connection: asyncpg.Connection, producer: AIOKafkaProducer, topic: str, rows: int, publish: _Publish
) -> bool:
    """Marks rows as published only once Kafka has acknowledged them, in the transaction that holds them locked."""
    async with connection.transaction():
        waiting = await connection.fetch(WAITING, rows)
        await publish(producer, topic, waiting)
        await connection.execute(PUBLISHED, [row["id"] for row in waiting])
    return bool(waiting)


async def _one_by_one(producer: AIOKafkaProducer, topic: str, rows: Sequence[asyncpg.Record]) -> None:
    for row in rows:
        await producer.send_and_wait(topic, row["payload"], row["request_id"].encode(), headers=_headers(row))


async def _together(producer: AIOKafkaProducer, topic: str, rows: Sequence[asyncpg.Record]) -> None:
    sent = [
        await producer.send(topic, row["payload"], row["request_id"].encode(), headers=_headers(row)) for row in rows
    ]
    await asyncio.gather(*sent)


def _headers(row: asyncpg.Record) -> list[tuple[str, bytes]]:
    envelope = Envelope(
        event_id=row["event_id"],
        type=row["type"],
        version=1,
        source=SOURCE,
        subject=row["request_id"],
        occurred_us=row["occurred_us"],
        partition_key=row["request_id"],
        sequence=1,
    )
    return headers_of(envelope)


def _settings(ground: Ground, url: str) -> ServiceSettings:
    return ServiceSettings.model_validate(
        {
            "DATABASE_URL": url,
            "KAFKA_BOOTSTRAP_SERVERS": ground.kafka,
            "THROUGHLINE_TOPIC_PREFIX": ground.topic_prefix,
            "THROUGHLINE_CONTACTS_PARTITIONS": PARTITIONS,
            "THROUGHLINE_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
            "THROUGHLINE_TOKENS": {},
        }
    )


def _parts(ground: Ground) -> dict[str, tuple[int, ...]]:
    return {"service": (os.getpid(),), "postgres": ground.postgres_pids, "kafka": ground.kafka_pids}


BENCH = Bench(
    name="relay",
    question="how fast do committed events reach Kafka?",
    unit="event",
    guarantees="nothing is published that is not committed, a row counts as published only after acks=all, "
    "none is skipped whatever commits when, and events of one request keep their order",
    variants=(
        Variant("poller", "100 rows at a time, `send_and_wait` each, `UPDATE published`", poller),
        Variant("gathered", "500 rows at a time, sends awaited together, `UPDATE published`", gathered),
        Variant("throughline", "commit-safe reading, one closed batch a partition, a cursor", throughline),
    ),
    claims=(
        Claim("per_s", "poller", 15),
        Claim("service_cpu_us", "poller", 15),
        Claim("per_s", "gathered", 3),
        Claim("service_cpu_us", "gathered", 2),
    ),
    figures=("per_s", "service_cpu_us", "postgres_cpu_us", "kafka_cpu_us"),
)
