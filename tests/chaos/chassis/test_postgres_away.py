"""PostgreSQL killed and frozen under load: every caller gets an answer in time, and retries to just one event."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chassis import idempotency, ids, store
from chassis.database import Connection, Database
from chassis.errors import Overloaded, Unavailable
from chassis.group_commit import GroupCommit
from chassis.idempotency import Claim
from chassis.metrics import Metrics
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.store import Append
from tests.integration.chassis.events import an_event
from tests.integration.chassis.fakes import MemoryPublisher
from tests.integration.chassis.log import assert_in_order, first_of_each
from tests.support.chassis import make_tables
from tests.support.servers import PrivatePostgres
from tests.support.until import until

CALLERS = 64


@dataclass
class Load:
    """Callers who each bring one key after the other, and retry a key until it is answered."""

    group: GroupCommit[str, str]
    answers: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    stopped: bool = False

    async def caller(self, name: int) -> None:
        n = 0
        while not self.stopped:
            n += 1
            await self._until_answered(f"{name}-{n}")

    async def _until_answered(self, key: str) -> None:
        while key not in self.answers:
            asked = time.monotonic()
            try:
                self.answers[key] = await self.group.submit(key)
            except (Unavailable, Overloaded) as error:
                self.refused[error.code] += 1
                await asyncio.sleep(0.05)
            finally:
                self.slowest_s = max(self.slowest_s, time.monotonic() - asked)


class Writing:
    """A batch as intake writes one: keys first, then events for the winners, in one transaction."""

    def __init__(self, db: Database) -> None:
        self._writer = db.writer()

    async def write(self, keys: list[str]) -> Sequence[str | Exception]:
        events = {key: an_event(ids.new_id()) for key in keys}

        async def work(tx: Connection) -> list[str | Exception]:
            claims = [Claim("tests", key, b"hash", event.event_id.encode()) for key, event in events.items()]
            claimed = await idempotency.claim(tx, claims, now_us=1)
            winners = [events[key] for _, key in claimed.won]
            await store.append(tx, [Append(event.key, 0, (event,)) for event in winners])
            first = {key: found.answer.decode() for (_, key), found in claimed.first.items()}
            return [first.get(key) or events[key].event_id for key in keys]

        return await self._writer.run(work)


@asynccontextmanager
async def under_load(db: Database) -> AsyncIterator[Load]:
    group: GroupCommit[str, str] = GroupCommit(Writing(db).write)
    load = Load(group)
    running = asyncio.create_task(group.run())
    callers = [asyncio.create_task(load.caller(n)) for n in range(CALLERS)]
    yield load
    load.stopped = True
    async with asyncio.timeout(20):
        await asyncio.gather(*callers)
        group.stop()
        await running


@pytest.fixture
async def database(private_postgres: PrivatePostgres) -> AsyncIterator[Database]:
    await make_tables(private_postgres.url)
    db = Database(private_postgres.url, name="tests")
    await db.open()
    yield db
    await db.close()


async def more_answers(load: Load, count: int = 500) -> None:
    wanted = len(load.answers) + count
    await until(lambda: len(load.answers) >= wanted, 30)


async def more_refusals(load: Load, count: int) -> None:
    wanted = load.refused.total() + count
    await until(lambda: load.refused.total() >= wanted)


async def test_killed_and_frozen_under_load_each_key_has_one_event_and_every_event_is_published(
    database: Database, private_postgres: PrivatePostgres, make_settings: Callable[..., ServiceSettings]
) -> None:
    memory = MemoryPublisher()
    relay = Relay(database, make_settings(private_postgres.url, "127.0.0.1:9"), Metrics(), publisher=memory)
    relaying = asyncio.create_task(relay.run())
    async with under_load(database) as load:
        for _ in range(2):
            await more_answers(load)
            await asyncio.to_thread(private_postgres.kill)
            await more_refusals(load, 1)
            await asyncio.to_thread(private_postgres.start)
        await more_answers(load)
        private_postgres.stop()
        await more_refusals(load, CALLERS)
        private_postgres.cont()
        await more_answers(load)
    assert load.slowest_s < 6, "an answer within 5 s, whatever happens"

    async with database.connection() as connection:
        stored = [row["event_id"] for row in await connection.fetch("select event_id::text from events")]
    assert sorted(stored) == sorted(load.answers.values()), "one event for each key, and none besides"
    await until(lambda: len(first_of_each(memory.records)) == len(stored), 20)
    relay.stop()
    await relaying
    assert_in_order(memory.records)
