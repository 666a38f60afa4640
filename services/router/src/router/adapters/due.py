"""What is pending and what is due, read off the requests and agents themselves, and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import asyncpg

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import StaleTransaction, Unavailable
from chassis.ids import new_id
from chassis.store import lock_streams
from router.adapters.agents import COLUMNS, agent_of
from router.adapters.moving import apply, load
from router.app.moved import Applied
from router.app.timers import AT_ONCE
from router.domain.moves import Move
from router.domain.policies import Policy
from router.domain.timers import Due, Kind, closing

_DEFAULT: Final = Policy(queue="")
_LAPSING: Final = f"""
select '{Kind.LAPSED}' as kind, request_id, leg, lapses_us,
       coalesce((select (policy ->> 'offer_timeout_us')::bigint from policies p
                 where p.queue = r.queue and p.version = r.policy_version), {_DEFAULT.offer_timeout_us})
from requests r where state = 'offered' and lapses_us is not null
"""
_LEFT: Final = f"""
select case state when 'offered' then '{Kind.GONE}' else '{Kind.LOST}' end, request_id, leg,
       offline_at_us + case state when 'offered' then 0 else grace end, case state when 'offered' then 0 else grace end
from (select r.request_id, r.leg, r.state, a.offline_at_us,
             coalesce((select (policy ->> 'offline_grace_us')::bigint from policies p
                       where p.queue = r.queue order by version desc limit 1), {_DEFAULT.offline_grace_us}) as grace
      from requests r join agents a using (agent_id)
      where r.agent_id is not null and a.presence = 'offline'
        and ($1::text[] is null or a.agent_id = any($1))) left_alone
"""
_PENDING: Final = f"{_LAPSING} union all {_LEFT}"
_AGENTS: Final = f"""
select {COLUMNS} from agents
where agent_id in (select agent_id from requests where request_id = any($1::text[]) and agent_id is not null)
order by agent_id for no key update
"""


class SqlDue:
    """`app.timers.DueStore` and `app.roster.Withdrawals` in SQL."""

    def __init__(self, db: Database, clock: Clock, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit that moved something."""
        self._db = db
        self._clock = clock
        self._told = told

    async def pending(self) -> Iterable[Due]:
        """See `DueStore`."""
        async with self._db.connection() as connection:
            return [_due(row) for row in await connection.fetch(_PENDING, None)]

    async def close(self, due: Sequence[Due]) -> Sequence[Due]:
        """See `DueStore`."""
        applied = await self._db.run(lambda tx: self._close(tx, due))
        if applied is None:
            return []
        self._told(applied)
        return [each for each in due if each.request_id in applied.done]

    async def withdraw(self, agent_ids: Sequence[str]) -> None:
        """See `Withdrawals`."""
        async with self._db.connection() as connection:
            left = [_due(row) for row in await connection.fetch(_LEFT, list(agent_ids))]
        gone = [due for due in left if due.kind is Kind.GONE]
        try:
            for at in range(0, len(gone), AT_ONCE):
                await self.close(gone[at : at + AT_ONCE])
        except StaleTransaction as error:
            raise Unavailable("The offers were not taken back at this moment: try again.") from error

    async def _close(self, tx: asyncpg.Connection, due: Sequence[Due]) -> Applied | None:
        """Under the locks everything is looked at again: it may have been answered, or closed by another replica."""
        ids = list({each.request_id for each in due})
        await lock_streams(tx, ids)
        agents = {row["agent_id"]: agent_of(row) for row in await tx.fetch(_AGENTS, ids)}
        requests = await load(tx, ids)
        clock_us = self._clock.now_us()
        moves: dict[str, Move] = {}
        for each in due:
            request = requests.get(each.request_id)
            if request is None or each.request_id in moves:
                continue
            agent = agents.get(request.standing.agent_id or "")
            move = closing(each, request, agent, event_id=new_id(), clock_us=clock_us)
            if move is not None:
                moves[each.request_id] = move
        return await apply(tx, list(moves.values())) if moves else None


def _due(row: asyncpg.Record) -> Due:
    kind, *about = row
    return Due(Kind(kind), *about)
