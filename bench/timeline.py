"""One timeline, from the request's id to JSON bytes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from audit.adapters.collector import calm
from audit.adapters.kept import SqlKept
from audit.adapters.schema import LIVE
from audit.adapters.timelines import SqlTimelines
from audit.api.models import TimelineObject
from audit.app.ingest import Ingest
from audit.domain.rendering import render
from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.contact_log import contact_records, request_ids
from bench.usual_audit import Clock, KeptRecord, engine_with_tables, entry_of_row, take_batch
from chassis import migrations
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.keyring import Keyring
from events.catalogue import CATALOGUE
from events.lifecycle import fold, timeline

REQUESTS = 4_000
ASKED = 12_000
AT_ONCE = 8
BATCH = 2_000


async def usual(ground: Ground) -> Sample:
    """Rows by the ORM, each event through its model, the whole through the answer's model."""
    async with fresh_database(ground, "usual") as url:
        engine = await engine_with_tables(url)
        clock, records = Clock(), contact_records(REQUESTS)
        for at in range(0, len(records), BATCH):
            await take_batch(engine, records[at : at + BATCH], clock)
        sessions = async_sessionmaker(engine)
        sample = await _measure(ground, ground.amount(ASKED // 4), lambda id_: _by_models(sessions, id_))
        await engine.dispose()
        return sample


async def _by_models(sessions: async_sessionmaker[AsyncSession], request_id: str) -> bytes:
    async with sessions() as session:
        kept = list(await session.scalars(select(KeptRecord).where(KeptRecord.request_id == request_id)))
    for each in kept:
        public = {name: value for name, value in each.data.items() if name != "sealed"}
        CATALOGUE[each.type].model.model_validate(public, strict=False)
    positions = {each.event_id: f"contacts/{each.partition}/{each.place}" for each in kept}
    entries = [entry_of_row(each) for each in kept]
    for entry in entries:
        entry.position = positions[entry.event_id]
    told = timeline(
        fold(entries),
        request_id=request_id,
        as_of_us=max(each.known_us for each in kept),
        open_data=lambda entry: {name: value for name, value in entry.data.items() if name != "sealed"},
    )
    return TimelineObject.model_validate(told).model_dump_json().encode()


async def product(ground: Ground) -> Sample:
    """Raw rows, folded, written as JSON."""
    async with fresh_database(ground, "product") as url:
        await migrations.migrate(url, "audit")
        db = Database(url, name="bench")
        await db.open()
        ingest, writer, records = Ingest(SqlKept(LIVE), most_events=0), db.writer(), contact_records(REQUESTS)
        for at in range(0, len(records), BATCH):
            part = records[at : at + BATCH]
            await writer.run(lambda tx, part=part: ingest.handle(tx, part))
        timelines = SqlTimelines(db, LIVE, Keyring(bytes(32), source="/bench", clock=SystemClock()))

        async def one(request_id: str) -> bytes:
            return render(await timelines.one(request_id, as_of_us=None, personal=False))

        await calm()
        sample = await _measure(ground, ground.amount(ASKED), one)
        await db.close()
        return sample


async def _measure(ground: Ground, amount: int, ask: Callable[[str], Awaitable[bytes]]) -> Sample:
    """`AT_ONCE` askers, each with its next question when the last one is answered."""
    ids = request_ids(REQUESTS)
    waits: list[int] = []

    async def asker(numbers: count[int], until: int) -> None:
        while (number := next(numbers)) < until:
            began = time.perf_counter_ns()
            answer = await ask(ids[number * 7 % REQUESTS])
            waits.append((time.perf_counter_ns() - began) // 1_000)
            if not answer.startswith(b'{"request_id"') or answer.count(b'"event_id"') != 4:
                raise RuntimeError(f"this is no whole timeline: {answer[:200]!r}")

    async def load(until: int) -> None:
        numbers = count()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(asker(numbers, until))

    await load(max(AT_ONCE, amount // 10))
    waits.clear()
    with Meter({"service": (os.getpid(),), "postgres": ground.postgres_pids}) as meter:
        await load(amount)
    return meter.sample(amount, waits)


BENCH = Bench(
    name="timeline",
    question="what does one timeline cost?",
    unit="timeline",
    guarantees="folded from the events as they are, exact to the microsecond, without personal data",
    variants=(
        Variant("ORM and models", "rows by SQLAlchemy's ORM, events and answer through pydantic models", usual),
        Variant("Throughline", "raw rows by one statement, folded, written by orjson", product),
    ),
    claims=(Claim("per_s", "ORM and models", 6),),
    figures=("per_s", "service_cpu_us", "postgres_cpu_us", "p50_ms", "p99_ms"),
)
