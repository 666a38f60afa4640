"""Which events a consumer has handled: a relay that died before its cursor moved puts them into the log twice."""

from collections.abc import Iterable
from typing import Final

import asyncpg

# The second copy comes when a relay that lost its Kafka, or its process, is back: after a long weekend at most.
KEPT_US: Final = 7 * 86_400_000_000
AT_ONCE: Final = 5_000

# Sorted, so that two transactions with common ids never wait for one another in a circle.
_NOTE: Final = """
insert into handled_events (consumer, event_id, handled_us) select $1, id, $3 from unnest($2::text[]) id order by id
on conflict do nothing returning event_id
"""
_FORGET: Final = """
delete from handled_events where ctid = any(array(
    select ctid from handled_events where consumer = $1 and handled_us < $2
    order by handled_us limit $3 for update skip locked
))
"""


async def note(tx: asyncpg.Connection, consumer: str, event_ids: Iterable[str], *, now_us: int) -> set[str]:
    """Notes the events as handled; those of them that were not before."""
    wanted = sorted(set(event_ids))
    rows = await tx.fetch(_NOTE, consumer, wanted, now_us) if wanted else []
    return {row["event_id"] for row in rows}


async def forget(tx: asyncpg.Connection, consumer: str, *, before_us: int, most: int = AT_ONCE) -> int:
    """Forgets up to `most` of the events handled before `before_us`, the oldest first; how many."""
    return int((await tx.execute(_FORGET, consumer, before_us, most)).split()[-1])
