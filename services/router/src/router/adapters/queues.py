"""What waits where, counted in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.clock import Clock
from chassis.database import Database
from router.app.queues import Place, Waits

_PAGE: Final = """
with waits as (
    select queue, tier, channel, count(*) as n, min(received_us) as first_us
    from requests where state = 'waiting' group by queue, tier, channel
), held as (
    select agent_id, channel, count(*) as n from units where holder is not null group by agent_id, channel
), works as (
    select queue, tier, channel, count(*) filter (where presence = 'available' and most > coalesce(held.n, 0)) as free
    from agents cross join unnest(queues) queue
    cross join lateral (select key as channel, value::int as most from jsonb_each(channels)) c
    left join held using (agent_id, channel)
    where most > 0 group by queue, tier, channel
)
select queue, tier, channel, coalesce(waits.n, 0), first_us, coalesce(works.free, 0)
from waits full join works using (queue, tier, channel)
where $1::text is null or (queue, tier, channel) > ($1, $2::smallint, $3::text)
order by queue, tier, channel limit $4
"""


class SqlQueues:
    """`app.queues.Queues` in SQL."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(self, after: Place | None, most: int) -> Sequence[Waits]:
        """See `Queues`."""
        bounds = (None, None, None) if after is None else after
        async with self._db.connection() as connection:
            rows = await connection.fetch(_PAGE, *bounds, most)
        now_us = self._clock.now_us()
        return [_waits(now_us, *row) for row in rows]


def _waits(now_us: int, queue: str, tier: int, channel: str, n: int, first_us: int | None, free: int) -> Waits:
    oldest_us = None if first_us is None else max(0, now_us - first_us)
    return Waits(Place(queue, tier, channel), n, oldest_us, free)
