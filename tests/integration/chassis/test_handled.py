"""What was handled is remembered for as long as it may come again, and then forgotten: the table stays bounded."""

import asyncio
from functools import partial

import asyncpg
import pytest

from chassis import handled
from chassis.caution import AfterCommit
from chassis.database import Connection, Database
from chassis.dispatch import Dispatch
from chassis.ids import new_id
from chassis.metrics import Metrics
from chassis.records import Record
from events.codec import headers_of
from events.envelope import Envelope
from tests.support.clocks import SetClock

NAME = "ledger"


class Counting:
    """A handler that counts what reaches it."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, _tx: asyncpg.Connection, _envelope: Envelope, _record: Record) -> AfterCommit | None:
        self.calls += 1
        return None


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def dispatch(clock: SetClock, counting: Counting) -> Dispatch:
    return Dispatch(NAME, {"Connected": counting}, source="/services/tests", metrics=Metrics(), clock=clock)


def a_record(offset: int, event_id: str) -> Record:
    envelope = Envelope(event_id, "Connected", 1, "/services/tests", "r", 1, "r", 1)
    return Record("contacts", 0, offset, 1, b"r", tuple(headers_of(envelope)), b"{}")


async def handle(dispatch: Dispatch, db: Database, *records: Record) -> None:
    async def work(tx: Connection) -> None:
        await dispatch.handle(tx, list(records))

    await db.run(work)


async def kept(db: Database) -> int:
    async with db.connection() as connection:
        count: int = await connection.fetchval("select count(*) from handled_events")
    return count


async def test_a_repeat_within_the_week_is_dropped(
    dispatch: Dispatch, clock: SetClock, counting: Counting, db: Database
) -> None:
    event_id = new_id()
    await handle(dispatch, db, a_record(0, event_id))
    clock.move(handled.KEPT_US)
    await dispatch.tend(db.writer(), {})
    await handle(dispatch, db, a_record(1, event_id))
    assert counting.calls == 1


async def test_what_was_handled_longer_ago_is_forgotten(dispatch: Dispatch, clock: SetClock, db: Database) -> None:
    await handle(dispatch, db, *(a_record(n, new_id()) for n in range(100)))
    clock.move(handled.KEPT_US + 1)
    await handle(dispatch, db, a_record(100, new_id()))
    assert await kept(db) == 101
    await dispatch.tend(db.writer(), {})
    assert await kept(db) == 1


async def test_each_consumer_forgets_its_own(dispatch: Dispatch, clock: SetClock, db: Database) -> None:
    async with db.transaction() as tx:
        await handled.note(tx, "another", [new_id()], now_us=clock.now_us())
    clock.move(handled.KEPT_US + 1)
    await dispatch.tend(db.writer(), {})
    assert await kept(db) == 1


async def test_the_oldest_go_first_and_a_bite_is_bounded(db: Database) -> None:
    ids = [new_id() for _ in range(5)]
    async with db.transaction() as tx:
        for n, event_id in enumerate(ids):
            await handled.note(tx, NAME, [event_id], now_us=n)
        assert await handled.forget(tx, NAME, before_us=4, most=3) == 3
        assert await handled.note(tx, NAME, ids, now_us=9) == set(ids[:3])


async def test_replicas_that_forget_at_once_do_not_wait_for_one_another(db: Database) -> None:
    async with db.transaction() as tx:
        await handled.note(tx, NAME, [new_id() for _ in range(10)], now_us=0)
    async with db.transaction() as tx:
        assert await handled.forget(tx, NAME, before_us=1, most=6) == 6
        other = db.run(partial(handled.forget, consumer=NAME, before_us=1))
        assert await asyncio.wait_for(other, 2) == 4
    assert await kept(db) == 0
