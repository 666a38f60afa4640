"""Taking contacts in and showing their timelines as it is usually done, with the product's guarantees.

One process: a FastAPI model and a SQLAlchemy transaction for each request, an outbox that is polled every 100 ms and
whose rows are marked as published after acks=all, and a consumer that keeps bytes and offsets in one transaction.
`python -m bench.usual_service` serves it with DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS and THROUGHLINE_PORT.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from fastapi import FastAPI, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from events.contacts import Contact
from events.times import to_text

POLL_S = 0.1
OUTBOX_ROWS = 500
PARTITIONS = 12

TABLES = """
create table outbox (id bigint generated always as identity primary key, request_id text not null,
                     payload bytea not null, published boolean not null default false);
create index outbox_waiting on outbox (id) where not published;
create table records (partition int, place bigint, request_id text not null, value bytea not null,
                      primary key (partition, place));
create index records_by_request on records (request_id);
create table offsets (partition int primary key, next bigint not null)
"""
WAITING = text(
    "select id, request_id, payload from outbox where not published order by id limit :rows for update skip locked"
)
PUBLISHED = text("update outbox set published = true where id = any(:ids)")
INSERT = text("insert into outbox (request_id, payload) values (:request_id, :payload)")
KEEP = text(
    "insert into records (partition, place, request_id, value) values (:partition, :place, :request_id, :value)"
    " on conflict do nothing"
)
MOVE = text(
    "insert into offsets (partition, next) values (:partition, :next)"
    " on conflict (partition) do update set next = excluded.next"
)
FIND = text("select value from records where request_id = :request_id order by partition, place")


def build(database_url: str, kafka: str, topic: str) -> FastAPI:
    """The application; its tasks live as long as it is served."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            for statement in TABLES.split(";"):
                await connection.execute(text(statement))
        tasks = [
            asyncio.create_task(_publish(engine, kafka, topic)),
            asyncio.create_task(_consume(engine, kafka, topic)),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/contacts", status_code=202)
    async def receive(contact: Contact) -> dict[str, Any]:
        request_id, received_at = str(uuid.uuid4()), to_text(time.time_ns() // 1_000)
        event = contact.model_dump(mode="json", exclude_unset=True) | {"received_at": received_at}
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"request_id": request_id, "payload": json.dumps(event).encode()})
        return {"request_id": request_id, "received_at": received_at, "duplicate": False}

    @app.get("/v1/requests/{request_id}/timeline")
    async def timeline(request_id: str) -> dict[str, Any]:
        async with engine.connect() as connection:
            rows = (await connection.execute(FIND, {"request_id": request_id})).all()
        if not rows:
            raise HTTPException(404)
        return {"request_id": request_id, "events": [json.loads(row.value) for row in rows]}

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


async def _publish(engine: AsyncEngine, kafka: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, acks="all")
    await producer.start()
    while True:
        if not await _round(engine, producer, topic):
            await asyncio.sleep(POLL_S)


async def _round(engine: AsyncEngine, producer: AIOKafkaProducer, topic: str) -> bool:
    async with engine.begin() as connection:
        rows = (await connection.execute(WAITING, {"rows": OUTBOX_ROWS})).all()
        sent = [await producer.send(topic, row.payload, row.request_id.encode()) for row in rows]
        await asyncio.gather(*sent)
        await connection.execute(PUBLISHED, {"ids": [row.id for row in rows]})
    return bool(rows)


async def _consume(engine: AsyncEngine, kafka: str, topic: str) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(topic, n) for n in range(PARTITIONS)])
    while True:
        batches = await consumer.getmany(timeout_ms=100)
        if batches:
            await _keep(engine, batches)


async def _keep(engine: AsyncEngine, batches: dict[TopicPartition, list[Any]]) -> None:
    rows = [
        {"partition": each.partition, "place": each.offset, "request_id": each.key.decode(), "value": each.value}
        for records in batches.values()
        for each in records
    ]
    moved = [{"partition": place.partition, "next": records[-1].offset + 1} for place, records in batches.items()]
    async with engine.begin() as connection:
        await connection.execute(KEEP, rows)
        await connection.execute(MOVE, moved)


def main() -> None:
    """Serves until SIGTERM."""
    environment = os.environ
    topic = environment["THROUGHLINE_TOPIC_PREFIX"] + "practice"
    app = build(environment["DATABASE_URL"], environment["KAFKA_BOOTSTRAP_SERVERS"], topic)
    uvicorn.run(app, host="127.0.0.1", port=int(environment["THROUGHLINE_PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
