"""Appends whose times are known beforehand, as a part of a larger statement: all that is decided in one round trip."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Final

from chassis.errors import StaleTransaction, TooLarge
from chassis.store import MAX_PAYLOAD_BYTES, Append, Appended
from chassis.store_sql import COLUMNS, EVENT, arrays

# As `store_sql.ADVANCE` and `PUT`, in one: nothing of the stream has to be known that its row does not say under its
# lock. What `stood` does not name was not as expected, and nothing is written of it.
PARTS: Final = f"""
advanced as (
    update streams s set version = s.version + i.n, last_txid = pg_current_xact_id(), last_us = i.last_us
    from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::int[]) i(stream, n, first_us, last_us, expected)
    where s.stream = any($1) and s.stream = i.stream and i.expected > 0 and s.version = i.expected
      and s.last_us < i.first_us and s.last_txid <= pg_current_xact_id()
    returning s.stream
), opened as (
    insert into streams (stream, version, last_us)
    select stream, n, last_us
    from unnest($1::text[], $2::int[], $4::bigint[], $5::int[]) i(stream, n, last_us, expected)
    where expected = 0 order by stream
    on conflict (stream) do nothing
    returning stream
), stood as (
    select stream from advanced union all select stream from opened
), put as (
    insert into events ({COLUMNS})
    select {COLUMNS} from unnest({arrays(6)}) with ordinality i({COLUMNS}, n)
    where stream in (select stream from stood)
    order by n
)
"""
"""Parts of a WITH clause, whose arguments are the statement's first 19; the statement gives the streams of `stood`.

The streams are held by `store.lock_streams` in a statement before. Each is expected at an exact version, and each event
occurs later than the one before it: a stream whose last event is not earlier than the first of these does not stand.
"""


def arguments(appends: Sequence[Append]) -> list[list[Any]]:
    """The first 19 arguments. Raises `TooLarge` for a payload over 3 MiB."""
    rows = list(chain.from_iterable(map(_rows, appends)))
    streams = [
        (item.stream, len(item.events), item.events[0].occurred_us, item.events[-1].occurred_us, item.expected)
        for item in appends
    ]
    return [*_columns(streams, 5), *_columns(rows, len(EVENT))]


def appended(appends: Sequence[Append], stood: Collection[str]) -> Appended:
    """What became of them; raises `StaleTransaction` unless all stood."""
    if lost := {item.stream for item in appends} - set(stood):
        raise StaleTransaction(f"a stream was moved by another: {min(lost)}")
    return Appended(
        {item.stream: (item.expected or 0) + len(item.events) for item in appends},
        {event.event_id: event.occurred_us for item in appends for event in item.events},
        frozenset(),
        Counter(event.type for item in appends for event in item.events),
    )


def _rows(item: Append) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for n, e in enumerate(item.events, (item.expected or 0) + 1):
        if len(e.payload) > MAX_PAYLOAD_BYTES:
            raise TooLarge(f"The event {e.type} has {len(e.payload)} bytes, of which 3 MiB are taken at most.")
        about = (e.event_id, item.stream, n, e.type, e.version, e.source, e.topic, e.key, e.occurred_us, e.clock_us)
        rows.append((*about, e.causation_id, e.correlation_id, e.traceparent, e.payload))
    return rows


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in range(width)]
