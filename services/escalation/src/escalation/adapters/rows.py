"""Requests as rows: their columns, their clocks as JSON, and the statements that read and write many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
from pydantic import TypeAdapter

from escalation.domain.clocks import Clock
from escalation.domain.request import Pending, Request
from events.lifecycle import Standing, State

_CLOCKS: Final = TypeAdapter(tuple[Clock, ...])
_PENDING: Final = TypeAdapter(Pending)

_COLUMNS: Final = (
    "request_id, partition, customer_id, channel, support_level, severity, priority, state, leg, cycle, queue, tier, "
    "agent_id, reason, received_us, last_us, version, clocks, pending"
)
FIND: Final = f"select {_COLUMNS} from requests where request_id = any($1::text[])"
MOMENTS: Final = "select request_id, next_us from requests where partition = $1 and next_us is not null"
# One row a request, and sorted: two transactions that share some never wait for one another in a circle.
KEEP: Final = f"""
insert into requests as r ({_COLUMNS}, next_us)
select request_id, partition, customer_id, channel, support_level, severity, priority, state, leg, cycle, queue, tier,
       agent_id, reason, received_us, last_us, version, clocks::jsonb, pending::jsonb, next_us
from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::smallint[], $8::text[],
            $9::int[], $10::int[], $11::text[], $12::int[], $13::text[], $14::text[], $15::bigint[],
            $16::bigint[], $17::int[], $18::text[], $19::text[], $20::bigint[])
     i({_COLUMNS}, next_us)
order by request_id
on conflict (request_id) do update
set state = excluded.state, leg = excluded.leg, cycle = excluded.cycle, queue = excluded.queue, tier = excluded.tier,
    agent_id = excluded.agent_id, reason = excluded.reason, last_us = excluded.last_us, version = excluded.version,
    clocks = excluded.clocks, pending = excluded.pending, next_us = excluded.next_us
"""


def request_of(row: asyncpg.Record) -> Request:
    """A row of FIND."""
    return Request(
        request_id=row["request_id"],
        partition=row["partition"],
        customer_id=row["customer_id"],
        channel=row["channel"],
        support_level=row["support_level"],
        severity=row["severity"],
        priority=row["priority"],
        standing=Standing(
            State(row["state"]), row["leg"], row["cycle"], row["queue"], row["tier"], row["agent_id"], row["reason"]
        ),
        received_us=row["received_us"],
        last_us=row["last_us"],
        version=row["version"],
        clocks=_CLOCKS.validate_json(row["clocks"]),
        pending=None if row["pending"] is None else _PENDING.validate_json(row["pending"]),
    )


def columns_of(requests: Iterable[Request]) -> Sequence[Sequence[Any]]:
    """The arguments of KEEP."""
    return list(map(list, zip(*map(_values, requests), strict=True)))


def _values(request: Request) -> tuple[Any, ...]:
    return (
        request.request_id,
        request.partition,
        request.customer_id,
        request.channel,
        request.support_level,
        request.severity,
        request.priority,
        request.state.value,
        *request.standing[1:],
        request.received_us,
        request.last_us,
        request.version,
        _CLOCKS.dump_json(request.clocks).decode(),
        None if request.pending is None else _PENDING.dump_json(request.pending).decode(),
        request.next_us,
    )
