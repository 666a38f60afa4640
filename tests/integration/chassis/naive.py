"""The usual consumer beside ours: Kafka's committed offset, and the log's beginning where there is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from chassis import kafka
from chassis.settings import ServiceSettings
from tests.integration.chassis.ledger import NAME

T = TypeVar("T")


async def hint_of(settings: ServiceSettings) -> int:
    return sum((await _with_group(settings, _committed)).values())


async def hinted(settings: ServiceSettings, count: int) -> bool:
    return await hint_of(settings) == count


async def _committed(naive: AIOKafkaConsumer) -> dict[int, int]:
    return {place.partition: await naive.committed(place) or 0 for place in naive.assignment()}


async def taken_again(settings: ServiceSettings, total: int) -> set[tuple[int, int]]:
    """Auto-committed offsets and `earliest` where there is none: what most consumers run with."""

    async def take(naive: AIOKafkaConsumer) -> set[tuple[int, int]]:
        starts = await _committed(naive)
        taken: set[tuple[int, int]] = set()
        async with asyncio.timeout(15):
            while len(taken) < total - sum(starts.values()):
                found = await naive.getmany(timeout_ms=500)
                taken |= {(record.partition, record.offset) for records in found.values() for record in records}
        return taken

    return await _with_group(settings, take)


async def hint_all(settings: ServiceSettings, offset: int) -> None:
    """Leaves this committed offset in every partition."""

    async def commit(naive: AIOKafkaConsumer) -> None:
        await naive.commit(dict.fromkeys(naive.assignment(), offset))

    await _with_group(settings, commit)


@asynccontextmanager
async def member(settings: ServiceSettings, *, auto_commit: bool = False) -> AsyncIterator[AIOKafkaConsumer]:
    """The usual member of the usual group; with `auto_commit` its position is committed all the time."""
    naive = AIOKafkaConsumer(
        kafka.physical(settings, "contacts"),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.topic_prefix + "naive",
        auto_offset_reset="earliest",
        enable_auto_commit=auto_commit,
        auto_commit_interval_ms=50,
        metadata_max_age_ms=500,
    )
    await naive.start()
    try:
        yield naive
    finally:
        await naive.stop()


async def produce(settings: ServiceSettings, value: bytes, **usual: int) -> None:
    """One record, by the usual producer, into a topic of the usual limits; raises what Kafka's clients raise."""
    name = f"{settings.topic_prefix}usual"
    admin = kafka.admin(settings)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **usual)
    await producer.start()
    try:
        await producer.send_and_wait(name, value)
    finally:
        await producer.stop()


async def batch(naive: AIOKafkaConsumer, *, within_s: float = 10.0) -> list[tuple[int, int]]:
    """(partition, offset) of what comes next; empty where nothing does."""
    async with asyncio.timeout(within_s + 5):
        found = await naive.getmany(timeout_ms=int(within_s * 1_000))
    return [(record.partition, record.offset) for records in found.values() for record in records]


async def write(url: str, places: list[tuple[int, int]]) -> None:
    """The effects, in a transaction that knows nothing of offsets."""
    connection = await asyncpg.connect(url, timeout=2)
    try:
        await connection.executemany('insert into effects (partition, "offset") values ($1, $2)', places)
    finally:
        await connection.close()


async def _with_group(settings: ServiceSettings, work: Callable[[AIOKafkaConsumer], Awaitable[T]]) -> T:
    naive = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.topic_prefix + NAME,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await naive.start()
    try:
        name = kafka.physical(settings, "contacts")
        naive.assign([TopicPartition(name, number) for number in range(settings.contacts_partitions)])
        return await work(naive)
    finally:
        await naive.stop()
