"""A queue's fenced lease: its row, of which each holder has an epoch of his own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

import asyncpg

from chassis.store_sql import LOCK

LASTS: Final = timedelta(seconds=3)
"""How long a queue waits for a holder who has died."""

# A lease that lasts for longer than any is given for was given before the server's clock was set back: it is over.
_TAKE: Final = """
insert into queues as q (queue, epoch, holder, until) values ($1, 1, $2, clock_timestamp() + $3::interval)
on conflict (queue) do update set epoch = q.epoch + 1, holder = excluded.holder, until = excluded.until
where q.until < clock_timestamp() or q.until > clock_timestamp() + 2 * $3::interval or q.holder = excluded.holder
returning epoch
"""
_LEFT: Final = "select extract(epoch from until - clock_timestamp())::float from queues where queue = $1"
# Each part waits for the one before it: the streams' locks need no xid, the queue's row is the first that has one.
_HOLD: Final = f"""
with locked as materialized ({LOCK}),
leased as (
    update queues set until = clock_timestamp() + $4
    where queue = $2 and epoch = $3 and (select count(*) from locked) >= 0 returning 1
), held as materialized (
    select 1 from agents where agent_id = any($5::text[]) and exists (select from leased)
    order by agent_id for no key update
)
select exists (select from leased), (select count(*) from held)
"""
_GIVE_BACK: Final = """
update queues q set until = '-infinity' from unnest($1::text[], $2::bigint[]) i(queue, epoch)
where q.queue = i.queue and q.epoch = i.epoch
"""


class LeaseLost(Exception):
    """Another replica has taken the queue over: nothing may be written on what was read before."""


@dataclass(slots=True)
class Lease:
    """What a holder has: his epoch, and until when (`time.monotonic`) he may believe so unasked."""

    queue: str
    epoch: int
    until: float

    @property
    def believed(self) -> bool:
        """False once the time is over that was asked for."""
        return monotonic() < self.until

    async def hold(self, tx: asyncpg.Connection, *, streams: Sequence[str], agents: Sequence[str]) -> None:
        """Holds these streams, the queue's row and these agents, in this order, until the transaction ends.

        It must be the transaction's first statement, and prolongs the lease. Raises `LeaseLost`.
        """
        asked = monotonic()
        if not await tx.fetchval(_HOLD, streams, self.queue, self.epoch, LASTS, agents):
            raise LeaseLost(f"the epoch {self.epoch} of {self.queue} is over")
        self.until = asked + LASTS.total_seconds()


async def take(connection: asyncpg.Connection, queue: str, holder: str) -> Lease | None:
    """The queue's lease with a new epoch, if it is free or was this holder's before; else None."""
    asked = monotonic()
    epoch = await connection.fetchval(_TAKE, queue, holder, LASTS)
    return None if epoch is None else Lease(queue, epoch, asked + LASTS.total_seconds())


async def left_s(connection: asyncpg.Connection, queue: str) -> float:
    """In how many seconds its lease ends unless it is held on; 0 where it has ended."""
    return max(0.0, await connection.fetchval(_LEFT, queue) or 0.0)


async def give_back(connection: asyncpg.Connection, leases: list[Lease]) -> None:
    """Lets others take these queues over at once."""
    await connection.execute(_GIVE_BACK, [each.queue for each in leases], [each.epoch for each in leases])
