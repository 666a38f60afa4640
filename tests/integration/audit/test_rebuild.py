"""A rebuilt projection is the live one, row for row and byte for byte, and nobody notices the change."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.adapters.log import CONSUMER
from audit.rebuild.catching_up import live
from audit.rebuild.run import AlreadyRunning
from audit.rebuild.shadow import Overtaken, Shadow, move
from chassis import kafka, offsets
from tests.audit.given import START, Writer, event_id, life
from tests.integration.audit.test_ingest import logs
from tests.support.audit import RECORDS, REQUESTS, Audits, Replica
from tests.support.until import until

INDEXES = """
    select tablename, regexp_replace(indexdef, '(\\w+) ON', '') from pg_indexes
    where schemaname = 'projection' and tablename in ('records', 'requests') order by 1, 2
"""
EPOCHS = "select topic, partition, epoch, holder from consumer_offsets where consumer = 'audit' order by 1, 2"
OTHER_SCHEMAS = "select nspname from pg_namespace where nspname like 'projection_%'"


async def content(service: Audits) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows, and what the tables are like."""
    offsets = "select topic, partition, next_offset from consumer_offsets where consumer = 'audit' order by 1, 2"
    return {sql: await service.rows(sql) for sql in (REQUESTS, RECORDS, INDEXES, offsets)}


async def answers(audit: Replica) -> list[bytes]:
    """What users get, in bytes."""
    paths = [f"/v1/requests/r-{number}/timeline" for number in range(12)]
    paths += ["/v1/requests?limit=1000", "/v1/events?limit=1000", "/v1/exports/timelines"]
    paths.append("/v1/reports/durations?from=1970-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&group_by=channel,agent_id")
    return [(await audit.get(path)).content for path in paths]


async def told(service: Audits, seed: int) -> None:
    """Doubled, misplaced, broken and foreign records among good ones, in several topics."""
    found = logs(random.Random(seed))
    policies = Writer("policies")
    others = [policies.event("SlaPolicyVersioned", subject="gold", id_=event_id(5)) for _ in range(2)]
    await service.send([record for log in found for record in log] + others, elsewhere=True)


WAYS: list[dict[str, Any]] = [
    {"from_records": False},
    {"from_records": False, "THROUGHLINE_AUDIT_CACHED_EVENTS": 40},
    {"from_records": False, "THROUGHLINE_AUDIT_CACHED_EVENTS": 0},
    {"from_records": True},
    {"from_records": False, "workers": 2},
    {"from_records": False, "workers": 3, "THROUGHLINE_AUDIT_CACHED_EVENTS": 10},
    {"from_records": True, "workers": 2},
]


async def test_the_rebuilt_projection_equals_the_live_one_which_does_not_notice(service: Audits) -> None:
    audit = await service.local()
    await told(service, seed=7)
    await audit.drained()
    before, told_before, epochs = await content(service), await answers(audit), await service.rows(EPOCHS)
    for way in WAYS:
        stages = await service.rebuilt_here(**way)
        assert stages == ["records", "indexes of records", "requests", "indexes of requests", "catching up"]
        assert await content(service) == before
        assert await answers(audit) == told_before
        assert await service.rows(OTHER_SCHEMAS) == []
    # The live process goes on with its next batch as if nothing had been.
    await service.send(life(Writer(appended_us=START), subject="after"))
    await audit.drained()
    assert (await audit.timeline("after"))["state"] == "resolved"
    assert await service.rows(EPOCHS) == epochs


async def test_a_wrong_projection_is_right_again_after_a_rebuild(service: Audits) -> None:
    audit = await service.local()
    await told(service, seed=8)
    await audit.drained()
    before = await content(service)
    await service.rows("update projection.requests set state = 'waiting', metrics = array_fill(1, array[16])")
    await service.rows("delete from projection.records where duplicate")
    await service.rebuilt_here(from_records=False)
    assert await content(service) == before


IN_THE_MAKING = "select to_regclass('projection_shadow.records')::oid"
WAITING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name like 'audit rebuild%' and wait_event_type = 'Lock'
"""
ONE_SUMMARY = """
    insert into projection_shadow.requests
    select * from projection.requests where request_id like 'r-%' order by request_id limit 1 returning 1
"""
SESSIONS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name like 'audit rebuild%'
"""


async def test_it_goes_on_where_it_was_killed_while_the_live_one_takes_in_more(service: Audits) -> None:
    audit = await service.local()
    for seed in (9, 10):
        await told(service, seed)
    await audit.drained()
    sending = asyncio.create_task(_keep_telling(service))
    async with _held("select pg_advisory_lock(hashtext('projection_shadow.records'))", service):
        await _killed_when_it_waits(service)
    made = await service.rows(IN_THE_MAKING)
    async with _held("lock table projection_shadow.requests in share mode", service):
        await _killed_when_it_waits(service)
    assert await service.rows(IN_THE_MAKING) == made
    # As if it had been killed between two summaries.
    await service.rows(ONE_SUMMARY)
    await service.rebuilt()
    await sending
    await audit.drained()
    rebuilt, told_by_rebuilt = await content(service), await answers(audit)
    await service.rebuilt_here(from_records=False)
    assert await content(service) == rebuilt
    assert await answers(audit) == told_by_rebuilt
    places = 'count(distinct (topic, partition, "offset"))'
    counted = await service.rows(f"select count(*), {places} from projection.records")
    ((sent,),) = await service.rows("select sum(next_offset)::bigint from consumer_offsets where consumer = 'audit'")
    assert counted == [(sent, sent)]


async def test_killed_before_the_swap_it_leaves_the_live_one_as_it_was(service: Audits) -> None:
    audit = await service.local()
    await told(service, seed=11)
    await audit.drained()
    before = await content(service)
    connection = await asyncpg.connect(service.dsn)
    async with connection.transaction():
        await offsets.quiet(connection, CONSUMER, await live(connection))
        await _killed_when_it_waits(service)
    await connection.close()
    assert await content(service) == before
    assert await service.rows(OTHER_SCHEMAS) == [("projection_shadow",)]
    await service.send(life(Writer(appended_us=START), subject="after"))
    await audit.drained()
    before = await content(service)
    await until(lambda: _no(service, SESSIONS))
    await service.rebuilt_here(from_records=False)
    assert await content(service) == before


async def test_a_worker_that_dies_ends_the_rebuild_and_the_next_one_goes_on(service: Audits) -> None:
    audit = await service.local()
    await told(service, seed=13)
    await audit.drained()
    before = await content(service)
    async with _held("select pg_advisory_lock(hashtext('projection_shadow.records'))", service):
        process, (worker,) = await _both_at_work(service)
        os.kill(worker, signal.SIGKILL)
        assert await asyncio.wait_for(process.wait(), 20) == 2
    assert "a worker process ended with -9; run the rebuild again" in service.told_by_rebuilds()
    assert await content(service) == before
    await service.rebuilt("--workers", "2")
    assert await content(service) == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_worker_outlives_its_rebuild(service: Audits, number: int) -> None:
    audit = await service.local()
    await told(service, seed=14)
    await audit.drained()
    before = await content(service)
    async with _held("select pg_advisory_lock(hashtext('projection_shadow.records'))", service):
        process, (worker,) = await _both_at_work(service)
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 20) != 0
        await until(lambda: not Path(f"/proc/{worker}").exists(), what="the worker is gone")
    assert await content(service) == before
    await service.rebuilt("--workers", "2")
    assert await content(service) == before


async def test_a_worker_of_a_killed_rebuild_is_waited_for(service: Audits) -> None:
    left = await asyncpg.connect(service.dsn)
    await left.execute("select pg_advisory_lock_shared(hashtext('audit rebuild workers'))")
    rebuilding = asyncio.create_task(service.rebuilt_here(from_records=True))
    waiting = (
        "select count(*) from pg_stat_activity where wait_event = 'advisory' and application_name = 'audit rebuild'"
    )

    async def waits() -> bool:
        return await service.rows(waiting) == [(1,)]

    await until(waits, what="the rebuild waits")
    await left.close()
    assert "catching up" in await rebuilding


async def _both_at_work(service: Audits) -> tuple[asyncio.subprocess.Process, list[int]]:
    """A rebuild in two processes that both wait for the lock, and the worker's pid."""
    process = await service.rebuild("--workers", "2")

    async def wait() -> bool:
        return await service.rows(WAITING) == [(2,)]

    await until(wait, 30, "both processes are at the point where one is to be killed")
    return process, _children_of(process.pid)


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@asynccontextmanager
async def _held(lock: str, service: Audits) -> AsyncIterator[None]:
    """Holds a lock that a rebuild needs at one point of its way."""
    connection = await asyncpg.connect(service.dsn)
    try:
        async with connection.transaction():
            await connection.execute(lock)
            yield
    finally:
        await connection.close()
    await until(lambda: _no(service, SESSIONS), what="the killed one's sessions are gone")


async def _killed_when_it_waits(service: Audits) -> None:
    process = await service.rebuild()

    async def waits() -> bool:
        return not await _no(service, WAITING)

    await until(waits, 30, "the rebuild is at the point where it is to be killed")
    process.kill()
    await process.wait()


async def _no(service: Audits, sql: str) -> bool:
    return await service.rows(sql) == [(0,)]


async def _keep_telling(service: Audits) -> None:
    for number in range(12):
        await service.send(life(Writer(), subject=f"more-{number}"))
        await asyncio.sleep(0.2)


async def test_a_worker_that_was_overtaken_writes_nothing(service: Audits) -> None:
    partition = ("contacts", 0)
    connection = await asyncpg.connect(service.dsn)
    await Shadow(connection).make({partition: 9}, "log")
    await move(connection, partition, 0, 5)
    with pytest.raises(Overtaken, match="another rebuild goes on with contacts/0"):
        await move(connection, partition, 0, 4)
    await connection.close()


async def test_two_rebuilds_at_once_are_refused(service: Audits) -> None:
    held = await asyncpg.connect(service.dsn)
    await held.execute("select pg_advisory_lock(hashtext('audit rebuild'))")
    with pytest.raises(AlreadyRunning):
        await service.rebuilt_here(from_records=False)
    await held.close()


async def test_a_log_that_is_not_the_one_that_was_read_is_not_rebuilt_from(service: Audits) -> None:
    audit = await service.local()
    await told(service, seed=12)
    await audit.drained()
    before = await content(service)
    await _make_anew(service, "contacts")
    process = await service.rebuild()
    assert await process.wait() == 2
    assert await content(service) == before
    await service.rebuilt_here(from_records=True)
    assert await content(service) == before


async def _make_anew(service: Audits, topic: str) -> None:
    admin, name = kafka.admin(service.settings), kafka.physical(service.settings, topic)
    await admin.start()
    await admin.delete_topics([name])

    async def gone() -> bool:
        return name not in await admin.list_topics()

    await until(gone)
    await admin.close()
    await service.make_topics()
