"""A record that cannot be handled is parked after counted attempts; its key waits, its neighbours go on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from pydantic_core import from_json

from chassis import offsets, parking
from chassis.caution import AfterCommit
from chassis.consumer import Consumer, Record
from chassis.database import Connection, Database
from chassis.dispatch import Dispatch
from chassis.errors import Poison, Unavailable
from chassis.ids import new_id
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings
from chassis.store import Append, append
from chassis.topics import Topics
from events.codec import headers_of
from events.envelope import Envelope
from tests.integration.chassis.ledger import NAME, TABLE
from tests.integration.chassis.writing import send
from tests.support.until import until

OCCURRED_US = 1_763_791_000_000_000


class Desk:
    """Handles Connected by writing the key down, unless it is told to fail there."""

    def __init__(self, db: Database, settings: ServiceSettings) -> None:
        self.db = db
        self.settings = settings
        self.metrics = Metrics()
        self.failures: dict[str, Callable[[], None]] = {}
        self.calls: list[str] = []
        self.consumer: Consumer | None = None

    async def connected(self, tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        self.calls.append(envelope.event_id)
        await tx.execute('insert into effects (partition, "offset", key) values ($1, $2, $3)', *_place(record))
        if envelope.subject in self.failures:
            self.failures[envelope.subject]()
        return None

    def dispatch(self, attempts: int = 3) -> Dispatch:
        handlers = {"Connected": self.connected}
        return Dispatch(NAME, handlers, source="/services/tests", metrics=self.metrics, attempts=attempts)

    @asynccontextmanager
    async def at_work(self, attempts: int = 3) -> AsyncIterator[asyncio.Task[None]]:
        dispatch = self.dispatch(attempts)
        self.consumer = Consumer(
            NAME, ["contacts"], db=self.db, settings=self.settings, handler=dispatch, parking=dispatch,
            metrics=self.metrics,
        )  # fmt: skip
        running = asyncio.create_task(self.consumer.run())
        try:
            yield running
        finally:
            self.consumer.stop()
            with suppress(asyncio.CancelledError):
                await running

    async def send(self, *keys: str) -> None:
        await send(self.settings, [(key.encode(), b"{}", _headers(key)) for key in keys])

    async def handled(self) -> list[str]:
        async with self.db.connection() as connection:
            rows = await connection.fetch("select key from effects order by n")
        return [row["key"].decode() for row in rows]

    async def has_handled(self, *keys: str) -> bool:
        return sorted(await self.handled()) == sorted(keys)

    async def parked(self) -> list[tuple[str, int, str]]:
        async with self.db.connection() as connection:
            rows = await connection.fetch('select key, attempts, reason from parked_records order by "offset"')
        return [(row["key"].decode(), row["attempts"], row["reason"]) for row in rows]

    async def has_parked(self, count: int) -> bool:
        return len(await self.parked()) == count


@pytest.fixture
async def desk(make_settings: Callable[..., ServiceSettings], chassis_url: str, kafka: str, db: Database) -> Desk:
    settings = make_settings(chassis_url, kafka, contacts_partitions=1)
    await Topics(settings, db).ensure()
    async with db.transaction() as tx:
        await tx.execute(TABLE)
    return Desk(db, settings)


async def test_poison_is_parked_with_its_key_while_its_neighbours_go_on(desk: Desk) -> None:
    desk.failures["a"] = _wrong
    await desk.send("b", "a", "b", "a", "c", "a")
    async with desk.at_work(attempts=3):
        await until(lambda: desk.has_parked(3), 15)
        await until(lambda: desk.has_handled("b", "b", "c"))
        await desk.send("a", "b")
        await until(lambda: desk.has_handled("b", "b", "b", "c"))
    waits = ("a", 0, parking.WAITS)
    assert await desk.parked() == [("a", 3, "ValueError: wrong"), waits, waits, waits]


async def test_without_parking_one_poison_stops_all_behind_it(desk: Desk) -> None:
    """The control arm of the test above."""
    desk.failures["a"] = _wrong
    await desk.send("a", "b")
    consumer = Consumer(
        NAME, ["contacts"], db=desk.db, settings=desk.settings, handler=desk.dispatch(), metrics=desk.metrics
    )
    running = asyncio.create_task(consumer.run())
    await until(lambda: len(desk.calls) > 3, 15)
    assert await desk.handled() == []
    consumer.stop()
    await running


async def test_parked_records_are_replayed_in_order_and_their_key_goes_on(desk: Desk) -> None:
    desk.failures["a"] = _wrong
    await desk.send("a", "b", "a")
    async with desk.at_work():
        await until(lambda: desk.has_parked(2), 15)
        del desk.failures["a"]
        assert await parking.mark(desk.db, consumer=NAME, key=b"a") == 2
        await until(lambda: desk.has_parked(0))
        await desk.send("a")
        await until(lambda: desk.has_handled("b", "a", "a", "a"))
    async with desk.db.connection() as connection:
        rows = await connection.fetch("select \"offset\" from effects where key = 'a' order by n")
    assert [row["offset"] for row in rows] == [0, 2, 3]


async def test_what_is_parked_after_nothing_was_is_replayed(desk: Desk) -> None:
    """While nothing is parked nothing is looked for."""
    dispatch, writer, place = desk.dispatch(), desk.db.writer(), ("contacts", 0)
    held = await desk.db.run(lambda tx: offsets.claim(tx, NAME, "one", [place], {"contacts": uuid4()}))
    await dispatch.tend(writer, {place: held[0]})
    record = Record("contacts", 0, 0, 0, b"a", tuple(_headers("a")), b"{}")
    await desk.db.run(lambda tx: dispatch.park(tx, record, "wrong", 1))
    await parking.mark(desk.db)

    async def is_replayed() -> bool:
        await dispatch.tend(writer, {place: held[0]})
        return await desk.has_parked(0)

    await until(is_replayed)
    assert await desk.handled() == ["a"]


async def test_a_replay_that_fails_leaves_the_key_parked_in_its_order(desk: Desk) -> None:
    desk.failures["a"] = _wrong
    await desk.send("a", "a")
    async with desk.at_work():
        await until(lambda: desk.has_parked(2), 15)
        desk.failures["a"] = _still_wrong
        await parking.mark(desk.db)
        await until(lambda: _first_reason(desk, "KeyError: 'still'"))
    assert await desk.parked() == [("a", 4, "KeyError: 'still'"), ("a", 0, parking.WAITS)]
    assert await desk.handled() == []


async def test_a_parked_record_is_told_with_its_bytes_through_the_outbox(desk: Desk) -> None:
    await send(desk.settings, [(b"a", b'{"x": 1}', [("odd", b"\xff"), ("odd", b"")])])
    async with desk.at_work():
        await until(lambda: desk.has_parked(1), 15)
    async with desk.db.connection() as connection:
        (row,) = await connection.fetch("select type, topic, key, payload from events")
    assert (row["type"], row["topic"], row["key"]) == ("RecordParked", "dead-letters", "a")
    said: dict[str, Any] = from_json(row["payload"])
    assert said["headers"] == [{"name": "b2Rk", "value": "/w=="}, {"name": "b2Rk", "value": ""}]
    assert (said["value"], said["consumer"], said["attempts"]) == ("eyJ4IjogMX0=", NAME, 1)


async def test_of_a_value_too_large_to_be_told_its_hash_is(desk: Desk) -> None:
    value = b"x" * (3 << 20)
    await send(desk.settings, [(b"a", value, [("odd", b"1")])])
    async with desk.at_work():
        await until(lambda: desk.has_parked(1), 15)
    async with desk.db.connection() as connection:
        said: dict[str, Any] = from_json(await connection.fetchval("select payload from events"))
        kept = await connection.fetchval("select value from parked_records")
    assert (said["value"], said["size"], said["headers"]) == (None, 3 << 20, [])
    assert said["sha256"] == sha256(value).hexdigest()
    assert kept == value


async def test_poison_by_name_is_not_tried_again(desk: Desk) -> None:
    desk.failures["a"] = _poison
    await desk.send("a")
    async with desk.at_work(attempts=5):
        await until(lambda: desk.has_parked(1), 15)
    assert await desk.parked() == [("a", 1, "Poison: never")]
    assert len(desk.calls) == 1


async def test_what_is_transient_is_not_counted_against_a_record(desk: Desk) -> None:
    desk.failures["a"] = _unavailable
    await desk.send("a")
    async with desk.at_work(attempts=2):
        await until(lambda: len(desk.calls) > 4, 20)
        assert await desk.parked() == []
        del desk.failures["a"]
        await until(lambda: desk.has_handled("a"))


async def test_an_attempt_is_counted_before_it_is_made(desk: Desk) -> None:
    """So that a record that takes the process with it each time is parked too."""
    await desk.send("a", "b")
    for _ in range(3):
        async with desk.at_work(attempts=2) as running:
            desk.failures["a"] = partial(_end, running)
            await until(running.done, 15)
    del desk.failures["a"]
    desk.failures["b"] = lambda: None
    async with desk.at_work(attempts=2):
        await until(lambda: desk.has_handled("b"), 15)
    assert [(key, attempts) for key, attempts, _ in await desk.parked()] == [("a", 3)]


async def test_an_event_that_stands_in_the_log_twice_is_handled_once(desk: Desk) -> None:
    twice, other = _headers("a"), _headers("b")
    await send(desk.settings, [(b"a", b"{}", twice), (b"a", b"{}", twice), (b"b", b"{}", other)])
    async with desk.at_work():
        await until(lambda: desk.has_handled("a", "b"), 15)
        await send(desk.settings, [(b"a", b"{}", twice), (b"c", b"{}", _headers("c"))])
        await until(lambda: desk.has_handled("a", "b", "c"))
    assert len(desk.calls) == 3


async def test_a_repeat_of_a_parked_event_waits_and_is_dropped_at_the_replay(desk: Desk) -> None:
    desk.failures["a"] = _wrong
    twice = _headers("a")
    await send(desk.settings, [(b"a", b"{}", twice), (b"a", b"{}", twice)])
    async with desk.at_work(attempts=1):
        await until(lambda: desk.has_parked(2), 15)
        desk.failures.clear()
        await parking.mark(desk.db)
        await until(lambda: desk.has_parked(0))
    assert await desk.handled() == ["a"]


async def test_parked_records_are_a_metric(desk: Desk) -> None:
    desk.failures["a"] = _wrong
    await desk.send("a", "a")
    async with desk.at_work(attempts=1):
        await until(lambda: b'throughline_parked_records{consumer="ledger"} 2.0' in desk.metrics.text(), 15)


async def test_events_appended_by_a_handler_commit_with_its_offset(desk: Desk) -> None:
    async def answer(tx: Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        from tests.integration.chassis.events import an_event

        await append(tx, [Append(envelope.subject, None, (an_event(envelope.subject),))])
        return await desk.connected(tx, envelope, record)

    dispatch = Dispatch(NAME, {"Connected": answer}, source="/s", metrics=desk.metrics, streams=_subject)
    consumer = Consumer(
        NAME, ["contacts"], db=desk.db, settings=desk.settings, handler=dispatch, parking=dispatch, metrics=Metrics()
    )
    await desk.send("a", "b", "a", "b")
    running = asyncio.create_task(consumer.run())
    await until(lambda: desk.has_handled("a", "b", "a", "b"), 15)
    consumer.stop()
    await running
    async with desk.db.connection() as connection:
        assert await connection.fetchval("select array_agg(version order by stream) from streams") == [2, 2]


def _end(running: asyncio.Task[None]) -> None:
    running.cancel()


def _subject(envelope: Envelope) -> Iterable[str]:
    return [envelope.subject]


def _wrong() -> None:
    raise ValueError("wrong")


def _still_wrong() -> None:
    raise KeyError("still")


def _poison() -> None:
    raise Poison("never")


def _unavailable() -> None:
    raise Unavailable("not now")


async def _first_reason(desk: Desk, reason: str) -> bool:
    return (await desk.parked())[0][2] == reason


def _place(record: Record) -> tuple[int, int, bytes | None]:
    return record.partition, record.offset, record.key


def _headers(key: str) -> list[tuple[str, bytes]]:
    return headers_of(Envelope(new_id(), "Connected", 1, "/services/tests", key, OCCURRED_US, key, 1))
