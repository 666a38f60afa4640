"""A relay killed or frozen between what it published and its cursor: duplicates in the log, no loss, order kept."""

import os
import signal
from collections.abc import Callable

import pytest

from chassis import kafka as clients
from chassis import store
from chassis.database import Connection, Database
from chassis.relay_lease import Place
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from tests.chaos.chassis.relays import relay
from tests.integration.chassis.events import a_stream
from tests.integration.chassis.log import Logged, assert_in_order, first_of_each, log_of
from tests.support.until import until

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "2"))
STREAMS = [f"r-{n}" for n in range(40)]


@pytest.fixture
async def settings(
    make_settings: Callable[..., ServiceSettings], chassis_url: str, kafka: str, db: Database
) -> ServiceSettings:
    made = make_settings(chassis_url, kafka, replica="a")
    await Topics(made, db).ensure()
    return made


async def write(db: Database) -> None:
    """One more event for each stream."""

    async def work(tx: Connection) -> None:
        await store.lock_streams(tx, STREAMS)
        await store.append(tx, [a_stream(stream, expected=None) for stream in STREAMS])

    await db.run(work)


async def cursor(db: Database) -> Place:
    async with db.connection() as connection:
        row = await connection.fetchrow("select txid, id from relay_lease")
    assert row is not None
    return Place(row["txid"], row["id"])


async def drained(db: Database) -> bool:
    async with db.connection() as connection:
        return bool(
            await connection.fetchval(
                "select not exists(select from events e, relay_lease r where (e.txid, e.id) > (r.txid, r.id))"
            )
        )


async def log(settings: ServiceSettings) -> list[Logged]:
    return await log_of(settings.kafka_bootstrap_servers, clients.physical(settings, "contacts"))


async def test_killed_between_publish_and_cursor_it_repeats_and_loses_nothing(
    db: Database, settings: ServiceSettings
) -> None:
    for _ in range(ROUNDS):
        before = await cursor(db)
        await write(db)
        await write(db)
        async with relay(settings, strike=signal.SIGKILL) as struck:
            assert await struck.ended() == -signal.SIGKILL
        assert await cursor(db) == before, "killed before the cursor moved, or the run shows nothing"
    async with relay(settings) as well:
        await until(lambda: drained(db), 30)
        well.signal(signal.SIGTERM)
        assert await well.ended() == 0
    records = await log(settings)
    written = 2 * ROUNDS * len(STREAMS)
    assert len(records) > written, "no duplicates in the topic: the run is void"
    assert len(first_of_each(records)) == written
    assert_in_order(records)


async def test_control_a_cursor_that_moves_first_loses_what_was_not_published(
    db: Database, settings: ServiceSettings
) -> None:
    await write(db)
    async with relay(settings, strike=signal.SIGKILL, naive=True) as struck:
        assert await struck.ended() == -signal.SIGKILL
    await write(db)
    async with relay(settings):
        await until(lambda: drained(db), 30)
    records = await log(settings)
    assert len(first_of_each(records)) == len(STREAMS), "half of it is lost for ever"
    with pytest.raises(AssertionError):
        assert_in_order(records)


async def test_a_frozen_relay_that_comes_back_moves_no_cursor_and_turns_no_stream_round(
    db: Database, settings: ServiceSettings
) -> None:
    other = settings.model_copy(update={"replica": "b"})
    await write(db)
    async with relay(settings, strike=signal.SIGSTOP) as frozen:
        await until(frozen.is_frozen, 30)
        await write(db)
        async with relay(other) as holder:
            await until(lambda: drained(db), 30)
            assert holder.logged("relay_lease_taken")
            reached = await cursor(db)
            frozen.signal(signal.SIGCONT)
            await until(lambda: frozen.logged("relay_fenced"))
            assert await cursor(db) == reached, "its write affected 0 rows"
            await write(db)
            await until(lambda: drained(db), 30)
            holder.signal(signal.SIGTERM)
            assert await holder.ended() == 0
        await write(db)
        await until(lambda: drained(db), 30)
    records = await log(settings)
    assert len(records) > 4 * len(STREAMS), "no duplicates in the topic: the run is void"
    assert len(first_of_each(records)) == 4 * len(STREAMS)
    assert_in_order(records)
