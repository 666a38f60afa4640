"""Records that cannot be taken in are set aside with their requests; all others go on, and verdicts are stated."""

from __future__ import annotations

import json
from typing import Any

from tests.support.escalation import Escalations, Life, Told
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
