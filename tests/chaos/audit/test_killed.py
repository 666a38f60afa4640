"""Audit killed and frozen in the middle of its work: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal

import asyncpg
import pytest

from audit.domain.batch import arrive, join
from audit.domain.summary import summarise
from chassis.records import Record
from tests.audit.given import Writer, life
from tests.support.audit import Audits, ProcessReplica
from tests.support.until import until

PLACES = 'select count(*), count(distinct (topic, partition, "offset")) from projection.records'
SUMMARIES = "select request_id, state, events, received_us, resolved_us from projection.requests order by request_id"
WAITING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name like 'audit%' and wait_event_type = 'Lock'
"""


async def all_is_there_once(service: Audits, sent: list[Record]) -> None:
    """Every record at one place, every request with the summary that its records make."""
    assert await service.rows(PLACES) == [(len(sent), len(sent))]
    due = []
    for request_id, history in sorted(join(arrive(sent, {}), {}, {}).grown.items()):
        row = summarise(request_id, history)
        due.append((request_id, row.state, row.events, row.received_us, row.resolved_us))
    assert await service.rows(SUMMARIES) == due


async def test_killed_between_its_writes_it_takes_the_batch_in_once(service: Audits) -> None:
    replica = await service.replica()
    first, second = life(Writer()), life(Writer(), subject="r-2")
    await service.send(first)
    await replica.drained()
    blocker = await asyncpg.connect(service.dsn)
    async with blocker.transaction():
        # The raw rows of the next batch are copied already when its summaries come to this lock.
        await blocker.execute("lock table projection.requests in share mode")
        await service.send(second)
        await until(lambda: _waits(service), what="a batch is half written")
        await replica.kill()
    await blocker.close()
    await replica.start()
    await replica.drained()
    await all_is_there_once(service, [*first, *second])


@pytest.mark.parametrize("seed", [3])
async def test_killed_again_and_again_at_any_moment_it_loses_and_repeats_nothing(service: Audits, seed: int) -> None:
    draw = random.Random(seed)
    sent: list[Record] = []
    replica = await service.replica()
    sending = asyncio.create_task(_tell(service, sent, draw))
    for _ in range(int(os.environ.get("CHAOS_ROUNDS", "3"))):
        await asyncio.sleep(draw.random())  # the very moment of the kill is what is drawn
        await replica.kill()
        await replica.start()
    await sending
    await replica.drained()
    await all_is_there_once(service, sent)


async def test_a_frozen_replica_that_comes_back_writes_nothing_over_its_successor(service: Audits) -> None:
    frozen = await service.replica()
    first, second, third = (life(Writer(), subject=f"r-{n}") for n in range(3))
    await service.send(first)
    await frozen.drained()
    frozen.signal(signal.SIGSTOP)
    successor = await service.replica()
    await service.send(second)
    await until(lambda: _knows(successor, "r-1"), 40, "the successor takes over")
    frozen.signal(signal.SIGCONT)
    await service.send(third)
    await until(lambda: _knows(successor, "r-2"), 40, "they share the log again")
    await successor.drained()
    await all_is_there_once(service, [*first, *second, *third])


async def _tell(service: Audits, sent: list[Record], draw: random.Random) -> None:
    for number in range(60):
        writer = Writer()
        records = [record for n in range(draw.randrange(1, 8)) for record in life(writer, subject=f"r-{number}-{n}")]
        await service.send(records)
        sent += records


async def _waits(service: Audits) -> bool:
    return await service.rows(WAITING) != [(0,)]


async def _knows(replica: ProcessReplica, request_id: str) -> bool:
    answer = await replica.get(f"/v1/requests/{request_id}/timeline")
    return answer.status_code == 200 and answer.json()["state"] == "resolved"
