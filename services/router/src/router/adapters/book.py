"""What the consumers read and write of requests, inside their own transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import orjson

from router.adapters.moving import apply, load
from router.adapters.policies import policy_of
from router.adapters.rows import NAMES, members_of
from router.app.following import Closing
from router.app.moved import Applied
from router.domain.moves import Move
from router.domain.policies import Policy
from router.domain.request import Request

_BEGIN: Final = f"""
insert into requests ({", ".join(NAMES)})
select {", ".join(NAMES)} from jsonb_populate_recordset(null::requests, $1::jsonb)
on conflict (request_id) do nothing
returning request_id, queue,
          (select policy from policies p where p.queue = requests.queue order by version desc limit 1) as policy
"""
_HEAR: Final = "update requests set last_us = $2 where request_id = $1 and last_us < $2"
_SEE: Final = """
update requests r set closing_logged = true from unnest($1::text[], $2::int[]) i(request_id, version)
where r.request_id = any($1) and r.request_id = i.request_id and r.version = i.version and r.closed_us is not null
"""
_HOLD_AGENTS: Final = """
select 1 from agents where agent_id in
    (select agent_id from requests where request_id = any($1::text[]) and agent_id is not null)
order by agent_id for no key update
"""


async def hold_agents(tx: asyncpg.Connection, request_ids: Sequence[str]) -> None:
    """Holds the agents who have one of these requests, in the order of their ids; hold the requests before."""
    await tx.execute(_HOLD_AGENTS, list(request_ids))


class SqlBook:
    """`following.RequestBook` in SQL."""

    def __init__(self, tx: asyncpg.Connection) -> None:
        self._tx = tx

    async def begin(self, requests: Sequence[Request]) -> Mapping[str, Policy]:
        """See `RequestBook`."""
        rows = await self._tx.fetch(_BEGIN, orjson.dumps([members_of(request) for request in requests]))
        return {row["request_id"]: policy_of(row["queue"], row["policy"]) for row in rows}

    async def find(self, request_id: str) -> Request | None:
        """See `RequestBook`."""
        return (await load(self._tx, [request_id])).get(request_id)

    async def hear(self, request_id: str, occurred_us: int) -> None:
        """See `RequestBook`."""
        await self._tx.execute(_HEAR, request_id, occurred_us)

    async def see_closed(self, closings: Sequence[Closing]) -> None:
        """See `RequestBook`."""
        await self._tx.execute(_SEE, *map(list, zip(*closings, strict=True)))

    async def apply(self, moves: Sequence[Move], traceparents: Mapping[str, str | None]) -> Applied:
        """See `RequestBook`."""
        return await apply(self._tx, moves, traceparents=traceparents)
