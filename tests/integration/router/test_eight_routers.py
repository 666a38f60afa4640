"""Eight routers and one slot: never two holders, everybody served in his turn; and the same done naively."""

from __future__ import annotations

import asyncio
import itertools
import random
from itertools import pairwise

from events.contacts import ContactReceived, Customer
from router.domain.follow import INTAKE
from tests.integration.router import naive
from tests.support.floor import Floor
from tests.support.router import Router, Routers
from tests.support.routing import Routing

ROUTERS = 8
CONTACTS = 1_000
AT_ONCE = 200
SEED = 20_261_122


async def arrive(desk: Routing) -> list[str]:
    """All contacts, in shuffled order; their ids in the order in which they are to be served."""
    dice, began_us = random.Random(SEED), desk.clock.now_us() - 1_000_000
    turns = [(-dice.choice([0, 0, 10, 50]), began_us + n, f"r-{n:04}") for n in range(CONTACTS)]
    records = [
        desk.record(
            ContactReceived(channel="voice", customer=Customer(id="c-1"), customer_id="c-1", priority=-priority),
            request_id,
            source=INTAKE,
            at=at,
        )
        for priority, at, request_id in dice.sample(turns, CONTACTS)
    ]
    for part in range(0, CONTACTS, AT_ONCE):
        await desk.take(*records[part : part + AT_ONCE])
    return [request_id for _, _, request_id in sorted(turns)]


async def serve_all(replicas: list[Router]) -> None:
    """The agent's desk: whatever it is connected to it resolves, each time by another router."""
    answered = 0
    for router in itertools.cycle(replicas):
        for held in await router.held("only"):
            answer = await router.order("resolve", held["request_id"], "only")
            assert answer.status_code == 200, answer.text
            answered += 1
        if answered == CONTACTS:
            return


async def test_eight_routers_serve_a_thousand_contacts_by_one_slot_in_their_turn(
    service: Routers, desk: Routing
) -> None:
    replicas = list[Router](await asyncio.gather(*(service.replica() for _ in range(ROUTERS))))
    await replicas[0].agent("only", "offline", auto_accept=True)
    expected = await arrive(desk)
    await replicas[0].presence("only", "available")
    async with asyncio.timeout(480):
        await serve_all(replicas)
    told = await desk.rows(_HOLDINGS)
    assert [row["stream"] for row in told] == expected
    for held, following in pairwise(told):
        assert held["until_us"] < following["from_us"], "two holdings of one slot overlap"
    assert await desk.rows(_TWICE) == []


_HOLDINGS = """
select stream, min(occurred_us) filter (where type = 'Routed') as from_us,
       min(occurred_us) filter (where type = 'Resolved') as until_us
from events where topic = 'contacts' group by stream order by 2
"""
_TWICE = "select stream from events where type = 'Routed' group by stream having count(*) > 1"


async def one_slot(desk: Routing) -> list[str]:
    """One agent with one unit, in eight queues with one contact each."""
    queues = [f"q-{n}" for n in range(ROUTERS)]
    await Floor(desk).agent("only", queues=tuple(queues))
    for queue in queues:
        await desk.contact(f"in-{queue}", queue=queue)
    return queues


async def offered(desk: Routing) -> int:
    return int((await desk.rows("select count(*) as n from requests where state = 'offered'"))[0]["n"])


async def test_eight_passes_over_eight_queues_give_one_slot_to_one_of_them(desk: Routing) -> None:
    queues = await one_slot(desk)
    floors = [Floor(desk, queue) for queue in queues]
    passed = await asyncio.gather(*(floor.go_over(queue) for floor, queue in zip(floors, queues, strict=True)))
    assert sum(each.offers for each in passed) == await offered(desk) == 1


async def test_eight_naive_passes_give_it_to_more_than_one(desk: Routing) -> None:
    queues, barrier = await one_slot(desk), asyncio.Barrier(ROUTERS)
    believed = await asyncio.gather(*(naive.go_over(desk.db.dsn, queue, barrier) for queue in queues))
    assert sum(believed) == await offered(desk) > 1
