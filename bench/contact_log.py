"""A log of contacts' whole lives in Kafka, for benches of those who read it."""

from __future__ import annotations

import asyncio
import base64
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from aiokafka import AIOKafkaProducer

from audit.settings import AuditSettings
from bench.common import Ground
from bench.processes import settings
from bench.topics import PARTITIONS
from chassis import kafka
from chassis.database import Database
from chassis.records import Record
from chassis.topics import Topics
from events.catalogue import partition_of
from events.codec import encode_data, headers_of
from events.envelope import Envelope

START_US = 1_795_000_000_000_000
SECOND_US = 1_000_000
ARRIVAL_US = 1_000_003
"""A contact arrives about each second; a life lasts five minutes, so that some three hundred are under way."""
SEALED = base64.b64encode(os.urandom(330)).decode()
STEPS = (
    ("ContactReceived", 0, "/services/intake"),
    ("Routed", 20 * SECOND_US + 1, "/services/router"),
    ("Connected", 31 * SECOND_US + 17, "/services/router"),
    ("Resolved", 300 * SECOND_US + 5, "/services/router"),
)


class Sealer:
    """Gives a box of usual size: what is in it does not matter here."""

    def seal(self, _key_id: str, _plaintext: bytes, _aad: bytes, /) -> tuple[bytes, bytes]:
        return b"\0" * 12, base64.b64decode(SEALED)


def audit_settings(ground: Ground, database_url: str, name: str) -> AuditSettings:
    """Settings of audit for a variant with topics of its own."""
    mine = replace(ground, topic_prefix=f"{ground.topic_prefix}{name}.")
    return AuditSettings.model_validate(settings(mine, database_url) | {"THROUGHLINE_TOKENS": {}})


async def write_log(told: AuditSettings, requests: int) -> int:
    """Makes the topics and writes so many lives in the order of time; the number of records."""
    db = Database(told.dsn, name="bench")
    await db.open()
    await Topics(told, db).ensure()
    await db.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=told.kafka_bootstrap_servers, acks="all", linger_ms=20, max_batch_size=kafka.BATCH_BYTES
    )
    await producer.start()
    name, count, waiting = kafka.physical(told, "contacts"), kafka.partitions_of(told, "contacts"), []
    for request_id, envelope, value in sorted(_events(requests), key=lambda each: each[1].occurred_us):
        key = request_id.encode()
        waiting.append(await producer.send(name, value, key, partition_of(key, count), headers=headers_of(envelope)))
        if len(waiting) >= 5_000:
            await asyncio.gather(*waiting)
            waiting.clear()
    await asyncio.gather(*waiting)
    await producer.stop()
    return requests * len(STEPS)


def contact_records(requests: int) -> list[Record]:
    """The same lives as they would be read, without Kafka."""
    places: Counter[int] = Counter()
    records = []
    for request_id, envelope, value in sorted(_events(requests), key=lambda each: each[1].occurred_us):
        key = request_id.encode()
        partition = partition_of(key, PARTITIONS)
        headers = tuple(headers_of(envelope))
        appended_us = envelope.occurred_us // 1_000 * 1_000
        records.append(Record("contacts", partition, places[partition], appended_us, key, headers, value))
        places[partition] += 1
    return records


def request_ids(requests: int) -> list[str]:
    """The ids of the lives that `write_log` writes."""
    return [str(uuid.UUID(int=0x0193_512A_7C11_7000_8000_0000_0000_0000 + number)) for number in range(requests)]


def _events(requests: int) -> Iterator[tuple[str, Envelope, bytes]]:
    for number, request_id in enumerate(request_ids(requests)):
        cause = None
        for step, (type_, after_us, source) in enumerate(STEPS):
            event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{step}"))
            envelope = Envelope(
                event_id=event_id,
                type=type_,
                version=1,
                source=source,
                subject=request_id,
                occurred_us=START_US + number * ARRIVAL_US + after_us,
                partition_key=request_id,
                sequence=step or 1,
                causation_id=cause,
                correlation_id=None,
                traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            yield request_id, envelope, _payload(type_, number, event_id)
            cause = event_id


def _payload(type_: str, number: int, event_id: str) -> bytes:
    if type_ == "ContactReceived":
        person = {"id": f"c-{number % 997}", "name": "Ada", "email": "ada@example.com"}
        data = {"channel": "voice", "customer": person, "subject": "my card", "queue": "cards", "severity": 2}
        return encode_data(type_, data, event_id=event_id, key_id="c", sealer=Sealer())
    data = {"agent_id": f"a-{number % 40}"}
    if type_ == "Routed":
        data |= {"queue": "cards"}
    return encode_data(type_, data, event_id=event_id)
