"""Puts records into topics, such as our producers never would among them."""

import asyncio
from collections.abc import Sequence

from aiokafka.client import AIOKafkaClient
from aiokafka.producer.producer import AIOKafkaProducer
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from chassis import kafka
from chassis.settings import ServiceSettings
from events.catalogue import partition_of
from tests.support.until import until

Sent = tuple[bytes, bytes, list[tuple[str, bytes]]]
_BROKEN = b"\xff\xfe\xfd\xfc"
_NOT_LEADER = 6
_STANDS_FOR_IT = "broken-header-key-00"


async def send(settings: ServiceSettings, records: Sequence[Sent], topic: str = "contacts") -> None:
    """(key, value, headers) each, to their partitions, acknowledged."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_request_size=4 << 20,
    )
    await producer.start()
    try:
        count, name = kafka.partitions_of(settings, topic), kafka.physical(settings, topic)
        waiting = [
            await producer.send(name, value, key, partition=partition_of(key, count), headers=headers)
            for key, value, headers in records
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def send_many(settings: ServiceSettings, count: int, *, start: int = 0, topic: str = "contacts") -> None:
    """`count` small records with keys of their own."""
    await send(settings, [(b"key-%d" % n, b"{}", []) for n in range(start, start + count)], topic)


async def send_broken_header(settings: ServiceSettings, topic: str, partition: int) -> None:
    """Three records in one batch; the second has a header key that is not UTF-8."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    headers = [("first", b"1"), (_STANDS_FOR_IT, b"2"), ("first", b"3")]
    for n, each in enumerate(([], headers, [])):
        builder.append(n, 1_700_000_000_000, b"broken-%d" % n, b"{}", each)
    raw = bytearray(builder.build())
    raw = raw.replace(_STANDS_FOR_IT.encode(), _BROKEN * (len(_STANDS_FOR_IT) // len(_BROKEN)))
    raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
    await _produce_raw(settings, kafka.physical(settings, topic), partition, bytes(raw))


async def _produce_raw(settings: ServiceSettings, name: str, partition: int, raw: bytes) -> None:
    client = AIOKafkaClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await client.bootstrap()
    try:
        await client.set_topics([name])

        async def accepted() -> bool:
            leader = client.cluster.leader_for_partition(TopicPartition(name, partition))
            answer = await client.send(leader, ProduceRequest(None, -1, 10_000, [(name, [(partition, raw)])]))
            ((_, ((_, code, *_),)),) = answer.topics
            # The leader of a partition just made may not know it yet.
            assert code in {0, _NOT_LEADER}, f"the broker refused it: {code}"
            return bool(code == 0)

        await until(accepted)
    finally:
        await client.close()
