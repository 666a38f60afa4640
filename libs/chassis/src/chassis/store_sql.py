"""The event store's statements: set-based, one row per stream and batch, in the order of the streams."""

from collections.abc import Mapping
from typing import Final

EVENT: Final[Mapping[str, str]] = {
    "event_id": "uuid",
    "stream": "text",
    "version": "int",
    "type": "text",
    "schema_version": "smallint",
    "source": "text",
    "topic": "text",
    "key": "text",
    "occurred_us": "bigint",
    "clock_us": "bigint",
    "causation_id": "uuid",
    "correlation_id": "uuid",
    "traceparent": "text",
    "payload": "bytea",
}
"""The columns of an event as it is put in, in the order of its arguments, with their types."""
COLUMNS: Final = ", ".join(EVENT)


def arrays(first: int) -> str:
    """The arguments from `$first` on: an array for each of an event's columns."""
    return ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(EVENT.values(), start=first))


STREAM_LOCK: Final = "hashtextextended(stream, 0)"
"""The number of a stream's advisory lock."""
LOCK: Final = f"""
select pg_advisory_xact_lock({STREAM_LOCK})
from (select stream from unnest($1::text[]) stream order by {STREAM_LOCK}) sorted
"""
ADVANCE: Final = """
update streams s
set version = s.version + i.n, last_txid = pg_current_xact_id(), last_us = greatest(s.last_us + i.step, i.last_us)
from unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::int[]) i(stream, n, last_us, step, expected)
where s.stream = i.stream and s.version = i.expected and s.last_txid <= pg_current_xact_id()
returning s.stream, old.version as before, old.last_us
"""
EXTEND: Final = """
insert into streams as s (stream, version, last_us)
select stream, n, last_us from unnest($1::text[], $2::int[], $3::bigint[]) i(stream, n, last_us) order by stream
on conflict (stream) do update
set version = s.version + excluded.version, last_txid = pg_current_xact_id(),
    last_us = greatest(s.last_us + case when s.stream = any($4::text[]) then excluded.version else 0 end,
                       excluded.last_us)
where s.last_txid <= pg_current_xact_id()
returning s.stream, coalesce(old.version, 0) as before, old.last_us
"""
# Opens the new streams and puts in the events of these and of those that have been moved on, in one round trip.
PUT: Final = f"""
with opened as (
    insert into streams as s (stream, version, last_us)
    select stream, n, last_us from unnest($1::text[], $2::int[], $3::bigint[]) i(stream, n, last_us) order by stream
    on conflict (stream) do nothing
    returning s.stream
), put as (
    insert into events ({COLUMNS})
    select {COLUMNS} from unnest({arrays(4)}, $18::bool[]) with ordinality i({COLUMNS}, moved, n)
    where moved or stream in (select stream from opened)
    order by n
)
select stream from opened
"""
READ: Final = """
select event_id::text, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
       causation_id::text, correlation_id::text, traceparent, payload
from events where stream = $1 order by version
"""
