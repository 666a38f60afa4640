"""Moves, written: units of capacity, events, requests, set-based and in one transaction.

The order of locks: the streams of all requests first (`store.lock_streams`, before anything else in the transaction),
then the agents whose units are taken or freed, in the order of their ids. A unit is touched under its agent's lock
alone, so units need no order of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import orjson

from chassis.errors import StaleTransaction
from chassis.facts import event_of
from chassis.store import Append, Appended, NewEvent, append
from events.codec import Sealer
from router.adapters.rows import COLUMNS, members_of, request_of
from router.app.moved import Applied
from router.domain.moves import Move, stamped
from router.domain.request import SOURCE, Request

MOST: Final = 200
"""How many moves one transaction makes at most."""

_LOAD: Final = f"select {COLUMNS} from requests where request_id = any($1::text[])"
_HOLD: Final = "select 1 from agents where agent_id = any($1::text[]) order by agent_id for no key update"
# A request that has moved since it was read loses too: its version is no longer the one that the move rests on. What an
# agent holds beyond a capacity that was made smaller counts too, and is over before he takes another.
_TAKE: Final = """
update units u set holder = i.request_id
from (select *, row_number() over (partition by agent_id, channel order by n) as place
      from unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::int[])
           t(agent_id, channel, n, request_id, version)) i
join requests r on r.request_id = i.request_id and r.version = i.version
join agents a on a.agent_id = i.agent_id and a.presence = 'available'
cross join lateral (select coalesce((a.channels ->> i.channel)::int, 0) as most) c
cross join lateral (select count(holder) as held, max(freed_us) filter (where n >= most) as beyond_us
                    from units where agent_id = i.agent_id and channel = i.channel) h
where u.agent_id = i.agent_id and u.channel = i.channel and u.n = i.n and u.holder is null
  and i.n < most and h.held + i.place <= most
returning i.request_id, greatest(u.freed_us, h.beyond_us, r.last_us) as after_us
"""
_KEEP: Final = """
update requests r
set version = i.version, state = i.state, leg = i.leg, cycle = i.cycle, queue = i.queue, tier = i.tier,
    agent_id = i.agent_id, reason = i.reason, skills = i.skills, wanted_agent = i.wanted_agent,
    last_us = i.last_us, closed_us = i.closed_us, closing_logged = i.closing_logged,
    offered_us = i.offered_us, lapses_us = i.lapses_us, reoffer_after_us = i.reoffer_after_us,
    policy_version = i.policy_version, routed_version = i.routed_version, moved_by = i.moved_by, marks = i.marks,
    avoid = i.avoid
from jsonb_to_recordset($1::jsonb) i(
    request_id text, version int, state text, leg int, cycle int, queue text, tier smallint, agent_id text, reason text,
    skills text[], wanted_agent text, last_us bigint, closed_us bigint, closing_logged boolean, offered_us bigint,
    lapses_us bigint, reoffer_after_us bigint, policy_version int, routed_version int, moved_by uuid, marks jsonb,
    avoid jsonb)
where r.request_id = i.request_id
"""
_FREE: Final = """
with freed as (
    update units u set holder = null, freed_us = greatest(u.freed_us, i.freed_us)
    from unnest($1::text[], $2::bigint[]) i(request_id, freed_us)
    where u.holder = i.request_id
    returning u.agent_id, i.freed_us
), idle as (
    update agents a set idle_since_us = greatest(a.idle_since_us, f.freed_us)
    from (select agent_id, max(freed_us) as freed_us from freed group by agent_id) f
    where a.agent_id = f.agent_id
    returning a.agent_id, a.queues
)
select unnest(queues) as queue from idle
union select queue from requests join idle on wanted_agent = idle.agent_id where state = 'waiting'
"""


async def load(tx: asyncpg.Connection, request_ids: Iterable[str]) -> dict[str, Request]:
    """These requests as they stand, as far as they are known. Hold their streams before."""
    return {row["request_id"]: request_of(row) for row in await tx.fetch(_LOAD, list(request_ids))}


async def apply(
    tx: asyncpg.Connection,
    moves: Sequence[Move],
    *,
    sealers: Mapping[str, Sealer | None] | None = None,
    traceparent: str | None = None,
) -> Applied:
    """Writes these moves of different requests, `MOST` at most, whose streams the transaction holds.

    A move that takes a unit may rest on a request that was read before the locks: where it has moved, or the unit is
    not to be had, it is `lost`. Any other must rest on what was read under the locks: StaleTransaction where it does
    not. An event with personal members needs its customer's sealer, by key id (None: the key is destroyed, they are
    left out). The events occur at the greatest of the clock's reading, the move's floor, and 1 µs after the last known
    event of the request and after the moment its unit was freed.
    """
    await _hold_agents(tx, moves)
    after_us = await _take(tx, [move for move in moves if move.takes is not None])
    made = [move for move in moves if move.takes is None or move.before.request_id in after_us]
    lost = frozenset(move.before.request_id for move in moves) - {move.before.request_id for move in made}
    appends = [_append(move, after_us.get(move.before.request_id, 0), sealers or {}, traceparent) for move in made]
    appended = await append(tx, appends)
    if appended.lost:
        raise StaleTransaction(f"a request was moved by another: {min(appended.lost)}")
    done = [stamped(move, [appended.occurred_us[step.event_id] for step in move.steps]) for move in made]
    if done:
        await tx.execute(_KEEP, orjson.dumps([members_of(request) for request in done]))
    freed = await _free(tx, [after for move, after in zip(made, done, strict=True) if move.frees])
    return _applied(made, done, lost, appended, freed)


async def _hold_agents(tx: asyncpg.Connection, moves: Iterable[Move]) -> None:
    agents = {agent_id for move in moves for agent_id in _agents_touched(move)}
    if agents:
        await tx.execute(_HOLD, list(agents))


def _agents_touched(move: Move) -> Iterable[str]:
    if move.takes is not None:
        yield move.takes.agent_id
    if move.frees and move.before.standing.agent_id is not None:
        yield move.before.standing.agent_id


async def _take(tx: asyncpg.Connection, moves: Sequence[Move]) -> dict[str, int]:
    """Who got his unit, and after which moment his events must be."""
    if not moves:
        return {}
    rows = [
        (move.takes.agent_id, move.takes.channel, move.takes.n, move.before.request_id, move.before.version)
        for move in moves
        if move.takes is not None
    ]
    taken = await tx.fetch(_TAKE, *map(list, zip(*rows, strict=True)))
    return {row["request_id"]: row["after_us"] for row in taken}


def _append(move: Move, after_us: int, sealers: Mapping[str, Sealer | None], traceparent: str | None) -> Append:
    request = move.before
    first_us = max(move.clock_us, move.floor_us, request.last_us + 1, after_us + 1)
    seal = _Seal(request.key_id, sealers[request.key_id]) if request.key_id in sealers else _Seal(None, None)
    events = [_event(move, n, first_us + n, seal, traceparent) for n in range(len(move.steps))]
    return Append(request.request_id, request.version, tuple(events))


@dataclass(frozen=True, slots=True)
class _Seal:
    key_id: str | None
    sealer: Sealer | None


def _event(move: Move, n: int, occurred_us: int, seal: _Seal, traceparent: str | None) -> NewEvent:
    step = move.steps[n]
    return event_of(
        step.fact,
        event_id=step.event_id,
        source=SOURCE,
        key=move.before.request_id,
        occurred_us=occurred_us,
        clock_us=None if occurred_us == move.clock_us else move.clock_us,
        causation_id=step.causation_id,
        traceparent=traceparent,
        key_id=seal.key_id,
        sealer=seal.sealer,
    )


async def _free(tx: asyncpg.Connection, requests: Sequence[Request]) -> set[str]:
    """Frees what these held; the queues of the agents who have room now."""
    if not requests:
        return set()
    ids, times = [each.request_id for each in requests], [each.last_us for each in requests]
    return {row["queue"] for row in await tx.fetch(_FREE, ids, times)}


def _applied(
    made: Sequence[Move], done: Sequence[Request], lost: frozenset[str], appended: Appended, freed: set[str]
) -> Applied:
    waiting = {request.standing.queue for request in done if request.standing.state == "waiting"}
    standings = [standing for move in made for standing in (move.before.standing, move.after.standing)]
    agents = frozenset(standing.agent_id for standing in standings if standing.agent_id is not None)
    return Applied(
        {request.request_id: request for request in done}, lost, appended, frozenset(freed | waiting), agents
    )
