"""The event store: appends to streams with an expected version, in the caller's transaction; its rows are the outbox."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from chassis.metrics import Metrics

MAX_PAYLOAD_BYTES: Final = 3 * 1024 * 1024


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

    `expected` is the stream's version that they rest on: 0 for a new stream, n for exactly n, None for wherever it ends.
    With `stamp` each event occurs at the greatest of its own time and 1 µs after the one before it in the stream, and a
    corrected one keeps its raw reading in `clock_us`; without (imports) times are kept as they are.
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

    def count(self, metrics: Metrics) -> None:
        """Adds to `throughline_events_total`; call it after the commit."""
        raise NotImplementedError


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
    stream would be published before the one that it waited for.
    """
    raise NotImplementedError


async def append(tx: asyncpg.Connection, appends: Sequence[Append]) -> Appended:
    """Appends to many streams at once, set-based.

    Several appends to one stream are taken in their order where all expect None; other repeats raise ValueError. Raises
    `TooLarge` for a payload over 3 MiB (nothing written), `StaleTransaction` where a stream without expectation was not
    locked first and has moved on: run the transaction again.
    """
    raise NotImplementedError


async def versions(connection: asyncpg.Connection, streams: Iterable[str]) -> dict[str, int]:
    """The version of each of these streams that exists."""
    raise NotImplementedError


async def read_stream(connection: asyncpg.Connection, stream: str) -> list[StoredEvent]:
    """All events of one stream, in their order; empty for an unknown one."""
    raise NotImplementedError
