"""Bringing waiting requests to agents: a pass that commits many choices at once, beside one decision a transaction."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import orjson

from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from chassis import migrations
from chassis.clock import SystemClock
from chassis.database import Database
from router.adapters.passes import SqlPasses
from router.app.moved import Applied
from router.domain.matching import match

QUEUE: Final = "default"
UNITS: Final = 5
USUAL, PRODUCT = 1_000, 4_000
WORKERS: Final = 4
AGENTS_AWAY: Final = 20

_AGENTS: Final = """
insert into agents (agent_id, name, queues, tier, skills, languages, channels, auto_accept, version, presence,
                    presence_us, idle_since_us)
select 'a-' || n, 'Ada', '{default}', 1, '{"cards": 3}', '{en}', jsonb_build_object('chat', $2::int), false, 1,
       case when n <= $3 then 'away' else 'available' end, n, n
from generate_series(1, $1::int) n
"""
_UNITS: Final = """
insert into units (agent_id, channel, n) select agent_id, 'chat', n from agents, generate_series(0, $1::int - 1) n
"""
_REQUESTS: Final = """
insert into requests (request_id, state, leg, cycle, queue, tier, channel, customer_id, key_id, priority, severity,
                      support_level, language, skills, received_us, last_us)
select gen_random_uuid()::text, 'waiting', 1, 1, 'default', 1, 'chat', 'c-1', 'c-1', n % 3, 3, 'standard', 'en',
       case when n % 2 = 0 then '{cards}'::text[] else '{}'::text[] end, n, n
from generate_series(1, $1::int) n
"""
_BY_TURN: Final = """
create index requests_by_turn on requests (queue, priority desc, received_us, request_id) where state = 'waiting'
"""
_TAKE_REQUEST: Final = """
select request_id, tier, skills, language from requests where queue = $1 and state = 'waiting'
order by priority desc, received_us, request_id limit 1 for update skip locked
"""
_TAKE_UNIT: Final = """
select u.agent_id, u.n from agents a join units u using (agent_id)
where a.queues @> array[$1] and a.presence = 'available' and a.tier = $2 and u.channel = 'chat' and u.holder is null
  and u.n < (a.channels ->> 'chat')::int and a.skills ?& $3::text[] and ($4 = any(a.languages) or a.languages = '{}')
order by a.idle_since_us, a.agent_id limit 1 for update of u skip locked
"""
_HOLD: Final = "update units set holder = $3 where agent_id = $1 and channel = 'chat' and n = $2 and holder is null"
_OFFER: Final = """
update requests set state = 'offered', version = version + 1, agent_id = $2, offered_us = $3::bigint,
    lapses_us = $3::bigint + 30000000
where request_id = $1 and state = 'waiting'
"""
_STREAM: Final = "insert into streams (stream, version, last_us) values ($1, 1, $2)"
_EVENT: Final = """
insert into events (event_id, stream, version, type, schema_version, source, topic, key, occurred_us, payload)
values ($1::uuid, $2, 1, 'Routed', 1, '/services/router', 'contacts', $2, $3, $4)
"""


async def usual(ground: Ground) -> Sample:
    """Workers that each take a request and a unit, write them and the event, and commit: again and again."""
    count = ground.amount(USUAL)
    async with _floor(ground, "usual", count) as url:
        pool = await asyncpg.create_pool(url, min_size=WORKERS, max_size=WORKERS)
        async with pool.acquire() as connection:
            await connection.execute(_BY_TURN)
            await connection.execute("analyze")
        with Meter(_parts(ground)) as meter:
            done = await asyncio.gather(*(_decide_on(pool) for _ in range(WORKERS)))
        await pool.close()
    assert sum(done) == count, done
    return meter.sample(count)


async def throughline(ground: Ground) -> Sample:
    """The product's passes."""
    count = ground.amount(PRODUCT)
    async with _floor(ground, "router", count) as url:
        db = Database(url, name="bench")
        await db.open()
        passes = SqlPasses(db, SystemClock(), match, _unheard, holder="bench")
        async with db.connection() as connection:
            await connection.execute("analyze")
        with Meter(_parts(ground)) as meter:
            offers = 0
            while offers < count:
                offers += (await passes.go_over(QUEUE)).offers
        await db.close()
    return meter.sample(count)


async def _decide_on(pool: asyncpg.Pool) -> int:
    done, clock = 0, SystemClock()
    while True:
        if not await _decide(pool, clock.now_us()):
            return done
        done += 1


async def _decide(pool: asyncpg.Pool, now_us: int) -> bool:
    """One decision; false where nobody waits any more or nobody is free."""
    async with pool.acquire() as connection, connection.transaction():
        request = await connection.fetchrow(_TAKE_REQUEST, QUEUE)
        if request is None:
            return False
        request_id, *asked = request
        unit = await connection.fetchrow(_TAKE_UNIT, QUEUE, *asked)
        if unit is None:
            return False
        agent_id, n = unit
        await connection.execute(_HOLD, agent_id, n, request_id)
        await connection.execute(_OFFER, request_id, agent_id, now_us)
        await connection.execute(_STREAM, request_id, now_us)
        payload = orjson.dumps({"agent_id": agent_id, "unit": n, "queue": QUEUE, "leg": 1})
        await connection.execute(_EVENT, str(uuid.uuid4()), request_id, now_us, payload)
        return True


@asynccontextmanager
async def _floor(ground: Ground, name: str, count: int) -> AsyncIterator[str]:
    """A database of the router's in which `count` requests wait, and agents with a unit for each."""
    async with fresh_database(ground, name) as url:
        await migrations.migrate(url, "router")
        connection = await asyncpg.connect(url)
        await connection.execute(_AGENTS, -(-count // UNITS) + AGENTS_AWAY, UNITS, AGENTS_AWAY)
        await connection.execute(_UNITS, UNITS)
        await connection.execute(_REQUESTS, count)
        await connection.execute("insert into queues (queue) values ('default')")
        await connection.close()
        yield url


def _parts(ground: Ground) -> dict[str, tuple[int, ...]]:
    ours = (os.getpid(),)
    return {"service": ours, "postgres": ground.postgres_pids, "server": (*ours, *ground.postgres_pids)}


def _unheard(_applied: Applied) -> None:
    """Nobody is woken."""


BENCH = Bench(
    name="matching",
    question="what does it cost to bring a waiting request to an agent?",
    unit="claim",
    guarantees="the request and the agent's unit taken by conditions that the database keeps, the event in the outbox "
    "in the same transaction, the order of priority and age, agents by queue, tier, skills, language and room",
    variants=(
        Variant("usual", "SELECT … FOR UPDATE SKIP LOCKED, one decision a transaction, four workers", usual),
        Variant("throughline", "a pass under the queue's lease: up to 200 choices, each with its record", throughline),
    ),
    claims=(Claim("server_per_cpu_s", "usual", 3),),
    figures=("per_s", "server_per_cpu_s", "server_cpu_us", "service_cpu_us", "postgres_cpu_us"),
)
