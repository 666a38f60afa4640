"""The router killed in the middle of its work: nothing is lost, nothing is held twice, each order counts once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import httpx
import orjson
import pytest

from chassis.records import Record
from events.contacts import Channel, ContactReceived, Customer
from events.lifecycle import UNKNOWN, evolve
from router.domain.follow import INTAKE
from router.domain.moves import Said
from tests.support.router import ProcessRouter, Routers
from tests.support.routing import Routing
from tests.support.until import until

AGENTS = [f"a-{n}" for n in range(6)]
REQUESTS = 60
COUNTED = "select count(*) as known, count(closed_us) as closed from requests"
EVENTS = (
    "select stream, version, type, occurred_us, payload from events where topic = 'contacts' order by stream, version"
)


@pytest.mark.parametrize("seed", [5])
async def test_killed_again_and_again_at_any_moment_both_finish_their_work(
    service: Routers, desk: Routing, seed: int
) -> None:
    draw = random.Random(seed)
    replicas = [await service.replica() for _ in range(2)]
    for n, agent_id in enumerate(AGENTS):
        await replicas[0].agent(agent_id, channels={"voice": 1, "chat": 2}, auto_accept=n % 3 == 0)
    done: Counter[str] = Counter()
    ended = asyncio.Event()
    work = [asyncio.create_task(serve(agent_id, replicas, done, ended)) for agent_id in AGENTS]
    telling = asyncio.create_task(service.send(contacts(desk)))
    try:
        for n in range(int(os.environ.get("CHAOS_ROUNDS", "3"))):
            await asyncio.sleep(draw.random() * 1.5)  # the very moment of the kill is what is drawn
            await replicas[n % 2].kill()
            await replicas[n % 2].start()
        await telling
        await until(lambda: all_closed(desk), 60, "every request is closed")
    finally:
        ended.set()
        await asyncio.gather(*work)
    assert sum(done.values()) >= 10, "a run in which nobody did anything shows nothing"
    await tells_one_story(desk)


async def serve(agent_id: str, replicas: Sequence[ProcessRouter], done: Counter[str], ended: asyncio.Event) -> None:
    """An agent at his desk: he takes what he is offered, resolves it, and asks again where he got no answer."""
    turn = 0
    while not ended.is_set():
        turn += 1
        router = replicas[turn % 2]
        try:
            held = await router.held(agent_id)
            for each in held:
                verb = "accept" if each["state"] == "offered" else "resolve"
                answer = await router.order(verb, each["request_id"], agent_id, key=f"{verb} {each['leg']}")
                assert answer.status_code in (200, 404, 409, 503), answer.text
                done[verb] += answer.status_code == 200
        except httpx.HTTPError:
            await asyncio.sleep(0.05)  # his router is down: he asks the other one
        if not ended.is_set():
            await asyncio.sleep(0.02)  # a desk looks again and again


def contacts(desk: Routing) -> list[Record]:
    ada = Customer(id="c-1")
    channels: list[Channel] = ["chat", "voice"]
    facts = [ContactReceived(channel=channels[n % 2], customer=ada, customer_id="c-1") for n in range(REQUESTS)]
    return [desk.record(fact, f"r-{n}", source=INTAKE) for n, fact in enumerate(facts)]


async def all_closed(desk: Routing) -> bool:
    (there,) = await desk.rows(COUNTED)
    return dict(there) == {"known": REQUESTS, "closed": REQUESTS}


async def tells_one_story(desk: Routing) -> None:
    """The rows are what the events make of them, without a gap, and no unit ever had two requests at once."""
    standings = {f"r-{n}": evolve(UNKNOWN, Said("ContactReceived", {})) for n in range(REQUESTS)}
    versions: Counter[str] = Counter()
    holds: dict[str, tuple[str, int, int]] = {}
    holdings: defaultdict[tuple[str, str, int], list[tuple[int, int]]] = defaultdict(list)
    for row in await desk.rows(EVENTS):
        request_id, data = row["stream"], orjson.loads(row["payload"])
        versions[request_id] += 1
        assert row["version"] == versions[request_id]
        before = standings[request_id]
        after = standings[request_id] = evolve(before, Said(row["type"], data))
        assert after is not before, (request_id, row["type"], before)
        if row["type"] == "Routed":
            holds[request_id] = data["agent_id"], data["unit"], row["occurred_us"]
        elif after.agent_id is None and request_id in holds:
            agent_id, unit, since_us = holds.pop(request_id)
            holdings[agent_id, data["channel"], unit].append((since_us, row["occurred_us"]))
    for request_id, standing in standings.items():
        request = await desk.request(request_id)
        assert (request.standing, request.version) == (standing, versions[request_id])
    for key, times in holdings.items():
        ordered = sorted(times)
        assert all(one[1] < other[0] for one, other in pairwise(ordered)), (key, ordered)
    assert holds == {}
    assert await desk.rows("select * from units where holder is not null") == []
