"""The usual consumer beside ours: Kafka's committed offset, and the log's beginning where there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

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
