"""Every effect happens once for each place in the log, whatever lies there and however the group changes."""

import asyncio
from collections.abc import Callable
from functools import partial

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from chassis import kafka as chassis_kafka
from chassis.consumer import Record
from chassis.database import Database
from chassis.readiness import Status
from chassis.settings import ServiceSettings
from tests.integration.chassis import naive
from tests.integration.chassis.ledger import Ledger, assert_once_and_in_order, consuming, effects
from tests.integration.chassis.writing import send, send_broken_header, send_many
from tests.support.until import until


async def test_each_record_has_its_effect_once_and_in_the_order_of_its_partition(
    settings: ServiceSettings, db: Database
) -> None:
    await send_many(settings, 3_000)
    ledger = Ledger()
    async with consuming(settings, db, ledger) as consumer:
        await until(lambda: ledger.committed >= 3_000, 20)
        await send_many(settings, 100, start=3_000)
        await until(lambda: ledger.committed >= 3_100)
        assert consumer.check().status is Status.OK
    assert_once_and_in_order(await effects(settings.dsn), 3_100)
    assert ledger.batches < 300


async def test_it_goes_on_where_its_effects_end_and_not_where_kafka_believes(
    settings: ServiceSettings, db: Database
) -> None:
    await send_many(settings, 200)
    first = Ledger()
    async with consuming(settings, db, first):
        await until(lambda: first.committed == 200)
    await _pretend_nothing_was_read(settings)
    await send_many(settings, 50, start=200)
    second = Ledger()
    async with consuming(settings, db, second):
        await until(lambda: second.committed >= 50)
    assert_once_and_in_order(await effects(settings.dsn), 250)


async def test_a_header_key_that_is_not_utf8_is_kept_byte_for_byte_and_stops_nothing(
    settings: ServiceSettings, db: Database
) -> None:
    await send_many(settings, 40)
    await send_broken_header(settings, "contacts", 2)
    await send_many(settings, 40, start=40)
    ledger = Ledger()
    async with consuming(settings, db, ledger):
        await until(lambda: ledger.committed >= 83, 15)
        await send_many(settings, 20, start=80)
        await until(lambda: ledger.committed >= 103)
    assert_once_and_in_order(await effects(settings.dsn), 103)
    async with db.connection() as connection:
        headers = await connection.fetchval("select headers from effects where key = 'broken-1'")
    assert headers == f'[["{b"first".hex()}", "31"], ["{"fffefdfc" * 5}", "32"], ["{b"first".hex()}", "33"]]'


async def test_the_naive_loop_never_gets_past_such_a_header(settings: ServiceSettings) -> None:
    """The control arm of the test above."""
    await send_broken_header(settings, "contacts", 2)
    await send(settings, [(b"after", b"{}", [])])
    name = chassis_kafka.physical(settings, "contacts")
    plain = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await plain.start()
    try:
        plain.assign([TopicPartition(name, 2)])
        for _ in range(3):
            with pytest.raises(UnicodeDecodeError):
                await _something(plain)
    finally:
        await plain.stop()


async def test_a_record_of_three_mebibytes_comes_through(settings: ServiceSettings, db: Database) -> None:
    await send(settings, [(b"small", b"{}", []), (b"large", b"x" * (3 << 20), []), (b"small", b"{}", [])])
    ledger = Ledger()
    async with consuming(settings, db, ledger):
        await until(lambda: ledger.committed == 3, 15)
    async with db.connection() as connection:
        assert await connection.fetchval("select max(size) from effects") == 3 << 20


@pytest.mark.parametrize("settings_of_the_producer", [{}, {"max_request_size": 4 << 20}], ids=["usual", "raised"])
async def test_the_usual_producer_or_topic_takes_no_such_record(
    settings: ServiceSettings, settings_of_the_producer: dict[str, int]
) -> None:
    """The control arm of the test above."""
    await naive.produce(settings, b"small", **settings_of_the_producer)
    with pytest.raises(MessageSizeTooLargeError):
        await naive.produce(settings, b"x" * (3 << 20), **settings_of_the_producer)


async def test_members_come_and_go_and_each_effect_happens_once(settings: ServiceSettings, db: Database) -> None:
    enough = asyncio.Event()
    sending = asyncio.create_task(_send_until(enough, settings))
    resident = Ledger("resident")
    async with consuming(settings, db, resident):
        await until(lambda: resident.committed > 0)
        for n in range(3):
            guest = Ledger(f"guest {n}")
            async with consuming(settings.model_copy(update={"replica": f"guest-{n}"}), db, guest):
                await until(partial(_has_worked, guest), 15)
        enough.set()
        sent = await sending
        await until(lambda: _complete(settings.dsn, sent), 20)
    assert_once_and_in_order(await effects(settings.dsn), sent)


async def test_the_usual_member_repeats_what_it_had_in_hand_as_another_joined(settings: ServiceSettings) -> None:
    """The control arm of the test above: effects first, their offset after them."""
    await send_many(settings, 200)
    async with naive.member(settings) as resident:
        in_hand = await naive.batch(resident)
        async with naive.member(settings) as guest:
            await naive.write(settings.dsn, await naive.batch(guest))
            await naive.write(settings.dsn, in_hand)
    found = await effects(settings.dsn)
    assert len(found) > len(set(found))


async def test_positions_tell_lag_over_all_partitions(settings: ServiceSettings, db: Database) -> None:
    await send_many(settings, 100)
    ledger = Ledger()
    async with consuming(settings, db, ledger) as consumer:
        await until(lambda: ledger.committed == 100)
        positions = await consumer.positions()
        assert [position.partition for position in positions] == [0, 1, 2, 3]
        assert sum(position.next_offset for position in positions) == 100
        assert {(position.lag, position.behind_us) for position in positions} == {(0, 0)}
        ledger.before = _refuse
        await send_many(settings, 10, start=100)
        await until(lambda: "refused" in consumer.check().detail)
        behind = [position for position in await consumer.positions() if position.lag]
        assert sum(position.lag or 0 for position in behind) == 10
        await until(lambda: _shown_lag(ledger) == 10)
        assert all(position.behind_us for position in behind)


async def test_positions_without_kafka_have_no_end(
    make_settings: Callable[..., ServiceSettings], chassis_url: str, db: Database
) -> None:
    nowhere = make_settings(chassis_url, "127.0.0.1:9")
    async with consuming(nowhere, db, Ledger()) as consumer:
        positions = await consumer.positions()
        assert {(position.end, position.lag, position.next_offset) for position in positions} == {(None, None, 0)}
        await until(lambda: consumer.check().status is Status.DEGRADED)


async def _pretend_nothing_was_read(settings: ServiceSettings) -> None:
    name = chassis_kafka.physical(settings, "contacts")
    liar = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.topic_prefix + "ledger",
        enable_auto_commit=False,
    )
    await liar.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(4)]
        liar.assign(partitions)
        await liar.commit(dict.fromkeys(partitions, 0))
    finally:
        await liar.stop()


async def _something(plain: AIOKafkaConsumer) -> object:
    async with asyncio.timeout(10):
        while not (found := await plain.getmany(timeout_ms=500)):
            pass
        return found


async def _send_until(enough: asyncio.Event, settings: ServiceSettings) -> int:
    sent = 0
    while not enough.is_set():
        await send_many(settings, 25, start=sent)
        sent += 25
    return sent


def _refuse(_records: list[Record]) -> None:
    raise ValueError("refused")


def _shown_lag(ledger: Ledger) -> float:
    lines = ledger.metrics.text().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("throughline_consumer_lag_records{"))


def _has_worked(ledger: Ledger) -> bool:
    return ledger.committed > 0


async def _complete(url: str, count: int) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select count(*) >= $1 from effects", count))
    finally:
        await connection.close()
