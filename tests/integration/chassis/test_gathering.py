"""Records are gathered at the broker once some have come; one that comes alone is not held up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from chassis import kafka as chassis_kafka
from chassis.database import Database
from chassis.settings import ServiceSettings
from tests.integration.chassis.ledger import Ledger, assert_once_and_in_order, consuming, effects
from tests.support.until import until

RECORDS = 40
SOON_S = 4.0


async def test_what_comes_one_by_one_is_taken_in_a_few_batches(settings: ServiceSettings, db: Database) -> None:
    ledger = Ledger()
    async with consuming(_gathering(settings), db, ledger), _one_by_one(settings) as send:
        await send(0)
        await until(lambda: ledger.committed == 1, 20)
        for n in range(1, RECORDS + 1):
            await send(n)
        await until(lambda: ledger.committed > RECORDS, 20)
    assert ledger.batches <= RECORDS / 10
    assert_once_and_in_order(await effects(settings.dsn), RECORDS + 1)


async def test_control_without_gathering_each_is_taken_as_it_comes(settings: ServiceSettings, db: Database) -> None:
    ledger = Ledger()
    async with consuming(settings, db, ledger), _one_by_one(settings) as send:
        await send(0)
        await until(lambda: ledger.committed == 1, 20)
        for n in range(1, RECORDS + 1):
            await send(n)
            await until(partial(_has_committed, ledger, n + 1), SOON_S)
    assert ledger.batches == RECORDS + 1


async def test_one_that_comes_alone_is_not_held_up(settings: ServiceSettings, db: Database) -> None:
    ledger = Ledger()
    async with (
        consuming(_gathering(settings), db, ledger) as consumer,
        _one_by_one(settings) as send,
    ):
        await until(lambda: len(consumer.held) == 4, 20)
        await send(0)
        await until(lambda: ledger.committed == 1, SOON_S)


def _has_committed(ledger: Ledger, count: int) -> bool:
    return ledger.committed == count


def _gathering(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"gather_ms": 5_000})


@asynccontextmanager
async def _one_by_one(settings: ServiceSettings) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Sends a record and waits for its acknowledgement."""
    producer = chassis_kafka.producer(settings)
    await producer.start()

    async def send(n: int) -> None:
        builder = producer.create_batch()
        builder.append(timestamp=0, key=b"key-%d" % n, value=b"{}")
        builder.close()
        name = chassis_kafka.physical(settings, "contacts")
        await (await producer.send_batch(builder, name, partition=n % 4))

    try:
        yield send
    finally:
        await producer.stop()
