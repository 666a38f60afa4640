"""One publisher at a time: leases that run out, epochs that fence, a cursor that only its holder moves."""

import asyncpg
import pytest

from chassis import relay_lease
from chassis.database import Database
from chassis.relay_lease import LeaseLost, Place


async def run_out(connection: asyncpg.Connection) -> None:
    await connection.execute("update relay_lease set until = clock_timestamp() - interval '1 ms'")


async def test_of_two_replicas_one_holds_it(db: Database) -> None:
    async with db.connection() as connection:
        held = await relay_lease.take(connection, "a")
        assert held is not None
        assert held.believed
        assert await relay_lease.take(connection, "b") is None


async def test_one_that_has_run_out_goes_to_the_next_with_a_new_epoch_and_the_same_cursor(db: Database) -> None:
    async with db.connection() as connection:
        first = await relay_lease.take(connection, "a")
        assert first is not None
        await first.advance(connection, Place(70, 7))
        await run_out(connection)
        second = await relay_lease.take(connection, "b")
        assert second is not None
        assert second.epoch == first.epoch + 1
        assert second.cursor == Place(70, 7)


async def test_one_from_before_the_servers_clock_was_set_back_is_over(db: Database) -> None:
    async with db.connection() as connection:
        assert await relay_lease.take(connection, "a") is not None
        await connection.execute("update relay_lease set until = clock_timestamp() + interval '1 hour'")
        assert await relay_lease.take(connection, "b") is not None


async def test_a_deposed_holder_moves_no_cursor_and_renews_nothing(db: Database) -> None:
    async with db.connection() as connection:
        deposed = await relay_lease.take(connection, "a")
        assert deposed is not None
        await run_out(connection)
        holder = await relay_lease.take(connection, "b")
        assert holder is not None
        await holder.advance(connection, Place(90, 9))
        with pytest.raises(LeaseLost):
            await deposed.advance(connection, Place(80, 8))
        with pytest.raises(LeaseLost):
            await deposed.renew(connection)
        await deposed.give_back(connection)
        row = await connection.fetchrow(
            "select holder, epoch, txid, id, until > clock_timestamp() as held from relay_lease"
        )
        assert tuple(row or ()) == ("b", holder.epoch, 90, 9, True)


async def test_control_a_cursor_without_the_epoch_is_turned_back_by_a_deposed_holder(db: Database) -> None:
    async with db.connection() as connection:
        await relay_lease.take(connection, "a")
        await run_out(connection)
        holder = await relay_lease.take(connection, "b")
        assert holder is not None
        await holder.advance(connection, Place(90, 9))
        await connection.execute("update relay_lease set txid = '80', id = 8 where name = 'relay'")
        assert await connection.fetchval("select id from relay_lease") == 8


async def test_one_that_is_given_back_is_free_at_once(db: Database) -> None:
    async with db.connection() as connection:
        held = await relay_lease.take(connection, "a")
        assert held is not None
        await held.give_back(connection)
        assert await relay_lease.take(connection, "b") is not None


async def test_a_replica_that_was_killed_takes_its_own_again_at_once(db: Database) -> None:
    async with db.connection() as connection:
        before = await relay_lease.take(connection, "a")
        after = await relay_lease.take(connection, "a")
        assert before is not None
        assert after is not None
        assert after.epoch > before.epoch


async def test_the_cursor_alone_is_written_without_waiting_for_the_disk(db: Database) -> None:
    async with db.connection() as connection:
        held = await relay_lease.take(connection, "a")
        assert held is not None
        await held.advance(connection, Place(1, 1))
        assert await connection.fetchval("show synchronous_commit") == "on"
