"""Appends, versions, times and what the store refuses, on a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from chassis import store
from chassis.database import Connection, Database
from chassis.errors import StaleTransaction, TooLarge
from chassis.store import Append, Appended
from tests.integration.chassis.events import a_stream, an_event


def appending(*appends: Append) -> Callable[[Connection], Awaitable[Appended]]:
    async def work(tx: Connection) -> Appended:
        await store.lock_streams(tx, [item.stream for item in appends])
        return await store.append(tx, appends)

    return work


async def stored(db: Database, stream: str) -> list[store.StoredEvent]:
    async with db.connection() as connection:
        return await store.read_stream(connection, stream)


async def test_an_event_is_read_back_as_it_was_appended(db: Database) -> None:
    event = an_event("r-1", payload=b'\x00\xff{"any": bytes}')
    await db.run(appending(Append("r-1", 0, (event,))))
    (read,) = await stored(db, "r-1")
    assert (read.event_id, read.payload, read.occurred_us) == (event.event_id, event.payload, event.occurred_us)
    assert (read.sequence, read.topic, read.key, read.clock_us) == (1, "contacts", "r-1", None)


async def test_versions_count_on_without_a_gap(db: Database) -> None:
    await db.run(appending(a_stream("r", events=2)))
    await db.run(appending(a_stream("r", expected=2)))
    done = await db.run(appending(a_stream("r", expected=None, events=3)))
    assert done.versions == {"r": 6}
    assert [event.sequence for event in await stored(db, "r")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_a_stream_at_another_version_is_lost_and_nothing_is_written_for_it(db: Database, expected: int) -> None:
    await db.run(appending(a_stream("r", events=2)))
    done = await db.run(appending(a_stream("r", expected=expected), a_stream("other")))
    assert done.lost == {"r"}
    assert done.versions == {"other": 1}
    assert len(await stored(db, "r")) == 2


async def test_an_append_that_expects_a_version_loses_on_a_stream_that_is_not_there(db: Database) -> None:
    assert (await db.run(appending(a_stream("nobody", expected=1)))).lost == {"nobody"}


async def test_several_appends_without_expectation_to_one_stream_all_count(db: Database) -> None:
    done = await db.run(appending(*(a_stream("r", expected=None) for _ in range(3))))
    assert done.versions == {"r": 3}
    assert [event.sequence for event in await stored(db, "r")] == [1, 2, 3]


async def test_control_an_update_from_two_rows_for_one_stream_moves_it_once(db: Database) -> None:
    await db.run(appending(a_stream("r")))
    async with db.transaction() as tx:
        await tx.execute(
            "update streams s set version = s.version + i.n from unnest($1::text[], $2::int[]) i(stream, n) "
            "where s.stream = i.stream",
            ["r", "r"],
            [1, 1],
        )
        assert await store.versions(tx, ["r"]) == {"r": 2}


async def test_two_appends_with_expectations_for_one_stream_are_a_fault_of_the_program(db: Database) -> None:
    with pytest.raises(ValueError, match="two appends"):
        await db.run(appending(a_stream("r"), a_stream("r", expected=1)))


async def test_an_event_never_occurs_before_the_one_before_it_in_its_stream(db: Database) -> None:
    await db.run(appending(Append("r", 0, (an_event("r", occurred_us=1_000), an_event("r", occurred_us=400)))))
    late = an_event("r", occurred_us=7)
    done = await db.run(appending(Append("r", None, (late,))))
    assert done.occurred_us[late.event_id] == 1_002
    assert [(e.occurred_us, e.clock_us) for e in await stored(db, "r")] == [(1_000, None), (1_001, 400), (1_002, 7)]


async def test_imports_keep_their_times_in_whatever_order_they_come(db: Database) -> None:
    events = (an_event("r", occurred_us=900), an_event("r", occurred_us=100))
    await db.run(appending(Append("r", None, events, stamp=False)))
    await db.run(appending(Append("r", None, (an_event("r", occurred_us=50),), stamp=False)))
    assert [(e.occurred_us, e.clock_us) for e in await stored(db, "r")] == [(900, None), (100, None), (50, None)]


async def test_an_event_over_three_mebibytes_is_refused_and_nothing_of_its_batch_is_written(db: Database) -> None:
    large = Append("large", 0, (an_event("large", payload=b"x" * (store.MAX_PAYLOAD_BYTES + 1)),))
    with pytest.raises(TooLarge, match="3 MiB"):
        await db.run(appending(a_stream("small"), large))
    assert await stored(db, "small") == []


async def test_an_event_of_just_three_mebibytes_is_taken(db: Database) -> None:
    await db.run(appending(Append("large", 0, (an_event("large", payload=b"x" * store.MAX_PAYLOAD_BYTES),))))
    assert len((await stored(db, "large"))[0].payload) == store.MAX_PAYLOAD_BYTES


async def test_of_sixteen_appends_on_one_version_just_one_wins(db: Database) -> None:
    await db.run(appending(a_stream("r")))
    outcomes = await asyncio.gather(*(db.run(appending(a_stream("r", expected=1))) for _ in range(16)))
    assert sum(not done.lost for done in outcomes) == 1
    assert [event.sequence for event in await stored(db, "r")] == [1, 2]


async def test_appends_without_expectation_from_sixteen_writers_leave_no_gap(db: Database) -> None:
    await asyncio.gather(*(db.run(appending(a_stream("r", expected=None))) for _ in range(16)))
    assert [event.sequence for event in await stored(db, "r")] == list(range(1, 17))


async def test_a_stream_that_a_younger_transaction_wrote_refuses_an_older_one(db: Database) -> None:
    """Without the lock a transaction takes its number first and waits afterwards; the check then stops it."""
    await db.run(appending(a_stream("r")))

    async def late(older: Connection) -> None:
        await older.fetchval("select pg_current_xact_id()")
        await db.run(appending(a_stream("r", expected=None)))
        await store.append(older, [a_stream("r", expected=None)])

    with pytest.raises(StaleTransaction):
        await db.run(late)
    assert len(await stored(db, "r")) == 2


async def test_an_exact_expectation_that_holds_is_lost_too_where_the_transaction_is_older(db: Database) -> None:
    await db.run(appending(a_stream("r")))
    async with db.transaction() as older:
        await older.fetchval("select pg_current_xact_id()")
        await db.run(appending(a_stream("r", expected=1)))
        assert (await store.append(older, [a_stream("r", expected=2)])).lost == {"r"}


async def test_sorted_locks_let_opposite_batches_pass(db: Database) -> None:
    streams = [f"r-{n}" for n in range(400)]
    await db.run(appending(*(a_stream(stream) for stream in streams)))
    there, back = streams, streams[::-1]
    for _ in range(6):
        await asyncio.gather(
            *(db.run(appending(*(a_stream(s, expected=None) for s in order))) for order in (there, back) * 2)
        )
    async with db.connection() as connection:
        assert set((await store.versions(connection, streams)).values()) == {25}


async def test_control_updates_in_opposite_orders_deadlock(db: Database, chassis_url: str) -> None:
    await db.run(appending(a_stream("r-0"), a_stream("r-1")))
    both_hold_one = asyncio.Barrier(2)

    async def walk(order: tuple[str, str]) -> None:
        connection = await asyncpg.connect(chassis_url)
        try:
            async with connection.transaction():
                for stream in order:
                    await connection.execute("update streams set version = version + 1 where stream = $1", stream)
                    if stream == order[0]:
                        await both_hold_one.wait()
        finally:
            await connection.close()

    outcomes = await asyncio.gather(walk(("r-0", "r-1")), walk(("r-1", "r-0")), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [asyncpg.DeadlockDetectedError]
