"""The control arm: a router that looks and then writes, without the conditions that the database could keep."""

from __future__ import annotations

import asyncio

import asyncpg

_FREE = "select agent_id, channel, n from units where holder is null order by n limit 1"
_FIRST = "select request_id from requests where state = 'waiting' and queue = $1 order by received_us limit 1"
_TAKE = "update units set holder = $4 where agent_id = $1 and channel = $2 and n = $3"
_OFFER = "update requests set state = 'offered', agent_id = $2 where request_id = $1"


async def go_over(dsn: str, queue: str, all_have_looked: asyncio.Barrier) -> bool:
    """One pass; whether it believes that it has offered something."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            unit = await connection.fetchrow(_FREE)
            request_id = await connection.fetchval(_FIRST, queue)
            await all_have_looked.wait()
            if unit is None or request_id is None:
                return False
            await connection.execute(_TAKE, *unit, request_id)
            await connection.execute(_OFFER, request_id, unit["agent_id"])
        return True
    finally:
        await connection.close()
