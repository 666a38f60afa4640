"""One pass over a queue: what can matter is read, chosen from, and written under its lease, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import StaleTransaction
from chassis.ids import new_id
from chassis.store import lock_streams
from events.contacts.routing import MAX_LISTED
from router.adapters import lease as leases
from router.adapters import policies
from router.adapters.agents import COLUMNS as AGENT
from router.adapters.agents import agent_of
from router.adapters.lease import Lease, LeaseLost
from router.adapters.moving import apply
from router.adapters.rows import COLUMNS as REQUEST
from router.adapters.rows import request_of
from router.app.moved import Applied
from router.app.passes import Passed
from router.domain.fitting import NOBODY, Absent, Shape, Units, Worker, room, worker_of
from router.domain.matching import MOST_CHOICES, Choice, Matched, Matcher, waiting_of
from router.domain.moves import Move, offered
from router.domain.policies import Policy
from router.domain.request import Request

# Of requests that somebody let go more are read than there are units: the first of them may be waiting for their time.
_AVOIDED_MORE: Final = 100
_AFTER_A_LOSS_S: Final = 0.02

# Who has nothing free is not read: in a busy hour that is nearly everybody.
_HAS_ROOM: Final = """
presence = 'available' and exists (
    select 1 from units u
    where u.agent_id = a.agent_id and u.holder is null and u.n < coalesce((a.channels ->> u.channel)::int, 0))
"""
_CREW: Final = f"""
select {AGENT}, idle_since_us from agents a
where (queues @> array[$1]
       or agent_id = any(array(select wanted_agent from requests where wanted_agent is not null and queue = $1
                               and state = 'waiting')))
  and {_HAS_ROOM}
"""
_ABSENT: Final = f"""
select reason, count(*) as n, (array_agg(agent_id order by agent_id))[1:{MAX_LISTED}] as first
from (select agent_id, case presence when 'available' then 'full' else presence end as reason
      from agents a where queues @> array[$1] and not ({_HAS_ROOM})) absent
group by reason order by reason
"""
_UNITS: Final = """
select agent_id, channel, count(holder) as held,
       coalesce(array_agg(n order by n) filter (where holder is null), '{}') as free
from units where agent_id = any($1::text[]) group by agent_id, channel
"""
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
select * from heads
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
_STIRRING: Final = """
with recursive heads as (
    (select queue from requests where state = 'waiting' order by queue limit 1)
    union all
    select n.queue from heads h cross join lateral (
        select queue from requests where state = 'waiting' and queue > h.queue order by queue limit 1) n
)
select queue from heads
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a pass chooses from."""

    requests: dict[str, Request]
    workers: list[Worker]
    absent: Absent
    policy: Policy


class SqlPasses:
    """`app.passes.PassStore` in SQL; `holder` is this replica's name."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        matcher: Matcher,
        told: Callable[[Applied], None],
        *,
        holder: str,
    ) -> None:
        """`told` hears of each commit that offered something."""
        self._db = db
        self._clock = clock
        self._matcher = matcher
        self._told = told
        self._holder = holder
        self._leases: dict[str, Lease] = {}

    async def go_over(self, queue: str) -> Passed:
        """See `PassStore`. On a lost lease nothing is written."""
        lease = self._leases.get(queue)
        if lease is None or not lease.believed:
            async with self._db.connection() as connection:
                lease = await leases.take(connection, queue, self._holder)
                if lease is None:
                    return Passed(again_s=await leases.left_s(connection, queue), elsewhere=True)
            self._leases[queue] = lease
        try:
            return await self._go_over(lease)
        except LeaseLost:
            self._leases.pop(queue, None)
            return Passed(again_s=0.0)
        except StaleTransaction:
            return Passed(again_s=_AFTER_A_LOSS_S)

    async def stirring(self) -> Iterable[str]:
        """See `PassStore`."""
        self._leases = {queue: lease for queue, lease in self._leases.items() if lease.believed}
        async with self._db.connection() as connection:
            return [row["queue"] for row in await connection.fetch(_STIRRING)]

    async def give_back(self) -> None:
        """See `PassStore`."""
        held, self._leases = list(self._leases.values()), {}
        if held:
            await self._db.run(lambda tx: leases.give_back(tx, held))

    async def _go_over(self, lease: Lease) -> Passed:
        now_us = self._clock.now_us()

        async def work(tx: asyncpg.Connection) -> tuple[Matched, Applied | None]:
            seen = await _see(tx, lease.queue)
            waiting = [waiting_of(request) for request in seen.requests.values()]
            matched = self._matcher(waiting, seen.workers, seen.policy, now_us=now_us, absent=seen.absent)
            return matched, await self._offer(tx, lease, seen, matched.choices) if matched.choices else None

        matched, applied = await self._db.run(work)
        if applied is not None:
            self._told(applied)
        return _passed(matched, applied, now_us)

    async def _offer(self, tx: asyncpg.Connection, lease: Lease, seen: _Seen, choices: Sequence[Choice]) -> Applied:
        """Nothing before this has a lock or a number; the streams come first, then the queue's row."""
        await lock_streams(tx, [choice.request_id for choice in choices])
        await lease.hold(tx)
        clock_us = self._clock.now_us()
        return await apply(tx, [_move(choice, seen, clock_us) for choice in choices])


async def _see(tx: asyncpg.Connection, queue: str) -> _Seen:
    policy = (await policies.load(tx, [queue]))[queue]
    workers = await _crew(tx, queue)
    requests = await _heads(tx, queue, workers) if any(worker.free for worker in workers) else []
    absent = await _absent(tx, queue) if requests else NOBODY
    return _Seen({request.request_id: request for request in requests}, workers, absent, policy)


async def _crew(tx: asyncpg.Connection, queue: str) -> list[Worker]:
    """Who of the queue's agents, and of those wanted by name in it, has something free, and what."""
    rows = await tx.fetch(_CREW, queue)
    units = defaultdict(list)
    for agent_id, *about in await tx.fetch(_UNITS, [row["agent_id"] for row in rows]) if rows else ():
        units[agent_id].append(Units(*about))
    return [worker_of(agent_of(row), units[row["agent_id"]], row["idle_since_us"]) for row in rows]


async def _absent(tx: asyncpg.Connection, queue: str) -> Absent:
    rows = await tx.fetch(_ABSENT, queue)
    listed = [(agent_id, row["reason"]) for row in rows for agent_id in row["first"]]
    return Absent({row["reason"]: row["n"] for row in rows}, tuple(listed[:MAX_LISTED]))


async def _heads(tx: asyncpg.Connection, queue: str, workers: Sequence[Worker]) -> list[Request]:
    """Of each shape that somebody is free for the first that wait, as many as there are units for them."""
    asked = [(*row[:3], _most(row, workers, queue)) for row in await tx.fetch(_SHAPES, queue)]
    columns = list(zip(*(each for each in asked if each[-1]), strict=True))
    if not columns:
        return []
    return [request_of(row) for row in await tx.fetch(_FIRST, queue, *map(list, columns))]


def _most(row: asyncpg.Record, workers: Sequence[Worker], queue: str) -> int:
    """How many of this shape one pass can offer."""
    skills = tuple(sorted(set(row["skills"])))
    shape = Shape(row["tier"], row["channel"], row["language"], skills, row["wanted_agent"])
    return min(MOST_CHOICES, room(shape, workers, queue))


def _move(choice: Choice, seen: _Seen, clock_us: int) -> Move:
    return offered(
        seen.requests[choice.request_id],
        unit=choice.unit,
        decision=choice.decision,
        policy=seen.policy,
        auto_accept=choice.auto_accept,
        ids=[new_id(), new_id()],
        clock_us=clock_us,
    )


def _passed(matched: Matched, applied: Applied | None, now_us: int) -> Passed:
    offers = len(applied.done) if applied is not None else 0
    if matched.more:
        return Passed(offers, again_s=0.0)
    if applied is not None and applied.lost:
        return Passed(offers, again_s=_AFTER_A_LOSS_S)
    return Passed(offers, None if matched.again_us is None else max(0, matched.again_us - now_us) / 1e6)
