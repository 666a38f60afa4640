"""The fence that goes along with `begin`: it sees what was committed while it waited."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import offsets
from chassis.database import Connection, Database
from chassis.offsets import FenceLost, Held, Step
from tests.support.until import until

CONSUMER = "a 'quoted' one"
PLACES = [("contacts", 0), ("contacts", 1), ("keys", 0)]
WAITING = "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted"


@pytest.fixture
def topic_ids() -> dict[str, UUID]:
    return {"contacts": uuid4(), "keys": uuid4()}


async def test_what_is_held_passes(db: Database, topic_ids: dict[str, UUID]) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))
    assert await _opened(db, held) == "went on"


async def test_what_another_claims_meanwhile_is_refused_by_name(db: Database, topic_ids: dict[str, UUID]) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))
    async with db.transaction() as usurping:
        await offsets.claim(usurping, CONSUMER, "two", PLACES[1:2], topic_ids)
        opening = asyncio.create_task(_opened(db, held))
        await until(lambda: _waits(db))
    with pytest.raises(FenceLost) as lost:
        await opening
    assert lost.value.partitions == {("contacts", 1)}


async def test_nobody_claims_before_the_end(db: Database, topic_ids: dict[str, UUID]) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))

    async def work(_: Connection, status: str) -> str:
        claiming = asyncio.create_task(db.run(lambda tx: offsets.claim(tx, CONSUMER, "two", PLACES, topic_ids)))
        await until(lambda: _waits(db))
        assert not claiming.done()
        waiting.append(claiming)
        return status

    waiting: list[asyncio.Task[list[Held]]] = []
    assert await db.writer().opened(offsets.holding(CONSUMER, held), work) == "SELECT 3"
    assert [each.epoch for each in await waiting[0]] == [2, 2, 2]


async def test_offsets_move_along_with_the_commit(db: Database, topic_ids: dict[str, UUID]) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))
    steps = [Step(held[0], 7, 1_763_791_000_000_000), Step(held[2], 9, None)]
    await db.writer().opened("", _work, offsets.moving(CONSUMER, steps))
    async with db.connection() as connection:
        assert await offsets.stored(connection, CONSUMER) == {
            ("contacts", 0): (7, 1_763_791_000_000_000),
            ("contacts", 1): (0, None),
            ("keys", 0): (9, None),
        }


async def test_where_a_row_is_not_as_it_was_nothing_is_committed_and_the_writer_goes_on(
    db: Database, topic_ids: dict[str, UUID]
) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))
    await db.run(lambda tx: offsets.claim(tx, CONSUMER, "two", PLACES[1:2], topic_ids))
    writer = db.writer()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await writer.opened("", _effect, offsets.moving(CONSUMER, [Step(each, 7, None) for each in held]))
    async with db.connection() as connection:
        assert {each for each, _ in (await offsets.stored(connection, CONSUMER)).values()} == {0}
        assert await connection.fetchval("select count(*) from deployment_facts") == 0
    await writer.opened("", _effect, offsets.moving(CONSUMER, [Step(held[0], 7, None)]))
    async with db.connection() as connection:
        assert await connection.fetchval("select count(*) from deployment_facts") == 1


async def test_an_error_that_was_swallowed_is_told_as_such(db: Database, topic_ids: dict[str, UUID]) -> None:
    held = await db.run(lambda tx: offsets.claim(tx, CONSUMER, "one", PLACES, topic_ids))

    async def work(tx: Connection, _: str) -> None:
        with suppress(asyncpg.UndefinedTableError):
            await tx.execute("select from nowhere")

    with pytest.raises(RuntimeError, match="swallowed"):
        await db.writer().opened("", work, offsets.moving(CONSUMER, [Step(held[0], 7, None)]))


async def _work(_: Connection, status: str) -> None:
    assert status == "BEGIN"


async def _effect(tx: Connection, _: str) -> None:
    await tx.execute("insert into deployment_facts (name, value) values ('an effect', '')")


async def _opened(db: Database, held: Sequence[Held]) -> str:
    async def work(tx: Connection, status: str) -> str:
        await offsets.refuse_fewer(tx, CONSUMER, held, status)
        return "went on"

    return await db.writer().opened(offsets.holding(CONSUMER, held), work)


async def _waits(db: Database) -> bool:
    async with db.connection() as connection:
        return bool(await connection.fetchval(WAITING))
