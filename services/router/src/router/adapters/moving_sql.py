"""The statements that write moves.

Each table is found by `= any(…)` beside the join: a plan that was made while a table was small would else go on reading
all of it when it has grown.
"""

from __future__ import annotations

from typing import Final

from chassis import idempotency
from chassis.placed import PARTS
from router.adapters.rows import COLUMNS

LOAD: Final = f"select {COLUMNS} from requests where request_id = any($1::text[])"
HOLD: Final = "select 1 from agents where agent_id = any($1::text[]) order by agent_id for no key update"
# A request that has moved since it was read loses too: its version is no longer the one that the move rests on. What an
# agent holds beyond a capacity that was made smaller counts too, and is over before he takes another.
TAKE: Final = """
update units u set holder = i.request_id
from (select *, row_number() over (partition by agent_id, channel order by n) as place
      from unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::int[])
           t(agent_id, channel, n, request_id, version)) i
join requests r on r.request_id = any($4) and r.request_id = i.request_id and r.version = i.version
join agents a on a.agent_id = any($1) and a.agent_id = i.agent_id and a.presence = 'available'
cross join lateral (select coalesce((a.channels ->> i.channel)::int, 0) as most) c
cross join lateral (select count(holder) as held, max(freed_us) filter (where n >= most) as beyond_us
                    from units where agent_id = i.agent_id and channel = i.channel) h
where u.agent_id = any($1) and u.agent_id = i.agent_id and u.channel = i.channel and u.n = i.n and u.holder is null
  and i.n < most and h.held + i.place <= most
returning i.request_id, greatest(u.freed_us, h.beyond_us, r.last_us) as after_us
"""
# All that was decided, in one round trip: the events, where the requests stand now, which units are free again, since
# when their agents are idle, which queues can make use of it, and what was answered under keys. Units are touched under
# their agents' locks alone.
WRITE: Final = f"""
with held as materialized (
    select 1 from agents where agent_id = any($20::text[]) order by agent_id for no key update
), {PARTS}, kept as (
    update requests r
    set version = i.version, state = i.state, leg = i.leg, cycle = i.cycle, queue = i.queue, tier = i.tier,
        agent_id = i.agent_id, reason = i.reason, skills = i.skills, wanted_agent = i.wanted_agent,
        last_us = i.last_us, closed_us = i.closed_us, closing_logged = i.closing_logged,
        offered_us = i.offered_us, lapses_us = i.lapses_us, reoffer_after_us = i.reoffer_after_us,
        policy_version = i.policy_version, routed_version = i.routed_version, moved_by = i.moved_by, marks = i.marks,
        avoid = i.avoid
    from jsonb_to_recordset($21::jsonb) i(
        request_id text, version int, state text, leg int, cycle int, queue text, tier smallint, agent_id text,
        reason text, skills text[], wanted_agent text, last_us bigint, closed_us bigint, closing_logged boolean,
        offered_us bigint, lapses_us bigint, reoffer_after_us bigint, policy_version int, routed_version int,
        moved_by uuid, marks jsonb, avoid jsonb)
    where r.request_id = any($1) and r.request_id = i.request_id
), freed as (
    update units u set holder = null, freed_us = greatest(u.freed_us, i.freed_us)
    from unnest($22::text[], $23::bigint[]) i(request_id, freed_us)
    where u.holder = any($22) and u.holder = i.request_id and (select count(*) from held) >= 0
    returning u.agent_id, i.freed_us
), idle as (
    update agents a set idle_since_us = greatest(a.idle_since_us, f.freed_us)
    from (select agent_id, max(freed_us) as freed_us from freed group by agent_id) f
    where a.agent_id = any($24) and a.agent_id = f.agent_id
    returning a.agent_id, a.queues
), {idempotency.part(25)}
select array(select stream from stood) as stood, (select count(*) from claimed) as claimed,
       array(select unnest(queues) from idle union
             select queue from requests where wanted_agent = any($24::text[]) and state = 'waiting'
                                          and wanted_agent in (select agent_id from idle)) as freed
"""
