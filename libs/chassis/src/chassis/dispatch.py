"""Records to handlers by event type, for services with effects; what cannot be handled is parked, its key waits."""

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from hashlib import sha256
from typing import Final

import asyncpg
import structlog

from chassis import handled, offsets, parking, trace
from chassis import metrics as catalogue
from chassis.caution import AfterCommit, Partition, RecordFailed, together
from chassis.clock import Clock, SystemClock
from chassis.database import Writer
from chassis.errors import Poison, Transient
from chassis.ids import new_id
from chassis.metrics import Metrics
from chassis.offsets import Held
from chassis.parking import Parked
from chassis.records import Record
from chassis.store import Append, NewEvent, append, lock_streams
from events.codec import Unreadable, encode, read_headers
from events.envelope import Envelope
from events.headers import name_bytes
from events.parked import Header, RecordParked

EventHandler = Callable[[asyncpg.Connection, Envelope, Record], Awaitable[AfterCommit | None]]
Streams = Callable[[Envelope], Iterable[str]]

_TEND_S: Final = 1.0
_FORGET_S: Final = 600.0
_MOST_COPIED: Final = 2 << 20
_log = structlog.get_logger(__name__)


class Dispatch:
    """A BatchHandler that gives each record to the handler of its type; types without a handler are passed over.

    An event that stands in the log twice (a relay that died before its cursor moved) is handled once, by its id, which
    is kept for a week. A handler that raises anything but `Transient` is tried `attempts` times (counted in the
    database before each), then its record is parked with its bytes and the reason; later records of that key wait
    behind it, all others go on.

    Hand it to a Consumer as `handler` and as `parking`.
    """

    def __init__(
        self,
        consumer: str,
        handlers: Mapping[str, EventHandler],
        *,
        source: str,
        metrics: Metrics,
        streams: Streams | None = None,
        clock: Clock | None = None,
        attempts: int = 5,
    ) -> None:
        """`handlers` by the event's bare name (`Routed`). `source` is the service's (`/services/router`).

        `streams` names the streams that handling an event may append to: they are locked for the whole batch before its
        first write, as the relay's order demands.
        """
        self.attempts = attempts
        self._consumer = consumer
        self._handlers = dict(handlers)
        self._source = source
        self._streams = streams
        self._clock = clock or SystemClock()
        self._blocked: dict[Partition, set[bytes]] = {}
        self._gauge = metrics.gauge(catalogue.PARKED).labels(consumer)
        self._tended_at = 0.0
        self._has_parked = True
        self._forget_at = 0.0

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """See BatchHandler. Raises RecordFailed, naming the record."""
        await self.learn(tx, {(record.topic, record.partition) for record in records})
        free = [record for record in records if not self._waits(record)]
        read = [(record, _envelope(record)) for record in free]
        await self._lock(tx, [envelope for _, envelope in read if envelope is not None])
        new = await self._new(tx, [envelope for _, envelope in read if envelope is not None])
        waiting = [record for record in records if self._waits(record)]
        await parking.add(tx, self._consumer, waiting, reason=parking.WAITS, attempts=0, now_us=self._clock.now_us())
        return together([await self._one(tx, record, envelope, new) for record, envelope in read])

    async def learn(self, tx: asyncpg.Connection, places: Collection[Partition]) -> None:
        """See Parks."""
        unknown = set(places) - self._blocked.keys()
        if unknown:
            found = await parking.keys(tx, self._consumer, unknown)
            for place in unknown:
                self._blocked[place] = {key for where, key in found if where == place}

    def passes_over(self, record: Record) -> bool:
        """See Parks: a readable event that nobody handles, of a key that is known not to wait."""
        waiting = self._blocked.get((record.topic, record.partition))
        if waiting is None or record.key in waiting:
            return False
        envelope = _envelope(record)
        return envelope is not None and envelope.type not in self._handlers

    def lost(self, partitions: Iterable[Partition]) -> None:
        """See BatchHandler."""
        self._has_parked = True
        for place in partitions:
            self._blocked.pop(place, None)

    async def park(self, tx: asyncpg.Connection, record: Record, reason: str, attempts: int) -> AfterCommit | None:
        """See Parks. A copy goes to the topic `dead-letters`, through the outbox like every event."""
        self._has_parked = True
        now_us = self._clock.now_us()
        await parking.add(tx, self._consumer, [record], reason=reason, attempts=attempts, now_us=now_us)
        await append(tx, [self._dead_letter(record, reason, attempts, now_us)])
        _log.error("record_parked", record=_place(record), reason=reason, attempts=attempts)

        def block() -> None:
            keys = self._blocked.get((record.topic, record.partition))
            if keys is not None and record.key is not None:
                keys.add(record.key)

        return block

    async def tend(self, writer: Writer, held: Mapping[Partition, Held]) -> None:
        """See Parks. Looks once a second while any is parked, and replays one record a transaction."""
        now = time.monotonic()
        if now - self._tended_at < _TEND_S:
            return
        self._tended_at = now
        if now >= self._forget_at:
            await self._forget(writer)
        if not self._has_parked:
            return
        found, parked = await writer.run(lambda tx: self._marked(tx, held))
        self._gauge.set(parked)
        # Where nothing is parked, only this process will park anything, or whoever holds the partitions next.
        self._has_parked = parked > 0
        stuck: set[tuple[Partition, bytes | None]] = set()
        for each in found:
            place = each.record.topic, each.record.partition
            if (place, each.record.key) not in stuck and not await self._replayed(writer, held[place], each):
                stuck.add((place, each.record.key))

    async def _forget(self, writer: Writer) -> None:
        """One bite, and the next one soon where there is more."""
        before_us = self._clock.now_us() - handled.KEPT_US
        forgotten = await writer.run(lambda tx: handled.forget(tx, self._consumer, before_us=before_us))
        self._forget_at = self._tended_at + (0.0 if forgotten == handled.AT_ONCE else _FORGET_S)

    async def _replayed(self, writer: Writer, held: Held, parked: Parked) -> bool:
        record = parked.record
        try:
            unblocks, after = await writer.run(lambda tx: self._replay(tx, held, record))
        except RecordFailed as failed:
            reason = f"{type(failed.__cause__).__name__}: {failed.__cause__}"
            await writer.run(lambda tx: self._failed_again(tx, held, record, reason))
            _log.warning("replay_failed", record=_place(record), reason=reason)
            return False
        if unblocks and record.key is not None:
            self._blocked.get((record.topic, record.partition), set()).discard(record.key)
        if after is not None:
            after()
        _log.info("record_replayed", record=_place(record))
        return True

    async def _replay(self, tx: asyncpg.Connection, held: Held, record: Record) -> tuple[bool, AfterCommit | None]:
        """Under the partition's fence: nobody else handles this key meanwhile."""
        await offsets.hold(tx, self._consumer, [held])
        envelope = _envelope(record)
        await self._lock(tx, [envelope] if envelope is not None else [])
        new = await self._new(tx, [envelope] if envelope is not None else [])
        after = await self._one(tx, record, envelope, new)
        return await parking.remove(tx, self._consumer, record), after

    async def _failed_again(self, tx: asyncpg.Connection, held: Held, record: Record, reason: str) -> None:
        await offsets.hold(tx, self._consumer, [held])
        await parking.failed_again(tx, self._consumer, record, reason)

    async def _marked(self, tx: asyncpg.Connection, held: Mapping[Partition, Held]) -> tuple[list[Parked], int]:
        parked = await parking.count(tx, self._consumer, held)
        return (await parking.marked(tx, self._consumer, held) if parked else []), parked

    async def _one(
        self, tx: asyncpg.Connection, record: Record, envelope: Envelope | None, new: set[str]
    ) -> AfterCommit | None:
        """Handle a record, unless its event was handled before or nobody handles its type. `new` is used up."""
        try:
            if envelope is None:
                raise Poison(_why_unreadable(record))
            handler = self._handlers.get(envelope.type)
            if handler is None or envelope.event_id not in new:
                return None
            new.remove(envelope.event_id)
            given = trace.parse(envelope.traceparent)
            trace.adopt(given.child() if given else None)
            return await handler(tx, envelope, record)
        except Transient:
            raise
        except Unreadable as error:
            raise RecordFailed(record) from Poison(str(error))
        except Exception as error:  # Whatever a handler raises is counted against its record, not against the process.
            raise RecordFailed(record) from error

    async def _new(self, tx: asyncpg.Connection, envelopes: list[Envelope]) -> set[str]:
        """Note the events as handled, and return the ids of those that were not before."""
        ids = (envelope.event_id for envelope in envelopes if envelope.type in self._handlers)
        return await handled.note(tx, self._consumer, ids, now_us=self._clock.now_us())

    async def _lock(self, tx: asyncpg.Connection, envelopes: list[Envelope]) -> None:
        if self._streams is not None:
            known = (envelope for envelope in envelopes if envelope.type in self._handlers)
            await lock_streams(tx, [stream for envelope in known for stream in self._streams(envelope)])

    def _waits(self, record: Record) -> bool:
        return record.key is not None and record.key in self._blocked[record.topic, record.partition]

    def _dead_letter(self, record: Record, reason: str, attempts: int, now_us: int) -> Append:
        event_id = new_id()
        fact = _as_fact(self._consumer, record, reason, attempts)
        stream = f"dead-letters/{self._consumer}/{_place(record)}"
        key = (record.key or b"").decode("utf-8", "replace").replace("\0", "\ufffd") or _place(record)
        event = NewEvent(
            event_id, "RecordParked", encode(fact, event_id=event_id), now_us, self._source, "dead-letters", key
        )
        return Append(stream, 0, (event,))


def _envelope(record: Record) -> Envelope | None:
    try:
        return read_headers(record.headers)
    except Unreadable:
        return None


def _why_unreadable(record: Record) -> str:
    try:
        read_headers(record.headers)
    except Unreadable as error:
        return str(error)
    raise AssertionError("it was unreadable before")


def _as_fact(consumer: str, record: Record, reason: str, attempts: int) -> RecordParked:
    headers = [(name_bytes(name), value) for name, value in record.headers]
    size = len(record.value or b"") + sum(len(name) + len(value or b"") for name, value in headers)
    fits = size <= _MOST_COPIED
    return RecordParked(
        consumer=consumer,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason,
        attempts=attempts,
        key=_text(record.key),
        headers=[Header(name=_text(name) or "", value=_text(value)) for name, value in headers] if fits else [],
        value=_text(record.value) if fits else None,
        size=len(record.value or b""),
        sha256=None if fits or record.value is None else sha256(record.value).hexdigest(),
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else b64encode(raw).decode()


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
