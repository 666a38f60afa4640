"""One contract for every place that the relay may publish to: the real Kafka, and the log in memory of other tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest

from chassis import kafka, outbox, store
from chassis.database import Connection, Database
from chassis.publisher import KafkaPublisher, Publishes, Sent
from chassis.relay_lease import Place
from chassis.settings import ServiceSettings
from chassis.store import Append
from chassis.topics import Topics
from events.catalogue import partition_of
from tests.integration.chassis.events import an_event
from tests.integration.chassis.fakes import PARTITIONS, MemoryPublisher
from tests.integration.chassis.log import Logged, assert_in_order, log_of


@dataclass
class Arm:
    """A publisher, and a way to read its log."""

    publisher: Publishes
    log: Callable[[], Awaitable[list[Logged]]]


@pytest.fixture(params=["memory", "kafka"])
async def arm(
    request: pytest.FixtureRequest, db: Database, chassis_url: str, make_settings: Callable[..., ServiceSettings]
) -> AsyncIterator[Arm]:
    if request.param == "memory":
        memory = MemoryPublisher()
        yield Arm(memory, memory.log)
        return
    settings = make_settings(chassis_url, request.getfixturevalue("kafka"), contacts_partitions=PARTITIONS)
    await Topics(settings, db).ensure()
    publisher = KafkaPublisher(settings)
    yield Arm(publisher, lambda: log_of(settings.kafka_bootstrap_servers, kafka.physical(settings, "contacts")))
    await publisher.discard()


async def rows_of(db: Database, *appends: Append) -> list[asyncpg.Record]:
    """Appends, and gives what the relay would read."""

    async def work(tx: Connection) -> None:
        await store.append(tx, appends)

    await db.run(work)
    async with db.connection() as connection:
        return (await outbox.read(connection, Place(0, 0))).rows


def streams(count: int, *, events: int) -> list[Append]:
    return [Append(f"r-{n}", 0, tuple(an_event(f"r-{n}") for _ in range(events))) for n in range(count)]


async def test_a_round_is_acknowledged_whole_and_lies_in_the_log_in_order(arm: Arm, db: Database) -> None:
    rows = await rows_of(db, *streams(30, events=5))
    await arm.publisher.start()
    assert await arm.publisher.send(rows) == Sent(150, None)
    log = await arm.log()
    assert_in_order(log)
    assert {record.event_id for record in log} == {row["event_id"] for row in rows}
    assert len(log) == 150


async def test_a_record_lies_in_the_partition_of_its_key_with_the_brokers_time(arm: Arm, db: Database) -> None:
    rows = await rows_of(db, *streams(30, events=1))
    await arm.publisher.start()
    await arm.publisher.send(rows)
    for record in await arm.log():
        assert record.partition == partition_of(record.key.encode(), PARTITIONS)
        assert record.timestamp_type == 1, "LogAppendTime"


async def test_a_round_ends_before_the_row_that_does_not_fit_and_the_next_one_takes_it(arm: Arm, db: Database) -> None:
    sizes = [1_000, 3 << 20, 1_000]
    events = tuple(an_event("r", payload=b"x" * size) for size in sizes)
    rows = await rows_of(db, Append("r", 0, events))
    await arm.publisher.start()
    sent = []
    while rows:
        outcome = await arm.publisher.send(rows)
        assert outcome.failure is None
        sent.append(outcome.acknowledged)
        rows = rows[outcome.acknowledged :]
    assert sent == [1, 1, 1]
    log = await arm.log()
    assert [len(record.value) for record in log] == sizes
    assert_in_order(log)


async def test_after_a_discard_it_starts_anew(arm: Arm, db: Database) -> None:
    rows = await rows_of(db, *streams(3, events=1))
    for _ in range(2):
        await arm.publisher.start()
        assert await arm.publisher.send(rows) == Sent(3, None)
        await arm.publisher.discard()
    assert len(await arm.log()) == 6


async def test_no_partition_gets_a_second_batch_in_one_round(arm: Arm, db: Database) -> None:
    """Were the first of two batches to fail, the second could reach the log before it."""
    many = tuple(an_event("r", payload=b"x" * 300_000) for _ in range(8))
    rows = await rows_of(db, Append("r", 0, many))
    await arm.publisher.start()
    assert (await arm.publisher.send(rows)).acknowledged == 3
