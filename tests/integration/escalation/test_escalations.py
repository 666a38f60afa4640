"""Escalations over HTTP on the real stack: once a leg, once a key, sealed, and only where they are possible."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.escalation.world import World
from tests.support.escalation import SECOND, Life, now_us

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_escalation_is_stated_with_where_it_was_decided(world: World) -> None:
    life = Life()
    await world.known(life, life.received(queue="cards"), life.routed(), life.connected())
    answer = await world.replica.escalate(life.request_id)
    assert answer.status_code == 202, answer.text
    _, fact = await world.comes(life, "SlaMet", "Escalated")
    assert answer.json() == {"request_id": life.request_id, "event_id": answer.json()["event_id"], "to_tier": 2}
    told = {name: fact[name] for name in ("to_tier", "from_tier", "cycle", "leg", "queue", "agent_id", "by")}
    assert told == {
        "to_tier": 2, "from_tier": 1, "cycle": 1, "leg": 1, "queue": "cards", "agent_id": "a-1", "by": "chief"
    }  # fmt: skip
    assert fact["occurred_us"] > life.at_us
    assert "reason" not in fact
    assert fact["sealed"]["key_id"] == "c-1"


async def test_it_is_later_than_what_a_wrong_clock_has_stated_and_keeps_its_own_reading(world: World) -> None:
    ahead = Life(now_us() + 7_200 * SECOND)
    await world.known(ahead, ahead.received())
    assert (await world.replica.escalate(ahead.request_id)).status_code == 202
    asked = "select occurred_us, clock_us from events where stream = $1"
    ((occurred_us, clock_us),) = await world.service.rows(asked, ahead.request_id)
    assert occurred_us == ahead.at_us + 1
    assert abs(clock_us - now_us()) < 60 * SECOND


async def test_one_is_pending_until_it_is_in_effect(world: World) -> None:
    life = Life()
    await world.known(life, life.received())
    first = (await world.replica.escalate(life.request_id)).json()
    again = (await world.replica.escalate(life.request_id, to_tier=3)).json()
    assert again == first
    await world.known(life, life.requeued(first["event_id"], 2))
    after = await world.replica.escalate(life.request_id)
    assert (after.status_code, after.json()["to_tier"]) == (202, 3)
    assert after.json()["event_id"] != first["event_id"]
    await world.comes(life, "Escalated", "Escalated")


async def test_fifty_at_once_state_one(world: World) -> None:
    life = Life()
    await world.known(life, life.received())
    answers = await asyncio.gather(*(world.replica.escalate(life.request_id, by=f"chief-{n}") for n in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    await world.comes(life, "Escalated")


async def test_a_key_gets_the_first_answer_whatever_has_happened_since(world: World) -> None:
    life = Life()
    await world.known(life, life.received())
    first = await world.replica.escalate(life.request_id, key="k-1")
    await world.known(life, life.requeued(first.json()["event_id"], 2), life.resolved())
    again = await world.replica.escalate(life.request_id, key="k-1")
    assert (again.status_code, again.json()) == (202, first.json())
    other = await world.replica.escalate(life.request_id, key="k-1", by="somebody else")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert (await world.replica.escalate(life.request_id, key="k-2")).status_code == 409


@pytest.mark.parametrize(("key", "status"), [("é" * 255, 202), ("é" * 256, 422), ("", 422)])
async def test_a_key_has_1_to_255_characters_of_any_kind(world: World, key: str, status: int) -> None:
    life = Life()
    await world.known(life, life.received())
    first, again = [await world.replica.escalate(life.request_id, key=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (status, first.json())


async def test_what_is_not_possible_is_refused_with_the_state_and_the_holder(world: World) -> None:
    closed, top = Life(), Life()
    await world.known(closed, closed.received(), closed.routed(), closed.connected(), closed.resolved())
    answer = await world.replica.escalate(closed.request_id)
    assert (answer.status_code, answer.json()["state"], answer.json()["holder"]) == (409, "resolved", None)
    await world.known(
        top, top.received(), top.event("Requeued", {"reason": "classified", "tier": 4}), top.routed("a-9")
    )
    answer = await world.replica.escalate(top.request_id)
    assert (answer.status_code, answer.json()["state"], answer.json()["holder"]) == (409, "offered", "a-9")


async def test_a_tier_that_is_not_higher_is_refused_by_name(world: World) -> None:
    life = Life()
    await world.known(life, life.received(), life.event("Requeued", {"reason": "classified", "tier": 2}))
    for tier in (1, 2):
        answer = await world.replica.escalate(life.request_id, to_tier=tier)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "to_tier")
    assert (await world.replica.escalate(life.request_id, to_tier=4)).json()["to_tier"] == 4


@pytest.mark.parametrize("request_id", ["never-heard-of", "00000000-0000-7000-8000-000000000000", "a b", "x" * 101])
async def test_an_unknown_request_is_not_found(world: World, request_id: str) -> None:
    assert (await world.replica.escalate(request_id)).status_code == 404
    assert (await world.replica.get(f"/v1/requests/{request_id}/clocks")).status_code == 404


async def test_an_imported_request_is_not_known_here(world: World) -> None:
    past, live = Life(), Life()
    imported = [past.event("ContactReceived", {"channel": "chat", "customer": {"id": "c-1"}}, source="/imports")]
    imported.append(past.event("Connected", {"agent_id": "a-1"}, source="/imports"))
    await world.service.send(*imported)
    await world.known(live, live.received())
    assert (await world.replica.escalate(past.request_id)).status_code == 404


async def test_without_the_customers_key_it_is_put_off_and_without_a_customer_left_it_says_nothing_personal(
    world: World,
) -> None:
    life = Life()
    await world.known(life, life.received(customer={"id": "c-erased"}, customer_id="c-erased"))
    answer = await world.replica.escalate(life.request_id)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await world.service.rows("insert into customer_keys (key_id, made_us, destroyed_us) values ('c-erased', 1, 2)")
    assert (await world.replica.escalate(life.request_id)).status_code == 202
    (fact,) = await world.comes(life, "Escalated")
    assert not {"reason", "sealed"} & fact.keys()
