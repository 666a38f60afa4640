"""Agents in their tables: their rows, the standing rows of their units, what they are offered and have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import orjson

from chassis.clock import Clock
from chassis.database import Database
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.keyed import committed
from chassis.store import Append, append, lock_streams
from chassis.trace import current_traceparent
from router.app.moved import Applied
from router.app.roster import Assignment, Decide, Shown
from router.domain.agents import Agent, Fact, Profile, evolve
from router.domain.request import SOURCE

COLUMNS: Final = (
    "agent_id, name, queues, tier, skills, languages, channels, auto_accept, version, presence, presence_us,"
    " offline_at_us"
)
"""What `agent_of` needs of a row."""

_LOAD: Final = f"select {COLUMNS} from agents where agent_id = $1 for no key update"
_LOOK: Final = f"select {COLUMNS} from agents where agent_id = $1"
_PAGE: Final = f"select {COLUMNS} from agents where agent_id > $1 order by agent_id limit $2"
# Whoever comes is idle from then on; nothing else that is written of him makes him less or more so.
_KEEP: Final = f"""
insert into agents as a ({COLUMNS}, idle_since_us)
select {COLUMNS}, presence_us from jsonb_populate_record(null::agents, $1::jsonb)
on conflict (agent_id) do update
set name = excluded.name, queues = excluded.queues, tier = excluded.tier, skills = excluded.skills,
    languages = excluded.languages, channels = excluded.channels, auto_accept = excluded.auto_accept,
    version = excluded.version, presence = excluded.presence, presence_us = excluded.presence_us,
    offline_at_us = excluded.offline_at_us,
    idle_since_us = case when excluded.presence = 'available' then greatest(a.idle_since_us, excluded.presence_us)
                         else a.idle_since_us end
"""
# A unit's row is never taken away: where there are fewer from now on, the higher ones are not given out again.
_UNITS: Final = """
insert into units (agent_id, channel, n)
select $1, channel, n from jsonb_each($2::jsonb) c(channel, most), generate_series(0, most::int - 1) n
order by channel, n on conflict do nothing
"""
_WANTED_IN: Final = "select distinct queue from requests where wanted_agent = $1 and state = 'waiting'"
_ASSIGNMENTS: Final = """
select agent_id, request_id, state, leg, channel, queue, tier, offered_us, lapses_us from requests
where agent_id = any($1::text[]) order by offered_us, request_id
"""


class SqlAgents:
    """`app.roster.AgentStore` and `app.desks.Assignments` in SQL."""

    def __init__(self, db: Database, clock: Clock, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit that stated something."""
        self._db = db
        self._clock = clock
        self._told = told

    async def settle(self, agent_id: str, decide: Decide) -> None:
        """See `AgentStore`. What follows the commit is done even where the caller has left."""
        await self._db.finished(self._settled(agent_id, decide))

    async def look(self, agent_id: str) -> Shown | None:
        """See `AgentStore`."""
        async with self._db.connection() as connection:
            shown = await _shown(connection, await connection.fetch(_LOOK, agent_id))
        return shown[0] if shown else None

    async def page(self, after: str | None, most: int) -> Sequence[Shown]:
        """See `AgentStore`."""
        async with self._db.connection() as connection:
            return await _shown(connection, await connection.fetch(_PAGE, after or "", most))

    async def of(self, agent_ids: Collection[str]) -> Mapping[str, Sequence[Assignment]]:
        """See `app.desks.Assignments`."""
        async with self._db.connection() as connection:
            return await assignments(connection, agent_ids)

    async def _settled(self, agent_id: str, decide: Decide) -> None:
        async def work(tx: asyncpg.Connection) -> Applied | None:
            await lock_streams(tx, [f"agent:{agent_id}"])
            row = await tx.fetchrow(_LOAD, agent_id)
            agent = None if row is None else agent_of(row)
            fact = decide(agent)
            return None if fact is None else await self._state(tx, agent, fact)

        applied = await committed(self._db, work)
        if applied is not None:
            self._told(applied)

    async def _state(self, tx: asyncpg.Connection, agent: Agent | None, fact: Fact) -> Applied:
        event_id, clock_us = new_id(), self._clock.now_us()
        event = event_of(
            fact,
            event_id=event_id,
            source=SOURCE,
            key=fact.agent_id,
            occurred_us=clock_us,
            traceparent=current_traceparent(),
        )
        appended = await append(tx, [Append(f"agent:{fact.agent_id}", None, (event,))])
        after = evolve(agent, fact, occurred_us=appended.occurred_us[event_id], clock_us=clock_us)
        await tx.execute(_KEEP, orjson.dumps(_members_of(after)))
        await tx.execute(_UNITS, after.agent_id, orjson.dumps(dict(after.profile.channels)))
        wanted_in = {row["queue"] for row in await tx.fetch(_WANTED_IN, after.agent_id)}
        return Applied(
            {}, frozenset(), appended, frozenset(wanted_in.union(after.profile.queues)), frozenset([after.agent_id])
        )


def agent_of(row: Mapping[str, Any] | asyncpg.Record) -> Agent:
    """The agent in a row that has `COLUMNS`."""
    profile = Profile(
        name=row["name"],
        queues=tuple(row["queues"]),
        tier=row["tier"],
        skills=orjson.loads(row["skills"]),
        languages=tuple(row["languages"]),
        channels=orjson.loads(row["channels"]),
        auto_accept=row["auto_accept"],
    )
    return Agent(
        agent_id=row["agent_id"],
        profile=profile,
        version=row["version"],
        presence=row["presence"],
        presence_us=row["presence_us"],
        offline_at_us=row["offline_at_us"],
    )


async def assignments(connection: asyncpg.Connection, agent_ids: Iterable[str]) -> dict[str, list[Assignment]]:
    """What each of these agents is offered and has, in the order in which he was offered it."""
    found = defaultdict(list)
    for agent_id, *about in await connection.fetch(_ASSIGNMENTS, list(agent_ids)):
        found[agent_id].append(Assignment(*about))
    return found


async def _shown(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Shown]:
    agents = [agent_of(row) for row in rows]
    found = await assignments(connection, (agent.agent_id for agent in agents)) if agents else {}
    return [Shown(agent, tuple(found.get(agent.agent_id, ()))) for agent in agents]


def _members_of(agent: Agent) -> dict[str, Any]:
    profile = agent.profile
    return {
        "agent_id": agent.agent_id,
        "name": profile.name,
        "queues": profile.queues,
        "tier": profile.tier,
        "skills": dict(profile.skills),
        "languages": profile.languages,
        "channels": dict(profile.channels),
        "auto_accept": profile.auto_accept,
        "version": agent.version,
        "presence": agent.presence,
        "presence_us": agent.presence_us,
        "offline_at_us": agent.offline_at_us,
    }
