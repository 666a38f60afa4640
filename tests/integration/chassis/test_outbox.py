"""The order in which committed rows are read: nothing is lost to a late commit, and no stream is turned round."""

import asyncio
import random
from collections.abc import Iterator

import asyncpg
import pytest

from chassis import outbox, store
from chassis.database import Connection, Database
from chassis.relay_lease import Place
from chassis.store import Append
from tests.integration.chassis.events import a_stream, an_event

START = Place(0, 0)
WRITERS, TRANSACTIONS = 16, 30
INSERT = (
    "insert into events (event_id, stream, version, type, schema_version, source, topic, key, occurred_us, payload)"
)


async def append(db: Database, *appends: Append) -> None:
    async def work(tx: Connection) -> None:
        await store.lock_streams(tx, [item.stream for item in appends])
        await store.append(tx, appends)

    await db.run(work)


async def write_with_random_delays(dsn: str, seed: int) -> None:
    """Transactions whose commits come in another order than their rows' ids."""
    draw = random.Random(seed)
    connection = await asyncpg.connect(dsn)
    for n in range(TRANSACTIONS):
        async with connection.transaction():
            await store.append(connection, [a_stream(f"w{seed}-{n}")])
            await asyncio.sleep(draw.random() * 0.02)
    await connection.close()


async def test_under_sixteen_writers_no_row_is_lost_and_the_naive_reader_loses_some(
    db: Database, chassis_url: str
) -> None:
    ours: set[int] = set()
    naive: set[int] = set()
    done = asyncio.Event()

    async def read_ours() -> None:
        place, last_look = START, False
        while not last_look:
            last_look = done.is_set()
            async with db.connection() as connection:
                while rows := (await outbox.read(connection, place)).rows:
                    place = outbox.place_of(rows[-1])
                    ours.update(row["id"] for row in rows)
            await asyncio.sleep(0.001)

    async def read_naively() -> None:
        last, last_look = 0, False
        while not last_look:
            last_look = done.is_set()
            async with db.connection() as connection:
                rows = await connection.fetch("select id from events where id > $1 order by id limit 2000", last)
            naive.update(row["id"] for row in rows)
            last = max((row["id"] for row in rows), default=last)
            await asyncio.sleep(0.001)

    readers = [asyncio.create_task(read_ours()), asyncio.create_task(read_naively())]
    await asyncio.gather(*(write_with_random_delays(chassis_url, seed) for seed in range(WRITERS)))
    done.set()
    await asyncio.gather(*readers)
    async with db.connection() as connection:
        written = {row["id"] for row in await connection.fetch("select id from events")}
    assert len(written) == WRITERS * TRANSACTIONS
    assert ours == written
    assert naive < written, "the control arm must lose rows, or the test shows nothing"


async def test_rows_behind_a_running_transaction_wait_for_its_end(db: Database) -> None:
    async with db.transaction() as running:
        await running.fetchval("select pg_current_xact_id()")
        await append(db, a_stream())
        async with db.connection() as connection:
            assert await outbox.read(connection, START) == ([], True)
    async with db.connection() as connection:
        assert len((await outbox.read(connection, START)).rows) == 1


async def test_control_a_writer_with_the_earlier_number_turns_its_stream_round_without_the_lock(db: Database) -> None:
    """A transaction has its number before it waits: the later writer of the stream holds the earlier one."""
    await append(db, a_stream("r"))
    async with db.transaction() as later_writer:
        await later_writer.fetchval("select pg_current_xact_id()")
        await append(db, a_stream("r", expected=None))
        await later_writer.execute(
            f"{INSERT} values (gen_random_uuid(), 'r', 3, 'Connected', 1, '/services/tests', 'contacts', 'r', 0, '')"
        )
    async with db.connection() as connection:
        assert [row["version"] for row in (await outbox.read(connection, START)).rows] == [1, 3, 2]


async def test_with_the_lock_first_a_stream_is_read_in_its_own_order_whoever_writes(
    db: Database, chassis_url: str
) -> None:
    async def write(seed: int) -> None:
        draw = random.Random(seed)
        connection = await asyncpg.connect(chassis_url)
        for _ in range(20):
            streams = draw.sample(["a", "b", "c", "d"], 2)
            async with connection.transaction():
                await store.lock_streams(connection, streams)
                await store.append(connection, [a_stream(stream, expected=None) for stream in streams])
                await asyncio.sleep(draw.random() * 0.003)
        await connection.close()

    await asyncio.gather(*(write(seed) for seed in range(8)))
    async with db.connection() as connection:
        rows = (await outbox.read(connection, START)).rows
    for stream in "abcd":
        versions = [row["version"] for row in rows if row["key"] == stream]
        assert versions == list(range(1, len(versions) + 1))
    assert len(rows) == 8 * 20 * 2


async def test_a_round_is_bounded_by_bytes_and_holds_one_row_at_least(db: Database) -> None:
    def sizes() -> Iterator[int]:
        yield from (3 << 20, 3 << 20, 600 << 10, 600 << 10)

    for n, size in enumerate(sizes()):
        await append(db, Append(f"r-{n}", 0, (an_event(f"r-{n}", payload=b"x" * size),)))
    rounds, full, place = [], [], START
    async with db.connection() as connection:
        while (found := await outbox.read(connection, place)).rows:
            place = outbox.place_of(found.rows[-1])
            rounds.append([len(row["payload"]) for row in found.rows])
            full.append(found.is_full)
    assert rounds == [[3 << 20, 3 << 20], [600 << 10, 600 << 10]]
    assert full == [True, False], "only behind a full round others may be left that no commit announces"


async def test_a_round_of_as_many_rows_as_it_may_have_is_full(db: Database) -> None:
    await append(db, *(a_stream(f"r-{n}") for n in range(outbox.ROUND_ROWS)))
    async with db.connection() as connection:
        assert (await outbox.read(connection, START)).is_full


async def test_a_look_tells_how_much_waits_and_for_how_long(db: Database) -> None:
    async with db.connection() as connection:
        empty = await outbox.look(connection)
        assert (empty.rows, empty.age_s, empty.from_another_cluster) == (0, 0.0, False)
        await append(db, a_stream(events=3), a_stream())
        await connection.execute("update events set stored_at = stored_at - interval '1 minute'")
        found = await outbox.look(connection)
        assert found.rows == 4
        assert found.age_s == pytest.approx(60, abs=20)


async def test_a_look_estimates_a_large_outbox_instead_of_counting_it(db: Database) -> None:
    async with db.connection() as connection:
        await connection.execute(
            f"{INSERT} select gen_random_uuid(), 's' || n, 1, 'Connected', 1, '', 'contacts', 'k', 0, '' "
            "from generate_series(1, 12000) n"
        )
        assert (await outbox.look(connection)).rows == 12_000


async def test_a_look_sees_numbers_of_another_cluster(db: Database) -> None:
    await append(db, a_stream())
    async with db.connection() as connection:
        await connection.execute("update events set txid = '4000000000'")
        assert (await outbox.look(connection)).from_another_cluster
