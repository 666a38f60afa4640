"""Topics of the usual practice, and the check that each variant has done its work."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.common import Ground

PARTITIONS = 12


async def make_topic(ground: Ground, topic: str) -> None:
    """Makes a topic with as many partitions as the product's contacts have."""
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()


async def must_hold(ground: Ground, topic: str, count: int) -> None:
    """RuntimeError unless the topic holds just so many records: nobody is measured for work that he did not do."""
    consumer = AIOKafkaConsumer(bootstrap_servers=ground.kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)])
    finally:
        await consumer.stop()
    if sum(ends.values()) != count:
        raise RuntimeError(f"{topic} holds {sum(ends.values())} records, {count} were to be published")
