"""Signals reach every replica at the commit, and whoever was deaf for a while is told to look at everything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from chassis.database import Connection, Database
from chassis.readiness import Status
from chassis.signals import Signals
from tests.support.servers import PrivatePostgres
from tests.support.until import until

LONG = "q" * 9_000


class Ear:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, payload: str) -> None:
        self.heard.append(payload)


@asynccontextmanager
async def hearing(db: Database, ear: Ear, channel: str = "queue") -> AsyncIterator[Signals]:
    """A replica whose ear is connected; what it was told on connecting is taken away."""
    signals = Signals(db)
    signals.on(channel, ear)
    running = asyncio.create_task(signals.run())
    await until(lambda: ear.heard == [""])
    ear.heard.clear()
    yield signals
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def ear() -> Ear:
    return Ear()


def sending(signals: Signals, *told: tuple[str, str]) -> Callable[[Connection], Awaitable[None]]:
    async def work(tx: Connection) -> None:
        for channel, payload in told:
            await signals.send(tx, channel, payload)

    return work


async def test_every_replica_hears_it_the_sender_too(db: Database, ear: Ear) -> None:
    other = Ear()
    async with hearing(db, ear) as signals, hearing(db, other):
        await db.run(sending(signals, ("queue", "cards"), ("queue", 'a "quoted" \n name')))
        await until(lambda: ear.heard == ["cards", 'a "quoted" \n name'])
        await until(lambda: other.heard == ear.heard)


async def test_only_its_channel_is_heard_and_only_while_asked_for(db: Database, ear: Ear) -> None:
    agents = Ear()
    async with hearing(db, ear) as signals:
        off = signals.on("agent:a-1", agents)
        await db.run(sending(signals, ("agent:a-1", "offer"), ("agent:a-2", "offer"), ("queue", "cards")))
        await until(lambda: ear.heard == ["cards"])
        assert agents.heard == ["offer"]
        off()
        off()
        await db.run(sending(signals, ("agent:a-1", "withdrawn"), ("queue", "loans")))
        await until(lambda: ear.heard == ["cards", "loans"])
        assert agents.heard == ["offer"]


async def test_what_is_rolled_back_is_not_heard(db: Database, ear: Ear) -> None:
    async with hearing(db, ear) as signals:
        with pytest.raises(ZeroDivisionError):
            await db.run(lambda tx: _sent_in_vain(signals, tx))
        await db.run(sending(signals, ("queue", "loans")))
        await until(lambda: ear.heard == ["loans"])


async def test_it_is_heard_at_the_commit_and_not_before(db: Database, ear: Ear) -> None:
    async with hearing(db, ear) as signals:
        async with db.transaction() as tx:
            await signals.send(tx, "queue", "first")
            await db.run(sending(signals, ("queue", "second")))
            await until(lambda: ear.heard == ["second"])
        await until(lambda: ear.heard == ["second", "first"])


async def test_many_go_in_one_statement(db: Database, ear: Ear) -> None:
    async with hearing(db, ear) as signals:
        await db.run(lambda tx: signals.send_all(tx, [("queue", f"q-{n}") for n in range(100)]))
        await until(lambda: len(ear.heard) == 100)


@pytest.mark.parametrize(("channel", "payload"), [("queue", LONG), (LONG, "cards")])
async def test_what_is_too_long_to_be_told_says_look_at_everything(
    db: Database, ear: Ear, channel: str, payload: str
) -> None:
    async with hearing(db, ear) as signals:
        await db.run(sending(signals, (channel, payload)))
        await until(lambda: ear.heard == [""])


async def test_after_a_lost_connection_everything_is_looked_at(db: Database, ear: Ear) -> None:
    async with hearing(db, ear) as signals:
        await _end_sessions(db)
        await until(lambda: ear.heard == [""])
        await db.run(sending(signals, ("queue", "cards")))
        await until(lambda: ear.heard == ["", "cards"])


async def test_without_a_server_it_waits_and_then_everything_is_looked_at(
    ear: Ear, private_postgres: PrivatePostgres
) -> None:
    db = Database(private_postgres.url, name="tests")
    async with hearing(db, ear) as signals:
        await asyncio.to_thread(private_postgres.kill)
        await until(lambda: signals.check().status is Status.DEGRADED)
        await asyncio.to_thread(private_postgres.start)
        await until(lambda: ear.heard == [""], 20)
        assert signals.check().status is Status.OK


async def test_a_server_that_has_gone_silent_is_not_believed(ear: Ear, private_postgres: PrivatePostgres) -> None:
    """A frozen server keeps its connections open: nothing but asking shows that it tells nothing any more."""
    db = Database(private_postgres.url, name="tests")
    async with hearing(db, ear) as signals:
        await asyncio.to_thread(private_postgres.stop)
        await until(lambda: signals.check().status is Status.DEGRADED, 15)
        await asyncio.to_thread(private_postgres.cont)
        await until(lambda: ear.heard == [""], 20)


async def test_a_callback_that_fails_ends_it_visibly(db: Database) -> None:
    def wrong(_payload: str) -> None:
        raise ZeroDivisionError

    signals = Signals(db)
    signals.on("queue", wrong)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(signals.run(), 10)


async def _sent_in_vain(signals: Signals, tx: Connection) -> None:
    await signals.send(tx, "queue", "cards")
    raise ZeroDivisionError


async def _end_sessions(db: Database) -> None:
    async with db.connection() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%signals'"
        )
