"""Records without effects move the offset later than they are read: whatever happens meanwhile, nothing is lost by it
and nothing happens twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import asyncpg
import pytest

from chassis.caution import AfterCommit
from chassis.consumer import Consumer, Record
from chassis.database import Connection, Database
from chassis.dispatch import Dispatch
from chassis.ids import new_id
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from events.codec import headers_of
from events.envelope import Envelope
from tests.integration.chassis.ledger import NAME
from tests.integration.chassis.writing import send
from tests.support.until import until

OCCURRED_US = 1_763_791_000_000_000
HELD = "select next_offset from consumer_offsets where consumer = $1 and partition = 0 for update"


class Watched(Dispatch):
    """Tells which records came as far as a transaction."""

    def __init__(self, connected: Callable[[str], None], attempts: int) -> None:
        self.handed_over: list[int] = []
        self.connected = connected
        super().__init__(
            NAME, {"Connected": self._handled}, source="/services/tests", metrics=Metrics(), attempts=attempts
        )

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        self.handed_over += [record.offset for record in records]
        return await super().handle(tx, records)

    async def _handled(self, tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        self.connected(envelope.subject)
        return None


class Desk:
    """Members of one group over one partition, or more; only Connected has an effect."""

    def __init__(self, settings: ServiceSettings, db: Database) -> None:
        self.settings, self.db = settings, db
        self.connected: list[str] = []
        self.last: Consumer | None = None

    @asynccontextmanager
    async def member(
        self, replica: str = "one", then: Callable[[str], None] | None = None, attempts: int = 5
    ) -> AsyncIterator[tuple[Watched, asyncio.Task[None]]]:
        watched = Watched(then or self.connected.append, attempts)
        settings = self.settings.model_copy(update={"replica": replica})
        consumer = self.last = Consumer(
            NAME, ["contacts"], db=self.db, settings=settings, handler=watched, parking=watched, metrics=Metrics()
        )
        running = asyncio.create_task(consumer.run())
        try:
            yield watched, running
        finally:
            consumer.stop()
            with suppress(asyncio.CancelledError):
                await running

    async def send(self, type_: str, *keys: str) -> None:
        await send(self.settings, [(key.encode(), b"{}", _headers(type_, key)) for key in keys])

    async def is_at(self, offset: int) -> bool:
        """Whether the one who reads has come so far."""
        assert self.last is not None
        return sum(each.next_offset for each in await self.last.positions()) >= offset

    async def stored(self) -> int:
        async with self.db.connection() as connection:
            return int(await connection.fetchval("select coalesce(sum(next_offset), 0) from consumer_offsets"))

    async def is_stored(self, offset: int) -> bool:
        return await self.stored() == offset

    async def parked(self) -> list[str]:
        async with self.db.connection() as connection:
            return [row["key"].decode() for row in await connection.fetch("select key from parked_records")]


@pytest.fixture
async def make_desk(
    make_settings: Callable[..., ServiceSettings], chassis_url: str, kafka: str, db: Database
) -> Callable[[int], Desk]:
    return lambda partitions: Desk(make_settings(chassis_url, kafka, contacts_partitions=partitions), db)


@pytest.fixture
async def desk(make_desk: Callable[[int], Desk], db: Database) -> Desk:
    desk = make_desk(1)
    await Topics(desk.settings, db).ensure()
    return desk


async def test_they_take_no_transaction_of_their_own_and_the_last_position_is_stored(desk: Desk) -> None:
    await desk.send("Connected", "a")
    async with desk.member() as (watched, _):
        await until(lambda: desk.is_stored(1), 15)
        await desk.send("Routed", *"abcdefgh")
        await until(lambda: desk.is_at(9))
        await until(lambda: desk.is_stored(9))
        assert watched.handed_over == [0]
        await desk.send("Routed", "a")
        await desk.send("Connected", "b")
        await until(lambda: desk.is_stored(11))
    assert desk.connected == ["a", "b"]


async def test_a_stop_stores_the_last_position(desk: Desk) -> None:
    await desk.send("Connected", "a")
    async with desk.member(), desk.db.transaction() as tx:
        await until(lambda: desk.is_stored(1), 15)
        await tx.fetchval(HELD, NAME)
        await desk.send("Routed", "b")
        await until(lambda: desk.is_at(2))
        assert desk.last is not None
        desk.last.stop()
        await tx.execute("rollback")
        await tx.execute("begin")
    assert await desk.stored() == 2


async def test_killed_before_it_was_stored_they_are_read_again_and_nothing_happens_twice(desk: Desk) -> None:
    await desk.send("Connected", "a")
    async with desk.member() as (_, running):
        await until(lambda: desk.is_stored(1), 15)
        async with desk.db.transaction() as tx:
            await _moved_but_not_stored(desk, tx)
            running.cancel()
            await asyncio.wait({running})
    assert await desk.stored() == 1
    await desk.send("Connected", "c")
    async with desk.member() as (watched, _):
        await until(lambda: desk.is_stored(3), 15)
    assert watched.handed_over == [1, 2]
    assert desk.connected == ["a", "c"]


async def test_deposed_it_never_moves_an_offset(desk: Desk) -> None:
    await desk.send("Connected", "a")
    async with desk.member():
        await until(lambda: desk.is_stored(1), 15)
        async with desk.db.transaction() as tx:
            await _moved_but_not_stored(desk, tx)
            await tx.execute("update consumer_offsets set epoch = epoch + 1")
        assert desk.last is not None
        check = desk.last.check
        await until(lambda: "took partitions over" in check().detail)
        assert await desk.stored() == 1
    assert await desk.stored() == 1


async def test_members_come_and_go_among_them_and_each_effect_happens_once(
    make_desk: Callable[[int], Desk], db: Database
) -> None:
    desk = make_desk(4)
    await Topics(desk.settings, db).ensure()
    sent: list[str] = []

    async def some(count: int) -> None:
        for _ in range(count):
            keys = [f"key-{len(sent) + n}" for n in range(5)]
            await desk.send("Routed", *keys)
            await desk.send("Connected", *keys)
            await desk.send("Paused", *keys)
            sent.extend(keys)

    async with desk.member("resident"):
        await some(3)
        for n in range(2):
            async with desk.member(f"guest {n}"):
                await some(3)
        await some(1)
        await until(lambda: len(desk.connected) >= len(sent), 30)
        await until(lambda: desk.is_stored(3 * len(sent)), 15)
    assert sorted(desk.connected) == sorted(sent)


async def test_what_ends_the_process_is_parked_soon_and_alone_however_many_stand_before_it(desk: Desk) -> None:
    await desk.send("Routed", *"bcdefghijklm")
    await desk.send("Connected", "a")
    for _ in range(4):
        ended: list[asyncio.Task[None]] = []
        async with desk.member(then=partial(_end, ended), attempts=2) as (_, running):
            ended.append(running)
            await until(running.done, 15, "it ends")
    async with desk.member(attempts=2):
        await until(lambda: desk.is_stored(13), 15)
        assert await desk.parked() == ["a"]
        await desk.send("Connected", "b")
        await until(lambda: desk.is_stored(14), 15)
    assert await desk.parked() == ["a"]
    assert desk.connected == ["b"]


async def _moved_but_not_stored(desk: Desk, tx: Connection) -> None:
    """One record without effects is read while nobody can write the row."""
    await tx.fetchval(HELD, NAME)
    await desk.send("Routed", "b")
    await until(lambda: desk.is_at(2))


def _end(running: list[asyncio.Task[None]], _: str) -> None:
    running[0].cancel()


def _headers(type_: str, key: str) -> list[tuple[str, bytes]]:
    return headers_of(Envelope(new_id(), type_, 1, "/services/tests", key, OCCURRED_US, key, 1))
