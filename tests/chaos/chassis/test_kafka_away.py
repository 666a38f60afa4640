"""Kafka killed and frozen under load: commits go on, the outbox grows, and drains in order afterwards."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaProducer

from chassis import kafka as clients
from chassis import store
from chassis.database import Connection, Database
from chassis.kafka import NoAnswer
from chassis.metrics import Metrics
from chassis.readiness import Status
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from tests.integration.chassis.events import a_stream
from tests.integration.chassis.log import assert_in_order, first_of_each, log_of
from tests.support.servers import PrivateKafka
from tests.support.until import until

STREAMS = [f"r-{n}" for n in range(20)]
HEALING_S = 60.0  # what is healed is at work again within a minute, on a busy machine too


@dataclass
class Load:
    """One writer that appends to every stream again and again."""

    commits: int = 0
    stopped: bool = False

    async def write(self, db: Database, relay: Relay) -> None:
        async def work(tx: Connection) -> None:
            await store.lock_streams(tx, STREAMS)
            await store.append(tx, [a_stream(stream, expected=None) for stream in STREAMS])

        while not self.stopped:
            await db.run(work)
            self.commits += 1
            relay.wake()
            await asyncio.sleep(0.02)


@pytest.fixture
async def settings(
    make_settings: Callable[..., ServiceSettings], chassis_url: str, private_kafka: PrivateKafka, db: Database
) -> ServiceSettings:
    made = make_settings(chassis_url, private_kafka.url)
    await Topics(made, db).ensure()
    return made


@asynccontextmanager
async def under_load(db: Database, relay: Relay, metrics: Metrics) -> AsyncIterator[Load]:
    load = Load()
    running = [asyncio.create_task(relay.run()), asyncio.create_task(load.write(db, relay))]
    yield load
    load.stopped = True
    await running[1]
    await until(lambda: drained(db), HEALING_S)
    await until(lambda: b"throughline_outbox_rows 0.0" in metrics.text())
    relay.stop()
    await running[0]


async def drained(db: Database) -> bool:
    async with db.connection() as connection:
        return bool(
            await connection.fetchval(
                "select not exists(select from events e, relay_lease r where (e.txid, e.id) > (r.txid, r.id))"
            )
        )


async def more_commits(load: Load, count: int = 30) -> None:
    wanted = load.commits + count
    await until(lambda: load.commits >= wanted, HEALING_S)


async def test_commits_go_on_and_the_outbox_drains_in_order_afterwards(
    db: Database, settings: ServiceSettings, private_kafka: PrivateKafka
) -> None:
    metrics = Metrics()
    relay = Relay(db, settings, metrics)
    async with under_load(db, relay, metrics) as load:
        await more_commits(load)
        await asyncio.to_thread(private_kafka.kill)
        await more_commits(load)
        await until(lambda: relay.check().status is Status.DOWN, HEALING_S)
        assert b"throughline_outbox_rows 0.0" not in metrics.text()
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: relay.check().status is Status.OK, HEALING_S)

        private_kafka.stop()
        await more_commits(load)
        await until(lambda: relay.check().status is Status.DOWN, HEALING_S)
        private_kafka.cont()
        await until(lambda: relay.check().status is Status.OK, HEALING_S)
        await more_commits(load)
    log = await log_of(private_kafka.url, clients.physical(settings, "contacts"))
    assert len(first_of_each(log)) == load.commits * len(STREAMS)
    assert_in_order(log)


async def test_a_relay_whose_kafka_is_frozen_ends_when_it_is_told_to_and_leaves_nothing_running(
    db: Database, settings: ServiceSettings, private_kafka: PrivateKafka
) -> None:
    before = asyncio.all_tasks()
    relay = Relay(db, settings, Metrics())
    running = asyncio.create_task(relay.run())
    await db.run(lambda tx: store.append(tx, [a_stream()]))
    await until(lambda: drained(db))
    private_kafka.stop()
    await db.run(lambda tx: store.append(tx, [a_stream()]))
    relay.wake()
    await until(lambda: any("_send_produce_req" in str(task.get_coro()) for task in asyncio.all_tasks()))
    running.cancel()
    async with asyncio.timeout(8):
        await asyncio.gather(running, return_exceptions=True)
        await until(lambda: asyncio.all_tasks() <= before)
    private_kafka.cont()


async def test_control_a_plain_send_to_a_dead_broker_hangs(private_kafka: PrivateKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=private_kafka.url, enable_idempotence=True)
    await producer.start()
    os.kill(private_kafka.pid, signal.SIGSTOP)
    sending = asyncio.ensure_future(producer.send_and_wait("nowhere", b"value", partition=0))
    with pytest.raises(NoAnswer, match="no answer from Kafka within 3 s"):
        await clients.deadline(sending, 3.0, "send")
    private_kafka.cont()
    await clients.discarded(producer)
