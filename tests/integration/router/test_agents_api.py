"""Agents, queues, policies and streams over HTTP, on one router that all these tests share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from chassis.store import read_stream
from tests.support.router import ProcessRouter, Routers
from tests.support.routing import Routing, routing
from tests.support.servers import fresh_database
from tests.support.serving import HEADERS
from throughline.event_lines import events_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = itertools.count()
Json = dict[str, Any]


@dataclass
class Place:
    """A router in a process of its own, and what writes into its database as the log would."""

    router: ProcessRouter
    desk: Routing

    def name(self, kind: str) -> str:
        """Nobody else's."""
        return f"{kind}-{next(_numbers)}"

    async def get(self, path: str, **query: Any) -> Json:
        answer = await self.router.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def put(self, path: str, body: Json, **headers: str) -> httpx.Response:
        return await self.router.http.put(path, json=body, headers=headers)

    async def contact(self, queue: str, **facts: Any) -> str:
        """A contact that the router hears of a moment later, as of one that another replica has taken in."""
        request_id = str(uuid4())
        await self.desk.contact(request_id, queue=queue, **facts)
        return request_id

    async def stated(self, stream: str) -> list[str]:
        """The types of a stream's events."""
        async with self.desk.db.connection() as connection:
            return [event.type for event in await read_stream(connection, stream)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with fresh_database(postgres) as dsn:
        async with Routers(dsn, tmp_path_factory.mktemp("router")) as service:
            replica = await service.replica()
            async with routing(dsn) as desk:
                yield Place(replica, desk)


WHOLE = {
    "name": "Ada",
    "queues": ["cards", "loans"],
    "tier": 2,
    "skills": {"cards": 5},
    "languages": ["en", "de"],
    "channels": {"voice": 1, "chat": 3},
    "auto_accept": True,
}


async def test_an_agent_is_registered_offline_and_shown_as_he_was_written(place: Place) -> None:
    agent_id = place.name("ada")
    answer = await place.put(f"/v1/agents/{agent_id}", WHOLE)
    shown = answer.json()
    assert answer.status_code == 200
    assert {name: shown[name] for name in WHOLE} == WHOLE
    assert (shown["agent_id"], shown["presence"], shown["load"], shown["assignments"]) == (agent_id, "offline", {}, [])
    assert await place.get(f"/v1/agents/{agent_id}") == shown
    assert await place.stated(f"agent:{agent_id}") == ["AgentRegistered"]


async def test_what_is_left_out_of_an_agent_takes_its_default(place: Place) -> None:
    agent_id = place.name("bob")
    await place.put(f"/v1/agents/{agent_id}", WHOLE)
    shown = (await place.put(f"/v1/agents/{agent_id}", {"name": "Bob"})).json()
    told = {name: shown[name] for name in WHOLE}
    assert told == {
        "name": "Bob", "queues": ["default"], "tier": 1, "skills": {}, "languages": [], "channels": {},
        "auto_accept": False,
    }  # fmt: skip
    assert await place.stated(f"agent:{agent_id}") == ["AgentRegistered", "AgentUpdated"]


async def test_the_same_agent_and_the_same_presence_again_state_nothing(place: Place) -> None:
    agent_id = place.name("eve")
    for _ in range(2):
        await place.put(f"/v1/agents/{agent_id}", WHOLE)
        answer = await place.put(f"/v1/agents/{agent_id}/presence", {"status": "away"})
        assert (answer.status_code, answer.json()["presence"]) == (200, "away")
    assert await place.stated(f"agent:{agent_id}") == ["AgentRegistered", "PresenceChanged"]


async def test_an_agent_written_at_once_by_many_is_registered_once(place: Place) -> None:
    agent_id = place.name("many")
    answers = await asyncio.gather(*(place.put(f"/v1/agents/{agent_id}", WHOLE) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert await place.stated(f"agent:{agent_id}") == ["AgentRegistered"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "A", "tier": 5}, "tier"),
        ({"name": "A", "tier": "1"}, "tier"),
        ({"name": "A", "skills": {"cards": 6}}, "skills.cards"),
        ({"name": "A", "channels": {"fax": 1}}, "channels.fax.[key]"),
        ({"name": "A", "channels": {"voice": 1_001}}, "channels.voice"),
        ({"name": "A", "channels": {"voice": -1}}, "channels.voice"),
        ({"name": "A", "presence": "available"}, "presence"),
    ],
)
async def test_an_agent_that_is_none_is_refused_and_the_field_is_named(place: Place, body: Json, field: str) -> None:
    answer = await place.put("/v1/agents/wrong", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await place.router.http.get("/v1/agents/wrong")).status_code == 404


async def test_presence_of_nobody_is_not_found_and_an_unknown_one_is_refused(place: Place) -> None:
    assert (await place.put("/v1/agents/nobody/presence", {"status": "away"})).status_code == 404
    answer = await place.put("/v1/agents/nobody/presence", {"status": "asleep"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "status")


async def test_agents_come_by_their_ids_page_after_page(place: Place) -> None:
    ids = sorted(place.name("page") for _ in range(5))
    for agent_id in ids:
        await place.put(f"/v1/agents/{agent_id}", {"name": "P"})
    found, cursor = list[str](), None
    while True:
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = await place.get("/v1/agents", **query)
        found += [item["agent_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(found)
    assert set(ids) <= set(found)


async def test_an_agent_shows_what_he_is_offered_and_has(place: Place) -> None:
    agent_id, queue = place.name("shown"), place.name("queue")
    await place.router.agent(agent_id, queues=[queue], channels={"voice": 1, "chat": 2})
    call, chat = await place.contact(queue), await place.contact(queue, channel="chat")
    for request_id in (call, chat):
        await place.router.comes(request_id, state="offered")
    await place.router.done("accept", call, agent_id)
    shown = await place.get(f"/v1/agents/{agent_id}")
    told = {each["request_id"]: (each["state"], each["leg"], each["channel"]) for each in shown["assignments"]}
    assert told == {call: ("connected", 1, "voice"), chat: ("offered", 1, "chat")}
    assert shown["load"] == {"chat": 1, "voice": 1}


async def test_a_queue_has_the_defaults_until_somebody_writes_its_policy(place: Place) -> None:
    path = f"/v1/queues/{place.name('queue')}/policy"
    assert await place.get(path) == {
        "version": 1, "offer_timeout_us": 30_000_000, "reoffer_after_us": 10_000_000, "offline_grace_us": 300_000_000,
        "start_tiers": [],
    }  # fmt: skip
    rules = [{"tier": 2, "match": {"support_levels": ["gold"], "priority_from": 50}}, {"tier": 1, "match": {}}]
    answer = await place.put(path, {"offer_timeout_us": 2_000_000, "start_tiers": rules, "version": 77})
    assert answer.status_code == 200
    assert answer.json() == await place.get(path)
    now = await place.get(path)
    assert (now["version"], now["offer_timeout_us"], now["start_tiers"]) == (2, 2_000_000, rules)


async def test_what_a_change_of_a_policy_leaves_out_stays_and_each_is_a_version(place: Place) -> None:
    queue = place.name("queue")
    path = f"/v1/queues/{queue}/policy"
    for body in ({"reoffer_after_us": 1}, {"offline_grace_us": 2}, await place.get(path), {}):
        await place.put(path, body)
    now = await place.get(path)
    assert (now["version"], now["reoffer_after_us"]) == (5, 10_000_000)
    assert await place.stated(f"policy:{queue}") == ["RoutingPolicyVersioned"] * 4


async def test_a_queue_of_any_name_has_a_policy(place: Place) -> None:
    queue = f"cards/abroad? #{place.name('queue')} é"
    path = f"/v1/queues/{quote(queue, safe='')}/policy"
    assert (await place.put(path, {"reoffer_after_us": 7})).status_code == 200
    assert (await place.get(path))["reoffer_after_us"] == 7
    assert await place.stated(f"policy:{queue}") == ["RoutingPolicyVersioned"]


async def test_a_change_of_a_policy_with_a_key_is_made_once(place: Place) -> None:
    path = f"/v1/queues/{place.name('queue')}/policy"
    first = await place.put(path, {"reoffer_after_us": 1}, **{"idempotency-key": "once"})
    again = await place.put(path, {"reoffer_after_us": 1}, **{"idempotency-key": "once"})
    assert (first.json(), first.json()["version"]) == (again.json(), 2)
    other = await place.put(path, {"reoffer_after_us": 2}, **{"idempotency-key": "once"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")


@pytest.mark.parametrize(
    "body",
    [
        {"offer_timeout_us": 0},
        {"offer_timeout_us": 1.5},
        {"aging": {"step_us": 1, "priority_per_step": 1, "most": 1}},
        {"start_tiers": [{"tier": 2, "match": {"queues": ["cards"]}}]},
        {"start_tiers": None},
    ],
)
async def test_what_would_have_no_effect_or_no_sense_is_refused(place: Place, body: Json) -> None:
    path = f"/v1/queues/{place.name('queue')}/policy"
    assert (await place.put(path, body)).status_code == 422
    assert (await place.get(path))["version"] == 1


async def test_queues_tell_what_waits_for_how_long_and_who_has_room(place: Place) -> None:
    queue = place.name("queue")
    await place.router.agent(place.name("free"), queues=[queue], channels={"chat": 1, "email": 0}, skills={"x": 1})
    await place.router.agent(place.name("away"), "away", queues=[queue], channels={"chat": 1})
    for _ in range(2):
        await place.contact(queue, at=place.desk.clock.now_us() - 5_000_000)
    items = (await place.get("/v1/queues", limit=1_000))["items"]
    ours = {each["channel"]: each for each in items if each["queue"] == queue}
    assert ours.keys() == {"chat", "voice"}
    assert (ours["voice"]["waiting"], ours["voice"]["agents_free"], ours["voice"]["tier"]) == (2, 0, 1)
    assert ours["voice"]["oldest_wait_us"] >= 0
    assert (ours["chat"]["waiting"], ours["chat"]["oldest_wait_us"], ours["chat"]["agents_free"]) == (0, None, 1)


async def test_queues_come_page_after_page(place: Place) -> None:
    for _ in range(3):
        await place.contact(place.name("queue"))
    whole = (await place.get("/v1/queues", limit=1_000))["items"]
    first = await place.get("/v1/queues", limit=2)
    second = await place.get("/v1/queues", limit=1_000, cursor=first["next_cursor"])
    names = [[(each["queue"], each["tier"], each["channel"]) for each in page] for page in (whole, first["items"])]
    assert names[0][:2] == names[1]
    assert len(second["items"]) == len(whole) - 2


async def told(place: Place, agent_id: str) -> AsyncGenerator[tuple[str, Json]]:
    """(event, data) as they come."""
    path = f"{place.router.program.url}/v1/agents/{agent_id}/stream"
    async with (
        httpx.AsyncClient(headers=HEADERS, timeout=20, trust_env=False) as http,
        http.stream("GET", path) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        async for _, event, data in events_of(answer.aiter_lines()):
            yield event, data


async def test_a_desk_is_told_of_offers_and_withdrawals_as_they_come(place: Place) -> None:
    agent_id, queue = place.name("desk"), place.name("queue")
    await place.router.agent(agent_id, queues=[queue])
    async with aclosing(told(place, agent_id)) as stream:
        request_id = await place.contact(queue)
        event, data = await asyncio.wait_for(anext(stream), 10)
        assert (event, data["request_id"], data["leg"], data["channel"]) == ("offer", request_id, 1, "voice")
        assert data["offered_at"] < data["lapses_at"]
        await place.router.done("abandon", request_id)
        event, data = await asyncio.wait_for(anext(stream), 10)
        assert (event, data["request_id"]) == ("withdrawal", request_id)


async def test_a_desk_is_told_whom_its_agent_is_connected_to_and_what_he_has_let_go(place: Place) -> None:
    agent_id, queue = place.name("desk"), place.name("queue")
    await place.router.agent(agent_id, queues=[queue])
    request_id = await place.contact(queue)
    await place.router.comes(request_id, state="offered")
    async with aclosing(told(place, agent_id)) as stream:
        events = [(await asyncio.wait_for(anext(stream), 10))[0]]
        for verb, body in [("accept", {}), ("pause", {"reason": "hold"}), ("resume", {}), ("resolve", {})]:
            await place.router.done(verb, request_id, agent_id, **body)
            events.append((await asyncio.wait_for(anext(stream), 10))[0])
    assert events == ["offer", "connected", "paused", "connected", "released"]


async def test_a_new_stream_begins_with_all_that_the_agent_is_offered_and_has(place: Place) -> None:
    agent_id, queue = place.name("desk"), place.name("queue")
    await place.router.agent(agent_id, queues=[queue], auto_accept=True)
    request_id = await place.contact(queue)
    await place.router.comes(request_id, state="connected")
    for _ in range(2):
        async with aclosing(told(place, agent_id)) as stream:
            event, data = await asyncio.wait_for(anext(stream), 10)
            assert (event, data["request_id"], data["lapses_at"]) == ("connected", request_id, None)


async def test_nobody_has_no_stream(place: Place) -> None:
    assert (await place.router.http.get("/v1/agents/nobody/stream")).status_code == 404
