"""One pass over a queue: what can matter is read and chosen from, and what was chosen written under its lease."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import asyncpg

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import StaleTransaction
from chassis.ids import new_id
from router.adapters import lease as leases
from router.adapters.lease import Lease, LeaseLost
from router.adapters.moving import apply
from router.adapters.seeing import Seen, see
from router.app.moved import Applied
from router.app.passes import Passed
from router.domain.matching import Choice, Matched, Matcher, waiting_of
from router.domain.moves import Move, offered

_AFTER_A_LOSS_S: Final = 0.02

_STIRRING: Final = """
with recursive heads as (
    (select queue from requests where state = 'waiting' order by queue limit 1)
    union all
    select n.queue from heads h cross join lateral (
        select queue from requests where state = 'waiting' and queue > h.queue order by queue limit 1) n
)
select queue from heads
"""


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

        async with self._db.connection() as connection:
            seen = await see(connection, lease.queue)
        if seen is None:
            return Passed()
        waiting = [waiting_of(request) for request in seen.requests.values()]
        matched = self._matcher(waiting, seen.workers, seen.policy, now_us=now_us, absent=seen.absent)
        applied = None
        if matched.choices:
            applied = await self._db.run(lambda tx: self._offer(tx, lease, seen, matched.choices))
            self._told(applied)
        return _passed(matched, applied, now_us)

    async def _offer(self, tx: asyncpg.Connection, lease: Lease, seen: Seen, choices: Sequence[Choice]) -> Applied:
        """The streams come first, then the queue's row, then the agents."""
        streams, agents = [each.request_id for each in choices], [each.unit.agent_id for each in choices]
        await lease.hold(tx, streams=streams, agents=agents)
        clock_us = self._clock.now_us()
        return await apply(tx, [_move(choice, seen, clock_us) for choice in choices], held=True)


def _move(choice: Choice, seen: Seen, clock_us: int) -> Move:
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
