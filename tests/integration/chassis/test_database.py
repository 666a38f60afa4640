"""Transactions that hold whatever happens to the caller, the connection or the server."""

import asyncio
import time

import asyncpg
import pytest

from chassis.database import Connection, Database, is_data_error
from chassis.errors import Misconfigured, Unavailable
from chassis.readiness import Status
from tests.support.until import until

INSERT = "insert into deployment_facts (name, value) values ($1, 'x')"


async def names(db: Database) -> set[str]:
    async with db.connection() as connection:
        return {row["name"] for row in await connection.fetch("select name from deployment_facts")}


async def test_a_transaction_commits_at_its_end_and_rolls_back_on_an_exception(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(INSERT, "kept")

    async def fail(tx: Connection) -> None:
        await tx.execute(INSERT, "gone")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.run(fail)
    assert await names(db) == {"kept"}


async def test_work_outlives_a_caller_who_goes_away(db: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(tx: Connection) -> None:
        await tx.execute(INSERT, "kept")
        begun.set()
        await go_on.wait()

    caller = asyncio.create_task(db.run(work))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()

    async def kept() -> bool:
        return await names(db) == {"kept"}

    await until(kept)


async def test_a_cancelled_block_leaves_no_open_transaction_in_the_pool(chassis_url: str) -> None:
    db = Database(chassis_url, name="tests", most=1)
    await db.open()
    inside = asyncio.Event()

    async def block() -> None:
        async with db.transaction() as tx:
            await tx.execute(INSERT, "gone")
            inside.set()
            await tx.execute("select pg_sleep(30)")

    caller = asyncio.create_task(block())
    await inside.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    async with db.transaction() as tx:
        await tx.execute(INSERT, "kept")
    assert await names(db) == {"kept"}
    await db.close()


async def test_an_error_that_was_swallowed_inside_a_transaction_is_not_taken_for_a_commit(db: Database) -> None:

    async def swallow(tx: Connection) -> None:
        await tx.execute(INSERT, "gone")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tx.execute("select 1 / 0")

    with pytest.raises(RuntimeError, match="rolled it back"):
        await db.run(swallow)
    assert await names(db) == set()


async def test_a_data_error_passes_as_it_is(db: Database) -> None:
    with pytest.raises(asyncpg.CharacterNotInRepertoireError) as nul:
        await db.run(lambda tx: tx.execute(INSERT, "nul \0"))
    with pytest.raises(asyncpg.DataError) as surrogate:
        await db.run(lambda tx: tx.execute(INSERT, "surrogate \ud800"))
    assert is_data_error(nul.value)
    assert is_data_error(surrogate.value)
    assert await names(db) == set()


async def test_a_backend_that_is_killed_while_in_use_is_unavailable_and_the_next_one_works(db: Database) -> None:
    with pytest.raises(Unavailable):
        await db.run(lambda tx: tx.execute("select pg_terminate_backend(pg_backend_pid())"))
    async with db.transaction() as tx:
        await tx.execute(INSERT, "kept")


async def test_a_writer_whose_backend_is_killed_in_mid_batch_connects_anew(db: Database) -> None:
    writer = db.writer()

    async def killed(tx: Connection) -> None:
        pid = await tx.fetchval("select pg_backend_pid()")
        fetching = asyncio.create_task(tx.fetch("select pg_sleep(30)"))
        async with db.connection() as other:
            await other.execute("select pg_terminate_backend($1)", pid)
        await fetching

    for _ in range(3):
        with pytest.raises(Unavailable):
            await writer.run(killed)
        await writer.run(lambda tx: tx.execute("select 1"))


async def test_control_a_connection_that_is_kept_after_its_backend_was_killed_works_no_more(
    db: Database, chassis_url: str
) -> None:
    kept = await asyncpg.connect(chassis_url)
    pid = await kept.fetchval("select pg_backend_pid()")
    fetching = asyncio.create_task(kept.fetch("select pg_sleep(30)"))
    async with db.connection() as other:
        await other.execute("select pg_terminate_backend($1)", pid)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await fetching
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        await kept.fetchval("select 1")
    kept.terminate()


async def test_a_writer_plans_for_the_sizes_that_it_gets(db: Database) -> None:
    mode = await db.writer().run(lambda tx: tx.fetchval("show plan_cache_mode"))
    assert mode == "force_custom_plan"


async def test_every_session_limits_its_transactions(db: Database) -> None:
    async with db.connection() as connection:
        for name in ("transaction_timeout", "idle_in_transaction_session_timeout", "statement_timeout"):
            assert await connection.fetchval(f"show {name}") == "10s"


async def test_jsonb_goes_in_and_comes_out_as_bytes(db: Database) -> None:
    async with db.connection() as connection:
        assert await connection.fetchval("select $1::jsonb", b'{"a": 1}') == b'{"a": 1}'


async def test_a_database_that_may_lose_commits_is_refused(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    name = await admin.fetchval("select current_database()")
    await admin.execute(f"alter database {name} set synchronous_commit = off")
    await admin.close()
    db = Database(database_url, name="tests")
    with pytest.raises(Misconfigured, match="synchronous_commit"):
        await db.open()
    await db.close()


async def test_without_a_server_it_is_unavailable_within_five_seconds() -> None:
    db = Database("postgresql://postgres@127.0.0.1:9/none", name="tests")
    await db.open()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await db.run(lambda tx: tx.execute("select 1"))
    with pytest.raises(Unavailable):
        await db.writer().run(lambda tx: tx.execute("select 1"))
    assert (await db.check()).status is Status.DOWN
    assert time.monotonic() - begun < 5
    await db.close()


async def test_a_schema_that_is_missing_is_unavailable_and_says_what_to_do(database_url: str) -> None:
    db = Database(database_url, name="tests")
    await db.open()
    with pytest.raises(Unavailable, match="migrate"):
        await names(db)
    await db.close()
