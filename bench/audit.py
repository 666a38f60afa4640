"""From the topic into PostgreSQL: exactly once, every byte kept, an exact summary of each request."""

from __future__ import annotations

import asyncio
import os

from audit.adapters.collector import calm
from audit.adapters.kept import SqlKept
from audit.adapters.log import CONSUMER
from audit.adapters.schema import LIVE
from audit.app.ingest import Ingest
from audit.domain.batch import content_of
from audit.domain.reading import TOPICS
from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.contact_log import audit_settings, write_log
from bench.usual_audit import Clock, engine_with_tables, from_the_start, records_of, take_batch, take_one
from chassis import migrations
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.metrics import Metrics

ONE_BY_ONE, IN_BATCHES, PRODUCT = 500, 5_000, 25_000
BATCH = 500
COUNTED = "select coalesce(sum(next_offset), 0)::bigint from consumer_offsets where consumer = $1"


async def one_by_one(ground: Ground) -> Sample:
    """A session for each event."""
    return await _usual(ground, "one", ground.amount(ONE_BY_ONE), 1)


async def in_batches(ground: Ground) -> Sample:
    """Five hundred events at once."""
    return await _usual(ground, "batches", ground.amount(IN_BATCHES), BATCH)


async def _usual(ground: Ground, name: str, requests: int, size: int) -> Sample:
    async with fresh_database(ground, name) as url:
        told = audit_settings(ground, url, name)
        await migrations.migrate(url, "audit")
        total = await write_log(told, requests)
        engine = await engine_with_tables(url)
        consumer = await from_the_start(told)
        clock, done = Clock(), 0
        waiting = await records_of(consumer, BATCH)
        with Meter(_parts(ground)) as meter:
            while done < total:
                if size == 1:
                    for record in waiting:
                        await take_one(engine, record, clock)
                elif waiting:
                    await take_batch(engine, waiting, clock)
                done += len(waiting)
                waiting = await records_of(consumer, BATCH) if done < total else []
        await consumer.stop()
        await engine.dispose()
        return meter.sample(total)


async def product(ground: Ground) -> Sample:
    """Audit's own consumer."""
    async with fresh_database(ground, "product") as url:
        told = audit_settings(ground, url, "product")
        await migrations.migrate(url, "audit")
        total = await write_log(told, ground.amount(PRODUCT))
        db = Database(url, name="bench")
        await db.open()
        committed = asyncio.Event()
        ingest = Ingest(SqlKept(LIVE), most_events=told.cached_events, told=lambda _: committed.set())
        consumer = Consumer(
            CONSUMER,
            TOPICS,
            db=db,
            settings=told,
            handler=ingest,
            metrics=Metrics(),
            most=told.batch_records,
            read=content_of,
        )
        await calm()
        running = asyncio.create_task(consumer.run())
        before = await _beyond(db, 0, committed)
        with Meter(_parts(ground)) as meter:
            await _beyond(db, total - 1, committed)
        consumer.stop()
        await running
        await db.close()
        # A trial on a small scale may be over with its first batch.
        return meter.sample(max(1, total - before))


async def _beyond(db: Database, count: int, committed: asyncio.Event) -> int:
    """Waits until more than `count` records are taken in, looking after each commit; how many are."""
    while True:
        committed.clear()
        async with db.connection() as connection:
            done: int = await connection.fetchval(COUNTED, CONSUMER)
        if done > count:
            return done
        await committed.wait()


def _parts(ground: Ground) -> dict[str, tuple[int, ...]]:
    return {"service": (os.getpid(),), "postgres": ground.postgres_pids}


BENCH = Bench(
    name="audit",
    question="how fast is the log taken in?",
    unit="record",
    guarantees="every byte kept, exactly once per place in the log, an exact summary of each request at each commit",
    variants=(
        Variant(
            "event by event", "a SQLAlchemy session and transaction for each event, models by pydantic", one_by_one
        ),
        Variant("batches", "500 in a transaction, pydantic models, SQLAlchemy with executemany", in_batches),
        Variant(
            "Throughline",
            "one process; COPY of raw records, set-based summaries, histories cached, written while folded",
            product,
        ),
    ),
    claims=(Claim("per_s", "event by event", 30), Claim("per_s", "batches", 3)),
    figures=("per_s", "service_cpu_us", "postgres_cpu_us"),
)
