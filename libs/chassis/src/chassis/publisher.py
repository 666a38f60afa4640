"""One round to Kafka: a closed batch for each partition, all of them awaited, and how much of it is in the log."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import asyncpg
from aiokafka import AIOKafkaProducer

from chassis import kafka
from chassis.kafka import NoAnswer
from chassis.settings import ServiceSettings
from events.catalogue import partition_of
from events.codec import Headers, headers_of
from events.envelope import Envelope

# Longer than aiokafka's own limit of a request (7 s): a bootstrap that is cancelled leaves its connection open.
_CONNECT_S: Final = 8.0
_ACKNOWLEDGE_S: Final = 8.0


@dataclass(slots=True)
class _Batch:
    """A partition's records of one round; `first` is the place of the earliest one in the round."""

    topic: str
    partition: int
    first: int
    builder: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many rows from the round's start are acknowledged without a gap, and why not more, if something failed."""

    acknowledged: int
    failure: str | None


class Publishes(Protocol):
    """Where the relay sends its rounds."""

    async def start(self) -> None:
        """Connects; raises `NoAnswer`."""
        ...

    async def send(self, rows: Sequence[asyncpg.Record]) -> Sent:
        """Sends rows of `outbox.read` in their order per key; it may take fewer, and always takes the first."""
        ...

    async def discard(self) -> None:
        """Throws away whatever is not acknowledged; `start` begins anew."""
        ...


class KafkaPublisher:
    """A producer for as long as it works. After a failure it is of no use: discard it and start another."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects; raises `NoAnswer`."""
        self._producer = kafka.producer(self._settings)
        await kafka.deadline(self._producer.start(), _CONNECT_S, "connect the producer")

    async def discard(self) -> None:
        """Throws the producer away within a few seconds, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await kafka.discarded(producer)

    async def send(self, rows: Sequence[asyncpg.Record]) -> Sent:
        """Sends a round. Where a partition's batch is full the round ends before that row, so it may send fewer.

        A failed one may stand in the log all the same: it is sent again, by another producer, with the same event ids.
        """
        assert self._producer is not None
        batches, taken = _filled(self._producer, self._settings, rows)
        try:
            futures = await kafka.deadline(_submitted(self._producer, batches), _ACKNOWLEDGE_S, "hand over a round")
        except NoAnswer as error:
            return Sent(0, str(error))
        failed = await _failures(futures)
        if not failed:
            return Sent(taken, None)
        return Sent(min(batches[n].first for n in failed), "; ".join(sorted(set(failed.values()))))


def _filled(
    producer: AIOKafkaProducer, settings: ServiceSettings, rows: Sequence[asyncpg.Record]
) -> tuple[list[_Batch], int]:
    """The round's batches, closed, and how many rows they hold.

    One batch a partition: were the first of two to fail, the second could reach the log before it.
    """
    counts: dict[str, int] = {}
    batches: dict[tuple[str, int], _Batch] = {}
    taken = len(rows)
    for n, (_, _, _, topic, key_text, payload, *about) in enumerate(rows):
        key = key_text.encode()
        if (count := counts.get(topic)) is None:
            count = counts[topic] = kafka.partitions_of(settings, topic)
        place = (topic, partition_of(key, count))
        if (batch := batches.get(place)) is None:
            batch = batches[place] = _Batch(kafka.physical(settings, topic), place[1], n, producer.create_batch())
        # The broker puts its own append time in place of the timestamp.
        if batch.builder.append(timestamp=0, key=key, value=payload, headers=_headers(key_text, *about)) is None:
            taken = n
            break
    for batch in batches.values():
        batch.builder.close()
    return list(batches.values()), taken


async def _submitted(producer: AIOKafkaProducer, batches: Sequence[_Batch]) -> list[asyncio.Future[object]]:
    """In one task: aiokafka's sender then finds all batches at once, and asks the broker once."""
    return [await producer.send_batch(batch.builder, batch.topic, partition=batch.partition) for batch in batches]


async def _failures(futures: Sequence[asyncio.Future[object]]) -> dict[int, str]:
    """By the batch's place: why it is not known to be in the log. Every future is asked for its exception."""
    everything = asyncio.gather(*futures, return_exceptions=True)
    try:
        results = await kafka.deadline(everything, _ACKNOWLEDGE_S, "acknowledge a round")
    except NoAnswer as error:
        return {n: str(error) for n, future in enumerate(futures) if not _is_acknowledged(future)}
    return {n: f"{type(r).__name__}: {r}" for n, r in enumerate(results) if isinstance(r, BaseException)}


def _is_acknowledged(future: asyncio.Future[object]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _headers(
    key: str,
    event_id: str,
    type_: str,
    version: int,
    source: str,
    occurred_us: int,
    sequence: int,
    *causes: Any,
) -> Headers:
    """`causes` are causation id, correlation id, clock_us and traceparent; the record's key is its subject."""
    return headers_of(Envelope(event_id, type_, version, source, key, occurred_us, key, sequence, *causes))
