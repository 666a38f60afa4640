"""Reads topics back as they lie in the broker, with a plain consumer."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of the log."""

    partition: int
    offset: int
    key: str
    event_id: str
    sequence: int
    value: bytes
    timestamp_type: int


async def log_of(bootstrap: str, topic: str) -> list[Logged]:
    """Every record of a topic (physical name), by partition and offset."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = consumer.assignment()
        ends = await consumer.end_offsets(places)
        found: list[Logged] = []
        while len(found) < sum(ends.values()):
            batches = await consumer.getmany(timeout_ms=200, max_records=5_000)
            found += [_logged(record) for batch in batches.values() for record in batch]
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


def first_of_each(records: Iterable[Logged]) -> list[Logged]:
    """Without repeats of an event id, as every consumer takes the log."""
    firsts: dict[str, Logged] = {}
    for record in records:
        firsts.setdefault(record.event_id, record)
    return list(firsts.values())


def assert_in_order(records: Iterable[Logged]) -> None:
    """After de-duplication each key's sequence is 1, 2, 3… without a gap (invariant I4)."""
    last: dict[str, int] = {}
    for record in first_of_each(records):
        assert record.sequence == last.get(record.key, 0) + 1, f"{record} after {last.get(record.key, 0)}"
        last[record.key] = record.sequence


def _logged(record: ConsumerRecord) -> Logged:
    headers = dict(record.headers)
    return Logged(
        record.partition,
        record.offset,
        record.key.decode(),
        headers["ce_id"].decode(),
        int(headers["ce_sequence"]),
        record.value,
        record.timestamp_type,
    )
