"""Records that cannot be taken in are set aside with their requests; all others go on, and verdicts are stated."""

from __future__ import annotations

import json
from typing import Any

from chassis import parking
from chassis.database import Database
from chassis.records import Record
from escalation.consumers import CONSUMER
from events.catalogue import partition_of
from events.codec import headers_of
from tests.support.escalation import Escalations, Life, Told, now_us
from tests.support.until import until

WRONG: dict[str, bytes] = {
    "no JSON": b"{",
    "a NUL": json.dumps({"channel": "chat", "customer_id": "c\0"}).encode(),
    "no contact": b'{"channel": "pigeon", "customer_id": "c-1"}',
    "too deep": b'{"customer_id": "c-1", "channel": "chat", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
}


def with_payload(told: Told, value: bytes) -> Told:
    return Told(told.envelope, value, told.topic)


async def parked(service: Escalations) -> Any:
    return (await service.rows("select count(*) from parked_records"))[0][0]


async def test_what_is_poison_waits_aside_and_its_neighbours_go_on(service: Escalations) -> None:
    replica = await service.local()
    await replica.promise(1)
    lives = {name: Life() for name in WRONG}
    broken = [with_payload(life.received(), WRONG[name]) for name, life in lives.items()]
    behind = [life.connected() for life in lives.values()]
    well = Life()
    await service.send(*broken, *behind, well.received())

    async def stated() -> bool:
        return await service.stated(well.request_id) == ["SlaBreached"]

    await until(stated, 40, "the neighbour's promise is broken at its time")

    async def aside() -> bool:
        return bool(await parked(service) == 2 * len(WRONG))

    await until(aside, 40, "each record waits aside, with what came behind it")
    for life in lives.values():
        assert not await replica.knows(life.request_id)


async def test_a_strangers_word_moves_nothing(service: Escalations) -> None:
    replica = await service.local()
    life = Life()
    sources = ("/services/audit", "/imports", "/somebody/else", "/services/intake")
    told = [
        Life(request_id=life.request_id).event("Connected", {"agent_id": "a-1"}, source=source) for source in sources
    ]
    await service.send(life.received(), *told, life.routed())

    async def offered() -> bool:
        return await service.rows("select state from requests") == [("offered",)]

    await until(offered, 20)
    assert await replica.states(life.request_id) == ["running"]


async def test_what_was_set_aside_is_taken_in_when_it_is_replayed(service: Escalations) -> None:
    replica = await service.local()
    await replica.promise(30)
    life = Life()
    db = Database(service.dsn, name="tests")
    await db.open()
    async with db.transaction() as tx:
        # As if they had failed once, for a reason that is gone by now.
        records = [record_of(service, told, n) for n, told in enumerate((life.received(), life.connected()))]
        await parking.add(tx, CONSUMER, records, reason="it failed", attempts=5, now_us=now_us())
    assert not await replica.knows(life.request_id)
    assert await parking.mark(db, key=life.request_id.encode()) == 2

    async def stated() -> bool:
        return await service.stated(life.request_id) == ["SlaMet"]

    await until(stated, 20, "both are replayed, in their order")
    assert await replica.states(life.request_id) == ["met"]
    assert await parked(service) == 0
    await db.close()


def record_of(service: Escalations, told: Told, number: int) -> Record:
    key = told.envelope.partition_key.encode()
    partition = partition_of(key, service.settings.contacts_partitions)
    return Record(told.topic, partition, number, now_us(), key, tuple(headers_of(told.envelope)), told.value)
