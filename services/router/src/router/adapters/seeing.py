"""What one pass over a queue chooses from: who waits, as far as he can get something, and who has something free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from events.contacts.routing import MAX_LISTED
from router.adapters.agents import COLUMNS as AGENT
from router.adapters.agents import agent_of
from router.adapters.policies import policy_of
from router.adapters.rows import COLUMNS as REQUEST
from router.adapters.rows import request_of
from router.domain.crew import Crew
from router.domain.fitting import NOBODY, Absent, Shape, Units, worker_of
from router.domain.matching import MOST_CHOICES
from router.domain.policies import Policy
from router.domain.request import Request

# Of requests that somebody let go more are read than there are units: the first of them may be waiting for their time.
_AVOIDED_MORE: Final = 100

# From each shape straight to the next one: what waits behind the first of a shape is not looked at.
_SHAPES: Final = """
with recursive heads as (
    (select tier, channel, shape, language, skills, wanted_agent from requests
     where state = 'waiting' and queue = $1 order by tier, channel, shape limit 1)
    union all
    select n.* from heads h cross join lateral (
        select tier, channel, shape, language, skills, wanted_agent from requests
        where state = 'waiting' and queue = $1 and (tier, channel, shape) > (h.tier, h.channel, h.shape)
        order by tier, channel, shape limit 1) n
)
select heads.*, (select policy from policies where queue = $1 order by version desc limit 1) as policy from heads
"""
# Who has nothing free is not read: in a busy hour that is nearly everybody.
_HAS_ROOM: Final = """
presence = 'available' and exists (
    select 1 from units u
    where u.agent_id = a.agent_id and u.holder is null and u.n < coalesce((a.channels ->> u.channel)::int, 0))
"""
_CREW: Final = f"""
select {AGENT}, idle_since_us, channel, held, free
from (select * from agents a
      where (queues @> array[$1] or agent_id = any($2::text[])) and {_HAS_ROOM}) crew
cross join lateral (
    select channel, count(holder) as held,
           coalesce(array_agg(n order by n) filter (where holder is null), '{{}}') as free
    from units where units.agent_id = crew.agent_id group by channel) theirs
"""
_ABSENT: Final = f"""
select reason, count(*) as n, (array_agg(agent_id order by agent_id))[1:{MAX_LISTED}] as first
from (select agent_id, case presence when 'available' then 'full' else presence end as reason
      from agents a where queues @> array[$1] and not ({_HAS_ROOM})) absent
group by reason order by reason
"""
_FIRST: Final = f"""
select r.* from unnest($2::smallint[], $3::text[], $4::uuid[], $5::int[]) s(tier, channel, shape, most)
cross join lateral (
    (select {REQUEST} from requests
     where state = 'waiting' and queue = $1 and tier = s.tier and channel = s.channel and shape = s.shape
       and not avoided
     order by priority desc, received_us, request_id limit s.most)
    union all
    (select {REQUEST} from requests
     where state = 'waiting' and queue = $1 and tier = s.tier and channel = s.channel and shape = s.shape
       and avoided
     order by priority desc, received_us, request_id limit s.most + {_AVOIDED_MORE})
) r
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pass chooses from."""

    requests: dict[str, Request]
    workers: Crew
    absent: Absent
    policy: Policy


async def see(connection: asyncpg.Connection, queue: str) -> Seen | None:
    """None where nobody waits: nothing else is read then, as after most commits that wake a queue.

    Each statement sees a later moment than the one before it: what is chosen is looked at again when it is written.
    """
    shapes = await connection.fetch(_SHAPES, queue)
    if not shapes:
        return None
    workers = await _crew(connection, queue, [row["wanted_agent"] for row in shapes])
    requests = await _heads(connection, shapes, workers)
    absent = await _absent(connection, queue) if requests else NOBODY
    return Seen({each.request_id: each for each in requests}, workers, absent, policy_of(queue, shapes[0]["policy"]))


async def _crew(connection: asyncpg.Connection, queue: str, wanted: Sequence[str | None]) -> Crew:
    """Who of the queue's agents, and of those wanted by name in it, has something free, and what."""
    about: dict[str, asyncpg.Record] = {}
    units = defaultdict(list)
    for row in await connection.fetch(_CREW, queue, [agent_id for agent_id in wanted if agent_id is not None]):
        about[row["agent_id"]] = row
        units[row["agent_id"]].append(Units(row["channel"], row["held"], row["free"]))
    crew = (worker_of(agent_of(row), units[agent_id], row["idle_since_us"]) for agent_id, row in about.items())
    return Crew(crew, queue)


async def _absent(connection: asyncpg.Connection, queue: str) -> Absent:
    rows = await connection.fetch(_ABSENT, queue)
    listed = [(agent_id, row["reason"]) for row in rows for agent_id in row["first"]]
    return Absent({row["reason"]: row["n"] for row in rows}, tuple(listed[:MAX_LISTED]))


async def _heads(connection: asyncpg.Connection, shapes: Sequence[asyncpg.Record], workers: Crew) -> list[Request]:
    """Of each shape that somebody is free for the first that wait, as many as there are units for them."""
    asked = [(*row[:3], workers.room(_shape(row), MOST_CHOICES)) for row in shapes]
    columns = list(zip(*(each for each in asked if each[-1]), strict=True))
    if not columns:
        return []
    return [request_of(row) for row in await connection.fetch(_FIRST, workers.queue, *map(list, columns))]


def _shape(row: asyncpg.Record) -> Shape:
    skills = tuple(sorted(set(row["skills"])))
    return Shape(row["tier"], row["channel"], row["language"], skills, row["wanted_agent"])
