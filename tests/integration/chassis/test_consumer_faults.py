"""A consumer that dies, freezes, loses its database or its broker: each effect happens once, or it says why not."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import NewTopic

from chassis import kafka as chassis_kafka
from chassis import offsets
from chassis.assignment import Assignment, Halted
from chassis.database import Connection, Database
from chassis.kafka import NoAnswer
from chassis.logview import LogView
from chassis.offsets import FenceLost, Held, Step
from chassis.readiness import Status
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from tests.integration.chassis import naive
from tests.integration.chassis.ledger import NAME, Ledger, assert_once_and_in_order, consuming, effects, prepared
from tests.integration.chassis.naive import hint_all, hint_of, hinted, taken_again
from tests.integration.chassis.writing import send_many
from tests.support.chassis import environment_of, make_tables
from tests.support.servers import PrivateKafka, PrivatePostgres
from tests.support.until import until

ROOT = Path(__file__).resolve().parents[3]
MakeSettings = Callable[..., ServiceSettings]


class Assigned:
    """A group that has just assigned one partition."""

    generation = 1
    assigned = frozenset({("contacts", 0)})

    def seek(self, place: tuple[str, int], offset: int) -> None:
        """Nothing is fetched here."""


async def test_killed_between_commit_and_hint_it_goes_on_behind_the_commit(
    settings: ServiceSettings, chassis_url: str, db: Database, tmp_path: Path
) -> None:
    with _process(settings, tmp_path / "log") as process:
        await send_many(settings, 100)
        await until(lambda: hinted(settings, 100), 15)
        await send_many(settings, 200, start=100)
        await until(lambda: _effects_count(chassis_url, 300))
        process.kill()
    assert await hint_of(settings) < 300, "void: the hint was as far as the commit"

    repeated = await taken_again(settings, 300)
    assert repeated & set(await effects(chassis_url)), "the naive arm must repeat effects"

    ledger = Ledger("after")
    async with consuming(settings, db, ledger):
        await send_many(settings, 50, start=300)
        await until(lambda: _effects_count(chassis_url, 350), 20)
    assert_once_and_in_order(await effects(chassis_url), 350)


async def test_deposed_while_frozen_it_writes_nothing_and_comes_back(
    settings: ServiceSettings, chassis_url: str, db: Database, tmp_path: Path
) -> None:
    with _process(settings, tmp_path / "log") as process:
        await send_many(settings, 100)
        await until(lambda: _effects_count(chassis_url, 100), 15)
        process.send_signal(signal.SIGSTOP)
        await send_many(settings, 200, start=100)
        async with consuming(settings, db, Ledger("successor")):
            await until(lambda: _effects_count(chassis_url, 300), 20)
            process.send_signal(signal.SIGCONT)
            await until(lambda: (tmp_path / "log").read_text().count("partitions_claimed") >= 2, 15)
        await send_many(settings, 50, start=300)
        await until(lambda: _effects_count(chassis_url, 350), 15)
    assert_once_and_in_order(await effects(chassis_url), 350)


async def test_deposed_it_applies_nothing_until_it_is_assigned_anew(
    settings: ServiceSettings, chassis_url: str, db: Database
) -> None:
    await send_many(settings, 100)
    async with consuming(settings, db, Ledger("deposed")) as consumer:
        await until(lambda: _effects_count(chassis_url, 100), 15)
        await _claimed(settings, db, "usurper", range(4))
        await send_many(settings, 50, start=100)
        await until(lambda: "took partitions over" in consumer.check().detail)
        assert len(await effects(chassis_url)) == 100
        async with consuming(settings.model_copy(update={"replica": "guest"}), db, Ledger("guest")):
            await until(lambda: _effects_count(chassis_url, 150), 15)
        await send_many(settings, 50, start=150)
        await until(lambda: _effects_count(chassis_url, 200), 15)
        await until(lambda: consumer.check().status is Status.OK)
    assert_once_and_in_order(await effects(chassis_url), 200)


async def test_a_deposed_owners_write_affects_no_row(db: Database, kafka: str, make_settings: MakeSettings) -> None:
    settings = await prepared(make_settings(db.dsn, kafka), db)
    old, new = await _claimed(settings, db, "old"), await _claimed(settings, db, "new")
    assert new.epoch == old.epoch + 1

    with pytest.raises(FenceLost):
        await db.run(lambda tx: _naive_effect_and(tx, offsets.advance(tx, NAME, [Step(old, 7, None)])))
    with pytest.raises(FenceLost):
        await db.run(lambda tx: offsets.hold(tx, NAME, [old]))
    assert await effects(db.dsn) == []
    await db.run(lambda tx: offsets.advance(tx, NAME, [Step(new, 7, None)]))

    # The control arm: without the epoch the old owner's write goes through, over the new owner's.
    naive = "update consumer_offsets set next_offset = 7 where consumer = $1 and topic = $2 and partition = $3"
    async with db.transaction() as tx:
        assert await tx.execute(naive, NAME, old.topic, old.partition) == "UPDATE 1"


async def test_an_offset_never_moves_from_where_it_is_not(
    db: Database, kafka: str, make_settings: MakeSettings
) -> None:
    settings = await prepared(make_settings(db.dsn, kafka), db)
    held = await _claimed(settings, db, "one")
    await db.run(lambda tx: offsets.advance(tx, NAME, [Step(held, 5, None)]))
    with pytest.raises(FenceLost):
        await db.run(lambda tx: offsets.advance(tx, NAME, [Step(held, 9, None)]))


async def test_a_broker_wiped_under_a_stored_offset_halts_with_a_remedy(
    make_settings: MakeSettings, chassis_url: str, db: Database, private_kafka: PrivateKafka
) -> None:
    settings = await prepared(make_settings(chassis_url, private_kafka.url), db)
    await send_many(settings, 100)
    async with consuming(settings, db, Ledger()) as consumer:
        await until(lambda: _effects_count(chassis_url, 100), 15)
        await asyncio.to_thread(private_kafka.wipe)
        await asyncio.to_thread(private_kafka.start)
        await Topics(settings, db).ensure()
        await send_many(settings, 400)
        await until(lambda: consumer.check().status is Status.DOWN, 30)
        assert "made anew" in consumer.check().detail
        assert "rebuild" in consumer.check().detail
    async with consuming(settings, db, Ledger()) as restarted:
        await until(lambda: restarted.check().status is Status.DOWN, 20)
    assert len(await effects(chassis_url)) == 100

    # The control arm: the usual setting reads the other log from its start and says nothing.
    assert len(await taken_again(settings, 400)) == 400


async def test_a_topic_made_anew_under_a_running_consumer_is_seen_by_its_id(
    settings: ServiceSettings, db: Database
) -> None:
    view = LogView(settings, ["contacts"])
    lost: list[tuple[str, int]] = []
    mine = Assignment(NAME, "one", db.writer(), view, lost.extend)
    try:
        await until(lambda: _answered(mine.claim(Assigned())))
        await mine.look()
        await _make_anew(settings, "contacts")
        await until(lambda: _halts(mine.look()))
        await until(lambda: _halts(mine.claim(Assigned())))
    finally:
        await view.close()
    assert lost == [("contacts", 0)]


async def test_an_offset_beyond_the_log_halts_and_is_not_reset(
    settings: ServiceSettings, chassis_url: str, db: Database
) -> None:
    await send_many(settings, 40)
    held = await _claimed(settings, db, "before")
    await db.run(lambda tx: offsets.advance(tx, NAME, [Step(held, 1_000, None)]))
    async with consuming(settings, db, Ledger()) as consumer:
        await until(lambda: consumer.check().status is Status.DOWN, 15)
        assert "outside of the log" in consumer.check().detail
    assert await effects(chassis_url) == []


async def test_the_usual_reset_takes_such_a_log_from_its_beginning_and_says_nothing(settings: ServiceSettings) -> None:
    """The control arm of the test above."""
    await send_many(settings, 40)
    await hint_all(settings, 1_000)
    assert len(await taken_again(settings, 4_040)) == 40


async def test_postgresql_killed_under_consumption_costs_nothing(
    make_settings: MakeSettings, kafka: str, private_postgres: PrivatePostgres
) -> None:
    await make_tables(private_postgres.url)
    async with _opened(private_postgres.url) as db:
        settings = await prepared(make_settings(private_postgres.url, kafka), db)
        ledger = Ledger()
        async with consuming(settings, db, ledger) as consumer:
            sending = asyncio.create_task(_send_lots(settings, 40))
            await until(lambda: ledger.committed > 100, 15)
            await asyncio.to_thread(private_postgres.kill)
            await until(lambda: consumer.check().status is Status.DEGRADED)
            await asyncio.to_thread(private_postgres.start)
            await sending
            await until(lambda: _effects_count(private_postgres.url, 1_000), 30)
            await until(lambda: consumer.check().status is Status.OK)
        assert_once_and_in_order(await effects(private_postgres.url), 1_000)


async def test_the_usual_consumer_loses_what_it_took_while_postgresql_was_away(settings: ServiceSettings) -> None:
    """The control arm of the test above: positions are committed whatever becomes of the effects."""
    await send_many(settings, 100)
    taken: set[tuple[int, int]] = set()
    async with naive.member(settings, auto_commit=True) as dying:
        while len(taken) < 100:
            taken |= set(found := await naive.batch(dying))
            with pytest.raises(ConnectionRefusedError):
                await naive.write("postgresql://postgres@127.0.0.1:9/none", found)
    async with naive.member(settings) as restarted:
        assert await naive.batch(restarted, within_s=2.0) == []


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    db = Database(url, name="tests")
    await db.open()
    try:
        yield db
    finally:
        await db.close()


@contextmanager
def _process(settings: ServiceSettings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = environment_of(settings) | {"THROUGHLINE_REPLICA": "process"}
    command = [sys.executable, "-m", "tests.integration.chassis.ledger_process"]
    with log.open("wb") as out, subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


async def _claimed(settings: ServiceSettings, db: Database, holder: str, partitions: Iterable[int] = (0,)) -> Held:
    """The first of the partitions, as its new owner holds it."""
    view = LogView(settings, ["contacts"])
    try:
        ids = await view.topic_ids()
    finally:
        await view.close()
    places = [("contacts", number) for number in partitions]
    held, *_ = await db.run(lambda tx: offsets.claim(tx, NAME, holder, places, ids))
    return held


async def _naive_effect_and(tx: Connection, then: Awaitable[None]) -> None:
    await tx.execute('insert into effects (partition, "offset") values (0, 0)')
    await then


async def _answered(claiming: Awaitable[None]) -> bool:
    try:
        await claiming
    except NoAnswer:
        return False  # The leader of a partition just made may not know it yet.
    return True


async def _halts(looking: Awaitable[None]) -> bool:
    try:
        await looking
    except NoAnswer:
        return False  # The new topic is not known everywhere yet.
    except Halted as halt:
        return "made anew" in str(halt)
    return False


async def _make_anew(settings: ServiceSettings, topic: str) -> None:
    admin = chassis_kafka.admin(settings)
    await admin.start()
    name = chassis_kafka.physical(settings, topic)
    try:
        await admin.delete_topics([name])

        async def made() -> bool:
            answer = await admin.create_topics([NewTopic(name, settings.contacts_partitions, 1)])
            return {row[1] for row in answer.topic_errors} == {0}

        await until(made)
    finally:
        await admin.close()


async def _send_lots(settings: ServiceSettings, lots: int) -> None:
    for n in range(lots):
        await send_many(settings, 25, start=n * 25)


async def _effects_count(url: str, count: int) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        return bool(await connection.fetchval("select count(*) >= $1 from effects", count))
    finally:
        await connection.close()
