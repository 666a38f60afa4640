"""The event store's statements: set-based, one row per stream and batch, in the order of the streams."""

from typing import Final

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
PUT: Final = """
with opened as (
    insert into streams as s (stream, version, last_us)
    select stream, n, last_us from unnest($1::text[], $2::int[], $3::bigint[]) i(stream, n, last_us) order by stream
    on conflict (stream) do nothing
    returning s.stream
), put as (
    insert into events (event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
                        causation_id, correlation_id, traceparent, payload)
    select event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
           causation_id, correlation_id, traceparent, payload
    from unnest($4::uuid[], $5::text[], $6::int[], $7::text[], $8::smallint[], $9::text[], $10::text[], $11::text[],
                $12::bigint[], $13::bigint[], $14::uuid[], $15::uuid[], $16::text[], $17::bytea[], $18::bool[])
         with ordinality i(event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
                           causation_id, correlation_id, traceparent, payload, moved, n)
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
