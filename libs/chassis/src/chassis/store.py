"""The event store: appends with an expected version, in the caller's transaction; its rows are the outbox."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import asyncpg

from chassis import metrics, store_sql
from chassis.errors import StaleTransaction, TooLarge

MAX_PAYLOAD_BYTES: Final = 3 * 1024 * 1024
_NOWHERE: Final = (0, None)
"""The version and last time of a stream that is not there yet."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append; `payload` is what the codec made of it, times are µs since 1970, ids lower-case UUIDs."""

    event_id: str
    type: str
    payload: bytes
    occurred_us: int
    source: str
    topic: str
    key: str
    clock_us: int | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Append:
    """Events for the end of one stream.

    `expected` is the stream's version that they rest on: 0 for a new stream, n for exactly n, None for wherever it
    ends. With `stamp` each event occurs at the greatest of its own time and 1 µs after the one before it in the stream,
    and a corrected one keeps its raw reading in `clock_us`; without (imports) times are kept as they are.
    """

    stream: str
    expected: int | None
    events: tuple[NewEvent, ...]
    stamp: bool = True


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the appends: the version of each stream after it, the time of each event, and who lost.

    Of a stream in `lost` the expectation did not hold: nothing was written for it.
    """

    versions: Mapping[str, int]
    occurred_us: Mapping[str, int]
    lost: frozenset[str]
    types: Mapping[str, int] = field(default_factory=dict)

    def count(self, to: metrics.Metrics) -> None:
        """Adds to `throughline_events_total`; call it after the commit."""
        counter = to.counter(metrics.EVENTS_TOTAL)
        for type_, n in self.types.items():
            counter.labels(type_).inc(n)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it stands in the store; `sequence` is its version in the stream."""

    event_id: str
    stream: str
    sequence: int
    type: str
    version: int
    source: str
    topic: str
    key: str
    occurred_us: int
    clock_us: int | None
    causation_id: str | None
    correlation_id: str | None
    traceparent: str | None
    payload: bytes


async def lock_streams(tx: asyncpg.Connection, streams: Iterable[str]) -> None:
    """Holds each stream until the transaction ends; must be the transaction's first statement.

    Needed for every stream that may exist already: a transaction that had its number (xid) before it waited for the
    stream would be published before the one that it waited for. An advisory lock needs no xid. Sorted by the lock's own
    number, so that two writers never wait for one another in a circle.
    """
    if wanted := list(streams):
        await tx.execute(store_sql.LOCK, wanted)


async def append(tx: asyncpg.Connection, appends: Sequence[Append]) -> Appended:
    """Appends to many streams at once, set-based.

    Several appends to one stream are taken in their order where all expect None; other repeats raise ValueError. Raises
    `TooLarge` for a payload over 3 MiB (nothing written), `StaleTransaction` where a stream without expectation was not
    locked first and has moved on: run the transaction again.
    """
    merged = _merged(appends)
    _refuse_large(merged)
    new = [item for item in merged if item.expected == 0]
    ends = await _move_streams(tx, merged)
    moved = set(ends)
    ends |= dict.fromkeys((item.stream for item in new), _NOWHERE)
    placed = [(item.stream, _placed(item, *ends[item.stream])) for item in merged if item.stream in ends]
    there = moved | await _put(tx, new, [(*row, stream in moved) for stream, rows in placed for row in rows])
    written = [row for stream, rows in placed if stream in there for row in rows]
    return Appended(
        {row[1]: row[2] for row in written},
        {row[0]: row[8] for row in written},
        frozenset(item.stream for item in merged if item.stream not in there),
        Counter(row[3] for row in written),
    )


async def versions(connection: asyncpg.Connection, streams: Iterable[str]) -> dict[str, int]:
    """The version of each of these streams that exists."""
    rows = await connection.fetch("select stream, version from streams where stream = any($1::text[])", list(streams))
    return {row["stream"]: row["version"] for row in rows}


async def read_stream(connection: asyncpg.Connection, stream: str) -> list[StoredEvent]:
    """All events of one stream, in their order; empty for an unknown one."""
    return [StoredEvent(*row) for row in await connection.fetch(store_sql.READ, stream)]


def _merged(appends: Sequence[Append]) -> list[Append]:
    """One append a stream: a set-based update takes only one of several rows for the same target."""
    by_stream: dict[str, Append] = {}
    for item in appends:
        first = by_stream.get(item.stream)
        if first is None:
            by_stream[item.stream] = item
        elif first.expected is None and item.expected is None and first.stamp == item.stamp:
            by_stream[item.stream] = Append(item.stream, None, first.events + item.events, item.stamp)
        else:
            raise ValueError(f"two appends with expectations for the stream {item.stream} in one batch")
    return [item for item in by_stream.values() if item.events]


def _refuse_large(appends: Iterable[Append]) -> None:
    for event in chain.from_iterable(item.events for item in appends):
        if len(event.payload) > MAX_PAYLOAD_BYTES:
            raise TooLarge(f"The event {event.type} has {len(event.payload)} bytes, of which 3 MiB are taken at most.")


async def _put(tx: asyncpg.Connection, new: Sequence[Append], rows: Sequence[tuple[Any, ...]]) -> set[str]:
    """Opens `new` streams and writes the rows of those that could be opened or were moved before; what was opened."""
    if not rows:
        return set()
    opened = await tx.fetch(store_sql.PUT, *_columns(new), *map(list, zip(*rows, strict=True)))
    return {row["stream"] for row in opened}


async def _move_streams(tx: asyncpg.Connection, appends: Sequence[Append]) -> dict[str, tuple[int, int | None]]:
    """Moves each stream that is there on where its expectation holds; the version and last time that it had before."""
    exact = sorted((item for item in appends if item.expected), key=lambda item: item.stream)
    anywhere = [item for item in appends if item.expected is None]
    moved: list[asyncpg.Record] = []
    if exact:
        steps = [len(item.events) if item.stamp else 0 for item in exact]
        moved += await tx.fetch(store_sql.ADVANCE, *_columns(exact), steps, [item.expected for item in exact])
    if anywhere:
        stamped = [item.stream for item in anywhere if item.stamp]
        extended = await tx.fetch(store_sql.EXTEND, *_columns(anywhere), stamped)
        if len(extended) < len(anywhere):
            raise StaleTransaction("a stream was written by a younger transaction: lock_streams comes first")
        moved += extended
    return {row["stream"]: (row["before"], row["last_us"]) for row in moved}


def _columns(appends: Sequence[Append]) -> tuple[list[str], list[int], list[int]]:
    return (
        [item.stream for item in appends],
        [len(item.events) for item in appends],
        [_last_us(item) for item in appends],
    )


def _last_us(item: Append) -> int:
    """The last event's time where nothing precedes the first: each stands at least 1 µs after the one before it."""
    if not item.stamp:
        return max(event.occurred_us for event in item.events)
    last = len(item.events) - 1
    return max(event.occurred_us + last - n for n, event in enumerate(item.events))


def _placed(item: Append, before: int, last_us: int | None) -> list[tuple[Any, ...]]:
    """The rows of `events`, with their versions and times: law 6, an event is later than the one before it."""
    rows: list[tuple[Any, ...]] = []
    floor = -1 if last_us is None else last_us
    for n, e in enumerate(item.events):
        occurred, clock = e.occurred_us, e.clock_us
        if item.stamp and occurred <= floor:
            occurred, clock = floor + 1, e.occurred_us if clock is None else clock
        floor = max(floor, occurred)
        about = (e.event_id, item.stream, before + n + 1, e.type, e.version, e.source, e.topic, e.key, occurred, clock)
        rows.append((*about, e.causation_id, e.correlation_id, e.traceparent, e.payload))
    return rows
