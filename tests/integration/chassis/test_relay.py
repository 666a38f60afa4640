"""The relay's loop: what it publishes, when it wakes, what it says, and that failures cost neither rows nor order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from chassis import kafka as clients
from chassis import restored, store
from chassis.database import Connection, Database
from chassis.metrics import Metrics
from chassis.publisher import Publishes
from chassis.readiness import Status
from chassis.relay import Relay
from chassis.relay_wake import Wake
from chassis.settings import ServiceSettings
from chassis.store import Append
from chassis.topics import Topics
from tests.integration.chassis.events import a_stream, an_event
from tests.integration.chassis.fakes import MemoryPublisher
from tests.integration.chassis.log import assert_in_order, first_of_each, log_of
from tests.support.until import until

Start = Callable[..., AbstractAsyncContextManager[Relay]]


@pytest.fixture
def start(db: Database, chassis_url: str, make_settings: Callable[..., ServiceSettings]) -> Start:
    """Runs a relay for the length of a block."""

    @asynccontextmanager
    async def run(publisher: Publishes, replica: str = "a", to: Metrics | None = None) -> AsyncIterator[Relay]:
        settings = make_settings(chassis_url, "127.0.0.1:9", replica=replica)
        relay = Relay(db, settings, to or Metrics(), publisher=publisher)
        task = asyncio.create_task(relay.run())
        yield relay
        relay.stop()
        async with asyncio.timeout(10):
            await task

    return run


async def append(db: Database, *appends: Append) -> None:
    async def work(tx: Connection) -> None:
        await store.lock_streams(tx, [item.stream for item in appends])
        await store.append(tx, appends)

    await db.run(work)


def is_drained(db: Database) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with db.connection() as connection:
            return bool(
                await connection.fetchval(
                    "select not exists(select from events e, relay_lease r where (e.txid, e.id) > (r.txid, r.id))"
                )
            )

    return ask


async def test_what_was_committed_before_the_start_and_after_it_is_published_once_in_order(
    db: Database, start: Start
) -> None:
    memory = MemoryPublisher()
    await append(db, *(a_stream(f"r-{n}", events=3) for n in range(50)))
    async with start(memory) as relay:
        for _ in range(10):
            await append(db, *(a_stream(f"r-{n}", expected=None) for n in range(50)))
            relay.wake()
        await until(is_drained(db))
    log = await memory.log()
    assert len(log) == 50 * 13
    assert_in_order(log)


async def test_it_reaches_the_real_kafka(
    db: Database, chassis_url: str, make_settings: Callable[..., ServiceSettings], kafka: str
) -> None:
    settings = make_settings(chassis_url, kafka)
    topics = Topics(settings, db)
    relay = Relay(db, settings, Metrics(), ready=topics.made)
    running = [asyncio.create_task(relay.run()), asyncio.create_task(topics.ensure())]
    assert relay.check().status is Status.DOWN
    sizes = (10, 3 << 20, 10)
    await append(db, Append("large", 0, tuple(an_event("large", payload=b"x" * size) for size in sizes)))
    await append(db, *(a_stream(f"r-{n}", events=4) for n in range(100)))
    await until(is_drained(db), 30)
    assert relay.check().status is Status.OK
    relay.stop()
    await asyncio.gather(*running)
    log = await log_of(kafka, clients.physical(settings, "contacts"))
    assert len(log) == 403
    assert_in_order(log)
    assert [len(record.value) for record in log if record.key == "large"] == list(sizes)


async def test_a_lost_acknowledgement_repeats_and_loses_nothing(db: Database, start: Start) -> None:
    memory = MemoryPublisher()
    memory.lose_acknowledgement = True
    await append(db, *(a_stream(f"r-{n}", events=3) for n in range(10)))
    async with start(memory):
        await until(is_drained(db))
    log = await memory.log()
    assert len(log) == 60, "the repeats stand in the log"
    assert len(first_of_each(log)) == 30
    assert_in_order(log)
    assert memory.starts == 2, "the failed producer was thrown away"


async def test_while_nothing_can_be_published_it_says_so_and_recovers(db: Database, start: Start) -> None:
    memory = MemoryPublisher()
    memory.failures_to_come = ["Kafka is away"] * 3
    to = Metrics()
    await append(db, a_stream())
    async with start(memory, to=to) as relay:
        await until(lambda: relay.check().status is Status.DOWN)
        assert "Kafka is away" in relay.check().detail
        await until(is_drained(db))
        await until(lambda: relay.check().status is Status.OK)
        await until(lambda: b"throughline_outbox_rows 0.0" in to.text())


async def test_the_outbox_shows_in_the_metrics(db: Database, start: Start) -> None:
    memory = MemoryPublisher()
    memory.failures_to_come = ["Kafka is away"] * 100
    to = Metrics()
    await append(db, a_stream(events=7))
    async with start(memory, to=to):
        await until(lambda: b"throughline_outbox_rows 7.0" in to.text())


async def test_a_second_relay_stands_by_and_takes_over_when_the_first_stops(db: Database, start: Start) -> None:
    first, second = MemoryPublisher(), MemoryPublisher()
    async with start(second, "b") as other:
        async with start(first, "a") as relay:
            await until(lambda: relay.check().facts["holds_lease"] or other.check().facts["holds_lease"])
            assert relay.check().facts["holds_lease"] != other.check().facts["holds_lease"]
            for _ in range(20):
                await append(db, a_stream("r", expected=None))
                relay.wake()
                other.wake()
            await until(is_drained(db))
            assert min(first.starts, second.starts) == 0
        await append(db, a_stream("r", expected=None))
        await until(is_drained(db), 15)
    log = await first.log() + await second.log()
    assert sorted(record.sequence for record in log) == list(range(1, 22)), "nothing twice while nobody died"


async def test_a_commit_at_a_replica_without_the_lease_wakes_the_holder(db: Database) -> None:
    holder, other = Wake(db), Wake(db)
    await holder.listen()
    standing_by = asyncio.create_task(other.stand_by(5))
    other.set()
    assert await holder.wait(5)
    await standing_by if standing_by.done() else standing_by.cancel()
    await holder.close()


async def test_killed_backends_cost_nothing(start: Start, chassis_url: str) -> None:
    memory = MemoryPublisher()
    writer = Database(chassis_url, name="writer")
    await writer.open()
    async with start(memory) as relay:
        for n in range(60):
            await append(writer, a_stream("r", expected=None))
            relay.wake()
            if n % 20 == 10:
                async with writer.connection() as killer:
                    await killer.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tests%'"
                    )
        await until(is_drained(writer), 15)
    await writer.close()
    log = await memory.log()
    assert_in_order(log)
    assert len(first_of_each(log)) == 60


async def test_a_transaction_that_holds_the_bound_shows_with_its_remedy(db: Database, start: Start) -> None:
    async with start(MemoryPublisher()) as relay:
        await until(lambda: relay.check().status is Status.OK)
        async with db.transaction(within_s=9) as holding:
            await holding.fetchval("select pg_current_xact_id()")
            await append(db, a_stream())
            await until(lambda: relay.check().status is Status.DEGRADED, 9)
            assert "pg_stat_activity" in relay.check().detail
        await until(is_drained(db))
        await until(lambda: relay.check().status is Status.OK)


async def test_rows_of_another_cluster_stop_it_until_they_are_renumbered(
    db: Database, start: Start, chassis_url: str
) -> None:
    memory = MemoryPublisher()
    await append(db, *(a_stream(f"old-{n}", events=2) for n in range(5)))
    async with start(memory):
        await until(is_drained(db))
    async with db.connection() as connection:
        await connection.execute("update events set txid = (txid::text::bigint + 4000000000)::text::xid8")
        await connection.execute("update relay_lease set txid = (txid::text::bigint + 4000000000)::text::xid8")
        await connection.execute("update streams set last_txid = (last_txid::text::bigint + 4000000000)::text::xid8")
    await append(db, a_stream("new", events=3))
    async with start(memory) as relay:
        await until(lambda: "renumber" in relay.check().detail)
        assert relay.check().status is Status.DOWN
    await restored.renumber(chassis_url)
    await append(db, a_stream("old-1", expected=2), a_stream("new", expected=3))
    async with start(memory):
        await until(is_drained(db))
    log = await memory.log()
    assert len(first_of_each(log)) == 15
    assert_in_order(log)
