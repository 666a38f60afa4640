"""One timeline over HTTP, from the request's id to the JSON of its life."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import count

import asyncpg

from audit.adapters.kept import SqlKept
from audit.adapters.schema import LIVE
from audit.app.ingest import Ingest
from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.contact_log import contact_records, request_ids
from bench.http_load import Connection, opened
from bench.processes import TOKEN, Served, server, service, settings
from bench.usual_audit import Clock, engine_with_tables, take_batch
from chassis import migrations
from chassis.database import Database
from chassis.records import Record

REQUESTS = 4_000
ASKED = 16_000
AT_ONCE = 8
BATCH = 2_000
EVENTS = 4


async def usual(ground: Ground) -> Sample:
    """FastAPI, the ORM, pydantic."""
    async with fresh_database(ground, "usual") as url:
        engine = await engine_with_tables(url)
        clock, records = Clock(), contact_records(REQUESTS)
        for at in range(0, len(records), BATCH):
            await take_batch(engine, records[at : at + BATCH], clock)
        await engine.dispose()
        told = {"DATABASE_URL": url, "BENCH_TOKEN": TOKEN}
        async with server([sys.executable, "-m", "bench.usual_audit_http"], told) as served:
            return await _measure(ground, served, ground.amount(ASKED // 4))


async def product(ground: Ground) -> Sample:
    """Audit as it is served."""
    async with fresh_database(ground, "product") as url:
        await migrations.migrate(url, "audit")
        await _take_in(url, contact_records(REQUESTS))
        # As in the usual practice nobody's personal data are opened.
        tokens = {hashlib.sha256(TOKEN.encode()).hexdigest(): {"name": "bench", "scopes": ["audit:read"]}}
        told = settings(ground, url) | {"THROUGHLINE_TOKENS": json.dumps(tokens)}
        async with service("audit", told) as served:
            return await _measure(ground, served, ground.amount(ASKED))


async def _take_in(url: str, records: Sequence[Record]) -> None:
    db = Database(url, name="bench")
    await db.open()
    ingest, writer = Ingest(SqlKept(LIVE), most_events=0), db.writer()

    async def work(tx: asyncpg.Connection, part: Sequence[Record]) -> None:
        await ingest.handle(tx, part)

    for at in range(0, len(records), BATCH):
        await writer.run(partial(work, part=records[at : at + BATCH]))
    await db.close()


async def _measure(ground: Ground, served: Served, amount: int) -> Sample:
    """`AT_ONCE` askers, each with its next question when the last one is answered."""
    ids, waits = request_ids(REQUESTS), []
    head = {"Authorization": f"Bearer {TOKEN}"}
    connections = [await opened(served.port) for _ in range(AT_ONCE)]

    async def asker(connection: Connection, numbers: count[int], until: int) -> None:
        while (number := next(numbers)) < until:
            began = time.perf_counter_ns()
            path = f"/v1/requests/{ids[number * 7 % REQUESTS]}/timeline"
            status, answer = await connection.request("GET", path, headers=head)
            waits.append((time.perf_counter_ns() - began) // 1_000)
            if status != 200 or answer.count(b'"event_id"') != EVENTS:
                raise RuntimeError(f"this is no whole timeline: {status} {answer[:200]!r}")

    async def load(until: int) -> None:
        numbers = count()
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(asker(connection, numbers, until))

    await load(max(AT_ONCE, amount // 10))
    waits.clear()
    parts = {"service": (served.pid,), "postgres": ground.postgres_pids, "server": (served.pid, *ground.postgres_pids)}
    with Meter(parts) as meter:
        await load(amount)
    for connection in connections:
        connection.close()
    return meter.sample(amount, waits)


BENCH = Bench(
    name="timeline",
    question="what does one timeline cost over HTTP?",
    unit="timeline",
    guarantees="a token, folded from the events as they are, exact to the microsecond, access log, metrics",
    variants=(
        Variant("FastAPI and ORM", "dependencies, rows by SQLAlchemy's ORM, events and answer through models", usual),
        Variant("Throughline", "a plain route, raw rows by one statement, folded, written by orjson", product),
    ),
    claims=(Claim("server_cpu_us", "FastAPI and ORM", 6),),
    figures=("per_s", "server_cpu_us", "service_cpu_us", "postgres_cpu_us", "p50_ms", "p99_ms"),
)
