"""The event store's statements: set-based, one row per stream and batch, in the order of the streams."""

from typing import Final

LOCK: Final = """
select pg_advisory_xact_lock(hashtextextended(stream, 0))
from (select stream from unnest($1::text[]) stream order by hashtextextended(stream, 0)) sorted
"""
OPEN: Final = """
insert into streams as s (stream, version, last_us)
select stream, n, last_us from unnest($1::text[], $2::int[], $3::bigint[]) i(stream, n, last_us) order by stream
on conflict (stream) do nothing
returning s.stream, 0 as before, null::bigint as last_us
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
INSERT: Final = """
insert into events (event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
                    causation_id, correlation_id, traceparent, payload)
select event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
       causation_id, correlation_id, traceparent, payload
from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[],
            $9::bigint[], $10::bigint[], $11::uuid[], $12::uuid[], $13::text[], $14::bytea[])
     with ordinality i(event_id, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
                       causation_id, correlation_id, traceparent, payload, n)
order by n
"""
READ: Final = """
select event_id::text, stream, version, type, schema_version, source, topic, key, occurred_us, clock_us,
       causation_id::text, correlation_id::text, traceparent, payload
from events where stream = $1 order by version
"""
