"""What a transaction over live commands promises: the one in memory and the one on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from chassis import migrations
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.errors import StaleTransaction
from chassis.idempotency import Claim
from chassis.keyring import Keyring
from chassis.store import Append, NewEvent
from intake.adapters.stores import SqlLiveStore
from intake.app.ports import LiveStore, LiveUnit
from intake.domain.decide import Known, News
from intake.domain.keys import Use
from tests.intake.memory import MemoryLiveStore, Tables

Two = tuple[LiveStore, LiveStore]
USE = Use("POST /v1/contacts", "k", b"hash")
CLAIM = Claim(USE.scope, USE.key, USE.hash, b"answer")
REQUEST = "01a20208-83e7-7742-95f3-1f74ef393738"
THREAD, IDENTIFIER = UUID(int=1), UUID(int=2)
NEWS = News({REQUEST: "c-1"}, {THREAD: REQUEST}, {IDENTIFIER: "c-1"})


@pytest.fixture(params=["memory", "sql"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    """Two replicas' stores over the same tables."""
    if request.param == "memory":
        tables = Tables()
        yield MemoryLiveStore(tables), MemoryLiveStore(tables)
        return
    dsn = request.getfixturevalue("database_url")
    await migrations.migrate(dsn, "intake")
    db, clock = Database(dsn, name="contract"), SystemClock()
    keyring = Keyring(bytes(range(32)), source="/services/intake", clock=clock)
    yield SqlLiveStore(db.writer(), keyring, clock), SqlLiveStore(db.writer(), keyring, clock)
    await db.close()


def event(occurred_us: int = 1_000) -> NewEvent:
    return NewEvent(str(uuid4()), "ContactReceived", b"{}", occurred_us, "/services/intake", "contacts", REQUEST)


async def learn(unit: LiveUnit) -> None:
    await unit.learn(NEWS)


async def look(unit: LiveUnit) -> Known:
    return await unit.known([REQUEST, "call-1"], [THREAD, UUID(int=9)], [IDENTIFIER, UUID(int=9)])


async def test_what_was_learned_is_known_to_the_others(stores: Two) -> None:
    here, there = stores
    assert await here.run(look) == Known()
    await here.run(learn)
    assert await there.run(look) == Known(NEWS.customers, NEWS.threads, NEWS.identities)


async def test_a_threads_request_is_known_with_its_customer(stores: Two) -> None:
    here, there = stores
    await here.run(learn)
    assert await there.run(lambda unit: unit.known([], [THREAD], [])) == Known({REQUEST: "c-1"}, {THREAD: REQUEST})


async def test_work_that_fails_leaves_nothing(stores: Two) -> None:
    async def work(unit: LiveUnit) -> None:
        await unit.reserve([USE])
        await unit.learn(NEWS)
        await unit.append([Append(REQUEST, 0, (event(),))])
        await unit.claim([CLAIM])
        raise StaleTransaction("on purpose")

    here, there = stores
    with pytest.raises(StaleTransaction):
        await here.run(work)
    assert await there.run(look) == Known()
    reserved = await there.run(lambda unit: unit.reserve([USE]))
    assert (reserved.first, reserved.busy) == ({}, frozenset())
    await there.run(lambda unit: unit.append([Append(REQUEST, 0, (event(),))]))


@pytest.mark.parametrize("news", [News(threads={THREAD: REQUEST}), News(identities={IDENTIFIER: "c-2"})])
async def test_what_another_one_learned_meanwhile_makes_the_work_stale(stores: Two, news: News) -> None:
    here, there = stores

    async def work(unit: LiveUnit) -> None:
        assert await look(unit) == Known()
        await there.run(learn)
        await unit.learn(news)

    with pytest.raises(StaleTransaction):
        await here.run(work)


async def test_a_key_is_busy_for_the_others_until_the_work_ends(stores: Two) -> None:
    here, there = stores

    async def work(unit: LiveUnit) -> None:
        assert (await unit.reserve([USE])).busy == frozenset()
        assert (await there.run(lambda other: other.reserve([USE]))).busy == {(USE.scope, USE.key)}
        await unit.claim([CLAIM])

    await here.run(work)
    reserved = await there.run(lambda unit: unit.reserve([USE]))
    assert reserved.busy == frozenset()
    assert reserved.first[USE.scope, USE.key].answer == b"answer"


async def test_a_key_that_was_answered_meanwhile_makes_the_work_stale(stores: Two) -> None:
    here, there = stores

    async def work(unit: LiveUnit) -> None:
        await there.run(lambda other: other.claim([CLAIM]))
        await unit.claim([CLAIM])

    with pytest.raises(StaleTransaction):
        await here.run(work)


async def test_a_stream_begins_once(stores: Two) -> None:
    here, there = stores

    async def begin(unit: LiveUnit) -> None:
        await unit.append([Append(REQUEST, 0, (event(),))])

    await here.run(begin)
    with pytest.raises(StaleTransaction):
        await there.run(begin)


async def test_each_event_of_a_stream_is_later_than_the_one_before_it(stores: Two) -> None:
    here, there = stores
    first, second, third = event(5_000), event(1_000), event(5_001)
    await here.run(lambda unit: unit.append([Append(REQUEST, 0, (first,))]))

    async def work(unit: LiveUnit) -> list[int]:
        await unit.hold([REQUEST])
        appended = await unit.append([Append(REQUEST, None, (second, third))])
        return [appended.occurred_us[each.event_id] for each in (second, third)]

    assert await there.run(work) == [5_001, 5_002]


async def test_keys_are_the_same_for_everybody(stores: Two) -> None:
    here, there = stores

    async def seal(unit: LiveUnit) -> tuple[bytes, bytes]:
        keys = await unit.keys(["c-1"])
        assert keys.destroyed == frozenset()
        return keys.sealer.seal("c-1", b"secret", b"event")

    nonce, box = await here.run(seal)

    async def unseal(unit: LiveUnit) -> bytes | None:
        return (await unit.keys(["c-1"])).sealer.open("c-1", nonce, box, b"event")

    assert await there.run(unseal) == b"secret"
